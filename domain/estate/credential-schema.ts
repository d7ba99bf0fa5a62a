/** Credentials, their consumers and the edges between them: the map that a rotation is planned on. */
import { z } from "zod";
import { untold } from "./class-policies.js";
import { credentialClasses } from "./classes.js";
import { duration, withMs } from "./duration.js";
import { exceptionsField } from "./exception-schema.js";
import { address, host, name, sentence } from "./fields.js";
import type { KindConfig } from "./types.js";

const edge = withMs(
  z.strictObject({
    consumer: name().describe("Name of a consumer."),
    isolation: z
      .enum(["pinned", "shared"])
      .prefault("shared")
      .describe("`pinned`: can be moved alone. `shared`: moves with everybody who reads the same place."),
    place: z
      .record(z.string(), z.unknown())
      .optional()
      .describe("For `pinned`: the place of its own that it reads, in the credential's store."),
    reversible: z
      .boolean()
      .optional()
      .describe("Whether it can be moved back; absent: as the consumer says."),
    cadence: duration()
      .optional()
      .describe("Longest normal gap between two uses; absent: as the consumer says."),
    role: name()
      .optional()
      .describe(
        "Which part it plays, for kinds that have several: `signer`, `verifier`; absent: it uses it.",
      ),
    wave: z
      .int()
      .min(1)
      .max(99)
      .optional()
      .describe("Which wave it moves in, from 1; absent: the plan decides."),
  }),
  ["cadence"],
);

const bareEdge = name().transform((consumer) => ({ consumer, isolation: "shared" as const }));

const seenAs = z.strictObject({
  at: name()
    .optional()
    .describe(
      "Issuer whose sessions show it, or the source, where the system that it reads is no issuer of the estate; absent: its own issuer.",
    ),
  account: sentence(256).describe("Name of the account there."),
});

/** What a map in one of these lists names: an entry of another section, by a field that is called so. */
const named = <Field extends string>(field: Field, description: string) =>
  z.strictObject({ [field]: name().describe(description) } as Record<Field, ReturnType<typeof name>>);

const readable = z.union(
  [
    name().transform((store) => ({ store })),
    z.strictObject({
      store: name().describe("Name of the store."),
      place: z
        .record(z.string(), z.unknown())
        .optional()
        .describe("The one place there that it can read; absent: everything."),
    }),
    named("credential", "Name of the credential whose value it can read."),
  ],
  { error: "expected the name of a store, or a map with `store` or `credential`" },
);

const mintable = z.union(
  [
    name().transform((credential) => ({ credential })),
    named("credential", "Name of the credential that it can make anew."),
    named("issuer", "Name of the issuer at which it can make any."),
  ],
  { error: "expected the name of a credential, or a map with `credential` or `issuer`" },
);

const needed = z.union(
  [
    name().transform((consumer) => ({ consumer })),
    named("consumer", "Name of the consumer that it needs."),
    named("store", "Name of the store that it needs."),
    named("issuer", "Name of the issuer that it needs."),
  ],
  { error: "expected the name of a consumer, or a map with `consumer`, `store` or `issuer`" },
);

const credential = z.strictObject({
  issuer: name().describe("Name of the issuer that accepts it."),
  account: z
    .record(z.string(), z.unknown())
    .describe("What it is at the issuer; the fields depend on the issuer's kind."),
  store: name().describe("Name of the store that keeps it."),
  place: z
    .record(z.string(), z.unknown())
    .describe("Where it is in the store; the fields depend on the store's kind."),
  owner: name().describe("Who answers for it and signs."),
  policy: name()
    .optional()
    .describe("Name of the policy that it is rotated by; absent: the one that takes its class."),
  class: z.enum(credentialClasses).describe("What it is."),
  purpose: sentence().describe("What it is for, in a sentence that a stranger understands."),
  consumers: z
    .array(
      z
        .union([bareEdge, edge], { error: "expected the name of a consumer, or a map with `consumer`" })
        .describe("The name of a consumer, or a map with `consumer` and how it uses this credential."),
    )
    .prefault([])
    .describe("Everything that uses it. What is missing here and seen in use stops the rotation."),
  seenAs: z
    .array(seenAs)
    .optional()
    .describe(
      "Accounts under which sources show whoever logs in with it, besides those that its issuer's kind knows.",
    ),
  canRead: z
    .array(readable.describe("The name of a store, or a map with `store` and `place`, or with `credential`."))
    .optional()
    .describe("What whoever has it can read, as far as no source sees that."),
  mints: z
    .array(mintable.describe("The name of a credential, or a map with `credential` or `issuer`."))
    .optional()
    .describe("What whoever has it can make anew, as far as no source sees that."),
  exceptions: exceptionsField("Findings that an owner takes upon themself until a day."),
});

/** One entry of `credentials`. `account` and `place` are checked against their kinds once it is known which those are. */
export const credentialSchema = credential.transform(({ policy, ...said }) =>
  policy === undefined ? { ...said, policy: untold, policyBy: "class" as const } : { ...said, policy },
);

/** Optional, so that what an estate said before there were these is the same text as ever (it is part of what was signed). */
function claims(description: string) {
  return z.array(sentence(400)).optional().describe(description);
}

/** The schema of one entry of `consumers`, given the settings of the registered kinds. */
export function consumerSchema(kinds: z.ZodType<KindConfig>) {
  const match = z.strictObject({
    applicationName: z
      .array(sentence(200))
      .prefault([])
      .describe("Names that its sessions carry at the issuer."),
    address: z
      .array(address())
      .prefault([])
      .describe("IP addresses or CIDR ranges that its sessions come from."),
    host: z
      .array(host())
      .optional()
      .describe(
        "Names of hosts that its sessions come from where a server shows those and no addresses; `*.` in front: whatever ends so; `local`: a socket of the server's own machine.",
      ),
    entity: claims("Ids of the identities that a secret store knows it by."),
    role: claims(
      "Names (ARN) of a cloud's roles or users that it acts as; `*` at the end: whatever begins so.",
    ),
    serviceAccount: claims(
      "Service accounts that it runs as: `namespace/name`, with the cluster before it where a source knows it.",
    ),
    workload: claims("What sources that read configuration call it, as `rekey consumers` shows them."),
  });
  return withMs(
    z.strictObject({
      owner: name().describe("Who answers for it."),
      purpose: sentence().optional().describe("What it does, in a sentence."),
      observe: z
        .array(kinds)
        .min(1)
        .describe("How Rekey sees which version each instance holds; all of them have to agree."),
      deliver: kinds
        .optional()
        .describe("How it is told to take up a new version; absent: it notices by itself."),
      match: match.prefault({}).describe("How whoever is seen using a credential is known to be it."),
      maxCacheLife: duration()
        .optional()
        .describe("Longest time for which it may keep a value that it has read."),
      maxPoolLife: duration().optional().describe("Longest time for which it may keep a connection open."),
      cadence: duration()
        .optional()
        .describe("Longest normal gap between two uses: a month-end job has 31d."),
      reversible: z.boolean().prefault(true).describe("Whether it can be moved back to the version before."),
      canary: z.boolean().prefault(false).describe("Whether it may go first and alone; needs a pinned edge."),
      dependsOn: z
        .array(needed.describe("The name of a consumer, or a map with `consumer`, `store` or `issuer`."))
        .optional()
        .describe("What it fails with, besides the credentials that it uses."),
    }),
    ["maxCacheLife", "maxPoolLife", "cadence"],
  );
}
