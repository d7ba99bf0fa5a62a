/**
 * Files in which programs of people look up their logins, each by the rules of its manual: `.pgpass` of PostgreSQL, `.netrc`,
 * `.npmrc` and `.git-credentials`. They lie in home folders, and nobody thinks of them when a login is rotated.
 */
import type { Setting } from "./source-config.js";
import type { BadLine, Lines } from "./source-dotenv.js";

/** The name of what such a file holds, where the file itself has no name for it. */
const password = "password";

/**
 * `host:port:database:user:password` of PostgreSQL, with a backslash before a colon or a backslash that belongs to a value
 * (https://www.postgresql.org/docs/current/libpq-pgpass.html). A setting's path is all but the password.
 */
export function pgpassLines(text: string): Lines {
  const settings: Setting[] = [];
  const bad: BadLine[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    // Behind the fourth colon everything is the password, colons without a backslash, too.
    const [, path, value = ""] = /^((?:(?:\\.|[^:\\])*:){4})(.*)$/.exec(line) ?? [];
    if (path === undefined) bad.push({ line: index + 1, why: "no host:port:database:user:password" });
    else settings.push({ path: path.slice(0, -1), name: password, text: unescaped(value) });
  }
  return { settings, bad };
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, "$1");
}

/** `machine NAME login NAME password VALUE` of curl, ftp and git, over one line or several; `macdef` is left out to its empty line. */
export function netrcLines(text: string): Lines {
  const settings: Setting[] = [];
  const words = text
    .replace(/(^|\n)[ \t]*macdef[\s\S]*?(?:\n[ \t]*\r?\n|$)/g, "$1")
    .replace(/(^|\n)[ \t]*#[^\n]*/g, "$1")
    .matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g);
  let [machine, login, key] = ["", "", ""];
  for (const [, quoted, bare] of words) {
    const word = quoted === undefined ? (bare ?? "") : quoted.replace(/\\(.)/g, "$1");
    if (key === "") {
      if (word === "default") [machine, login] = [word, ""];
      else key = word;
      continue;
    }
    if (key === "machine") [machine, login] = [word, ""];
    if (key === "login") login = word;
    if (key === password)
      settings.push({ path: login === "" ? machine : `${machine}:${login}`, name: password, text: word });
    key = "";
  }
  return { settings, bad: [] };
}

/** `name=value` of npm, where a name begins with the address of its registry: `//registry.example.com/:_authToken=...`. */
export function npmrcLines(text: string): Lines {
  const settings: Setting[] = [];
  const bad: BadLine[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || /^[#;]/.test(line)) continue;
    const [, path = "", value = ""] = /^([^=\s]+)\s*(?:=\s*(.*))?$/.exec(line) ?? [];
    if (path === "") bad.push({ line: index + 1, why: "neither a comment nor name=value" });
    else settings.push({ path, name: path.slice(path.lastIndexOf(":") + 1), text: value });
  }
  return { settings, bad };
}

/** An address with a login in it on each line, as `git credential-store` keeps them. */
export function gitCredentialLines(text: string): Lines {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const settings = lines.map((line) => ({
    path: line.slice(line.lastIndexOf("@") + 1),
    name: "",
    text: line,
  }));
  return { settings, bad: [] };
}
