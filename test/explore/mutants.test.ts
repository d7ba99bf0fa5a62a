/** The exploration must be able to fail: each planted bug is found, and told as a path that people can read. */
import { expect, test } from "vitest";
import { modelOf } from "./models.js";
import { mutants } from "./mutants.js";
import { explore } from "./search.js";

test.each(mutants)("catches a rule that $name", { timeout: 300_000 }, ({ engine, shape, caughtBy }) => {
  const broken = shape.budgets
    .map((budget) => explore(modelOf(shape, budget, engine)).broken)
    .find((found) => found !== null);
  expect(broken?.split("\n")[0]).toMatch(caughtBy);
  expect(broken).toContain("decides:");
});
