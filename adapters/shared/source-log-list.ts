/**
 * Which files a source reads. What a setting names may be a file, a folder or a pattern, and a folder that is not there is
 * no empty folder: the first is an error, the second something to say.
 */
import { glob, stat } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { causeOf, translated } from "./file-errors.js";

const wild = /[*?[\]{}]/;

/** The setting: absolute paths of files, of folders (everything below them), or patterns (`/var/log/vault/audit*`). */
export function filesSchema(example: string) {
  const error = `expected an absolute path or pattern, such as ${example}`;
  return z
    .array(z.string({ error }).refine((path) => isAbsolute(path), { error }))
    .min(1)
    .describe(
      `Files to read: each the absolute path of a file, of a folder with everything below it, or a pattern such as ${example}.`,
    );
}

/** A file as its folder shows it. */
export interface FileSeen {
  readonly path: string;
  /** Device and inode: the same after a renaming. */
  readonly id: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** What of the setting names it: a file, a folder or a pattern, or several. */
  readonly named: readonly string[];
}

/** The files, each once, the one that was written to longest ago first. Names of patterns that no file matches are in `missing`. */
export interface FileList {
  readonly files: readonly FileSeen[];
  readonly missing: readonly string[];
}

/** Looks at the folders. Throws `unreachable` where a file or folder is not there that is named without a pattern, or a pattern's folder. */
export async function listFiles(paths: readonly string[]): Promise<FileList> {
  const found = new Map<string, FileSeen>();
  const missing: string[] = [];
  for (const path of paths) {
    const before = found.size;
    let matched = 0;
    for (const pattern of await patternsOf(path)) {
      for await (const name of glob(pattern)) {
        const seen = await seenAt(name);
        if (seen === undefined) continue;
        matched++;
        // One file under two names, or matched by two patterns, is one file.
        const known = found.get(seen.id) ?? { ...seen, named: [] };
        found.set(seen.id, { ...known, named: [...new Set([...known.named, path])] });
      }
    }
    if (found.size === before && matched === 0) missing.push(path);
  }
  const files = [...found.values()].sort(
    (a, b) => a.mtimeMs - b.mtimeMs || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0),
  );
  return { files, missing };
}

/** The patterns of a setting; its folder, or the file itself, has to be there. */
async function patternsOf(path: string): Promise<string[]> {
  if (wild.test(path)) {
    await folderOf(path);
    return [path];
  }
  try {
    const about = await stat(path);
    return about.isDirectory() ? [join(path, "**", "*")] : [path];
  } catch (error) {
    if (causeOf(error) === "ENOENT")
      throw new RekeyError("unreachable", `${path} is not there; is it mounted?`);
    throw translated(error, path);
  }
}

/** Refuses a pattern whose folder is not there. */
async function folderOf(pattern: string): Promise<void> {
  let folder = dirname(pattern);
  while (wild.test(folder)) folder = dirname(folder);
  try {
    await stat(folder);
  } catch (error) {
    throw translated(error, folder, folder);
  }
}

/** The file behind a name, undefined for what is none or went in between. */
async function seenAt(path: string): Promise<Omit<FileSeen, "named"> | undefined> {
  try {
    const about = await stat(path, { bigint: true });
    if (!about.isFile()) return undefined;
    return {
      path,
      id: `${about.dev}:${about.ino}`,
      size: Number(about.size),
      mtimeMs: Number(about.mtimeNs / 1_000_000n),
    };
  } catch (error) {
    if (causeOf(error) === "ENOENT") return undefined;
    throw translated(error, path);
  }
}

/** The file as it stands now; undefined where nobody has written to it since. Throws `unreachable` where its name has gone to another, or to none. */
export async function writtenSince(file: FileSeen): Promise<FileSeen | undefined> {
  const seen = await seenAt(file.path);
  if (seen?.id !== file.id)
    throw new RekeyError("unreachable", `${file.path} was renamed or taken away while it was read.`);
  return seen.size === file.size && seen.mtimeMs === file.mtimeMs ? undefined : { ...file, ...seen };
}

/**
 * The files that may still be written to: in each folder the one that was written to last, that of each of `logs` (names of the
 * setting) that was, and whatever was at the same moment. A mistake costs a report, and no record.
 */
export function liveAmong(files: readonly FileSeen[], logs: readonly string[] = []): ReadonlySet<string> {
  const newest = new Map<string, number>();
  const placesOf = ({ path, named }: FileSeen) => {
    const folder = dirname(path);
    return [folder, ...named.filter((name) => logs.includes(name)).map((name) => `${folder}\0${name}`)];
  };
  for (const file of files)
    for (const place of placesOf(file)) newest.set(place, Math.max(newest.get(place) ?? 0, file.mtimeMs));
  const isLive = (file: FileSeen) => placesOf(file).some((place) => newest.get(place) === file.mtimeMs);
  return new Set(files.filter(isLive).map(({ id }) => id));
}
