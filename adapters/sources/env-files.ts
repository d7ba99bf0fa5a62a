/** The kind `env-files`: values that stand in `.env` files and in configuration. docs/kinds/env-files.md is its page for users. */
import { z } from "zod";
import type { ReaderThing } from "../../domain/discovery/said.js";
import type { AdapterDeps, Source, SourceKind } from "../ports.js";
import { folderSettings, folderSource, repositoryOf } from "../shared/source-folder.js";
import { languageOf, settingsOf } from "../shared/source-languages.js";
import { location } from "../shared/source-says.js";
import { valuesInText } from "../shared/source-texts.js";

const envFilesConfig = z.strictObject({
  ...folderSettings("configuration"),
  workload: z
    .string()
    .regex(/^[^\0\n]{1,200}$/)
    .optional()
    .describe(
      "The program that reads all of these files, where it is one: `host orders-api`; it becomes a reader of each value.",
    ),
});

type EnvFilesConfig = z.output<typeof envFilesConfig>;

function create(config: EnvFilesConfig, deps: AdapterDeps): Source {
  const scope = repositoryOf(config);
  const { workload } = config;
  const reader: ReaderThing | null =
    workload === undefined ? null : { is: "reader", name: workload, traits: { workload } };
  return folderSource<null>(
    config,
    {
      files: "configuration files",
      isWanted: (path) => languageOf(path) !== null,
      prepare: async () => null,
      async read(file, says) {
        const whole = location(scope, file.path);
        const { settings, bad, records } = settingsOf(languageOf(file.path) ?? "env", file.text);
        says.records += records;
        for (const { line, why } of bad) says.cannotRead(`${file.path}:${line}`, why);
        for (const setting of settings) {
          const met = valuesInText(setting.name, setting.text);
          const [first] = met;
          if (first === undefined) continue;
          const at = location(scope, `${file.path}#${setting.path}`);
          const where = `${setting.path} of ${file.path}`;
          says.declared(at, "stored-in", whole, `${where} holds ${first.as}`);
          says.copy(at, met, true, where);
          if (reader !== null)
            says.declared(
              reader,
              "uses",
              at,
              `${workload} reads ${file.path}, by the settings of the source`,
            );
        }
      },
    },
    deps,
  );
}

/** Configuration files of a folder. */
export const envFiles: SourceKind<typeof envFilesConfig> = {
  shows: "now",
  sees: "configuration",
  config: envFilesConfig,
  create,
};
