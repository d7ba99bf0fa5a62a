/** How patient the house is: hardly at all, unless a test is about something else than time. */
import type { Policy } from "../../domain/estate/types.js";

/** Milliseconds everywhere, but observations may be old: the machine that runs the tests may be slow. */
export const quick: Policy = {
  freezes: [],
  approval: { quorum: 0, from: "owner", deadlineMs: 60_000, reminderMs: 30_000, validForMs: 3_600_000 },
  adoptionTimeoutMs: 2_000,
  adoptionSoakMs: 0,
  quietPeriodMs: 20,
  drainTimeoutMs: 2_000,
  disableSoakMs: 20,
  observationMaxAgeMs: 10_000,
  stallTimeoutMs: 1_000,
  retryDelayMs: 50,
  unmappedReaders: "refuse",
  containment: "after-adoption",
  containmentDeadlineMs: 30_000,
  responders: ["rashid", "runa"],
  signOffDeadlineMs: 60_000,
  overlapMaxMs: 3_600_000,
  cooldownMs: 3_600_000,
};

/** For what is not about time: a machine that is busy must not turn a rotation round. */
export const patient = {
  stallTimeoutMs: 60_000,
  adoptionTimeoutMs: 60_000,
  drainTimeoutMs: 60_000,
} satisfies Partial<Policy>;
