/** From a file to text, refusing early what is too large, of another encoding, or no text at all. */
import { isUtf8 } from "node:buffer";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { Spotted } from "./problem.js";

/** Of one file, and of one line of a file of lines. What people write is far below, and reading more only helps an attacker. */
export const estateBytesMax = 2 * 1024 * 1024;

/** Text, or why there is none and the part of it up to there. */
export type Decoded =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly text: string; readonly problem: Spotted };

/** Reads a regular file of at most `estateBytesMax`. Every failure is a problem and not an exception. */
export async function readBytes(file: string): Promise<Uint8Array | Spotted> {
  try {
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = await handle.stat();
      if (!found.isFile())
        return atStart("not-a-file", "this is not a regular file", "name the estate's YAML file");
      if (found.size > estateBytesMax) return tooLarge();
      const buffer = Buffer.alloc(estateBytesMax + 1);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    return unreadable((error as NodeJS.ErrnoException).code);
  }
}

function unreadable(code: string | undefined): Spotted {
  if (code === "ENOENT") return atStart("not-found", "there is no such file", "make one with `rekey init`");
  if (code === "EACCES") return atStart("unreadable", "the file may not be read", "check its permissions");
  return atStart("unreadable", `the file cannot be read (${code ?? "no reason given"})`, "check the path");
}

/** UTF-8 without control characters; a byte order mark in front is accepted and dropped. */
export function decode(bytes: Uint8Array): Decoded {
  if (bytes.length > estateBytesMax) return { ok: false, text: "", problem: tooLarge() };
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return { ok: false, text: "", problem: atStart("not-utf-8", "the file is UTF-16", "save it as UTF-8") };
  }
  const text = new TextDecoder("utf-8").decode(bytes);
  const wrong = text.search(notText);
  if (wrong === -1) return { ok: true, text };
  const before = text.slice(0, wrong);
  const problem = isUtf8(bytes)
    ? {
        code: "control-character",
        message: "a control character stands here",
        hint: "remove it; the file may not be text",
      }
    : { code: "not-utf-8", message: "from here on the file is not UTF-8", hint: "save it as UTF-8" };
  return { ok: false, text: before, problem: { ...at(wrong), ...problem } };
}

/** What YAML does not count as text, and what the decoder puts for bytes that it cannot read. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const notText = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufeff\ufffd\ufffe\uffff]/;

function at(offset: number): Pick<Spotted, "start" | "end" | "path" | "show"> {
  return { start: offset, end: offset, path: [], show: "nothing" };
}

/** A problem of the file as a whole. */
export function atStart(code: string, message: string, hint: string): Spotted {
  return { ...at(0), code, message, hint };
}

function tooLarge(): Spotted {
  return {
    ...atStart("too-large", "the file is too large", "is it an estate? split it if it is"),
    expected: `at most ${estateBytesMax / 1024 / 1024} MiB`,
  };
}
