/** The kind `env-files`: values that stand in `.env` files and in configuration. docs/kinds/env-files.md is its page for users. */
import { posix } from "node:path";
import { z } from "zod";
import type { ReaderThing } from "../../domain/discovery/said.js";
import type { AdapterDeps, Source, SourceKind } from "../ports.js";
import { jsonDocuments, type Setting, settingsIn, yamlDocuments } from "../shared/source-config.js";
import { envLines, iniLines, propertyLines } from "../shared/source-dotenv.js";
import { folderSettings, folderSource, repositoryOf, type TextFile } from "../shared/source-folder.js";
import { gitCredentialLines, netrcLines, npmrcLines, pgpassLines } from "../shared/source-login-files.js";
import { location, type Says } from "../shared/source-says.js";
import { valuesIn } from "../shared/source-values.js";

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

/** The languages of lines, each with what reads it. */
const byLines = {
  env: envLines,
  properties: propertyLines,
  ini: iniLines,
  pgpass: pgpassLines,
  netrc: netrcLines,
  npmrc: npmrcLines,
  git: gitCredentialLines,
};

type Language = keyof typeof byLines | "yaml" | "json";

/** In which a program looks up its logins. */
const loginFiles: Readonly<Record<string, Language>> = {
  ".pgpass": "pgpass",
  "pgpass.conf": "pgpass",
  ".netrc": "netrc",
  _netrc: "netrc",
  ".npmrc": "npmrc",
  ".git-credentials": "git",
};

/** How a file is read, by its name; null for one that is none of ours. */
function languageOf(path: string): Language | null {
  const name = posix.basename(path).toLowerCase();
  const known = loginFiles[name];
  if (known !== undefined) return known;
  if (/(?:^|\/)\.aws\/(?:credentials|config)$/.test(path)) return "ini";
  // Made by package managers, full of digests, and without a setting.
  if (/(?:^|[.-])lock\.(?:json|ya?ml)$|^npm-shrinkwrap\.json$/.test(name)) return null;
  if (name === ".env" || name.startsWith(".env.") || name.endsWith(".env")) return "env";
  if (/\.ya?ml$/.test(name)) return "yaml";
  if (name.endsWith(".json")) return "json";
  if (name.endsWith(".properties")) return "properties";
  return /\.(?:ini|cfg|cnf)$/.test(name) ? "ini" : null;
}

/** Settings of a file, as its language has them; lines and documents that cannot be read are reported. */
function settingsOf({ path, text }: TextFile, says: Says): Setting[] {
  const language = languageOf(path);
  if (language === "yaml" || language === "json") {
    const documents = language === "json" ? jsonDocuments(text) : yamlDocuments(text);
    return documents.flatMap((parsed) => {
      says.records += 1;
      if ("value" in parsed) return [...settingsIn(parsed.value)];
      says.cannotRead(`${path}:${parsed.line}`, parsed.why);
      return [];
    });
  }
  const { settings, bad } = byLines[language ?? "env"](text);
  says.records += settings.length + bad.length;
  for (const { line, why } of bad) says.cannotRead(`${path}:${line}`, why);
  return [...settings];
}

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
        for (const setting of settingsOf(file, says)) {
          const met = valuesIn(setting.name, setting.text);
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
