/** Help and documentation: the same words, with examples that are real command lines. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { programFor } from "../../client/cli/program.js";
import { emptyWorld, runIn } from "./fakes.js";
import { expectFile } from "./golden.js";

const page = fileURLToPath(new URL("../../docs/cli.md", import.meta.url));
const beginning = "<!-- what follows is `rekey --help` of each command; UPDATE_GOLDEN=1 writes it -->";

const program = programFor(async () => undefined, "0.0.0");
const names = program.commands.map((one) => one.name());

async function help(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await runIn(emptyWorld(), [...words, "--help"]);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout.trimEnd();
}

test("docs/cli.md says what --help says", async () => {
  const own = readFileSync(page, "utf8").split(beginning)[0] ?? "";
  const parts = [`## rekey\n\n\`\`\`text\n${await help()}\n\`\`\``];
  for (const name of names) parts.push(`## rekey ${name}\n\n\`\`\`text\n${await help(name)}\n\`\`\``);
  expectFile(page, `${own}${beginning}\n\n${parts.join("\n\n")}\n`);
});

test.each(names)("%s has help with examples that can be parsed, and takes --json", async (name) => {
  const text = await help(name);
  expect(text).toContain("Examples:");
  expect(text).toContain("--json");
  const lines = text
    .slice(text.indexOf("Examples:"))
    .split("\n")
    .flatMap((line) => /^ {2}(?:source <\()?rekey (.+?)\)?$/.exec(line)?.[1] ?? []);
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) await parses(line);
});

/** Parses an example with a program that does nothing. Throws what commander says of a wrong one. */
async function parses(line: string): Promise<void> {
  const quiet = programFor(async () => undefined, "0.0.0");
  const command = line.split(/ [|<>] /)[0] ?? "";
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
  await quiet.parseAsync(words, { from: "user" });
}

test.each(["--version", "-V"])("%s says which release it is", async (flag) => {
  const { code, stdout, stderr } = await runIn(emptyWorld(), [flag]);
  expect([code, stdout, stderr]).toEqual([0, "rekey 1.2.3\n", ""]);
});

test("every line of help fits a terminal of 100 columns", async () => {
  for (const words of [[], ...names.map((name) => [name])]) {
    const long = (await help(...words)).split("\n").filter((line) => line.length > 100);
    expect(long).toEqual([]);
  }
});
