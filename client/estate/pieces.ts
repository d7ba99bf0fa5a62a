/**
 * An estate that is a folder, as a stream of pieces of text: each YAML file is one, and each line of a file of JSON lines. A piece
 * is known by its hash, so that what was read before need not be read again, and no more than one of them is in memory.
 */
import { hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { RekeyError } from "../../domain/errors.js";
import { atStart, estateBytesMax, readBytes } from "./bytes.js";
import type { Spotted } from "./problem.js";

/** A piece, as long as it is looked at. `line` counts from 1; 0: the whole file. */
export interface Piece {
  readonly file: string;
  readonly line: number;
  readonly bytes: Uint8Array;
  readonly hash: string;
}

/** A file, or a line of one, that cannot be read as text. */
export interface Unreadable {
  readonly file: string;
  readonly line: number;
  readonly problem: Spotted;
}

/** Far more than an estate has; a folder with more of them is something else. */
const filesMax = 20_000;

/**
 * The estate's files in a folder, by name: what ends in `.yaml`, `.yml` or `.jsonl`, also in folders of it. What begins with a dot
 * is left out. Throws `bad-input` where there are too many.
 */
export async function filesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      const reason = `${folder} cannot be read (${error.code ?? "no reason given"}).`;
      throw new RekeyError("bad-input", reason, "Check the path.");
    },
  );
  const files = found
    .filter((entry) => !entry.isDirectory() && /\.(?:ya?ml|jsonl)$/.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((file) => !file.split(sep).some((step) => step.startsWith(".")))
    .sort();
  if (files.length > filesMax)
    throw new RekeyError(
      "bad-input",
      `${folder} has more than ${filesMax} files.`,
      "Put more into each of them.",
    );
  return files.map((file) => join(folder, file));
}

/** The pieces of a file in their order, some at a time: to wait for each line would cost more than to read it. */
export async function* piecesOf(file: string): AsyncGenerator<readonly (Piece | Unreadable)[]> {
  if (file.endsWith(".jsonl")) {
    yield* linesOf(file);
    return;
  }
  const bytes = await readBytes(file);
  if (bytes instanceof Uint8Array) yield [{ file, line: 0, bytes, hash: hash("sha256", bytes, "base64url") }];
  else yield [{ file, line: 0, problem: bytes }];
}

const newline = 0x0a;
/** Bytes of a file that are read at a time. */
const chunkBytes = 1 << 18;

async function* linesOf(file: string): AsyncGenerator<readonly (Piece | Unreadable)[]> {
  let line = 0;
  let rest: Buffer = Buffer.alloc(0);
  const take = (bytes: Uint8Array, into: Piece[]): void => {
    line++;
    // A line may be empty, and the file may have been written on another system.
    const text = bytes.at(-1) === 0x0d ? bytes.subarray(0, -1) : bytes;
    if (text.length > 0) into.push({ file, line, bytes: text, hash: hash("sha256", text, "base64url") });
  };
  try {
    for await (const chunk of createReadStream(file, {
      highWaterMark: chunkBytes,
    }) as AsyncIterable<Buffer>) {
      const pieces: Piece[] = [];
      let from = 0;
      for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
        const part = chunk.subarray(from, end);
        take(rest.length === 0 ? part : Buffer.concat([rest, part]), pieces);
        rest = Buffer.alloc(0);
        from = end + 1;
      }
      yield pieces;
      rest =
        rest.length === 0 ? Buffer.from(chunk.subarray(from)) : Buffer.concat([rest, chunk.subarray(from)]);
      if (rest.length > estateBytesMax) {
        const problem = atStart("too-large", "this line is too long", "one entry a line");
        yield [{ file, line: line + 1, problem }];
        return;
      }
    }
    const last: Piece[] = [];
    take(rest, last);
    yield last;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "no reason given";
    const problem = atStart("unreadable", `the file cannot be read (${code})`, "check the path");
    yield [{ file, line: 0, problem }];
  }
}
