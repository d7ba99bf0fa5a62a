/**
 * Files that are there whole or not at all: written beside, flushed, renamed, and the folder flushed too, so
 * that neither a reader nor a crash ever meets half a document. Symbolic links are not followed.
 */
import { constants } from "node:fs";
import { type FileHandle, link, lstat, mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { RekeyError } from "../../domain/errors.js";
import { causeOf, translated } from "./file-errors.js";

/** Who may read a file. */
export interface Access {
  readonly mode: number;
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/** A document larger than this is not one of ours, and is not read into memory. */
const bytesMax = 1024 * 1024;

const draftMark = ".rekey-tmp-";

/**
 * The bytes of a file below `root`, or `null` where there is none. A missing root is `unreachable`: what is
 * not mounted is not empty.
 */
export async function readBelow(root: string, relative: string): Promise<Buffer | null> {
  const path = join(root, relative);
  try {
    if (!(await isFolder(root)))
      throw new RekeyError("unreachable", `The folder ${root} is not there; is it mounted?`);
    await refuseLinks(root, relative);
    return await readWhole(path);
  } catch (error) {
    if (causeOf(error) === "ENOENT") return null;
    throw translated(error, path);
  }
}

/**
 * Puts the bytes in the file's place. `mayCommit` is asked last, when only the rename is left; when it says
 * no, nothing has changed and the answer is `false`. What goes wrong after the rename is `unknown-outcome`.
 */
export async function replaceBelow(
  root: string,
  relative: string,
  bytes: Uint8Array,
  access: Access,
  nonce: string,
  mayCommit: () => Promise<boolean>,
): Promise<boolean> {
  const path = join(root, relative);
  const draft = draftOf(path, nonce);
  let renamed = false;
  try {
    await refuseLinks(root, relative);
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeDraft(draft, bytes, access);
    if (!(await mayCommit())) return false;
    await rename(draft, path);
    renamed = true;
    await flushFolder(dirname(path));
    return true;
  } catch (error) {
    if (renamed)
      throw new RekeyError(
        "unknown-outcome",
        `${path} was replaced, and it is not certain that a power cut would keep that.`,
      );
    throw translated(error, path);
  } finally {
    if (!renamed) await unlink(draft).catch(() => undefined);
  }
}

/** Writes a file that is not there yet; `false` and nothing done when it is. Only the engine's user may read it. */
export async function createOnce(path: string, bytes: Uint8Array, nonce: string): Promise<boolean> {
  const draft = draftOf(path, nonce);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeDraft(draft, bytes, { mode: 0o600 });
    await link(draft, path);
    await flushFolder(dirname(path));
    return true;
  } catch (error) {
    if (causeOf(error) === "EEXIST") return false;
    throw translated(error, path);
  } finally {
    await unlink(draft).catch(() => undefined);
  }
}

/** Removes a file for good; one that is not there is no error. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
    await flushFolder(dirname(path));
  } catch (error) {
    if (causeOf(error) !== "ENOENT") throw translated(error, path);
  }
}

/** Names of the files in a folder, without drafts; none when the folder is not there. */
export async function namesIn(folder: string): Promise<string[]> {
  return (await entries(folder)).filter((name) => !name.includes(draftMark));
}

/** Removes the drafts that killed writers left in a folder. Only under the lock: another writer's draft looks the same. */
export async function sweepDrafts(folder: string, of?: string): Promise<void> {
  const prefix = of === undefined ? "." : `.${of}${draftMark}`;
  const drafts = (await entries(folder)).filter(
    (name) => name.startsWith(prefix) && name.includes(draftMark),
  );
  for (const draft of drafts) await removeFile(join(folder, draft));
}

/** True for a folder; false where nothing is. Throws `unsupported` for anything else, a link included. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    const stat = await lstat(path);
    if (stat.isDirectory()) return true;
    throw new RekeyError("unsupported", `${path} is not a folder.`);
  } catch (error) {
    if (causeOf(error) === "ENOENT") return false;
    throw translated(error, path);
  }
}

/** Throws `unsupported` where a link on the way below the root could turn our write, or a reader, to a place of somebody's choice. */
export async function refuseLinks(root: string, relative: string): Promise<void> {
  let path = root;
  for (const part of relative.split("/")) {
    path = join(path, part);
    const stat = await lstat(path).catch((error: unknown) => {
      if (causeOf(error) === "ENOENT") return null;
      throw error;
    });
    if (stat === null) return;
    if (stat.isSymbolicLink()) {
      throw new RekeyError("unsupported", `${path} is a symbolic link, which could lead anywhere.`);
    }
  }
}

async function readWhole(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > bytesMax) {
      throw new RekeyError("unsupported", `${path} is not a file of at most 1 MiB.`);
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Writes a file that is not there yet, flushed, where nobody looks for it before the writer says so. */
export async function writeDraft(draft: string, bytes: Uint8Array, access: Access): Promise<void> {
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(bytes);
    await giveTo(file, access);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function giveTo(file: FileHandle, { mode, owner }: Access): Promise<void> {
  if (owner !== undefined) await file.chown(owner.uid, owner.gid);
  // After the owner, and not by the mode of `open`: changing the owner and the umask both take bits away.
  await file.chmod(mode);
}

/** Has the folder's own entries survive a power cut. */
export async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function entries(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (causeOf(error) === "ENOENT") return [];
    throw translated(error, folder);
  }
}

function draftOf(path: string, nonce: string): string {
  return join(dirname(path), `.${basename(path)}${draftMark}${nonce}`);
}
