/**
 * The exploration as a test: every path of the rules in small worlds keeps the laws. A path has one misfortune
 * (a fault or a leak) by default; REKEY_EXPLORE=1 gives each both, REKEY_EXPLORE=2 one more, which takes long.
 */
import { expect, test } from "vitest";
import { modelOf, shapes } from "./models.js";
import { explore } from "./search.js";

const more = Number(process.env.REKEY_EXPLORE ?? 0);
/** A larger exploration takes as long as it takes; the usual one must be quick even on a busy machine. */
const timeoutMs = more > 0 ? 4 * 3_600_000 : 300_000;

const runs = shapes.flatMap((shape) =>
  (more > 0 ? [{ faults: more, leaks: 1 }] : shape.budgets).map((budget) => ({
    shape,
    budget,
    name: `${shape.name}, ${budget.faults} fault(s), ${budget.leaks} leak(s)`,
  })),
);

test.each(runs)("I1, I2, I4, I11 hold on every path: $name", { timeout: timeoutMs }, (run) => {
  const found = explore(modelOf(run.shape, run.budget));
  process.stdout.write(
    `    explored ${run.name}: ${found.states} states, ${found.transitions} transitions\n`,
  );
  expect(found.broken).toBeNull();
  expect(found.states).toBeGreaterThan(10_000);
});
