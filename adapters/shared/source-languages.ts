/**
 * In which language a file of configuration is written, by its name, and its settings by the rules of that language: for whoever reads
 * such files of its own accord, and for whoever follows a mount to one.
 */
import { posix } from "node:path";
import { jsonDocuments, type Setting, settingsIn, yamlDocuments } from "./source-config.js";
import { envLines, iniLines, propertyLines } from "./source-dotenv.js";
import { gitCredentialLines, netrcLines, npmrcLines, pgpassLines } from "./source-login-files.js";

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

/** How a file is read. */
export type Language = keyof typeof byLines | "yaml" | "json";

/** In which a program looks up its logins. */
const loginFiles: Readonly<Record<string, Language>> = {
  ".pgpass": "pgpass",
  "pgpass.conf": "pgpass",
  ".netrc": "netrc",
  _netrc: "netrc",
  ".npmrc": "npmrc",
  ".git-credentials": "git",
};

/** The settings of a text, and what of it could not be read. */
export interface LanguageSettings {
  readonly settings: readonly Setting[];
  readonly bad: readonly { readonly line: number; readonly why: string }[];
  /** Documents or settings that were met, those that could not be read included. */
  readonly records: number;
}

/** By the file's name; null for one that is none of these. */
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
    return {
      settings: documents.flatMap((parsed) => ("value" in parsed ? [...settingsIn(parsed.value)] : [])),
      bad: documents.flatMap((parsed) => ("value" in parsed ? [] : [{ line: parsed.line, why: parsed.why }])),
      records: documents.length,
    };
  }
  const { settings, bad } = byLines[language](text);
  return { settings, bad, records: settings.length + bad.length };
}
