/** Owners: persons with the keys they sign with, and teams of them. Who answers comes first in every rotation (C3). */
import { z } from "zod";
import { instant, name, sentence } from "./fields.js";

/** 32 bytes in base64url without padding; the last character has only four bits to carry. */
const keyBytes = "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]";
const keyExpectation = "expected ed25519: and 43 characters of base64url, as printed by `rekey keygen`";

const textKey = z
  .string({ error: keyExpectation })
  .regex(new RegExp(`^ed25519:${keyBytes}$`), { error: keyExpectation })
  .transform((text) => ({ kty: "OKP" as const, crv: "Ed25519" as const, x: text.slice("ed25519:".length) }));

const jsonWebKey = z.strictObject({
  kty: z.literal("OKP").describe("Key type of the JSON Web Key."),
  crv: z.literal("Ed25519").describe("Curve of the JSON Web Key."),
  x: z
    .string({ error: "expected 43 characters of base64url" })
    .regex(new RegExp(`^${keyBytes}$`), { error: "expected 43 characters of base64url" })
    .describe("The public key in base64url."),
  kid: sentence(128).optional().describe("A name for the key."),
});

const delegate = z.strictObject({
  to: name().describe("The person who signs instead."),
  from: instant().describe("First moment of the delegation."),
  until: instant().describe("First moment after the delegation."),
});

const person = z.strictObject({
  kind: z.literal("person").describe("A human being."),
  name: sentence(200).optional().describe("The person's name as people write it."),
  email: z.email({ error: "expected an e-mail address" }).describe("Where the person is told and asked."),
  subject: sentence(255)
    .optional()
    .describe("The identity provider's immutable id of the person; two accounts of one person share it."),
  manager: name().optional().describe("Who is asked when the person has left or stays silent."),
  keys: z
    .array(z.union([textKey, jsonWebKey]).describe("One public key: ed25519:<base64url>, or a JSON Web Key."))
    .prefault([])
    .describe(
      "Public keys that the person's decisions are checked with; the private halves stay with the person.",
    ),
  delegates: z
    .array(delegate)
    .prefault([])
    .describe("Who may sign in the person's place, and when; one level deep."),
});

const team = z.strictObject({
  kind: z.literal("team").describe("Several persons who answer together."),
  name: sentence(200).optional().describe("The team's name as people write it."),
  email: z
    .email({ error: "expected an e-mail address" })
    .optional()
    .describe("Where the team is told; absent: its members are."),
  members: z.array(name()).min(1).describe("Names of persons; each signs with their own key."),
});

/** One entry of `owners`. */
export const ownerSchema = z.discriminatedUnion("kind", [person, team]);
