/** Only one of the three severities stands in the way. */
import { expect, test } from "vitest";
import { RekeyError } from "../../domain/errors.js";
import { type Finding, refusalOf, refusals } from "../../domain/finding.js";

test("only refusals stand in the way, in the order in which they were found", () => {
  const found: Finding[] = (["info", "refuse", "warn", "refuse"] as const).map((severity, index) => ({
    code: `code-${index}`,
    severity,
    sentence: "",
  }));
  expect(refusals(found).map(({ code }) => code)).toEqual(["code-1", "code-3"]);
  expect(refusals([])).toEqual([]);
});

test("a failure stands in the way with what it says, and with what can be done", () => {
  const error = new RekeyError("unreachable", "The issuer does not answer.", "Start it.");
  const [finding] = refusals([refusalOf(error)]);
  expect(finding).toEqual({
    code: "unreachable",
    severity: "refuse",
    sentence: "The issuer does not answer.",
    hint: "Start it.",
  });
});
