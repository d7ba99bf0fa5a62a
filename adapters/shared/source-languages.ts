/**
 * In which language a text of settings is written: by the name of the file that it is, or is kept as, and where that says nothing by
 * what stands in it. One home for whoever reads files, and for whoever meets such a file as one entry of something else.
 */
import { posix } from "node:path";
import {
  isMap,
  jsonDocuments,
  type Parsed,
  type Setting,
  settingsIn,
  yamlDocuments,
} from "./source-config.js";
import { type BadLine, envLines, iniLines, type Lines, propertyLines } from "./source-dotenv.js";
import { gitCredentialLines, netrcLines, npmrcLines, pgpassLines } from "./source-login-files.js";
import { secretName } from "./source-values.js";

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

/** How a text is read. */
export type Language = keyof typeof byLines | "yaml" | "json";

/** The settings of a text, and what of it could not be read. */
export interface LanguageSettings extends Lines {
  /** Documents or settings that were met, those that could not be read included. */
  readonly records: number;
}

/** In which a program looks up its logins. */
const loginFiles: Readonly<Record<string, Language>> = {
  ".pgpass": "pgpass",
  "pgpass.conf": "pgpass",
  ".netrc": "netrc",
  _netrc: "netrc",
  ".npmrc": "npmrc",
  ".git-credentials": "git",
};

/** By the file's name; null for one that says none of these. */
export function languageOf(path: string): Language | null {
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

/** Every setting; lines and documents that cannot be read are named and leave the others readable. */
export function settingsOf(language: Language, text: string): LanguageSettings {
  if (language === "yaml" || language === "json") {
    const documents = language === "json" ? jsonDocuments(text) : yamlDocuments(text);
    const bad: readonly BadLine[] = documents.flatMap((one) => ("why" in one ? [one] : []));
    return { settings: inDocuments(documents), bad, records: documents.length };
  }
  const { settings, bad } = byLines[language](text);
  return { settings, bad, records: settings.length + bad.length };
}

function inDocuments(documents: readonly Parsed[]): Setting[] {
  return documents.flatMap((one) => ("value" in one ? [...settingsIn(one.value)] : []));
}

/** Larger YAML in something else is read as lines: its parser takes seconds for what an object of a cluster may hold. */
const documentCharactersMax = 262_144;

/**
 * The settings of a text that stands in something else: by the language that its name says, otherwise as the JSON, YAML, login file or
 * lines of `name = value` that it is. Whatever cannot be read as a document is read as lines. None of a text that has no settings.
 */
export function settingsOfText(name: string, text: string): readonly Setting[] {
  const language = languageOf(name) ?? languageIn(text);
  if (language === null) return looseLines(text);
  if (language === "yaml" && text.length > documentCharactersMax) return looseLines(text);
  const { settings, bad } = settingsOf(language, text);
  const isBroken = bad.length > 0 && (language === "json" || language === "yaml");
  return isBroken ? [...settings, ...looseLines(text)] : settings;
}

/** What a text is by its own words, where no name says it. */
function languageIn(text: string): Language | null {
  if (/^\s*[[{]/.test(text) && jsonDocuments(text).every((one) => "value" in one)) return "json";
  if (/^[ \t]*(?:machine\s+\S+|default)\s+(?:login|password)\s/m.test(text)) return "netrc";
  if (/^\/\/\S+:_/m.test(text)) return "npmrc";
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  // A port is a number there, which it is in no ARN; a line of a log has spaces before its time.
  if (lines.length > 0 && lines.every((line) => /^(?:\\.|[^:\\\s])*:(?:[0-9]{1,5}|\*):/.test(line)))
    return pgpassLines(text).bad.length === 0 ? "pgpass" : null;
  if (lines.length < 2 || text.length > documentCharactersMax) return null;
  // Lines of `name=value` are one long scalar to YAML.
  const documents = yamlDocuments(text);
  return documents.length > 0 && documents.every((one) => "value" in one && isCollection(one.value))
    ? "yaml"
    : null;
}

function isCollection(value: unknown): boolean {
  return isMap(value) || Array.isArray(value);
}

/**
 * `name = value` as most languages of settings write it (TOML, HCL, `.conf`), and `name value` where the name says that a secret stands
 * there. A value that ends with a language's comma and one that does not are both told: nobody knows which it is.
 */
function looseLines(text: string): Setting[] {
  const named = iniLines(text.replace(/[,;][ \t]*$/gm, "")).settings.map((setting) => {
    const name = setting.name.replace(/^(["'])(.*)\1$/, "$2");
    return { path: name, name, text: setting.text };
  });
  const spaced = text.split("\n").flatMap((line): Setting[] => {
    const [, name = "", value = ""] =
      /^\s*([A-Za-z][\w.-]{0,99})\s+["']?([^\s"';=:]+)["']?;?\s*$/.exec(line) ?? [];
    // A web server's `proxy_pass` passes requests on.
    return secretName(name) === null || /_pass$/.test(name) ? [] : [{ path: name, name, text: value }];
  });
  // The scheme of an address is no name of a setting, and neither is what a variable is called behind its dollar sign.
  return [...envLines(text).settings, ...named, ...spaced].filter(
    (setting) => !setting.text.startsWith("//") && !setting.name.includes("$"),
  );
}
