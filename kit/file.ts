/** Reads a credential from a JSON file: the plain form of the engine's file store, or any secret that is mounted as a file. */
import { readFile } from "node:fs/promises";
import { type FieldNames, parseCredentialJson } from "./credential.js";
import type { Load } from "./load.js";
import { Trouble } from "./trouble.js";

/** A source that reads the file anew at each call. The writer must replace it by a rename, never write into it. */
export function fromFile(path: string, names: FieldNames = {}): Load {
  return async (signal) => {
    let text: string;
    try {
      text = await readFile(path, { encoding: "utf8", signal });
    } catch (error) {
      throw troubleOf(error, path);
    }
    return parseCredentialJson(text, names);
  };
}

function troubleOf(error: unknown, path: string): Trouble {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "EACCES" || code === "EPERM") {
    return new Trouble("refused", `The file ${path} may not be read by this process.`);
  }
  if (code === "ENOENT") return new Trouble("unreachable", `The file ${path} is not there.`);
  return new Trouble("unreachable", `The file ${path} could not be read.`);
}
