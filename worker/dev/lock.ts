/**
 * Lets one process at a time fill a place in the cache. Two `make test` at once are ordinary, and a lock that
 * outlives its holder would stop every later run, so a lock without a living holder is taken over.
 */

import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { sleep } from "./child.js";

const beatMs = 2_000;
const staleMs = 30_000;

/**
 * Runs `work` while holding the lock folder `lock`; waits for another holder for as long as that one lives,
 * and calls `waiting` once if it has to. The lock is released whatever `work` does.
 */
export async function withLock<T>(lock: string, waiting: () => void, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(lock), { recursive: true });
  let told = false;
  while (!(await taken(lock))) {
    if (await abandoned(lock)) {
      await discard(lock);
      continue;
    }
    if (!told) waiting();
    told = true;
    await sleep(100);
  }
  // The beat tells holders in other containers, whose process ids mean nothing to us, that we live.
  const beat = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => undefined), beatMs);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await rm(lock, { recursive: true, force: true });
  }
}

async function taken(lock: string): Promise<boolean> {
  try {
    await mkdir(lock);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
  await writeFile(join(lock, "holder"), `${hostname()} ${process.pid}\n`);
  return true;
}

async function abandoned(lock: string): Promise<boolean> {
  const found = await stat(lock).catch(() => undefined);
  if (found === undefined) return false;
  if (Date.now() - found.mtimeMs > staleMs) return true;
  const holder = await readFile(join(lock, "holder"), "utf8").catch(() => "");
  const [host, pid] = holder.trim().split(" ");
  return host === hostname() && pid !== undefined && !alive(Number(pid));
}

/** Moves the lock away before removing it: of several that want to, one succeeds and the others try again. */
async function discard(lock: string): Promise<void> {
  const away = `${lock}.stale.${process.pid}.${Date.now()}`;
  try {
    await rename(lock, away);
  } catch {
    return;
  }
  await rm(away, { recursive: true, force: true });
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
