/** The completion scripts know every command and every option, and bash really completes with its own. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { programFor } from "../../client/cli/program.js";
import { emptyWorld, runIn } from "./fakes.js";
import { expectGolden } from "./golden.js";

const program = programFor(async () => undefined, "0.0.0");

async function script(shell: string): Promise<string> {
  return (await runIn(emptyWorld(), ["completion", shell])).stdout;
}

/** What bash offers behind these words; the last one is the one under the cursor. */
async function offered(...words: string[]): Promise<string[]> {
  const line = ["rekey", ...words];
  const ask = `COMP_WORDS=(${line.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${line.length - 1}; _rekey; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync("bash", ["--norc", "-c", `${await script("bash")}\n${ask}`], {
    encoding: "utf8",
  });
  return output.split("\n").filter((word) => word !== "");
}

test("bash offers commands, and the options of the command before", async () => {
  expect(await offered("ro")).toEqual(["rotate"]);
  expect(await offered("")).toEqual(program.commands.map((one) => one.name()));
  expect(await offered("rotate", "orders-db", "--em")).toEqual(["--emergency"]);
  expect(await offered("resume", "orders-db", "--e")).toEqual(["--exit"]);
});

test.each(["bash", "zsh", "fish"])("the script for %s knows every command and option", async (shell) => {
  const text = await script(shell);
  for (const one of program.commands) {
    expect(text).toContain(one.name());
    for (const { long } of one.options) {
      expect(text).toContain(shell === "fish" ? ` -l ${long?.slice(2)} ` : long);
    }
  }
  expectGolden(
    `completion-${shell}`,
    ["completion", shell],
    await runIn(emptyWorld(), ["completion", shell]),
  );
});
