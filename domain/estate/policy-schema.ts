/**
 * Policies: how patient, how strict and how often. Every rule has a default that suits a production credential
 * with people awake during the day, and the default is written here and nowhere else.
 */
import { z } from "zod";
import { credentialClasses } from "./classes.js";
import { duration, withMs } from "./duration.js";
import { instant, name, sentence } from "./fields.js";

const clockExpectation = "expected a time of day from 00:00 to 23:59";
const clock = z
  .string({ error: clockExpectation })
  .regex(/^(?:[01][0-9]|2[0-3]):[0-5][0-9]$/, { error: clockExpectation });

const window = z.strictObject({
  days: z
    .array(z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]))
    .min(1)
    .describe("Days on which the window opens."),
  from: clock.describe("Time of day at which it opens."),
  to: clock.describe("Time of day at which it closes; earlier than `from` means the next day."),
  timezone: z
    .string()
    .refine(isTimezone, { error: "expected the name of a time zone, such as Europe/Berlin or UTC" })
    .prefault("UTC")
    .describe("IANA time zone in which days and times are meant."),
});

/** Only the language knows which zones there are; a wrong one throws. */
function isTimezone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}

const freeze = z.strictObject({
  from: instant().describe("First moment of the freeze."),
  until: instant().describe("First moment after the freeze."),
  reason: sentence().describe("Why nothing may start; shown to whoever asks."),
});

const approval = withMs(
  z.strictObject({
    quorum: z
      .int()
      .min(0)
      .max(20)
      .prefault(1)
      .describe("How many different persons have to sign. 0: the reviewed policy itself is the consent."),
    from: z
      .union([z.literal("owner"), z.array(name()).min(1)], {
        error: "expected owner, or a list of names of owners",
      })
      .prefault("owner")
      .describe(
        "Who signs: `owner` for the credential's own, or a list of owners whose persons count together.",
      ),
    deadline: duration({ positive: true })
      .prefault("3d")
      .describe("How long to wait for signatures before giving up."),
    reminder: duration({ positive: true })
      .prefault("1d")
      .describe("When to remind those who have not signed yet."),
    validFor: duration({ positive: true })
      .prefault("14d")
      .describe(
        "How long a signature allows steps; afterwards the rotation holds with both valid and asks again.",
      ),
  }),
  ["deadline", "reminder", "validFor"],
);

const rules = z.strictObject({
  classes: z
    .array(z.enum(credentialClasses))
    .optional()
    .describe("Classes of credentials that are rotated by it where they name no policy."),
  interval: duration({ positive: true }).optional().describe("Rotate this often; absent: only when asked."),
  window: window.optional().describe("Weekly hours in which a rotation may start; absent: any time."),
  freezes: z.array(freeze).prefault([]).describe("Spans in which nothing starts. Emergencies are not held."),
  approval: approval.prefault({}).describe("Who has to sign, and by when."),
  quietPeriod: duration()
    .prefault("1h")
    .describe(
      "No session and no read of the old version for this long before it is disabled; raised to the slowest consumer's.",
    ),
  adoptionSoak: duration()
    .prefault("15m")
    .describe("How long every instance is watched working on the new version."),
  disableSoak: duration()
    .prefault("1d")
    .describe("How long the old version stays disabled, and can come back, before it is destroyed."),
  adoptionTimeout: duration({ positive: true })
    .prefault("2h")
    .describe("How long consumers may take to move before the rotation turns round."),
  drainTimeout: duration({ positive: true })
    .prefault("7d")
    .describe("How long to wait for the old version to fall quiet before the rotation turns round."),
  observationMaxAge: duration({ positive: true })
    .prefault("5m")
    .describe("Older observations do not count any more."),
  stallTimeout: duration({ positive: true })
    .prefault("15m")
    .describe("How long a step that cannot be done is tried again before the rotation turns round."),
  retryDelay: duration({ positive: true })
    .prefault("10s")
    .describe("Pause between two tries of such a step."),
  unmappedReaders: z
    .enum(["refuse", "warn"])
    .prefault("refuse")
    .describe("What an unmapped reader, whom nobody has declared as a consumer, does to a rotation."),
  evidenceMaxAge: duration({ positive: true })
    .optional()
    .describe(
      "Older readings of a source that would show who uses the credential refuse a rotation like an unmapped reader; absent: 7d.",
    ),
  useWindow: duration({ positive: true })
    .optional()
    .describe(
      "How long somebody who was seen using the credential counts as a user of it, if not seen at longer intervals; absent: 35d.",
    ),
  blindSpots: z
    .enum(["refuse", "warn"])
    .optional()
    .describe(
      "What it does to a rotation that no source would show a use of the credential, or that one could not read all; absent: warn.",
    ),
  exceptionMax: duration({ positive: true })
    .optional()
    .describe(
      "How long an exception may last from now on; one with a later end does not count; absent: 180d.",
    ),
  containment: z
    .enum(["after-adoption", "revoke-now"])
    .prefault("after-adoption")
    .describe("In an emergency: revoke once consumers have moved, or at once, breaking those that have not."),
  containmentDeadline: duration()
    .prefault("1h")
    .describe("In an emergency: when `after-adoption` becomes `revoke-now`."),
  responders: z
    .array(name())
    .prefault([])
    .describe("Owners who may report a leak and override the sign-off; empty: every person of the estate."),
  signOffDeadline: duration({ positive: true })
    .prefault("1d")
    .describe("In an emergency: by when the owners sign what was done without them."),
  overlapMax: duration({ positive: true })
    .prefault("30d")
    .describe(
      "The longest that two versions may work together; then an operator is called, with both still valid. Times that need longer are refused.",
    ),
  cooldown: duration()
    .prefault("1d")
    .describe(
      "Whoever changed this credential's owner or policy within this time does not count as a signer.",
    ),
});

/** One entry of `policies`. */
export const policySchema = withMs(rules, [
  "interval",
  "quietPeriod",
  "adoptionSoak",
  "disableSoak",
  "adoptionTimeout",
  "drainTimeout",
  "observationMaxAge",
  "evidenceMaxAge",
  "useWindow",
  "exceptionMax",
  "stallTimeout",
  "retryDelay",
  "containmentDeadline",
  "signOffDeadline",
  "overlapMax",
  "cooldown",
]);
