/** The tables of migrations 0015 and 0033 as drizzle sees them: findings, every change of their state, and when somebody looked last. */

import type { Severity } from "../domain/finding.js";
import type { FindingCode } from "../domain/findings/codes.js";
import type { FindingState } from "../domain/findings/course.js";
import { inventory, moment } from "./columns.js";
import { bigint, boolean, jsonb, text } from "./orm.js";

/** Findings, ended ones too. */
export const findings = inventory.table("findings", {
  number: bigint("number", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  key: text("key").notNull(),
  code: text("code").$type<FindingCode>().notNull(),
  severity: text("severity").$type<Severity>().notNull(),
  state: text("state").$type<FindingState>().notNull(),
  subject: text("subject").notNull(),
  subjectType: text("subject_type").notNull(),
  subjectName: text("subject_name").notNull(),
  about: text("about"),
  aboutType: text("about_type"),
  aboutName: text("about_name"),
  credential: text("credential"),
  sentence: text("sentence").notNull(),
  owners: jsonb("owners").$type<readonly string[]>().notNull(),
  places: jsonb("places").$type<readonly string[]>().notNull(),
  sources: jsonb("sources").$type<readonly string[]>().notNull(),
  exceptionOwner: text("exception_owner"),
  exceptionReason: text("exception_reason"),
  exceptionUntil: moment("exception_until"),
  firstSeen: moment("first_seen").notNull(),
  lastSeen: moment("last_seen").notNull(),
  since: moment("since").notNull(),
  digest: text("digest"),
});

/** What became of them; rows are only ever added. */
export const findingChanges = inventory.table("finding_changes", {
  finding: bigint("finding", { mode: "number" }).notNull(),
  at: moment("at").notNull(),
  state: text("state").$type<FindingState>().notNull(),
  exceptionOwner: text("exception_owner"),
  exceptionReason: text("exception_reason"),
  exceptionUntil: moment("exception_until"),
});

/** When they were brought up to date last; one row. */
export const findingLooks = inventory.table("finding_looks", {
  onlyRow: boolean("only_row").primaryKey().default(true),
  at: moment("at").notNull(),
  began: moment("began").notNull(),
});
