/**
 * Files of a folder, one after the other in a stable order, as text: the folder may be a repository with a hundred thousand
 * files, and what cannot be read in it has to be named. Only one file's text is in memory at a time.
 */
import { createHash } from "node:crypto";
import { constants, type Dirent } from "node:fs";
import { open, readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { RekeyError } from "../../domain/errors.js";
import type { Call } from "../ports.js";
import { causeOf, translated } from "./file-errors.js";

/** Which files are read. */
export interface Wanted {
  /** Absolute path of the folder. */
  readonly directory: string;
  /** Whether a file is to be read, by its path below the folder with `/` between the parts. */
  readonly isWanted: (path: string) => boolean;
  /** Names of folders that are left out wherever they stand. */
  readonly skip: readonly string[];
  /** Larger files are reported and not read. */
  readonly bytesMax: number;
}

/** A file as it was found; `why` says why there is no text. Line ends are `\n`. */
export type FoundFile =
  | { readonly path: string; readonly text: string; readonly digest: string }
  | { readonly path: string; readonly why: string };

/** Text of one file below the folder, or why there is none; null when no file is there. */
export type ReadBeside = (path: string) => Promise<FoundFile | null>;

/** Paths of the files below a folder of the folder ("" for itself), in the order of their names; none where there is no such folder. */
export type ListBelow = (folder: string) => AsyncGenerator<string>;

/** Why there is no text of what is a folder, a pipe or a device. */
export const noFile = "no ordinary file";
/** Why there is none of what is a picture or a program. */
export const notText = "not text in UTF-8 or UTF-16";
const linkOut = "a symbolic link that leads out of the folder, or to nothing, and is not followed";

/** The folder's true path; throws `unreachable`, `not-permitted` or `unsupported`. */
export async function rootOf(directory: string): Promise<string> {
  try {
    const root = await realpath(directory);
    // Read here, so that a folder that may not be read is an error and not an empty one.
    await readdir(root);
    return root;
  } catch (error) {
    throw translated(error, directory, directory);
  }
}

/** Every wanted file from `from` on (a path, itself included; null: all of them), folders in the order of their names. */
export async function* filesIn(wanted: Wanted, from: string | null, call: Call): AsyncGenerator<FoundFile> {
  const root = await rootOf(wanted.directory);
  yield* walk(root, "", from === null ? [] : from.split("/"), wanted, call);
}

/** Reads single files of the same folder, for what a file refers to. Nothing outside of the folder is read. */
export function besides(wanted: Wanted, call: Call): ReadBeside {
  return async (path) => {
    const parts = path.split("/");
    if (path.startsWith("/") || parts.includes(".."))
      return { path, why: "a path that leads out of the folder" };
    return readFile(await rootOf(wanted.directory), path, wanted.bytesMax, call);
  };
}

/** Lists what lies below single folders of the same folder, for what a file refers to as a whole. Follows no link to a folder. */
export function belows(wanted: Wanted, call: Call): ListBelow {
  return async function* (folder) {
    const root = await rootOf(wanted.directory);
    if (await isFolder(root, folder)) yield* pathsBelow(root, folder, wanted, call);
  };
}

async function* pathsBelow(root: string, folder: string, wanted: Wanted, call: Call): AsyncGenerator<string> {
  goingOn(call, wanted.directory);
  // What cannot be read is reported by the walk, where it comes by.
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (!entry.isDirectory()) yield path;
    else if (!wanted.skip.includes(entry.name)) yield* pathsBelow(root, path, wanted, call);
  }
}

/** A folder that lies in the folder, also by way of a link. */
async function isFolder(root: string, path: string): Promise<boolean> {
  try {
    const real = await realpath(join(root, path));
    return isInside(root, real) && (await stat(real)).isDirectory();
  } catch {
    // Not there, or not to be looked at.
    return false;
  }
}

async function* walk(
  root: string,
  folder: string,
  from: readonly string[],
  wanted: Wanted,
  call: Call,
): AsyncGenerator<FoundFile> {
  goingOn(call, wanted.directory);
  let entries: Dirent[];
  try {
    entries = await readdir(join(root, folder), { withFileTypes: true });
  } catch (error) {
    yield { path: folder, why: `a folder that cannot be read (${causeOf(error) || "unknown cause"})` };
    return;
  }
  const [first, ...rest] = from;
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { name } = entry;
    if (first !== undefined && name < first) continue;
    const path = folder === "" ? name : `${folder}/${name}`;
    if (entry.isDirectory()) {
      if (!wanted.skip.includes(name)) yield* walk(root, path, name === first ? rest : [], wanted, call);
    } else if (entry.isSymbolicLink()) {
      const link = await linkTo(root, path);
      // What is behind a link to a folder in here is read where it stands.
      if (link === "folder") continue;
      const isRead = link === "folder outside" || wanted.isWanted(path);
      const found = isRead ? await readFile(root, path, wanted.bytesMax, call) : null;
      if (found !== null) yield found;
    } else if (wanted.isWanted(path)) {
      const found = await readFile(root, path, wanted.bytesMax, call);
      if (found !== null) yield found;
    }
  }
}

/** What is behind a link. */
async function linkTo(root: string, path: string): Promise<"folder" | "folder outside" | "other"> {
  try {
    const real = await realpath(join(root, path));
    if (!(await stat(real)).isDirectory()) return "other";
    return isInside(root, real) ? "folder" : "folder outside";
  } catch {
    // Broken or not allowed: reading it says so.
    return "other";
  }
}

function isInside(root: string, real: string): boolean {
  return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep);
}

async function readFile(root: string, path: string, bytesMax: number, call: Call): Promise<FoundFile | null> {
  goingOn(call, path);
  try {
    const real = await realpath(join(root, path));
    if (!isInside(root, real)) return { path, why: linkOut };
    // Not to wait for a writer where a pipe of that name stands, and no link that was put there meanwhile.
    const file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      const info = await file.stat();
      if (!info.isFile()) return { path, why: noFile };
      if (info.size > bytesMax) return { path, why: `larger than ${bytesMax} bytes` };
      const bytes = Buffer.alloc(Math.min(bytesMax, info.size) + 1);
      let length = 0;
      // One byte more than it should have, to see one that grows.
      for (let read = 1; read > 0 && length < bytes.length; length += read) {
        ({ bytesRead: read } = await file.read(bytes, length, bytes.length - length, length));
      }
      if (length > info.size) return { path, why: "a file that grew while it was read" };
      const text = textOf(bytes.subarray(0, length));
      if (text === null) return { path, why: notText };
      return { path, text, digest: createHash("sha256").update(bytes.subarray(0, length)).digest("hex") };
    } finally {
      await file.close();
    }
  } catch (error) {
    const cause = causeOf(error);
    if (cause === "ENOENT" || cause === "ENOTDIR") return goneOrBroken(root, path);
    if (error instanceof RekeyError) throw error;
    const whys: Record<string, string> = { EACCES: "the engine's user may not read it", ELOOP: linkOut };
    return { path, why: whys[cause] ?? `it cannot be read (${cause || "unknown cause"})` };
  }
}

/** A file that went away while the folder was read is not there; a link to nothing is. */
async function goneOrBroken(root: string, path: string): Promise<FoundFile | null> {
  const at = path.lastIndexOf("/");
  const names: string[] = await readdir(join(root, path.slice(0, Math.max(0, at)))).catch(() => []);
  return names.includes(path.slice(at + 1)) ? { path, why: linkOut } : null;
}

/** Text by its byte order mark, otherwise UTF-8; null where it is neither. */
export function textOf(bytes: Uint8Array): string | null {
  const [a, b] = bytes;
  const encoding = a === 0xff && b === 0xfe ? "utf-16le" : a === 0xfe && b === 0xff ? "utf-16be" : "utf-8";
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return text.includes("\0") ? null : text.replace(/\r\n?/g, "\n");
  } catch {
    return null;
  }
}

function goingOn({ signal }: Call, what: string): void {
  if (signal.aborted) throw new RekeyError("unreachable", `Reading ${what} took longer than it may.`);
}
