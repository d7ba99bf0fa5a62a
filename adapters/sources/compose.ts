/** The kind `compose`: what docker compose files say of who is given which secret. docs/kinds/compose.md is its page for users. */
import { posix } from "node:path";
import { z } from "zod";
import type { AdapterDeps, Source, SourceKind } from "../ports.js";
import { isMap, named, yamlDocuments } from "../shared/source-config.js";
import { folderSettings, folderSource, nameOf, repositoryOf } from "../shared/source-folder.js";
import { type ComposeFolder, variablesIn } from "./compose-file.js";
import { saysComposeFile } from "./compose-include.js";

const composeConfig = z.strictObject({
  ...folderSettings("compose files"),
  project: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]*$/)
    .optional()
    .describe(
      "The project's name where the files do not say one; the name of each file's own folder unless given.",
    ),
});

type ComposeConfig = z.output<typeof composeConfig>;

/** With a word before or behind: `compose.prod.yaml`, `docker-compose-dev.yml`, `orders.compose.yaml`; and stacks of a swarm. */
const fileName =
  /^(?:[A-Za-z0-9_.-]+[.-])?(?:(?:docker-)?compose|docker-stack)(?:[.-][A-Za-z0-9_.-]+)?\.ya?ml$/;

/** As compose itself makes a project's name out of a folder's: lower case, and only letters, digits, dashes and underscores. */
function projectOf(folder: string): string {
  return (
    folder
      .toLowerCase()
      .replace(/[^a-z0-9_-]/g, "")
      .replace(/^[_-]+/, "") || "default"
  );
}

function create(config: ComposeConfig, deps: AdapterDeps): Source {
  return folderSource<ComposeFolder>(
    config,
    {
      files: "compose files",
      isWanted: (path) => fileName.test(posix.basename(path)),
      prepare: async (_files, beside, below) => ({
        ...{ beside, below, repository: repositoryOf(config) },
        held: new Map(),
      }),
      async read({ path, text }, says, all) {
        says.records = 1;
        for (const parsed of yamlDocuments(text)) {
          if ("why" in parsed) {
            says.cannotRead(`${path}:${parsed.line}`, parsed.why);
            continue;
          }
          if (parsed.value === null) continue;
          if (!isMap(parsed.value)) {
            says.cannotRead(path, "no compose file: its top is no map");
            continue;
          }
          const folder = posix.dirname(path);
          const own =
            folder === "."
              ? nameOf({ directory: config.directory, name: config.name })
              : posix.basename(folder);
          const name = named(parsed.value.name);
          const project = name !== null && !name.includes("$") ? name : (config.project ?? projectOf(own));
          const variables = await variablesIn([posix.join(folder, ".env")], all);
          const file = { path, folder, project, top: parsed.value, all, variables, configs: new Map() };
          await saysComposeFile(file, says);
        }
      },
    },
    deps,
  );
}

/** Compose files of a folder. */
export const compose: SourceKind<typeof composeConfig> = {
  shows: "now",
  sees: "configuration",
  config: composeConfig,
  create,
};
