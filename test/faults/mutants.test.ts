/** Each planted bug still fits the code that it breaks; whether it is found is `make faults MUTANTS=1`. */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../worker/dev/places.js";
import { mutants } from "./mutants/list.js";
import { readCase } from "./run/cases.js";

const root = projectRoot();
const folder = join(root, "test", "faults", "mutants");

test("there are ten of them at least, each a patch with cases that can be run", () => {
  const patches = readdirSync(folder).filter((name) => name.endsWith(".patch"));
  expect(patches.sort()).toEqual(mutants.map(({ name }) => `${name}.patch`).sort());
  expect(mutants.length).toBeGreaterThanOrEqual(10);
  for (const { cases } of mutants) expect(cases.map(readCase).length).toBeGreaterThan(0);
});

test.each(mutants.map(({ name }) => name))("%s applies", (name) => {
  const args = ["apply", "--check", join(folder, `${name}.patch`)];
  expect(() => execFileSync("git", args, { cwd: root, stdio: "pipe" })).not.toThrow();
});
