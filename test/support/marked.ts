/**
 * Finds what a program has left running: every process inherits its environment from the one that started it,
 * so a mark in there names a whole family, also those that moved to another group or lost their parent.
 */
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";

/** Variables of the locale are handed on to every server; others are kept from them. */
const name = "LC_REKEY_TEST_FAMILY";

/** A mark that no other process carries; put it into the environment of whatever is to be followed. */
export function familyMark(): Readonly<Record<string, string>> {
  return { [name]: randomBytes(12).toString("hex") };
}

/** Ids of the processes that carry the mark. Needs /proc. */
export function familyOf(mark: Readonly<Record<string, string>>): Promise<number[]> {
  return knowing(`${name}=${mark[name]}`);
}

/** Ids of the processes that have this text among their settings, such as the path of a folder that is theirs alone. */
export async function knowing(text: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const know = await Promise.all(
    pids.map(async (pid) => {
      // One that has ended meanwhile, or is another user's, is not ours.
      const settings = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
      return settings.includes(text);
    }),
  );
  return pids.filter((_, index) => know[index]).map(Number);
}

/** The words with which a process was started. */
export async function wordsOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ").trim();
}
