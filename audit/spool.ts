/**
 * Entries that the log could not take in, in files of this machine: only added to, on the disk before anything is
 * done, each line bound to the one before. Going back and containing a leak do not wait for a log (H31); what
 * they did meanwhile is in here until the log has it.
 */

import { createHash, randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { constants, mkdir, open, readdir, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import type { AuditEntry } from "../domain/audit.js";
import { count } from "../domain/count.js";
import { RekeyError } from "../domain/errors.js";
import { canonical } from "../domain/plan.js";

/** The folder's files of one machine. Several processes may use one folder: each writes a file of its own. */
export interface Spool {
  /** On the disk when this resolves. Throws `audit-down` when there are too many or the disk does not take it. */
  add(entry: AuditEntry, now: number): Promise<void>;
  /** What is there, of every process; nothing is changed. */
  pending(): Promise<readonly SpoolFile[]>;
  /** Puts a file aside whose entries the log has, unless something was added to it since it was read. */
  putAside(file: SpoolFile): Promise<void>;
}

/** One file as it was read. */
export interface SpoolFile {
  readonly name: string;
  readonly bytes: number;
  /** In their order, as far as the lines are bound to each other. */
  readonly entries: readonly { readonly at: number; readonly entry: AuditEntry }[];
  /** Hash of the last of them; the one before the first says what came before. */
  readonly lastHash: string;
  /**
   * False where a line is not bound to the one before, or the first is not the first that was written: the file was
   * changed. Lines that were taken from the end leave nothing behind in the file that would say so.
   */
  readonly intact: boolean;
  /** The last line was not written to its end; nothing was done on it, because it was never said to be on the disk. */
  readonly torn: boolean;
}

interface Line {
  readonly seq: number;
  readonly at: number;
  readonly prev: string;
  readonly entry: AuditEntry;
  readonly hash: string;
}

/** More than an emergency needs, and less than a disk has. */
const entriesMax = 1_000;
const suffix = ".spool.jsonl";

/** The spool in `folder`, which is made when it is first needed. */
export function fileSpool(folder: string, max = entriesMax): Spool {
  const name = `${randomBytes(6).toString("hex")}${suffix}`;
  const path = join(folder, name);
  let [seq, prev] = [0, ""];
  let turn: Promise<void> = Promise.resolve();

  const write = async (entry: AuditEntry, at: number): Promise<void> => {
    const kept = await added(entry, at).catch(() => {
      throw down("The audit spool cannot be written.");
    });
    if (kept === null)
      throw down(`The audit spool is full: ${count(seq, "entry waits", "entries wait")} there for the log.`);
    [seq, prev] = [kept.seq, kept.hash];
  };

  /** The line as it is on the disk; null where there is no room for it. */
  const added = async (entry: AuditEntry, at: number): Promise<Line | null> => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // Whoever merges the file puts it aside, this process or another, at any time: then the line begins a new one.
    for (;;) {
      const goesOn = (await statOf(path)) !== null;
      const before = goesOn ? seq : 0;
      if (before >= max) return null;
      const told = { seq: before + 1, at, prev, entry };
      const line = { ...told, hash: sha256Hex(canonical(told)) };
      if (!(await addedTo(path, `${canonical(line)}\n`, goesOn))) continue;
      await synced(folder);
      return line;
    }
  };

  return {
    add: (entry, now) => {
      const mine = turn.then(() => write(entry, now));
      turn = mine.catch(() => undefined);
      return mine;
    },
    pending: async () => {
      const names = (await filesIn(folder)).filter((file) => file.endsWith(suffix)).sort();
      return Promise.all(names.map(async (file) => parsed(file, await readFile(join(folder, file)))));
    },
    putAside: async (file) => {
      const at = join(folder, file.name);
      if ((await stat(at)).size !== file.bytes) return;
      await rename(at, join(folder, `${file.name}.${Date.now()}.merged`));
      await synced(folder);
    },
  };
}

/** Adds the line, on the disk, to a file that `goesOn` or to a new one; false where that is not what is at `path` any more. */
async function addedTo(path: string, line: string, goesOn: boolean): Promise<boolean> {
  const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants;
  const flags = O_WRONLY | O_APPEND | (goesOn ? 0 : O_CREAT | O_EXCL);
  const file = await open(path, flags, 0o600).catch(absentAsNull);
  if (file === null) return false;
  try {
    await file.writeFile(line);
    await file.datasync();
    const [mine, there] = [await file.stat(), await statOf(path)];
    return there?.ino === mine.ino;
  } finally {
    await file.close();
  }
}

/** What is at `path`, or null. */
async function statOf(path: string): Promise<Stats | null> {
  return stat(path).catch(absentAsNull);
}

function absentAsNull(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT") return null;
  throw error;
}

async function synced(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  await handle.sync().finally(() => handle.close());
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw down("The audit spool cannot be read.");
  }
}

function parsed(name: string, bytes: Buffer): SpoolFile {
  const lines = bytes.toString("utf8").split("\n");
  // What follows the last line break was not written to its end.
  const torn = lines.pop() !== "";
  const entries: { at: number; entry: AuditEntry }[] = [];
  let last: Line | null = null;
  let intact = true;
  for (const text of lines) {
    const line = lineIn(text);
    if (line === null || (last !== null && !follows(line, last))) {
      intact = false;
      break;
    }
    // What stood before it is gone; what is still there is taken all the same.
    if (last === null && line.seq !== 1) intact = false;
    entries.push({ at: line.at, entry: line.entry });
    last = line;
  }
  return { name, bytes: bytes.length, entries, lastHash: last?.hash ?? "", intact, torn };
}

function follows(line: Line, last: Line): boolean {
  return line.prev === last.hash && line.seq === last.seq + 1;
}

/**
 * The line, or null where it does not have its own hash. That needs no key: whoever can write to the disk can make a
 * line that has it, so what its entry says is compared with what was told before it counts.
 */
function lineIn(text: string): Line | null {
  try {
    const line = JSON.parse(text) as Line;
    const { hash, ...told } = line;
    const shaped = typeof told.entry === "object" && told.entry !== null && Number.isSafeInteger(told.at);
    return shaped && sha256Hex(canonical(told)) === hash ? line : null;
  } catch {
    return null;
  }
}

function down(sentence: string): RekeyError {
  return new RekeyError("audit-down", sentence);
}

function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
