/** Only one of the three severities stands in the way. */
import { expect, test } from "vitest";
import { type Finding, refusals } from "../../domain/finding.js";

test("only refusals stand in the way, in the order in which they were found", () => {
  const found: Finding[] = (["info", "refuse", "warn", "refuse"] as const).map((severity, index) => ({
    code: `code-${index}`,
    severity,
    sentence: "",
  }));
  expect(refusals(found).map(({ code }) => code)).toEqual(["code-1", "code-3"]);
  expect(refusals([])).toEqual([]);
});
