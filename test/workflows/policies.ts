/** How patient the house is: it waits hardly at all for time to pass, and for long for what somebody has to do. */
import type { Policy } from "../../domain/estate/types.js";

/**
 * What has to pass takes milliseconds. What runs out takes long, for a busy machine must not turn a rotation round: whatever
 * a test wants to run out, and nothing else, it makes short itself.
 */
export const quick: Policy = {
  freezes: [],
  approval: { quorum: 0, from: "owner", deadlineMs: 60_000, reminderMs: 30_000, validForMs: 3_600_000 },
  adoptionTimeoutMs: 60_000,
  adoptionSoakMs: 0,
  quietPeriodMs: 20,
  drainTimeoutMs: 60_000,
  disableSoakMs: 20,
  observationMaxAgeMs: 10_000,
  stallTimeoutMs: 60_000,
  retryDelayMs: 50,
  unmappedReaders: "refuse",
  containment: "after-adoption",
  containmentDeadlineMs: 30_000,
  responders: ["rashid", "runa"],
  signOffDeadlineMs: 60_000,
  overlapMaxMs: 3_600_000,
  cooldownMs: 3_600_000,
};
