/** What the estate says of a PostgreSQL server and of an account on it. */
import { z } from "zod";
import { address, isRoleName, roleNameExpectation, serverFields } from "../../shared/pg-server.js";

function roleName() {
  return z.string({ error: roleNameExpectation }).refine(isRoleName, { error: roleNameExpectation });
}

/** The issuer's settings. */
export const configSchema = z.object({
  ...serverFields,
  receivers: z
    .array(z.string().min(1))
    .default([])
    .describe("Names in pg_stat_replication that receive WAL and accept no logins (pg_receivewal, barman)."),
  // Not a default: an estate that was applied before there was this setting is used as it is.
  through: z
    .array(z.strictObject({ ...address, database: z.string().min(1).optional().describe("Its name there.") }))
    .optional()
    .describe("Poolers through which consumers reach the server; each is proved and refused as a node is."),
});

/** One account: the owning group and the logins that take turns. */
export const accountSchema = z.object({
  group: roleName().describe("The role that owns everything: the former login, now a group."),
  logins: z
    .array(roleName())
    .min(2)
    .max(3)
    .refine((logins) => new Set(logins).size === logins.length, { error: "expected different logins" })
    .describe("The two permanent logins that take turns, and a spare one for a third version."),
  canary: z
    .strictObject({
      query: z.string().min(1).describe("A SELECT that the owner chose; run as the new login, read only."),
      rows: z.int().min(0).describe("How many rows it must return."),
    })
    .optional()
    .describe("A question whose answer shows that row security and rights came along."),
});

/** Parsed settings. */
export type PostgresConfig = z.output<typeof configSchema>;
/** Parsed account. */
export type PostgresAccount = z.output<typeof accountSchema>;
