/** What the estate says of a Vault store and of a place in it; the sentences are the documentation that editors show. */
import { z } from "zod";
import { duration } from "../../../domain/estate/duration.js";
import { secretRef } from "../../../domain/estate/secret-ref.js";
import { fieldsSchema } from "../../shared/own-fields.js";

const segments = /^[^/\s?#%]+(?:\/[^/\s?#%]+)*$/;

/** A path inside Vault: no leading or trailing slash, nothing that climbs. */
function vaultPath(example: string) {
  const error = `expected a path without leading or trailing slash, such as ${example}`;
  return z
    .string({ error })
    .regex(segments, { error })
    .refine((path) => !path.split("/").some((part) => part === "." || part === ".."), { error });
}

const tokenAuth = z
  .object({
    method: z.literal("token").describe("A token that somebody else made."),
    token: secretRef().describe(
      "Where the token is; read anew, so that it can be replaced while Rekey runs.",
    ),
  })
  .strict();

const appRoleAuth = z
  .object({
    method: z.literal("approle").describe("Login by AppRole."),
    mount: vaultPath("approle")
      .default("approle")
      .describe("Where the AppRole method is mounted, below auth/."),
    roleId: z.string().min(1).describe("The role's id. It is a name and no secret."),
    secretId: secretRef().describe("Where the role's secret id is; read anew at every login."),
  })
  .strict();

const kubernetesAuth = z
  .object({
    method: z.literal("kubernetes").describe("Login by the pod's service account."),
    mount: vaultPath("kubernetes")
      .default("kubernetes")
      .describe("Where the Kubernetes method is mounted, below auth/."),
    role: z.string().min(1).describe("The Vault role that the service account is bound to."),
    jwtFile: z
      .string()
      .startsWith("/")
      .default("/var/run/secrets/kubernetes.io/serviceaccount/token")
      .describe("The service account's token; read anew at every login, as the kubelet replaces it."),
  })
  .strict();

/** The settings of one Vault or OpenBao with one KV version 2 engine. */
export const vaultConfig = z
  .object({
    address: z
      .url({
        protocol: /^https?$/,
        error: "expected the base URL of Vault, such as https://vault.example.com:8200",
      })
      .describe("Base URL of Vault or OpenBao: the active node or the cluster's address."),
    namespace: vaultPath("team-a").optional().describe("Namespace (Vault Enterprise, HCP, OpenBao)."),
    mount: vaultPath("secret").default("secret").describe("Where the KV version 2 engine is mounted."),
    stagingMount: vaultPath("rekey")
      .optional()
      .describe("KV version 2 engine for the engine's own copies; the same as `mount` unless given."),
    stagingPrefix: vaultPath("rekey/staging")
      .default("rekey/staging")
      .describe(
        "Path below which only Rekey reads and writes: values not yet proven, and old ones that going back needs.",
      ),
    auth: z
      .discriminatedUnion("method", [tokenAuth, appRoleAuth, kubernetesAuth])
      .describe("How Rekey logs in to Vault."),
    tls: z
      .object({
        caFile: z
          .string()
          .startsWith("/")
          .optional()
          .describe("CA certificates (PEM) that Vault's certificate is checked by."),
        serverName: z
          .string()
          .min(1)
          .optional()
          .describe("Name that Vault's certificate must bear, where it is not the address."),
      })
      .strict()
      .optional()
      .describe("Trust in Vault's certificate; the system's CAs unless given."),
    timeout: duration({ positive: true })
      .default(5_000)
      .describe("Longest time for one request to Vault, such as 5s; a step may make several."),
  })
  .strict();

/** One document. */
export const vaultPlace = z
  .object({
    path: vaultPath("apps/orders/db").describe("Path of the document inside the mount, without `data/`."),
    fields: fieldsSchema(),
  })
  .strict();

/** The parsed settings. */
export type VaultConfig = z.output<typeof vaultConfig>;

/** The parsed place. */
export type VaultPlace = z.output<typeof vaultPlace>;
