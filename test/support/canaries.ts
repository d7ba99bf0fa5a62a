/** The forms in which a value could lie somewhere, and the search for all of them in files: as it is, encoded, and in halves (I6). */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Shorter pieces of a value would be found by chance. */
const pieceMin = 8;
/** Letters and digits in a row that survive whatever escapes the rest. */
const runs = /[A-Za-z0-9]{10,}/g;
/** Base64 of at least 24 bytes, of either alphabet: a key in text. */
const keyLike = /^(?:[A-Za-z0-9+/]{32,}|[A-Za-z0-9_-]{32,})={0,2}$/;
/** What ends a pattern of grep, or a line. */
const unsearchable = /[\n\0]/;

/** Every form of a value that is looked for, each byte a character. */
export function formsOf(value: string): string[] {
  const half = Math.floor(value.length / 2);
  const parts = [value, value.slice(0, half), value.slice(half)];
  const texts = [
    ...parts.slice(1),
    ...(value.match(runs) ?? []),
    ...urlFormsOf(value),
    ...jsonFormsOf(value),
    ...parts.flatMap((part) => encodingsOf(Buffer.from(part))),
  ];
  const pieces = [...texts.map((text) => Buffer.from(text).toString("latin1")), ...decodedFormsOf(value)];
  const whole = Buffer.from(value).toString("latin1");
  return [...new Set([whole, ...pieces.filter((piece) => piece.length >= pieceMin)])];
}

/** As it stands in a path and in a query, with the digits of an escape in either case. */
function urlFormsOf(value: string): string[] {
  const [, query = ""] = new URLSearchParams({ "": value }).toString().split(/=(.*)/s);
  return [encodeURIComponent(value), query].flatMap((text) => [
    text,
    text.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
  ]);
}

/** In JSON, and in JSON that is a text in JSON, twice: a log line about a log line. */
function jsonFormsOf(value: string): string[] {
  const escaped = (text: string) => JSON.stringify(text).slice(1, -1);
  return [escaped(value), escaped(escaped(value)), escaped(escaped(escaped(value)))];
}

function encodingsOf(bytes: Buffer): string[] {
  // Base64 of a text inside a longer one is found only by the part that does not depend on where it stands.
  const shifted = [0, 1, 2].flatMap((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift, "x"), bytes]).toString("base64");
    const sure = encoded.slice(shift === 0 ? 0 : 4, encoded.length - 4);
    return [sure, sure.replaceAll("+", "-").replaceAll("/", "_")];
  });
  const hex = bytes.toString("hex");
  return [hex, hex.toUpperCase(), ...shifted];
}

/** A key that is written in base64, as the bytes that it is and in what they are written in elsewhere. */
function decodedFormsOf(value: string): string[] {
  if (!keyLike.test(value)) return [];
  const bytes = Buffer.from(value, "base64");
  const raw = bytes.toString("latin1").split(unsearchable);
  return [...raw, ...encodingsOf(bytes)];
}

/** A form of a value that lies in a file. */
export interface Found {
  readonly file: string;
  readonly form: string;
}

const outputBytesMax = 1 << 26;

/**
 * Looks for every form of every value in files and in everything below folders, whatever they hold. Files that are
 * not there are passed over, so whoever searches shows by a control that the place is the right one.
 */
export async function findForms(values: Iterable<string>, paths: readonly string[]): Promise<Found[]> {
  const folder = await mkdtemp(join(tmpdir(), "rekey-canaries-"));
  try {
    const patterns = join(folder, "patterns");
    const forms = new Set([...values].flatMap(formsOf));
    await writeFile(patterns, `${[...forms].join("\n")}\n`, { mode: 0o600, encoding: "latin1" });
    const args = ["-r", "-a", "-o", "-H", "-Z", "-F", "-f", patterns, "--", ...paths];
    const env = { ...process.env, LC_ALL: "C" };
    const { stdout } = await promisify(execFile)("grep", args, {
      maxBuffer: outputBytesMax,
      env,
      encoding: "latin1",
    }).catch((error: { code?: number; stdout?: string }) => {
      // 1: nothing found. 2: some file was not there, and what was found is printed all the same.
      if (error.code === 1 || error.code === 2) return { stdout: error.stdout ?? "" };
      throw error;
    });
    const found = stdout.split("\n").flatMap((line) => {
      const [file = "", form] = line.split("\0");
      return form === undefined ? [] : [{ file, form }];
    });
    return [...new Map(found.map((one) => [`${one.file}\0${one.form}`, one])).values()];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
