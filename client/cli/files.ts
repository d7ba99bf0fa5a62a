/** Files that commands write and secrets that they read: errors in our words, and no value on a command line. */
import { readFile } from "node:fs/promises";
import { RekeyError } from "../../domain/errors.js";
import { Secret } from "../../domain/secret.js";
import type { Io } from "./deps.js";

/** A file that cannot be written, in our words. */
export function unwritable(file: string, failure: unknown): RekeyError {
  const code = (failure as NodeJS.ErrnoException).code;
  if (code === "EEXIST") {
    return new RekeyError(
      "bad-input",
      `${file} exists and is left as it is.`,
      "Name another file, or move it away.",
    );
  }
  return new RekeyError(
    "bad-input",
    `${file} cannot be written (${code ?? "no reason given"}).`,
    "Check the path.",
  );
}

const valueBytesMax = 65_536;

/**
 * A leaked value from standard input (`stdin`) or a file: never from the command line, which every process of
 * the machine can read. One line break at the end is not part of it.
 */
export async function readValue(io: Pick<Io, "stdin">, source: string): Promise<Secret> {
  const text = source === "stdin" ? await readAll(io) : await fileText(source);
  const value = text.replace(/\r?\n$/, "");
  if (value === "" || value.length > valueBytesMax) {
    throw new RekeyError("bad-input", "There is no value, or one that is too long to be one.");
  }
  return new Secret(value);
}

async function readAll({ stdin }: Pick<Io, "stdin">): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stdin) {
    text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    if (text.length > valueBytesMax) break;
    // A person at a terminal ends the value with the line.
    if (stdin.isTTY === true && text.includes("\n")) break;
  }
  return text;
}

async function fileText(file: string): Promise<string> {
  return readFile(file, "utf8").catch((failure: NodeJS.ErrnoException) => {
    const hint = "--value-from takes `stdin` or a file, never the value itself.";
    throw new RekeyError(
      "bad-input",
      `The file that was named cannot be read (${failure.code ?? "?"}).`,
      hint,
    );
  });
}
