/** The forms in which a value could lie somewhere, and the search for all of them in files: as it is, encoded, and in halves (I6). */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Shorter pieces of a value would be found by chance. */
const pieceMin = 8;

/** Every form of a value that is looked for. */
export function formsOf(value: string): string[] {
  const half = Math.floor(value.length / 2);
  const bytes = Buffer.from(value);
  // Base64 of a text inside a longer one is found only by the part that does not depend on where it stands.
  const shifted = [0, 1, 2].flatMap((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift, "x"), bytes]).toString("base64");
    const sure = encoded.slice(shift === 0 ? 0 : 4, encoded.length - 4);
    return [sure, sure.replaceAll("+", "-").replaceAll("/", "_")];
  });
  const hex = bytes.toString("hex");
  const pieces = [
    value.slice(0, half),
    value.slice(half),
    hex,
    hex.toUpperCase(),
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    ...shifted,
  ];
  return [...new Set([value, ...pieces.filter((piece) => piece.length >= pieceMin)])];
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
    await writeFile(patterns, `${[...forms].join("\n")}\n`, { mode: 0o600 });
    const args = ["-r", "-a", "-o", "-H", "-Z", "-F", "-f", patterns, "--", ...paths];
    const env = { ...process.env, LC_ALL: "C" };
    const { stdout } = await promisify(execFile)("grep", args, { maxBuffer: outputBytesMax, env }).catch(
      (error: { code?: number; stdout?: string }) => {
        // 1: nothing found. 2: some file was not there, and what was found is printed all the same.
        if (error.code === 1 || error.code === 2) return { stdout: error.stdout ?? "" };
        throw error;
      },
    );
    const found = stdout.split("\n").flatMap((line) => {
      const [file = "", form] = line.split("\0");
      return form === undefined ? [] : [{ file, form }];
    });
    return [...new Map(found.map((one) => [`${one.file}\0${one.form}`, one])).values()];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
