/** The tables of migration 0004 as drizzle sees them: adoptions and their steps. */

import type { AdoptionDirection, AdoptionOutcome, AdoptionPlan } from "../domain/adopt-plan.js";
import { inventory, moment } from "./columns.js";
import { bigint, integer, json, text } from "./orm.js";
import type { IntentOutcome } from "./rotation-tables.js";

/** Adoptions, open and closed; at most one open one for each credential. */
export const adoptions = inventory.table("adoptions", {
  id: text("id").primaryKey(),
  credential: text("credential").notNull(),
  direction: text("direction").$type<AdoptionDirection>().notNull(),
  under: text("under"),
  plan: json("plan").$type<AdoptionPlan>().notNull(),
  digest: text("digest").notNull(),
  requestedBy: text("requested_by").notNull(),
  reason: text("reason").notNull(),
  openedAt: moment("opened_at").notNull(),
  askedAt: moment("asked_at").notNull(),
  begunAt: moment("begun_at"),
  workingSince: moment("working_since"),
  closedAt: moment("closed_at"),
  outcome: text("outcome").$type<AdoptionOutcome>(),
  closingReason: text("closing_reason"),
});

/** How a step came to be taken: by the program, by somebody's hand, or found done. */
export type StepWay = "run" | "hand" | "found";

/** Steps that were begun, written before they were; settled once. */
export const adoptionSteps = inventory.table("adoption_steps", {
  adoption: text("adoption").notNull(),
  number: integer("number").notNull(),
  epoch: bigint("epoch", { mode: "number" }).notNull(),
  step: text("step").notNull(),
  way: text("way").$type<StepWay>().notNull(),
  at: moment("at").notNull(),
  outcome: text("outcome").$type<IntentOutcome>(),
  outcomeAt: moment("outcome_at"),
});
