/**
 * The schema of `estate.yaml`: what exists and what the rules are, put under version control by its owners.
 * Every field carries its description, because editors and the documentation are made from it.
 */
import { z } from "zod";
import { consumerSchema, credentialSchema } from "./credential-schema.js";
import { name } from "./fields.js";
import { configUnion, type EstateKinds, sourceUnion, systemUnion } from "./kinds.js";
import { ownerSchema } from "./owner-schema.js";
import { policySchema } from "./policy-schema.js";

/** The sections that are maps from a name to an entry. */
export const sections = [
  "owners",
  "stores",
  "issuers",
  "notifiers",
  "sources",
  "policies",
  "consumers",
  "credentials",
] as const;

/** One of the sections. */
export type Section = (typeof sections)[number];

function section<T extends z.ZodType>(entry: T, description: string) {
  return z.record(name(), entry).prefault({}).describe(description);
}

/**
 * The schema for the registered kinds. It holds all that can be said of each entry on its own, except the
 * fields of `account` and `place`; `parseEstate` adds those and what entries say of one another.
 */
export function estateSchema(kinds: EstateKinds) {
  return z.strictObject({
    version: z.literal(1).describe("Version of this format; always 1."),
    installation: name().describe(
      "Name of this installation. An inventory takes the estate of no other one, unless `rekey apply --rename` says so.",
    ),
    owners: section(ownerSchema, "Persons and teams who answer for credentials and consumers."),
    stores: section(systemUnion(kinds.stores), "Where secrets are kept."),
    issuers: section(systemUnion(kinds.issuers), "What accepts them."),
    notifiers: section(configUnion(kinds.notifiers), "How owners and operators are told."),
    sources: section(sourceUnion(kinds.sources), "Where the use of credentials is visible."),
    policies: section(policySchema, "Rules that credentials are rotated by."),
    consumers: section(consumerSchema(configUnion(kinds.consumers)), "Whatever uses credentials."),
    credentials: section(credentialSchema, "The secrets that are rotated, as logical things."),
  });
}
