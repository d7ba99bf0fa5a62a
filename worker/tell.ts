/**
 * A process tells the others which codec keys it knows, every few seconds: only so can anybody know that a new key is
 * read everywhere before something is sealed with it. What it tells is what it would use now, not what its settings say.
 */
import { hostname } from "node:os";
import { tellEveryMs } from "../domain/processes.js";
import type { Database } from "../inventory/database.js";
import { forgetProcess, type ProcessTold, tellProcess } from "../inventory/processes.js";
import type { CodecRing } from "./codec-ring.js";

/** Who tells what. */
export interface Teller {
  readonly db: Database;
  readonly ring: CodecRing;
  readonly role: ProcessTold["role"];
  readonly id: string;
  /** Takes one sentence about a time that failed; the next one follows by itself. */
  readonly warn: (sentence: string) => void;
}

/** Tells now and then. Resolves once it has been told for the first time; the answer stops it and takes it back. */
export async function keepTelling({ db, ring, role, id, warn }: Teller): Promise<() => Promise<void>> {
  const name = `${hostname()}/${process.pid}`;
  const tell = async () => tellProcess(db, { id, role, name, ...(await ring.known()) });
  const failed = () => warn("Which codec keys are known here could not be told; trying again.");
  let last = tell().catch(failed);
  await last;
  const timer = setInterval(() => {
    last = last.then(tell).catch(failed);
  }, tellEveryMs);
  return async () => {
    clearInterval(timer);
    await last;
    // Who cannot be told is taken for gone after a while anyhow.
    await forgetProcess(db, id).catch(failed);
  };
}
