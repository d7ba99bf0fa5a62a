/** The tables of migrations 0001, 0014 and 0021 as drizzle sees them: what exists, and who changed what may be decided by whom. */

import type { Section } from "../domain/estate/schema.js";
import type { Estate } from "../domain/estate/types.js";
import { inventory, moment } from "./columns.js";
import type { EstateDiff } from "./estate-diff.js";
import { bigint, boolean, integer, json, text } from "./orm.js";

/** Who we are; one row. */
export const installation = inventory.table("installation", {
  onlyRow: boolean("only_row").primaryKey().default(true),
  id: text("id").notNull(),
  createdAt: moment("created_at").notNull(),
  restoreGeneration: text("restore_generation").notNull(),
  generationNumber: bigint("generation_number", { mode: "number" }).notNull().default(1),
  mark: bigint("mark", { mode: "number" }).notNull().default(0),
  auditSize: bigint("audit_size", { mode: "number" }),
  auditCheckpoint: text("audit_checkpoint"),
  fingerprintKey: text("fingerprint_key"),
});

/**
 * Every estate that was applied; rows are only ever added. An earlier release kept the whole `document`; since then there is
 * what stands beside the sections, and what was changed.
 */
export const estateRevisions = inventory.table("estate_revisions", {
  number: integer("number").primaryKey(),
  digest: text("digest").notNull(),
  document: json("document").$type<Estate>(),
  header: json("header").$type<Pick<Estate, "version" | "installation">>(),
  changes: json("changes").$type<EstateDiff>(),
  appliedAt: moment("applied_at").notNull(),
  appliedBy: text("applied_by").notNull(),
});

/** The estate's entries with their opaque ids; an entry that left the estate has ended. */
export const entries = inventory.table("entries", {
  id: text("id").primaryKey(),
  section: text("section").$type<Section>().notNull(),
  name: text("name").notNull(),
  body: json("body").$type<Readonly<Record<string, unknown>>>().notNull(),
  digest: text("digest"),
  piece: text("piece"),
  claims: text("claims").array(),
  since: moment("since").notNull(),
  changedAt: moment("changed_at").notNull(),
  endedAt: moment("ended_at"),
});

/** How often other pieces of the same estate were noted; one row. */
export const pieceNotes = inventory.table("piece_notes", {
  onlyRow: boolean("only_row").primaryKey().default(true),
  times: bigint("times", { mode: "number" }).notNull(),
});

/** What an entry said until a revision changed or ended it; null: nothing, it had ended before. Rows are only ever added. */
export const pastBodies = inventory.table("past_bodies", {
  entry: text("entry").notNull(),
  untilRevision: integer("until_revision").notNull(),
  body: json("body").$type<Readonly<Record<string, unknown>>>(),
});

/** Changes of who may decide on a credential and by which rules; rows are only ever added. */
export const authorityChanges = inventory.table("authority_changes", {
  number: bigint("number", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  credential: text("credential").notNull(),
  what: text("what").$type<"owner" | "policy" | "people">().notNull(),
  previously: text("previously").notNull(),
  revision: integer("revision").notNull(),
  at: moment("at").notNull(),
  by: text("by").notNull(),
});
