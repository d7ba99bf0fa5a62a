/** Reads a credential from a folder with a file for each field, as secrets are mounted by Docker, Kubernetes and the engine's folder store. */
import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { type FieldNames, parseCredential } from "./credential.js";
import type { Load } from "./load.js";
import { Trouble } from "./trouble.js";

/** How often it is begun anew because another version came while it was read. */
const looksMax = 6;

/**
 * A source that reads the folder anew at each call. Where there is a link `..data`, it is followed once and all fields are read
 * behind it: read one by one through their names they could be of two versions. Other files beside it are fields, too.
 */
export function fromFolder(path: string, names: FieldNames = {}): Load {
  return async (signal) => {
    for (let look = 1; look <= looksMax; look++) {
      try {
        const data = await dataOf(path);
        const fields = await fieldsOf(path, data, signal).catch((error: unknown) => error as Error);
        // The folder of a version goes when the next one is there, and files become links when the first one comes.
        if ((await dataOf(path)) !== data) continue;
        if (fields instanceof Error) throw fields;
        return parseCredential(fields, names);
      } catch (error) {
        throw error instanceof Trouble ? error : troubleOf(error, path);
      }
    }
    throw new Trouble("unreachable", `The folder ${path} is changed so often that it could not be read.`);
  };
}

async function fieldsOf(
  path: string,
  data: string | null,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const folder of data === null ? [path] : [join(path, data), path]) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isFile())
        fields[entry.name] = await readFile(join(folder, entry.name), { encoding: "utf8", signal });
    }
  }
  return fields;
}

/** Where the link leads to, beside it; `null` for a folder of plain files. */
async function dataOf(path: string): Promise<string | null> {
  return readlink(join(path, "..data")).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  });
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function troubleOf(error: unknown, path: string): Trouble {
  const code = codeOf(error);
  if (code === "EACCES" || code === "EPERM") {
    return new Trouble("refused", `The folder ${path} may not be read by this process.`);
  }
  if (code === "ENOENT") return new Trouble("unreachable", `The folder ${path} is not there.`);
  return new Trouble("unreachable", `The folder ${path} could not be read.`);
}
