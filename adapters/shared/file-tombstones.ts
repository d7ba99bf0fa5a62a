/**
 * Empty files that say which versions were purged. A writer that was held up for longer than its time may still write
 * a copy when the rotation is long over; it finds the stone and keeps nothing (H3). Only to be used under the lock.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { createOnce, namesIn, removeFile } from "./disk.js";
import { tombstoneLifeMs } from "./staged-copy.js";

const ending = ".purged";

/** Whether the version was purged lately. */
export async function isPurged(folder: string, version: string): Promise<boolean> {
  return (await namesIn(folder)).includes(`${version}${ending}`);
}

/** Remembers that the version was purged, and forgets what is older than any writer can be held up. */
export async function bury(folder: string, version: string, nonce: string): Promise<void> {
  const own = join(folder, `${version}${ending}`);
  await createOnce(own, new Uint8Array(), nonce);
  const { mtimeMs: now } = await stat(own);
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    if (name.endsWith(ending) && (await stat(path)).mtimeMs < now - tombstoneLifeMs) await removeFile(path);
  }
}
