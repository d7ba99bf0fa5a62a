/** The tables of migrations 0013, 0014, 0018, 0020, 0024 to 0029, 0031 and 0036 as drizzle sees them: things that sources speak of, scans, where values lie, uses by whom nobody says, versions that were read, and what is said of a thing. */
import type { Hidden, LogReach, Malformed, Thing } from "../domain/discovery/said.js";
import type { Stretch } from "../domain/discovery/stretches.js";
import { inventory, moment } from "./columns.js";
import { bigint, boolean, jsonb, text } from "./orm.js";

/** A thing in a source's words, and the node that it is taken for. */
export const things = inventory.table("things", {
  id: text("id").primaryKey(),
  body: jsonb("body").$type<Thing>().notNull(),
  node: text("node").notNull(),
  known: boolean("known").notNull(),
  sentence: text("sentence").notNull(),
  firstSeen: moment("first_seen").notNull(),
  lastSeen: moment("last_seen").notNull(),
});

/** One reading of a source. */
export const scans = inventory.table("scans", {
  id: text("id").primaryKey(),
  source: text("source").notNull(),
  shows: text("shows").$type<"now" | "log">().notNull(),
  settings: text("settings").notNull(),
  round: text("round").notNull(),
  startedAt: moment("started_at").notNull(),
  endedAt: moment("ended_at"),
  failure: text("failure"),
  failedAt: moment("failed_at"),
  cursorBefore: text("cursor_before"),
  cursorAfter: text("cursor_after"),
  records: bigint("records", { mode: "number" }).notNull(),
  claims: bigint("claims", { mode: "number" }).notNull(),
  copies: bigint("copies", { mode: "number" }).notNull(),
  malformed: bigint("malformed", { mode: "number" }).notNull(),
  malformedFirst: jsonb("malformed_first").$type<readonly Malformed[]>().notNull(),
  gaps: jsonb("gaps").$type<readonly string[]>().notNull(),
  gapsAgain: jsonb("gaps_again").$type<readonly string[]>().notNull(),
  hidden: jsonb("hidden").$type<readonly Hidden[]>(),
  coveredFrom: moment("covered_from"),
  coveredUntil: moment("covered_until"),
  stretches: jsonb("stretches").$type<readonly Stretch[]>(),
  reaches: jsonb("reaches").$type<readonly LogReach[]>(),
});

/** Where a value lies. */
export const marks = inventory.table("marks", {
  mark: text("mark").notNull(),
  thing: text("thing").notNull(),
  source: text("source").notNull(),
  record: text("record").notNull(),
  literal: boolean("literal").notNull(),
  past: boolean("past").notNull(),
  verified: boolean("verified").notNull(),
  sentence: text("sentence").notNull(),
  scan: text("scan").notNull(),
  firstSeen: moment("first_seen").notNull(),
  lastSeen: moment("last_seen").notNull(),
  endedAt: moment("ended_at"),
  /** Null of what an earlier release met, and of what a worker of one does. */
  learntAt: moment("learnt_at"),
});

/** When something was used, by whom nobody says. */
export const anonymousUses = inventory.table("anonymous_uses", {
  thing: text("thing").notNull(),
  source: text("source").notNull(),
  record: text("record").notNull(),
  sentence: text("sentence").notNull(),
  firstSeen: moment("first_seen").notNull(),
  lastSeen: moment("last_seen").notNull(),
});

/** What each source took a thing for last, and since when it has taken it for something. */
export const thingClasses = inventory.table("thing_classes", {
  thing: text("thing").notNull(),
  source: text("source").notNull(),
  class: text("class").notNull(),
  /** Null of what a worker of an earlier release keeps. */
  firstSeen: moment("first_seen"),
  lastSeen: moment("last_seen").notNull(),
});

/** Which version of a place a reader was seen to read. */
export const versionReads = inventory.table("version_reads", {
  thing: text("thing").notNull(),
  reader: text("reader").notNull(),
  source: text("source").notNull(),
  version: text("version").notNull(),
  firstSeen: moment("first_seen").notNull(),
  lastSeen: moment("last_seen").notNull(),
});

/** What of a credential stood at a place under one of the store's own versions. */
export const storeVersions = inventory.table("store_versions", {
  credential: text("credential").notNull(),
  place: text("place").notNull(),
  storeVersion: text("store_version").notNull(),
  version: text("version"),
  seenAt: moment("seen_at").notNull(),
});

/** What a source says of something that the estate does not declare: what it is for, and when it is to end. */
export const thingWords = inventory.table("thing_words", {
  thing: text("thing").notNull(),
  source: text("source").notNull(),
  purpose: text("purpose"),
  expiresAt: moment("expires_at"),
  firstSeen: moment("first_seen"),
  lastSeen: moment("last_seen").notNull(),
  scan: text("scan").notNull(),
  record: text("record"),
  endedAt: moment("ended_at"),
});
