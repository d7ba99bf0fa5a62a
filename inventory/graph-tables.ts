/** The tables of migrations 0012 and 0032 as drizzle sees them: the map, how each of its edges is known, and when it was there before. */

import type { CredentialClass } from "../domain/estate/classes.js";
import type { EdgeType, EvidenceKind, NodeType } from "../domain/graph/types.js";
import { inventory, moment } from "./columns.js";
import { bigint, integer, text } from "./orm.js";

/** What there is, or was. */
export const graphNodes = inventory.table("graph_nodes", {
  id: text("id").primaryKey(),
  type: text("type").$type<NodeType>().notNull(),
  name: text("name").notNull(),
  class: text("class").$type<CredentialClass>(),
  cadenceMs: bigint("cadence_ms", { mode: "number" }),
  firstSeen: moment("first_seen").notNull(),
  lastSeen: moment("last_seen").notNull(),
  learntAt: moment("learnt_at"),
  endedAt: moment("ended_at"),
});

/** What leads from where to where. */
export const graphEdges = inventory.table("graph_edges", {
  from: text("from_id").notNull(),
  type: text("type").$type<EdgeType>().notNull(),
  to: text("to_id").notNull(),
  firstSeen: moment("first_seen").notNull(),
  lastSeen: moment("last_seen").notNull(),
  learntAt: moment("learnt_at"),
  endedAt: moment("ended_at"),
});

/** How an edge is known. */
export const graphEvidence = inventory.table("graph_evidence", {
  from: text("from_id").notNull(),
  type: text("type").$type<EdgeType>().notNull(),
  to: text("to_id").notNull(),
  source: text("source").notNull(),
  kind: text("kind").$type<EvidenceKind>().notNull(),
  record: text("record").notNull(),
  seenFrom: text("seen_from").notNull(),
  seenTo: text("seen_to").notNull(),
  scan: text("scan").notNull(),
  count: bigint("count", { mode: "number" }).notNull(),
  sentence: text("sentence").notNull(),
  times: integer("times").notNull(),
  firstSeen: moment("first_seen").notNull(),
  lastSeen: moment("last_seen").notNull(),
  learntAt: moment("learnt_at"),
  endedAt: moment("ended_at"),
});

/** For how long what came back had been there before: of a node, an edge or a copy of a value, by what its row is found by. */
export const pastSpans = inventory.table("past_spans", {
  of: text("of").$type<"node" | "edge" | "copy">().notNull(),
  key: text("key").array().notNull(),
  firstSeen: moment("first_seen").notNull(),
  learntAt: moment("learnt_at"),
  endedAt: moment("ended_at").notNull(),
});
