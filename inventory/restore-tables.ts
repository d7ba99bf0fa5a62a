/** The tables of migration 0008 as drizzle sees them: restores, and what was lost with them. */

import { inventory, moment } from "./columns.js";
import { bigint, json, text } from "./orm.js";

/** Restores of these records that were noticed; at most one of them waits to be accepted. */
export const restores = inventory.table("restores", {
  id: text("id").primaryKey(),
  noticedAt: moment("noticed_at").notNull(),
  evidence: json("evidence").$type<readonly string[]>().notNull(),
  liftedAt: moment("lifted_at"),
  liftedBy: text("lifted_by"),
  document: text("document"),
});

/** How far tags outside knew rotations when a restore was accepted. */
export const lostChanges = inventory.table("lost_changes", {
  rotation: text("rotation").notNull(),
  epoch: bigint("epoch", { mode: "number" }).notNull(),
  change: bigint("change", { mode: "number" }).notNull(),
  restore: text("restore").notNull(),
});
