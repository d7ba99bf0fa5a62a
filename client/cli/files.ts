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
const valueFromHint = "--value-from takes stdin, file:PATH or env:NAME, never the value itself.";

/**
 * A leaked value from standard input (`stdin`), a file (`file:PATH`, or its path alone) or a variable of the environment
 * (`env:NAME`): never from the command line, which every process of the machine can read. One line break at the end is
 * not part of it. Throws `bad-input`, without what was given: it may be the value itself.
 */
export async function readValue(io: Pick<Io, "stdin" | "env">, source: string): Promise<Secret> {
  const text = await textFrom(io, source);
  const value = text.replace(/\r?\n$/, "");
  if (value === "" || value.length > valueBytesMax) {
    throw new RekeyError("bad-input", "There is no value, or one that is too long to be one.");
  }
  return new Secret(value);
}

async function textFrom(io: Pick<Io, "stdin" | "env">, source: string): Promise<string> {
  if (source === "stdin") return readAll(io);
  if (!source.startsWith("env:")) return fileText(source.replace(/^file:/, ""));
  const text = io.env[source.slice("env:".length)];
  if (text === undefined)
    throw new RekeyError("bad-input", "The variable that was named is not set.", valueFromHint);
  return text;
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
    throw new RekeyError(
      "bad-input",
      `The file that was named cannot be read (${failure.code ?? "?"}).`,
      valueFromHint,
    );
  });
}
