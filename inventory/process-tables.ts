/** The tables of migrations 0006 and 0007 as drizzle sees them: Rekey's own processes and the codec keys that each of them knows. */

import { inventory, moment } from "./columns.js";
import { text } from "./orm.js";

/** Who runs, and when it last said so. */
export const processes = inventory.table("processes", {
  id: text("id").primaryKey(),
  role: text("role").$type<"worker" | "server">().notNull(),
  name: text("name").notNull(),
  opens: text("opens").array().notNull(),
  seals: text("seals").notNull(),
  seenAt: moment("seen_at").notNull(),
});

/** Until when each key was in use. */
export const sealingKeys = inventory.table("sealing_keys", {
  id: text("id").primaryKey(),
  usedAt: moment("used_at").notNull(),
});
