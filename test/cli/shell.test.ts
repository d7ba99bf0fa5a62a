/** That a name in a command line is one word for a shell, whatever is in it: asked of a shell. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellWord } from "../../client/cli/format/shell.js";

const names = [
  "orders-api",
  "psql from 10.0.0.9",
  "it's $HOME",
  '`id` "x"',
  "-x",
  "",
  "a*b;c&d|e>f\\g",
  "~root",
];

test("a shell reads a quoted name as the name", () => {
  for (const name of names)
    expect(execFileSync("sh", ["-c", `printf %s ${shellWord(name)}`], { encoding: "utf8" })).toBe(name);
});

test("a name that needs no quotes has none", () => {
  expect(shellWord("orders-api")).toBe("orders-api");
});
