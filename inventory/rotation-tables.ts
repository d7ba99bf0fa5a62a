/** The tables of migration 0002 as drizzle sees them: rotations, their locks, events, intents and versions. */

import type { RotationEvent } from "../domain/rotation/events.js";
import type { Outcome, RotationState } from "../domain/rotation/state.js";
import type { Step } from "../domain/rotation/steps.js";
import type { Life } from "../domain/version.js";
import { inventory, moment } from "./columns.js";
import { bigint, integer, json, text } from "./orm.js";

/** Why a rotation runs, as far as its bookkeeping differs. */
export type RotationMode = "ordinary" | "emergency" | "adopt";

/** How a change ended; `unknown` also when a takeover or a later step left it open. */
export type IntentOutcome = "done" | "not-done" | "unknown";

const epoch = () => bigint("epoch", { mode: "number" }).notNull();

/** Rotations, open and closed; at most one open one for each credential. */
export const rotations = inventory.table("rotations", {
  id: text("id").primaryKey(),
  credential: text("credential").notNull(),
  workflowId: text("workflow_id").notNull(),
  runId: text("run_id").notNull(),
  nonce: text("nonce").notNull(),
  epoch: epoch(),
  mode: text("mode").$type<RotationMode>().notNull(),
  initial: json("initial").$type<RotationState>().notNull(),
  requestedBy: text("requested_by").notNull(),
  reason: text("reason").notNull(),
  gate: text("gate"),
  standing: text("standing"),
  openedAt: moment("opened_at").notNull(),
  closedAt: moment("closed_at"),
  outcome: text("outcome").$type<Outcome>(),
  closingReason: text("closing_reason"),
});

/** The epochs of a rotation: its opening and every takeover. */
export const rotationEpochs = inventory.table("rotation_epochs", {
  rotation: text("rotation").notNull(),
  epoch: epoch(),
  workflowId: text("workflow_id").notNull(),
  nonce: text("nonce").notNull(),
  takenAt: moment("taken_at").notNull(),
  eventSeq: integer("event_seq"),
  openChange: bigint("open_change", { mode: "number" }),
});

/** Which run held which epoch. */
export const rotationRuns = inventory.table("rotation_runs", {
  workflowId: text("workflow_id").notNull(),
  runId: text("run_id").notNull(),
  rotation: text("rotation").notNull(),
  epoch: epoch(),
  since: moment("since").notNull(),
  continuedFrom: text("continued_from"),
  /** On Temporal's clock; null where it was not told. */
  askedAt: moment("asked_at"),
});

/** What only one rotation may hold: a credential, a place in a store, an account. A free one keeps its epoch. */
export const locks = inventory.table("locks", {
  key: text("key").primaryKey(),
  rotation: text("rotation"),
  epoch: epoch(),
});

/** What happened in a rotation; rows are only ever added. */
export const rotationEvents = inventory.table("rotation_events", {
  rotation: text("rotation").notNull(),
  seq: integer("seq").notNull(),
  epoch: epoch(),
  at: moment("at").notNull(),
  key: text("key").notNull(),
  event: json("event").$type<RotationEvent>().notNull(),
});

/** What was about to be changed, written before it was; settled once. */
export const intents = inventory.table("intents", {
  rotation: text("rotation").notNull(),
  change: bigint("change", { mode: "number" }).notNull(),
  epoch: epoch(),
  step: json("step").$type<Step>().notNull(),
  expects: json("expects").$type<Readonly<Record<string, unknown>>>().notNull(),
  at: moment("at").notNull(),
  outcome: text("outcome").$type<IntentOutcome>(),
  outcomeAt: moment("outcome_at"),
  eventSeq: integer("event_seq"),
});

/** Which rotation moves which consumer now. */
export const leases = inventory.table("leases", {
  consumer: text("consumer").primaryKey(),
  rotation: text("rotation").notNull(),
  since: moment("since").notNull(),
});

/** Every version that was ever made, by id; never a value. */
export const versions = inventory.table("versions", {
  id: text("id").primaryKey(),
  credential: text("credential").notNull(),
  slot: text("slot").notNull(),
  life: text("life").$type<Life>().notNull(),
  rotation: text("rotation"),
  createdAt: moment("created_at").notNull(),
  endedAt: moment("ended_at"),
});
