/**
 * Looks programs up on PATH, the way a shell does, so that a missing one is an answer and not a failed start.
 */

import { access, constants, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** The absolute path of the first executable file of that name on `env.PATH`; undefined when there is none. */
export async function onPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env.PATH ?? "").split(delimiter)) {
    if (folder !== "" && (await isProgram(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

/** True when `path` is a file that we may run. */
export async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
