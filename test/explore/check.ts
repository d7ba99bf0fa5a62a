/**
 * The exploration as a test. A path has one misfortune (a fault or a leak) by default, and both in the smallest
 * world; REKEY_EXPLORE=1 gives one fault and one leak to each, REKEY_EXPLORE=2 one fault more, which takes
 * hours and much memory.
 */
import { expect, test } from "vitest";
import { modelOf, type Shape } from "./models.js";
import { explore } from "./search.js";

const more = Number(process.env.REKEY_EXPLORE ?? 0);
/** A larger exploration takes as long as it takes; the usual one must be quick, but never fail on a busy machine. */
const timeoutMs = more > 0 ? 8 * 3_600_000 : 600_000;

/** Explores each of these worlds with each of its budgets, prints how much there was, and expects every law to hold. */
export function holdOnEveryPath(shapes: readonly Shape[]): void {
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
}
