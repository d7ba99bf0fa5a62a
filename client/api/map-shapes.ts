/** The shapes of questions to the map and to the findings, and of their answers; kept beside those of rotations. */
import { z } from "zod";
import { findingCodes } from "../../domain/findings/codes.js";
import { nodeTypes } from "../../domain/graph/types.js";
import { severities, states } from "../cli/findings-asked.js";

const limit = z.coerce
  .number()
  .int()
  .min(1)
  .max(1_000)
  .default(200)
  .describe("Of each list so many at most; the counts are whole.");

/** Asks about a thing of the map. */
export const thingQuery = z.strictObject({
  limit,
  type: z.enum(nodeTypes).optional().describe("What the name is, where several things bear it."),
});

/** Asks for findings; what is left out does not matter. */
export const findingsQuery = z.strictObject({
  limit,
  offset: z.coerce.number().int().min(0).max(10_000_000).default(0).describe("So many are passed over."),
  code: z.enum(findingCodes).optional(),
  severity: z.enum(severities).optional(),
  state: z.enum(states).optional().describe("Without one: what has not ended."),
  owner: z.string().optional().describe("Name of an owner: only what they answer for."),
  credential: z.string().optional().describe("Name of a credential: only what concerns it."),
});

const time = z.number().describe("Milliseconds since the epoch.");
const size = z.number().int();

/** Who uses a credential or reads at a place, as `rekey consumers --json` prints it, and how many of each there are. */
export const consumerList = z.looseObject({
  credential: z.string().optional(),
  place: z.string().optional(),
  consumers: z.array(
    z.looseObject({
      name: z.string(),
      type: z.string(),
      known: z.string(),
      isUnmapped: z.boolean(),
      firstSeen: time,
      lastSeen: time.nullable(),
      owners: z.array(z.string()),
      evidence: z.array(z.looseObject({ sentence: z.string() })),
    }),
  ),
  anonymous: z.array(z.looseObject({ text: z.string() })),
  copies: z.array(z.looseObject({ place: z.string(), credential: z.string(), isLeak: z.boolean() })),
  counts: z.object({ consumers: size, anonymous: size, copies: size }),
});

const affected = z.array(
  z.looseObject({
    name: z.string(),
    type: z.string(),
    distance: z.number(),
    known: z.string(),
    owners: z.array(z.string()),
    way: z.array(z.string()),
  }),
);
const tally = z.looseObject({
  things: size,
  isWhole: z.boolean().describe("Nothing was left out of the count."),
  byType: z.record(z.string(), size),
  byOwner: z.record(z.string(), size),
});

/** What breaks and what is exposed, as `rekey blast --json` prints it. */
export const radius = z.looseObject({
  name: z.string(),
  type: z.string(),
  owners: z.array(z.string()),
  counts: z.looseObject({ starts: size, breaks: tally, exposed: tally, copies: size }),
  breaks: affected,
  exposed: affected,
  copies: z.array(z.looseObject({ place: z.string() })),
});

const finding = z.looseObject({
  number: size,
  code: z.enum(findingCodes),
  severity: z.enum(severities),
  state: z.enum(states),
  subject: z.looseObject({ type: z.string(), name: z.string() }),
  about: z.looseObject({ type: z.string(), name: z.string() }).nullable(),
  sentence: z.string(),
  owners: z.array(z.string()),
  places: z.array(z.string()),
  exception: z.looseObject({ owner: z.string(), reason: z.string(), until: time }).nullable(),
  firstSeen: time,
  lastSeen: time,
  since: time.describe("Since when it has been in its state."),
});

/** A part of the findings, the gravest first. */
export const findingList = z.object({
  at: time.nullable().describe("When they were brought up to date last; null: never."),
  total: size,
  findings: z.array(finding.extend({ placesTotal: size })),
});

/** One of them, as `rekey findings NUMBER --json` prints it. */
export const findingDetail = finding.extend({
  means: z.string(),
  mend: z.string(),
  placesTotal: size,
  changes: z.array(z.looseObject({ at: time, state: z.enum(states) })).describe("The latest of them."),
  changesTotal: size,
});
