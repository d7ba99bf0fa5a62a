/** The table of migration 0006 as drizzle sees it: Rekey's own processes and the codec keys that each of them knows. */
import { text } from "drizzle-orm/pg-core";
import { inventory, moment } from "./columns.js";

/** Who runs, and when it last said so. */
export const processes = inventory.table("processes", {
  id: text("id").primaryKey(),
  role: text("role").$type<"worker" | "server">().notNull(),
  name: text("name").notNull(),
  opens: text("opens").array().notNull(),
  seals: text("seals").notNull(),
  seenAt: moment("seen_at").notNull(),
});
