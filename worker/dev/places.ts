/**
 * Where this project and its cache lie, whether the program runs from its sources, from dist or as an
 * installed package.
 */

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder with our package.json. */
export function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/**
 * The folder for programs that are fetched or built once: `REKEY_CACHE`, else `.cache` of a checkout, else
 * the user's own cache when the package was installed somewhere (its folder may be read-only).
 */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const named = env.REKEY_CACHE;
  if (named !== undefined && named !== "") return named;
  const root = projectRoot();
  if (!root.split(sep).includes("node_modules")) return join(root, ".cache");
  return join(env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "rekey");
}
