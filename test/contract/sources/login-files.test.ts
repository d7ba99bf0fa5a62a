/** Files in which programs look up their logins, read as their manuals have it. */
import { expect, it } from "vitest";
import {
  gitCredentialLines,
  netrcLines,
  npmrcLines,
  pgpassLines,
} from "../../../adapters/shared/source-login-files.js";

const said = ({ settings }: ReturnType<typeof pgpassLines>) => settings.map(({ path, text }) => [path, text]);

it("reads .pgpass: escapes, colons in the password, comments, and says which line is none", () => {
  const text =
    "# ours\r\n\ndb.example.com:5432:orders:orders_a:se:cr\\:et\\\\\r\n*:*:*:a\\:b:pass word\nh:1:d:u:a\\bc\nno line of it\n::::\n";
  expect(said(pgpassLines(text))).toEqual([
    ["db.example.com:5432:orders:orders_a", "se:cr:et\\"],
    ["*:*:*:a\\:b", "pass word"],
    ["h:1:d:u", "abc"],
    [":::", ""],
  ]);
  expect(pgpassLines(text).bad).toEqual([{ line: 6, why: "no host:port:database:user:password" }]);
});

it("reads .netrc: on one line or several, with quotes, a default and a macro", () => {
  const text = [
    "machine api.example.com login ci password one-two",
    "# machine old.example.com password gone",
    "machine mq.example.com",
    '  password "three \\" four"',
    "macdef init",
    "put password",
    "",
    "default login anonymous password five",
  ].join("\n");
  expect(said(netrcLines(text))).toEqual([
    ["api.example.com:ci", "one-two"],
    ["mq.example.com", 'three " four'],
    ["default:anonymous", "five"],
  ]);
});

it("reads .npmrc: a token behind the address of its registry", () => {
  const text =
    "; ours\n//npm.example.com/:_authToken=abc\nregistry = https://npm.example.com/\nstrict-ssl\nnot a line\n";
  expect(npmrcLines(text).settings).toEqual([
    { path: "//npm.example.com/:_authToken", name: "_authToken", text: "abc" },
    { path: "registry", name: "registry", text: "https://npm.example.com/" },
    { path: "strict-ssl", name: "strict-ssl", text: "" },
  ]);
  expect(npmrcLines(text).bad).toEqual([{ line: 5, why: "neither a comment nor name=value" }]);
});

it("reads .git-credentials: an address a line, by its host", () => {
  const text = "https://ci:p%40ss@git.example.com\n\nhttps://bot:word@other.example.com/path\n";
  expect(said(gitCredentialLines(text))).toEqual([
    ["git.example.com", "https://ci:p%40ss@git.example.com"],
    ["other.example.com/path", "https://bot:word@other.example.com/path"],
  ]);
});
