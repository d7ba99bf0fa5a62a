/**
 * How far each file was read, so that a scan goes on and what did not change is not opened again. A file is known by its
 * inode and by the hash of its first bytes: it is the same when it was renamed or compressed, and another when its name
 * was given to a new one.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { unreadableCursor } from "./source-cursor.js";
import type { FileSeen } from "./source-log-list.js";

/** Bytes at the beginning by which a file is known, after decompression. */
export const headBytesMax = 4096;
/** With fewer bytes than this a file is only known by its inode: too many files begin alike. */
const headBytesMin = 64;

const entry = z.tuple([
  z.string(),
  z.string(),
  z.string(),
  z.int().nonnegative(),
  z.int().nonnegative(),
  z.number(),
  z.number(),
  z.string(),
  z.int(),
]);
const document = z.strictObject({ v: z.literal(1), files: z.array(entry) });

/** How far a file was read. */
export interface FileRead {
  readonly path: string;
  readonly id: string;
  /** Hash of the first `headBytes` bytes. */
  readonly head: string;
  readonly headBytes: number;
  /** The byte at which the first record begins that was not taken yet, after decompression. */
  readonly offset: number;
  /** As the folder showed it when it was read. */
  readonly size: number;
  readonly mtimeMs: number;
  /** What a splitter has to know to go on at `offset`. */
  readonly mode: string;
  /** There is something behind `offset` that has no end. */
  readonly open: boolean;
  /** That was reported. */
  readonly told: boolean;
  /** It may have been written to after it was read. */
  readonly live: boolean;
  /** It was not read to its end: the scan stopped within it. */
  readonly within: boolean;
}

/** What a scan knows of files from the scans before, by inode. */
export type FilesRead = Map<string, FileRead>;

/** The cursor as text. */
export function cursorText(files: Iterable<FileRead>): string {
  return JSON.stringify({
    v: 1,
    files: [...files].map((file) => [
      file.path,
      file.id,
      file.head,
      file.headBytes,
      file.offset,
      file.size,
      file.mtimeMs,
      file.mode,
      (file.open ? 1 : 0) + (file.told ? 2 : 0) + (file.live ? 4 : 0) + (file.within ? 8 : 0),
    ]),
  });
}

/** What a cursor says; nothing for null. Throws `bad-input` for a text that is no cursor of this kind. */
export function filesIn(cursor: string | null): FilesRead {
  if (cursor === null) return new Map();
  let content: unknown;
  try {
    content = JSON.parse(cursor);
  } catch {
    throw unreadableCursor();
  }
  const { success, data } = document.safeParse(content);
  if (!success) throw unreadableCursor();
  return new Map(
    data.files.map(([path, id, head, headBytes, offset, size, mtimeMs, mode, flags]) => [
      id,
      {
        path,
        id,
        head,
        headBytes,
        offset,
        size,
        mtimeMs,
        mode,
        open: (flags & 1) !== 0,
        told: (flags & 2) !== 0,
        live: (flags & 4) !== 0,
        within: (flags & 8) !== 0,
      },
    ]),
  );
}

/** Nothing has happened to the file since. */
export function unchanged(read: FileRead, { size, mtimeMs }: FileSeen): boolean {
  return !read.within && read.size === size && read.mtimeMs === mtimeMs;
}

/** Hash of the first `bytes` of a beginning. */
export function headHash(head: Buffer, bytes: number): string {
  return createHash("sha256").update(head.subarray(0, bytes)).digest("base64url").slice(0, 16);
}

/** The file begins as it did then. */
export function beginsAs(head: Buffer, read: FileRead): boolean {
  return head.length >= read.headBytes && headHash(head, read.headBytes) === read.head;
}

/**
 * Which of the files read before this one goes on: the one of its inode if it still begins like that; otherwise one that
 * lost its inode (a compressed copy, or a copy whose original was emptied) and begins like that.
 */
export function earlierOf(
  head: Buffer,
  seen: FileSeen,
  read: FilesRead,
  free: ReadonlySet<string>,
): FileRead | undefined {
  const same = read.get(seen.id);
  if (same !== undefined && beginsAs(head, same)) return same;
  for (const id of free) {
    const other = read.get(id);
    if (other !== undefined && other.headBytes >= headBytesMin && beginsAs(head, other)) return other;
  }
  return undefined;
}
