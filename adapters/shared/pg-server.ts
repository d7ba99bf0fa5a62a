/** How a PostgreSQL server with its standbys is written down, whoever connects to it. */
import { z } from "zod";
import { isSecretRef, secretRef } from "../../domain/estate/secret-ref.js";
import type { PgEndpoint } from "./pg.js";

/** Longest name of a role in bytes; the server cuts longer ones off silently, which could hit another role. */
const nameBytesMax = 63;

/** What a field that takes a role's name expects. */
export const roleNameExpectation = "expected a role's name of 1 to 63 bytes";

/** True for a name that the server keeps as it is. */
export function isRoleName(name: string): boolean {
  return name !== "" && !name.includes("\0") && Buffer.byteLength(name) <= nameBytesMax;
}

/** Where something answers. */
export const address = {
  host: z.string().min(1).describe("Name or address of the server."),
  port: z.int().min(1).max(65_535).default(5432).describe("Port of the server."),
};

/** Fields of everything that connects to PostgreSQL: the issuer, and the consumer kind that looks at sessions. */
export const serverFields = {
  ...address,
  database: z.string().min(1).describe("Database in which the SQL of `rekey grants postgres` was run."),
  standbys: z
    .array(z.strictObject(address))
    .default([])
    .describe("Every standby that accepts logins; each is proved and refused too."),
  tls: z
    .strictObject({
      mode: z
        .enum(["verify-full", "verify-ca", "require"])
        .default("verify-full")
        .describe("How the certificate is checked: with the name, against the CA only, or not at all."),
      ca: z.string().min(1).optional().describe("File with the CA's certificate in PEM."),
      serverName: z.string().min(1).optional().describe("Name in the certificate where it is not the host."),
    })
    .optional()
    .describe("TLS towards all nodes; without it the connection is not encrypted."),
  login: z
    .strictObject({
      username: z
        .string()
        .refine((text) => isSecretRef(text) || isRoleName(text), { error: roleNameExpectation })
        .describe("The engine's own login: its name, or a reference to it so that the pair can take turns."),
      password: secretRef().describe("Reference to the password of the engine's own login."),
    })
    .describe("As whom the engine connects; both are read anew at each connect."),
};

const serverSchema = z.object(serverFields);

/** By what a consumer's sessions are known, at a server or at a pooler. */
export function applicationName() {
  return z
    .string()
    .min(1)
    .max(63)
    .describe("What the consumer sets as application_name; a `*` at the end stands for anything.");
}

/** What it takes to reach the nodes. */
export type ServerConfig = z.output<typeof serverSchema>;

/** The nodes of a server, the primary first. */
export function endpointsOf(config: ServerConfig): { role: "primary" | "standby"; endpoint: PgEndpoint }[] {
  const { database, tls } = config;
  const at = ({ host, port }: { host: string; port: number }): PgEndpoint => ({ host, port, database, tls });
  return [
    { role: "primary", endpoint: at(config) },
    ...config.standbys.map((standby) => ({ role: "standby" as const, endpoint: at(standby) })),
  ];
}
