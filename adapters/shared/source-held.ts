/**
 * Which secrets a file holds that a program is given as a file: `.env`, settings, a password alone, a key, a script that makes
 * accounts. Whoever is given such a file reads what stands in it, also where no source was told to read it.
 */
import { posix } from "node:path";
import type { FoundFile } from "./source-files.js";
import { languageOf, settingsOf } from "./source-languages.js";
import { pgpassLines } from "./source-login-files.js";
import { location, type Says } from "./source-says.js";
import { type Met, secretName, valuesIn, valuesOfSecret } from "./source-values.js";

/** Values at a setting of a file, by its path in it; "" for the file as a whole. */
export interface Held {
  readonly path: string;
  readonly met: readonly Met[];
}

/** Larger texts without a language of their own are data, and no configuration that somebody wrote. */
const looseCharactersMax = 262_144;

const keyFiles =
  /\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk)$|^(?:\.pgpass|\.netrc|\.my\.cnf|\.npmrc|\.htpasswd|htpasswd|kubeconfig|id_(?:rsa|dsa|ecdsa|ed25519))$/i;
const keyFolders = new Set(["secrets", "credentials", ".ssh", ".aws", ".kube", ".gnupg", ".docker"]);

/** Texts that people write settings in, without a language of their own; a name without an ending is one too. */
const looseFiles =
  /^[^.]+$|^\.[^.]+$|\.(?:conf|cnf|config|toml|xml|txt|sh|bash|tf(?:vars)?|hcl|rc|envrc|tmpl|template|acl|sql)$/i;

/** True for a path by which people call what holds a secret: `secrets/db`, `db_password.txt`, `tls.key`, `.env`. */
export function secretPath(path: string): boolean {
  const name = posix.basename(path);
  const stem = name.replace(/\.(?:txt|json|ya?ml|conf|cnf|toml|ini|xml)$/i, "");
  return (
    secretName(stem) !== null ||
    keyFiles.test(name) ||
    languageOf(path) === "env" ||
    path.split("/").some((part) => keyFolders.has(part.toLowerCase()))
  );
}

/** True for a path by which a file is called in which settings or a secret may stand: no program, no picture, no page. */
export function settingsPath(path: string): boolean {
  return secretPath(path) || languageOf(path) !== null || looseFiles.test(posix.basename(path));
}

/** Every value in a text that stands in a file of this name. */
function heldIn(path: string, text: string): Held[] {
  const language = languageOf(path);
  const trimmed = text.trim();
  if (posix.basename(path) === ".pgpass")
    return whole(pgpassLines(text).settings.flatMap((setting) => valuesOfSecret("", setting.text)));
  if (language === null && secretPath(path) && isOne(trimmed) && !/^[A-Za-z_][\w.-]*=/.test(trimmed))
    return whole(valuesOfSecret("", trimmed));
  const settings =
    language !== null
      ? settingsOf(language, text).settings
      : settingsPath(path) && text.length <= looseCharactersMax
        ? looseSettings(text)
        : [];
  const found = settings.flatMap(({ path, name, text }): Held[] => {
    const met = valuesIn(name, text);
    return met.length === 0 ? [] : [{ path, met }];
  });
  return [...found, ...(/\.sql$|\.sh$/i.test(path) ? whole(statements(text)) : [])];
}

/** Every value in the text of a secret, which is given to programs as a file: all of it, where it is no file of settings. */
function heldInSecret(path: string, text: string): Held[] {
  const trimmed = text.trim();
  const isKey = trimmed.startsWith("-----BEGIN");
  if (isKey || (isOne(trimmed) && languageOf(path) === null)) return whole(valuesOfSecret("", trimmed));
  const found = heldIn(path, text);
  return found.length > 0 ? found : whole(valuesOfSecret("", trimmed));
}

/** The values of one setting's text of several lines that is a file for its program, by the file's name where it is known. */
export function metInText(path: string, text: string): Met[] {
  const language = languageOf(path);
  const settings =
    language === null ? [...jsonSettings(text), ...looseSettings(text)] : settingsOf(language, text).settings;
  const lines = text.split("\n").flatMap((line) => valuesIn("", line));
  const met = [...settings.flatMap(({ name, text }) => valuesIn(name, text)), ...statements(text), ...lines];
  const known = met.filter(({ value }) => value !== null);
  return known.length > 0 ? known : met.slice(0, 1);
}

/** Values of a file, each at its setting, which stands in the file. `scope` is in what the file is. */
export function saysHeld(scope: string, path: string, held: readonly Held[], says: Says): void {
  const file = location(scope, path);
  for (const one of held) {
    const at = one.path === "" ? file : location(scope, `${path}#${one.path}`);
    const where = one.path === "" ? path : `${one.path} of ${path}`;
    if (one.path !== "") says.declared(at, "stored-in", file, `${where} holds ${one.met[0]?.as}`);
    says.copy(at, one.met, true, where);
  }
}

/** What a file that was found holds; null where its text is not known. */
export function heldOf(found: FoundFile, isSecret: boolean): readonly Held[] | null {
  if ("why" in found) return null;
  return isSecret ? heldInSecret(found.path, found.text) : heldIn(found.path, found.text);
}

function whole(met: readonly Met[]): Held[] {
  return met.length === 0 ? [] : [{ path: "", met }];
}

/** One line, or one key of many: all of it is one value. */
function isOne(text: string): boolean {
  return text !== "" && (!/\s/.test(text) || text.startsWith("-----BEGIN"));
}

interface Loose {
  readonly path: string;
  readonly name: string;
  readonly text: string;
}

function jsonSettings(text: string): readonly Loose[] {
  return /^\s*[[{]/.test(text) ? settingsOf("json", text).settings : [];
}

/** `name = value`, `name: value` and `name value` of files that say nothing of their language, and elements and attributes of XML. */
function looseSettings(text: string): Loose[] {
  const found: Loose[] = [];
  const add = (name: string, text: string) => found.push({ path: name, name, text });
  if (/^\s*</.test(text)) {
    for (const [, name = "", value = ""] of text.matchAll(/<([A-Za-z_][\w.-]{0,99})>([^<]{1,2000})<\//g))
      add(name, value);
    for (const [, tag = ""] of text.matchAll(/<([^<>]{1,4000})>/g)) {
      const attributes = [...tag.matchAll(/([A-Za-z_][\w.-]{0,99})\s*=\s*"([^"]{0,2000})"/g)];
      const at = (name: RegExp) => attributes.find(([, one = ""]) => name.test(one))?.[2];
      const [key, value] = [at(/^(?:key|name)$/i), at(/^value$/i)];
      if (key !== undefined && value !== undefined) add(nameIn(key), value);
      for (const [, name = "", value = ""] of attributes) if (!/^value$/i.test(name)) add(name, value);
    }
    return found;
  }
  for (const line of text.split("\n")) {
    const trimmed = line.trim();
    if (trimmed === "" || /^(?:[#;]|\/\/|--)/.test(trimmed)) continue;
    const [, exported = "", name, text = ""] =
      /^(export\s+)?["']?([A-Za-z_][\w.-]{0,99})["']?\s*[=:]\s*(.*)$/.exec(trimmed) ?? [];
    if (name !== undefined) {
      // Quotes and marks behind the value are the language's own.
      const [, , quoted] = /^(["'])(.*?)\1\s*[,;]?(?:\s*(?:#|\/\/).*)?$/.exec(text) ?? [];
      add(name, quoted ?? (exported === "" ? text.replace(/\s+[#;].*$|[,;]$/, "") : text));
      continue;
    }
    const [, word = "", rest = ""] = /^([A-Za-z][\w.-]{0,99})\s+["']?([^\s"';]+)["']?;?$/.exec(trimmed) ?? [];
    // A web server's `proxy_pass` passes requests on.
    if (secretName(word) !== null && !/_pass$/.test(word)) add(word, rest);
  }
  return found;
}

/** What XML calls a setting, as a place may be called. */
function nameIn(text: string): string {
  return /^[\w.:-]{1,100}$/.test(text) ? text : "value";
}

/** Passwords of accounts that statements of SQL make. */
function statements(text: string): Met[] {
  return [...text.matchAll(/\b(?:identified\s+by|password)\s+'([^']{1,200})'/gi)].flatMap(([, value = ""]) =>
    valuesIn("password", value),
  );
}
