/**
 * Tags in a file of the engine's own, for providers that have no place for one. It is changed under a lock and by a
 * rename, so that of two processes one is fenced off; it is only as good as the folder is shared (decision 0014).
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { RekeyError } from "../../../domain/errors.js";
import type { Call } from "../../ports.js";
import { readBelow, replaceBelow, sweepDrafts } from "../../shared/disk.js";
import { withFileLock } from "../../shared/file-lock.js";
import { orWhenOver } from "../../shared/retry.js";
import { type Fence, fenced, type Standing, untouched } from "./fence.js";

/** Where the register is, whose it is, and how long another process is waited for. */
export interface RegisterPlace {
  readonly folder: string;
  readonly lockTimeoutMs: number;
  /** The provider's address; two providers do not share a file. */
  readonly address: string;
}

const entry = z.strictObject({
  form: z.literal("rekey-http-register/1"),
  address: z.string(),
  slot: z.string(),
  tag: z.string().max(1_000),
  done: z.boolean(),
  key: z.string().max(1_000).nullable(),
  mark: z.string().max(10_000).nullable(),
  before: z.array(z.string().max(1_000)).max(10_000).nullable(),
});

/** Tags in files, one for each slot. `existing` is the key that a slot has before its first rotation. */
export function registerFence(
  { folder, lockTimeoutMs, address }: RegisterPlace,
  existing: (slot: string) => string | null,
  nonce: () => string,
  call: Call,
): Fence {
  const nameOf = (slot: string) =>
    `${createHash("sha256").update(`${address} ${slot}`).digest("hex").slice(0, 40)}.json`;

  const read = async (slot: string): Promise<Standing> => {
    const late = () => new RekeyError("unreachable", `The register in ${folder} could not be read in time.`);
    const bytes = await orWhenOver(readBelow(folder, nameOf(slot)), call.signal, late);
    return bytes === null ? untouched(existing(slot)) : parsed(bytes, join(folder, nameOf(slot)));
  };

  const write = async (slot: string, expect: string, next: Standing, begun: () => void): Promise<void> => {
    const name = nameOf(slot);
    await sweepDrafts(folder, name);
    if ((await read(slot)).tag !== expect) throw fenced(slot);
    const { tag, done, key, mark, before } = next;
    const content = { form: "rekey-http-register/1", address, slot, tag, done, key, mark, before };
    const bytes = Buffer.from(`${JSON.stringify(content, null, 2)}\n`, "utf8");
    await replaceBelow(folder, name, bytes, { mode: 0o600 }, nonce(), async () => {
      if (call.signal.aborted) throw new RekeyError("unreachable", `${folder} could not be written in time.`);
      begun();
      return true;
    });
  };

  return {
    read,
    swap(slot, expect, next) {
      let isBegun = false;
      const work = withFileLock(join(folder, `${nameOf(slot)}.lock`), lockTimeoutMs, call, () =>
        write(slot, expect, next, () => {
          isBegun = true;
        }),
      );
      return orWhenOver(work, call.signal, () =>
        isBegun
          ? new RekeyError("unknown-outcome", `The register in ${folder} was being replaced.`)
          : new RekeyError("unreachable", `The register in ${folder} could not be changed in time.`),
      );
    },
  };
}

function parsed(bytes: Uint8Array, path: string): Standing {
  try {
    const { tag, done, key, mark, before } = entry.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
    return { tag, done, key, mark, before };
  } catch {
    throw new RekeyError("unsupported", `${path} is no register of keys.`);
  }
}
