/** What the timeline says of a step is what came of it: no success is claimed for one that failed or was not taken. */
import { expect, test } from "vitest";
import type { RotationEvent } from "../../domain/rotation/events.js";
import type { Step } from "../../domain/rotation/steps.js";
import { sentenceOf } from "../../workflows/sentences.js";

const made = { version: "new", change: 1, tag: "t" };
const looked: RotationEvent = { type: "surveyed", at: 0, facts: {} as never };

/** A step, the event that says that it was taken, and what the timeline says then. */
const rows: readonly [Step, object, string][] = [
  [{ do: "survey" }, looked, "Looked at consumers, issuer and store."],
  [{ do: "ask", digests: ["d"], reminder: false }, { type: "asked" }, "Asked the owners to sign the plan."],
  [{ do: "ask", digests: ["d"], reminder: true }, { type: "asked" }, "Reminded the owners of the sign-off."],
  [
    { do: "seize", slots: ["a"], places: [] },
    { type: "seized" },
    "Settled what an earlier attempt had done, and fenced it off.",
  ],
  [
    { do: "issue", version: "new", slot: "b" },
    { type: "issued", ...made },
    "Issued version new in b, beside the old one.",
  ],
  [
    { do: "enable", version: "new", slot: "b" },
    { type: "enabled", ...made },
    "Enabled version new in b again, from its stored value.",
  ],
  [
    { do: "prove", version: "new", slot: "b" },
    { type: "proved", version: "new" },
    "Proved version new by logging in at every node.",
  ],
  [
    { do: "deliver", version: "new", place: "main", consumers: ["one"] },
    { type: "delivered", ...made },
    "Delivered version new to main, read by 1 consumer.",
  ],
  [
    { do: "renew", version: "old", slot: "a" },
    { type: "renewed", version: "old" },
    "Ended the sessions that were begun before version old was given up, so that consumers connect anew.",
  ],
  [
    { do: "disable", version: "old", slot: "a" },
    { type: "disabled" },
    "Disabled version old; every node refused it, and none of its sessions is left.",
  ],
  [
    { do: "disable", version: "old", slot: "a" },
    { type: "disabled", untried: true },
    "Disabled version old, and none of its sessions is left; no copy of it was left to try.",
  ],
  [
    { do: "probe", version: "old", slot: "a" },
    { type: "refused" },
    "Tried version old again; every node refused it.",
  ],
  [
    { do: "probe", version: "old", slot: "a" },
    { type: "refused", untried: true },
    "Version old could not be tried again: no copy of it was left.",
  ],
  [
    { do: "destroy", version: "old", slot: "a" },
    { type: "destroyed" },
    "Destroyed version old, at the issuer and in every copy.",
  ],
  [
    { do: "turn", target: "old", slot: null, reason: "It fails." },
    { type: "turned" },
    "Turned to version old: It fails.",
  ],
  [{ do: "hold", reason: "It fails." }, { type: "held" }, "Holding for an operator: It fails."],
  [{ do: "close", outcome: "rotated", reason: "Done." }, { type: "closed" }, "Closed as rotated: Done."],
];

test.each(rows)("%j says what came of it", (step, event, sentence) => {
  expect(sentenceOf(step, [looked, event as RotationEvent])).toBe(sentence);
  const failed = {
    type: "failed",
    at: 0,
    step,
    change: 1,
    code: "busy",
    sentence: "Another one is at it.",
  } as const;
  expect(sentenceOf(step, [looked, { ...failed, outcome: "not-done", again: true }])).toBe(
    "Another one is at it.",
  );
  expect(sentenceOf(step, [])).toBe(`Not taken (${step.do}): the facts changed.`);
  // A look that found something else is no step that was taken.
  if (step.do !== "survey") expect(sentenceOf(step, [looked])).toMatch(/^Not taken/);
});
