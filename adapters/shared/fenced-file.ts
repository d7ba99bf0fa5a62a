/**
 * A fenced change of a file that an issuer writes and others read: under the engine's lock, on what was read there, by a
 * rename that is made only while the call lasts and only where nobody edited the file without the lock.
 */
import { basename, dirname, join } from "node:path";
import { RekeyError } from "../../domain/errors.js";
import type { Applied, Call } from "../ports.js";
import { readBelow, replaceBelow, sweepDrafts } from "./disk.js";
import { withFileLock } from "./file-lock.js";
import { orWhenOver } from "./retry.js";

/** The file and how it is changed; `lockTimeout` in milliseconds, `permissions` as octal digits. */
export interface FencedFile {
  readonly file: string;
  readonly lockFolder: string;
  readonly lockTimeout: number;
  readonly permissions: string;
}

/** The file's bytes. Throws `unreachable` where there is none, or not in time. */
export function fencedBytes({ file }: Pick<FencedFile, "file">, call: Call): Promise<Buffer> {
  const late = () => new RekeyError("unreachable", `${file} could not be read in time.`);
  return orWhenOver(bytesOf(file), call.signal, late);
}

/**
 * Puts what `next` makes of the bytes in their place; `already` changes nothing. What `next` throws passes unchanged.
 * Throws `unreachable`, and `unknown-outcome` where the call ended in the middle of the rename.
 */
export function changeFenced(
  at: FencedFile,
  random: (bytes: number) => Uint8Array,
  next: (before: Buffer) => Uint8Array | "already",
  call: Call,
): Promise<Applied> {
  const { file, lockFolder, lockTimeout, permissions } = at;
  const late = () => new RekeyError("unreachable", `${file} could not be changed in time.`);
  if (call.signal.aborted) return Promise.reject(late());
  let begun = false;
  const lock = join(lockFolder, `${encodeURIComponent(file)}.lock`);
  const work = withFileLock(lock, lockTimeout, call, async (): Promise<Applied> => {
    await sweepDrafts(dirname(file), basename(file));
    const before = await bytesOf(file);
    const bytes = next(before);
    if (bytes === "already") return "already";
    const access = { mode: Number.parseInt(permissions, 8) };
    const nonce = Buffer.from(random(8)).toString("hex");
    const written = await replaceBelow(dirname(file), basename(file), bytes, access, nonce, async () => {
      // The lock holds other engines off; this look is for whoever edits the file without it.
      if (!before.equals(await bytesOf(file))) return false;
      if (call.signal.aborted) throw late();
      begun = true;
      return true;
    });
    if (!written) throw new RekeyError("unreachable", `${file} was changed by somebody else at this moment.`);
    return "applied";
  });
  return orWhenOver(work, call.signal, () =>
    begun ? new RekeyError("unknown-outcome", `${file} was being replaced.`) : late(),
  );
}

async function bytesOf(file: string): Promise<Buffer> {
  const bytes = await readBelow(dirname(file), basename(file));
  if (bytes === null) throw new RekeyError("unreachable", `${file} is not there.`);
  return bytes;
}
