/** What the estate says of a published key set and of the keys of one credential in it. */
import { z } from "zod";
import { duration } from "../../../domain/estate/duration.js";
import { tlsSchema } from "../../shared/http.js";

function absolute() {
  const error = "expected an absolute path without `..`";
  return z
    .string({ error })
    .regex(/^\/[^\0]+[^/]$/, { error })
    .refine((path) => !path.split("/").some((part) => part === "." || part === ".."), { error });
}

const slotName = () =>
  z.string().regex(/^[a-z0-9][a-z0-9-]{0,30}$/, { error: "expected a short name in small letters" });

/** One published document. */
export const configSchema = z.strictObject({
  file: absolute().describe("The JWKS document that your web server serves; must exist."),
  lockFolder: absolute().describe(
    "Folder of the engine's own, with mode 0700, where it takes turns with its other processes. Not served.",
  ),
  permissions: z
    .string()
    .regex(/^0[0-7]{3}$/, { error: "expected permissions such as 0644" })
    .default("0644")
    .describe("Permissions of the document; its readers are your web server's user."),
  urls: z
    .array(z.url({ protocol: /^https?$/, error: "expected an http or https address" }))
    .prefault([])
    .describe("Every address at which verifiers fetch the document; each is looked at on its own."),
  timeout: duration({ positive: true }).prefault("5s").describe("For one address's answer."),
  lockTimeout: duration({ positive: true })
    .prefault("5s")
    .describe("Longest wait for another process that is changing the document."),
  tls: tlsSchema().optional().describe("How the addresses are recognised."),
});

/** The keys of one credential. */
export const accountSchema = z.strictObject({
  slots: z
    .array(slotName())
    .min(2)
    .max(4)
    .prefault(["a", "b"])
    .describe("Names of the places that keys take turns in; a third one lets an emergency go on."),
  algorithm: z.enum(["ES256", "EdDSA", "RS256"]).describe("What is signed with."),
  format: z
    .enum(["jwk", "pem"])
    .prefault("jwk")
    .describe("How the private key stands in the store: as a JSON Web Key, or as PKCS #8 in PEM."),
  verifierCacheLife: duration({ positive: true }).describe(
    "Longest time for which any verifier, also one that is not declared, goes on with what it fetched.",
  ),
  tokenLife: duration({ positive: true }).describe("Longest life of a token that is signed with these keys."),
  clockSkew: duration()
    .prefault("1m")
    .describe("How far clocks of signers and verifiers may be apart; added to the life of a token."),
  existing: z
    .strictObject({
      slot: slotName().describe("The slot that it counts as."),
      kid: z.string().min(1).max(256).describe("Its `kid` in the document."),
    })
    .optional()
    .describe("The key that is published before the first rotation."),
});

/** Parsed settings of the document. */
export type JwksConfig = z.output<typeof configSchema>;

/** Parsed settings of the keys. */
export type JwksAccount = z.output<typeof accountSchema>;
