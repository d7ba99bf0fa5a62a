/** The table of migration 0009 as drizzle sees it: since when what has to last is so. */

import type { Holding } from "../domain/rotation/since.js";
import { inventory, moment } from "./columns.js";
import { bigint, text } from "./orm.js";

/** Since when something holds in a rotation, as its looks have seen it. */
export const sightings = inventory.table("sightings", {
  rotation: text("rotation").notNull(),
  what: text("what").$type<Holding["what"]>().notNull(),
  subject: text("subject").notNull(),
  epoch: bigint("epoch", { mode: "number" }).notNull(),
  target: text("target").notNull(),
  since: moment("since"),
  longestMs: bigint("longest_ms", { mode: "number" }).notNull(),
});
