/** A compose file with the files that it includes: their services are of the same project, and what they name lies beside them. */
import { posix } from "node:path";
import { isMap, listOf, mapOf, named, yamlDocuments } from "../shared/source-config.js";
import { type Says, told } from "../shared/source-says.js";
import { type ComposeFile, pathOf, pathWith, variablesIn } from "./compose-file.js";
import { saysService } from "./compose-says.js";
import { saysTop } from "./compose-top.js";

/** Files that include one another any deeper are no project that somebody wrote. */
const depthMax = 10;

/** Everything that a file says, and what it takes in. */
export async function saysComposeFile(file: ComposeFile, says: Says, depth = 0): Promise<void> {
  await saysTop(file, says);
  for (const [service, body] of Object.entries(mapOf(file.top.services)))
    await saysService(file, service, body, says);
  for (const entry of listOf(file.top.include)) {
    const { path, project_directory: folder, env_file: env } = isMap(entry) ? entry : { path: entry };
    const paths = [path].flat().flatMap((one) => named(one) ?? []);
    for (const one of paths) {
      const other = depth < depthMax ? await included(file, { path: one, paths, folder, env }) : "too deep";
      if (typeof other !== "string") await saysComposeFile(other, says, depth + 1);
      else says.gaps.push(`What ${file.path} includes (${told(one)}) is not known: ${other}.`);
    }
  }
}

/** A file that is taken in, or why it is not known. */
async function included(
  file: ComposeFile,
  { path, paths, folder, env }: { path: string; paths: readonly string[]; folder: unknown; env: unknown },
): Promise<ComposeFile | string> {
  const at = pathOf(file, pathWith(file, path));
  const found = at === null ? null : await file.all.beside(at);
  if (at === null || found === null) return "it is not in the folder";
  if ("why" in found) return found.why;
  const [parsed] = yamlDocuments(found.text);
  if (parsed === undefined || "why" in parsed) return "it is no valid YAML";
  const first = pathOf(file, pathWith(file, paths[0] ?? path)) ?? at;
  const given = named(folder);
  const own = given === null ? posix.dirname(first) : (pathOf(file, pathWith(file, given)) ?? file.folder);
  const envFiles = [env].flat().flatMap((one) => pathOf(file, pathWith(file, named(one) ?? "$")) ?? []);
  const variables = await variablesIn(envFiles.length > 0 ? envFiles : [posix.join(own, ".env")], file.all);
  // What the including file sets goes before.
  for (const [name, variable] of file.variables) variables.set(name, variable);
  return { ...file, path: at, folder: own, top: mapOf(parsed.value), variables };
}
