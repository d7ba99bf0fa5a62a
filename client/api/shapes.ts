/** The shapes of what comes in and goes out: checked on the way in, described in /openapi.json, and read by our own client. */
import { z } from "zod";

/** Longest document, in characters; the engine takes no longer one. */
const documentCharactersMax = 8_192;

/** What is posted as a decision. */
export const decisionBody = z.strictObject({
  document: z
    .string()
    .min(1)
    .max(documentCharactersMax)
    .describe("A compact JWS as `rekey approve --file` writes it."),
});

/** What came of a decision. */
export const decisionAnswer = z.object({
  id: z.string().describe("The document's own id."),
  accepted: z.literal(true),
  answered: z
    .boolean()
    .describe("False when no worker answered: the document waits for the rotation and is verified then."),
  sentence: z.string(),
});

/** Every failure. */
export const failure = z.object({
  code: z.string().describe("From the one list of errors; programs go by it."),
  error: z.string(),
  hint: z.string(),
});

/** The process is there. */
export const health = z.object({ status: z.literal("ok") });

/** What the server needs, and whether it is there. */
export const readiness = z.object({
  ready: z.boolean(),
  inventory: z.enum(["ok", "unreachable"]),
  temporal: z.enum(["ok", "unreachable"]),
});

const time = z.number().describe("Milliseconds since the epoch.");

const row = z.looseObject({
  id: z.string(),
  credential: z.string(),
  name: z.string().describe("The credential's name."),
  workflowId: z.string(),
  nonce: z.string(),
  epoch: z.number(),
  requestedBy: z.string(),
  reason: z.string(),
  openedAt: time,
  closedAt: time.nullable(),
  outcome: z.string().nullable(),
});

/** A credential as `rekey status --json` prints it. */
const credential = z.looseObject({
  id: z.string(),
  name: z.string(),
  purpose: z.string(),
  owner: z.string(),
  policy: z.string(),
  consumers: z.array(z.string()),
  dueAt: time.nullable(),
  rotation: row.nullable().describe("The latest one; open while it has no `closedAt`."),
});

/** All of them. */
export const credentialList = z.looseObject({
  credentials: z.array(credential),
  unsignedIncidents: z.number(),
});

const plan = z.looseObject({
  digest: z.string().describe("SHA-256 in hex of the text that docs/api.md describes."),
  identity: z.string(),
  waves: z.array(z.looseObject({ place: z.string().nullable(), consumers: z.array(z.string()) })),
  consumers: z.array(z.looseObject({ id: z.string() })),
  approvers: z.array(z.string()),
  pointOfNoReturn: z.string(),
  terms: z.looseObject({ installation: z.string(), rotation: z.string(), nonce: z.string() }).optional(),
});

const rotation = row.extend({
  workflow: z.enum(["live", "silent", "gone"]),
  standing: z.looseObject({ kind: z.enum(["do", "wait", "needs-operator", "done"]) }),
  state: z.looseObject({
    id: z.string(),
    installation: z.string(),
    credential: z.string(),
    nonce: z.string(),
    plan: plan.nullable(),
    amendments: z.array(plan),
  }),
  timeline: z.array(z.looseObject({ at: time, sentence: z.string() })),
});

/** One credential in detail, as `rekey status NAME --json` prints it. */
export const credentialDetail = z.looseObject({
  credential: credential.omit({ rotation: true }),
  rotation: rotation.nullable(),
  unsigned: z.array(z.looseObject({ reason: z.string() })),
});

/** A rotation, with what is to be signed and why it does not go on. */
export const rotationDetail = z.looseObject({
  rotation,
  toSign: z.array(
    z.object({
      title: z.string(),
      digest: z.string(),
      satisfied: z.boolean().describe("It has the agreement that the policy asks for."),
      agreed: z.array(z.string()).describe("Persons whose agreement counts now."),
      plan,
    }),
  ),
  reasons: z.object({
    findings: z.array(z.looseObject({ code: z.string(), severity: z.string(), sentence: z.string() })),
    waitingFor: z.string().nullable(),
    trouble: z.string().nullable(),
  }),
  names: z.record(z.string(), z.string()).describe("Names for the ids in plan and sentences."),
  purpose: z.string(),
  validForMs: z.number().nullable().describe("How long the policy lets a decision be good for."),
});

/** One rotation, as our own client reads it. */
export type RotationDetail = z.infer<typeof rotationDetail>;
