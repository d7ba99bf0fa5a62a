/** The table of migration 0005 as drizzle sees it: what waits for the audit log. */

import type { Opening } from "../domain/audit.js";
import { inventory } from "./columns.js";
import { bigint, json, text } from "./orm.js";

/** Entries that the audit log does not have yet. */
export const auditOutbox = inventory.table("audit_outbox", {
  number: bigint("number", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  id: text("id").notNull(),
  body: text("body").notNull(),
  openings: json("openings").$type<Readonly<Record<string, Opening>>>().notNull(),
});
