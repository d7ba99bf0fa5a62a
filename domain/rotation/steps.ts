/** What `decide` can answer: the steps of the walk, and the three ways of not taking one. */
import type { Outcome } from "./state.js";

/** One step. Each is carried out by one activity; which of them change the world is said by `changes`. */
export type Step =
  | { readonly do: "survey" }
  | { readonly do: "ask"; readonly digests: readonly string[]; readonly reminder: boolean }
  | { readonly do: "seize"; readonly slots: readonly string[]; readonly places: readonly string[] }
  | { readonly do: "issue"; readonly version: string; readonly slot: string }
  | { readonly do: "enable"; readonly version: string; readonly slot: string }
  | { readonly do: "prove"; readonly version: string; readonly slot: string }
  | {
      readonly do: "deliver";
      readonly version: string;
      readonly place: string;
      readonly consumers: readonly string[];
    }
  | { readonly do: "renew"; readonly version: string; readonly slot: string }
  | { readonly do: "disable"; readonly version: string; readonly slot: string }
  | { readonly do: "probe"; readonly version: string; readonly slot: string }
  | { readonly do: "destroy"; readonly version: string; readonly slot: string }
  | { readonly do: "turn"; readonly target: string; readonly slot: string | null; readonly reason: string }
  | { readonly do: "hold"; readonly reason: string }
  | { readonly do: "close"; readonly outcome: Outcome; readonly reason: string };

/** The answer of `decide`. */
export type Decision =
  | { readonly kind: "do"; readonly step: Step }
  | {
      readonly kind: "wait";
      readonly until: number | null;
      /** What is waited for, as a sentence. */
      readonly for: string;
      /** Who or what can end it. */
      readonly who: string;
      /** True when the world has to be looked at meanwhile. */
      readonly watch: boolean;
    }
  | {
      readonly kind: "needs-operator";
      readonly reason: string;
      readonly exits: readonly Exit[];
      /** When to decide anew although nobody said anything: a leak is then revoked without an operator. */
      readonly until: number | null;
    }
  | { readonly kind: "done"; readonly outcome: Outcome };

/** What an operator may order; `decide` offers only those that are legal now (H30). */
export type Exit = "retry" | "back" | "forward" | "declare";

/** A mark that two steps are the same act on the same thing. */
export function sameStep(a: Step, b: Step): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

const changing: ReadonlySet<Step["do"]> = new Set([
  "seize",
  "issue",
  "enable",
  "deliver",
  "renew",
  "disable",
  "destroy",
]);

/**
 * True for a step that changes an issuer or a store, and therefore needs an intent (I8), and a fence where it could
 * do harm when it comes late; a late `renew` ends only sessions that it would have ended in time.
 */
export function changes(step: Step): boolean {
  return changing.has(step.do);
}

const guarded: ReadonlySet<Step["do"]> = new Set(["issue", "deliver", "renew", "disable", "destroy"]);

/** True for a step right before which map, assessment and observations are taken anew (H10, H17). */
export function needsFreshFacts(step: Step): boolean {
  return guarded.has(step.do);
}
