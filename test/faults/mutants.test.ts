/** Each planted bug, and the patch by which the guards' cost is measured, still fits the code; whether it is found is `make faults MUTANTS=1`. */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
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

const patches = [
  ...mutants.map(({ name }) => join(folder, `${name}.patch`)),
  join(root, "bench", "without-guards.patch"),
];

test.each(patches.map((path) => [basename(path), path] as const))("%s applies", (_, path) => {
  const args = ["apply", "--check", path];
  expect(() => execFileSync("git", args, { cwd: root, stdio: "pipe" })).not.toThrow();
});
