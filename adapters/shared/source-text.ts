/**
 * Reports as text, piece by piece, whatever wrote them: with a mark in front or without, in UTF-16 as some shells redirect,
 * compressed, cut off in the middle, with a line as long as a film.
 */

import { type FileHandle, open } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { JSONParser } from "@streamparser/json";
import { count } from "../../domain/count.js";
import { RekeyError } from "../../domain/errors.js";
import type { Call } from "../ports.js";
import { causeOf, translated } from "./file-errors.js";

/** A file that is open. `size` in bytes; `modifiedAt` in milliseconds since the epoch. */
export interface OpenReport {
  readonly path: string;
  readonly size: number;
  readonly modifiedAt: number;
  /** Its text from the beginning, decompressed and decoded. Throws `CutOff` where the compressed bytes end too early. */
  text(): AsyncIterable<string>;
  close(): Promise<void>;
}

/** The bytes end in the middle of something. */
export class CutOff extends Error {}

/** A line, counted from 1. `text` is null where it is longer than it may be; it was passed over. */
export interface Line {
  readonly number: number;
  readonly text: string | null;
}

/** The longest line, and the longest entry of a document, in characters. */
export const lengthMax = 16 * 1024 * 1024;

/** Opens a regular file. Throws `not-found`, `not-permitted`, `unsupported`, `unreachable`. */
export async function openReport(path: string, call: Call): Promise<OpenReport> {
  if (call.signal.aborted) throw new RekeyError("unreachable", `${path} was not read: it is too late.`);
  const handle = await open(path, "r").catch((error: unknown) => {
    if (causeOf(error) === "ENOENT") throw new RekeyError("not-found", `There is no file ${path}.`);
    throw translated(error, path);
  });
  try {
    const about = await handle.stat();
    if (!about.isFile()) throw new RekeyError("unsupported", `${path} is not a file.`);
    return {
      path,
      size: about.size,
      modifiedAt: Math.floor(about.mtimeMs),
      text: () => decoded(bytesOf(handle, path, call)),
      close: () => handle.close().catch(() => undefined),
    };
  } catch (error) {
    await handle.close();
    throw translated(error, path);
  }
}

async function* bytesOf(handle: FileHandle, path: string, call: Call): AsyncIterable<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  const compressed = bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  const stream = handle.createReadStream({ start: 0, autoClose: false, signal: call.signal });
  try {
    if (!compressed) return yield* stream;
    const plain = createGunzip();
    stream.on("error", (error) => plain.destroy(error));
    yield* stream.pipe(plain);
  } catch (error) {
    if (call.signal.aborted) throw new RekeyError("unreachable", `${path} was not read to its end in time.`);
    if (causeOf(error).startsWith("Z_")) throw new CutOff();
    throw translated(error, path);
  } finally {
    stream.destroy();
  }
}

async function* decoded(bytes: AsyncIterable<Buffer>): AsyncIterable<string> {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  for await (const piece of bytes) {
    decoder ??= new TextDecoder(encodingOf(piece));
    yield decoder.decode(piece, { stream: true });
  }
  yield decoder?.decode() ?? "";
}

/** The decoder takes the mark away. Bytes that are no text come out as U+FFFD. */
function encodingOf([first, second]: Buffer): string {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  return "utf-8";
}

/** True where bytes did not decode, so that a comparison with the text would be one with something else. */
export function isGarbled(text: string): boolean {
  return text.includes("\uFFFD");
}

/** The lines; LF and CR LF end one. */
export async function* linesOf(pieces: AsyncIterable<string>, longest = lengthMax): AsyncIterable<Line> {
  let rest = "";
  let passing = false;
  let number = 0;
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf("\n"); end !== -1; end = piece.indexOf("\n", from)) {
      yield lineOf(++number, rest + piece.slice(from, end), passing, longest);
      rest = "";
      passing = false;
      from = end + 1;
    }
    if (!passing) rest += piece.slice(from);
    if (rest.length > longest) {
      passing = true;
      rest = "";
    }
  }
  if (passing || rest !== "") yield lineOf(++number, rest, passing, longest);
}

function lineOf(number: number, text: string, passing: boolean, longest: number): Line {
  if (passing || text.length > longest) return { number, text: null };
  return { number, text: text.endsWith("\r") ? text.slice(0, -1) : text };
}

/** An entry of a document of JSON, or where reading had to stop, as a sentence without a character of what stood there. */
export type JsonEntry = { readonly value: unknown } | { readonly broken: string };

/**
 * The entries of a list that lies at one of `paths` of a document, one after the other; what is no list there gives nothing.
 * A document that breaks off or is not JSON ends with what was readable before, and `broken`.
 */
export async function* entriesOf(
  pieces: AsyncIterable<string>,
  pathsOf: (first: string) => string[] | null,
): AsyncIterable<JsonEntry> {
  let parser: JSONParser | undefined;
  let found: unknown[] = [];
  let read = 0;
  let since = 0;
  let entries = 0;
  const where = () => `about character ${read}, after ${count(entries, "entry", "entries")}`;
  try {
    for await (const piece of pieces) {
      const text = parser === undefined ? piece.trimStart() : piece;
      if (text === "") continue;
      if (parser === undefined) {
        const paths = pathsOf(text.charAt(0));
        if (paths === null) return yield { broken: "it is no such document" };
        parser = new JSONParser({ paths, keepStack: false, stringBufferSize: 1 << 16 });
        parser.onValue = ({ value }) => found.push(value);
      }
      read += text.length;
      since += text.length;
      // Behind the end of the document nothing but space may follow; the parser would take it for a mistake of its user.
      if (parser.isEnded) {
        if (text.trim() !== "")
          yield { broken: `something stands behind the end of the document, at ${where()}` };
        continue;
      }
      const wrong = written(parser, text);
      for (const value of found) yield { value };
      entries += found.length;
      if (found.length > 0) since = 0;
      found = [];
      if (wrong) return yield { broken: `it is not JSON from ${where()} on` };
      if (since > 4 * lengthMax) return yield { broken: `an entry is too long, at ${where()}` };
    }
  } catch (error) {
    if (!(error instanceof CutOff)) throw error;
    return yield { broken: `the compressed file breaks off at ${where()}` };
  }
  if (parser === undefined) yield { broken: "it is empty" };
  else if (!parser.isEnded) yield { broken: `it breaks off at ${where()}` };
}

/** The parser's error quotes what it met, so it ends here. */
function written(parser: JSONParser, text: string): boolean {
  let wrong = false;
  parser.onError = () => {
    wrong = true;
  };
  try {
    parser.write(text);
  } catch {
    return true;
  }
  return wrong;
}
