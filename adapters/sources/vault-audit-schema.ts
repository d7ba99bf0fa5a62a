/** What the estate says of an audit log of Vault or OpenBao; the sentences are the documentation that editors show. */
import { isIP } from "node:net";
import { z } from "zod";
import { duration } from "../../domain/estate/duration.js";
import { filesSchema } from "../shared/source-log-list.js";

const mountError = "expected a path without leading or trailing slash, such as secret";

function path() {
  return z
    .string({ error: mountError })
    .min(1, { error: mountError })
    .refine((text) => !text.startsWith("/") && !text.endsWith("/"), { error: mountError });
}

const files = z
  .strictObject({
    method: z.literal("files").describe("Files that a file device wrote, or a collector."),
    paths: filesSchema("/var/log/vault/audit*"),
    mayBeSilent: z
      .array(z.string())
      .optional()
      .describe(
        "Of several paths, as they are written there, those whose log may have nothing to write for long, such as that of a standby node that serves no reads itself. Each other one has to show a record of the end of the quiet period.",
      ),
  })
  .refine(({ paths, mayBeSilent = [] }) => mayBeSilent.every((path) => paths.includes(path)), {
    path: ["mayBeSilent"],
    error: "expected paths of this source, each as it is written in `paths`",
  });

const socket = z.strictObject({
  method: z.literal("socket").describe("A TCP port to which a socket device connects while a scan listens."),
  host: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .describe("Address to listen at. Whoever reaches it is believed."),
  port: z.int().min(1).max(65_535).describe("Port to listen at."),
  listen: duration({ positive: true }).default(30_000).describe("How long a scan listens, such as 30s."),
});

/** The settings of one log of one KV version 2 engine. */
export const vaultAuditConfig = z.strictObject({
  store: z.string().min(1).describe("The store of the estate whose documents are read."),
  mount: path().default("secret").describe("Where that store's KV version 2 engine is mounted."),
  namespace: path().optional().describe("The store's namespace (Vault Enterprise, HCP, OpenBao)."),
  from: z.discriminatedUnion("method", [files, socket]).describe("Where the log is."),
  engine: z
    .array(
      z
        .strictObject({
          entity: z.string().min(1).optional().describe("Id of the entity that Rekey logs in as."),
          displayName: z
            .string()
            .min(1)
            .optional()
            .describe("Display name of the token that Rekey uses, where that has no entity."),
          address: z
            .string()
            .refine((text) => isIP(text) !== 0, { error: "expected an IP address" })
            .optional()
            .describe("Address that Rekey comes from; others may have a token of that name."),
        })
        .refine(
          ({ entity, displayName, address }) =>
            entity === undefined
              ? displayName !== undefined && address !== undefined
              : displayName === undefined,
          { error: "expected an entity, or a displayName with an address" },
        ),
    )
    .default([])
    .describe("Who Rekey itself is in the log; its own reads are not counted."),
  addresses: z
    .boolean()
    .default(false)
    .describe(
      "True where one entity stands for several consumers, so that the address tells them apart. Readers without an entity always show it.",
    ),
});

/** The parsed settings. */
export type VaultAuditConfig = z.output<typeof vaultAuditConfig>;
