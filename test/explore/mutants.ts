/** Planted bugs: the rules with one thing taken out or put wrong, each of which the exploration has to notice. */
import { decide, mayAct } from "../../domain/decide.js";
import { type Gate, gates } from "../../domain/gates.js";
import type { IssuerTraits } from "../../domain/kinds.js";
import { fold } from "../../domain/rotation/fold.js";
import { overlapEnd } from "../../domain/rotation/moves.js";
import type { RotationState } from "../../domain/rotation/state.js";
import { sameStep } from "../../domain/rotation/steps.js";
import { tick } from "../domain/begin.js";
import {
  away,
  irreversible,
  keys,
  latecomer,
  oneEach,
  overlapping,
  publicKeys,
  type Shape,
  single,
} from "./models.js";
import type { Engine } from "./node.js";

/** A bug, where it shows, and the law that catches it. */
export interface Mutant {
  readonly name: string;
  readonly engine: Engine;
  readonly shape: Shape;
  readonly caughtBy: RegExp;
}

const rules: Engine = { decide, mayAct, fold };

function withGates(list: readonly Gate[]): Engine {
  return {
    ...rules,
    decide: (state, now) => decide(state, now, list),
    mayAct: (state, step, now) => mayAct(state, step, now, list),
  };
}

function without(name: string): Engine {
  return withGates(gates.filter((gate) => gate.name !== name));
}

/** The gates with one of them moved in front of another. */
function moved(name: string, before: string): Engine {
  const gate = gates.filter((candidate) => candidate.name === name);
  const rest = gates.filter((candidate) => candidate.name !== name);
  const at = rest.findIndex((candidate) => candidate.name === before);
  return withGates([...rest.slice(0, at), ...gate, ...rest.slice(at)]);
}

/** The rules on another state than there is. */
function seeing(change: (state: RotationState, now: number) => RotationState): Engine {
  return {
    ...rules,
    decide: (state, now) => decide(change(state, now), now),
    mayAct: (state, step, now) => mayAct(change(state, now), step, now),
  };
}

/** The bugs. */
export const mutants: readonly Mutant[] = [
  {
    name: "acts without asking again",
    engine: { ...rules, mayAct: () => true },
    shape: oneEach,
    caughtBy: /I2: disable/,
  },
  {
    name: "takes old facts for fresh ones",
    engine: {
      ...rules,
      looksAgain: false,
      decide: (state, now) => decide(alwaysFresh(state, now), now),
      mayAct: (state, step, now) => {
        const decision = decide(alwaysFresh(state, now), now);
        return decision.kind === "do" && sameStep(decision.step, step);
      },
    },
    shape: oneEach,
    caughtBy: /I2: disable/,
  },
  {
    name: "disables before everybody has adopted",
    engine: moved("disabled", "delivered and adopted"),
    shape: oneEach,
    caughtBy: /I2: disable old/,
  },
  {
    name: "does not wait for adoption at all",
    engine: without("delivered and adopted"),
    shape: oneEach,
    caughtBy: /I2: disable/,
  },
  {
    name: "does not wait for the drain",
    engine: without("drained"),
    shape: latecomer,
    caughtBy: /I2: disable/,
  },
  { name: "forgets to disable", engine: without("disabled"), shape: oneEach, caughtBy: /closed \(/ },
  {
    name: "takes a lost answer for a failure",
    engine: {
      ...rules,
      fold: (state, event) =>
        fold(state, event.type === "failed" ? { ...event, outcome: "not-done" } : event),
    },
    shape: oneEach,
    caughtBy: /I4|records/,
  },
  {
    name: "takes over without taking the tags",
    engine: {
      ...rules,
      fold: (state, event) =>
        event.type === "adopted"
          ? { ...fold(state, { ...event, openChange: null }), seized: true }
          : fold(state, event),
    },
    shape: oneEach,
    caughtBy: /I4|records/,
  },
  {
    name: "turns back to what has leaked",
    engine: seeing((state) => {
      const origin = state.versions[state.origin];
      if (!origin?.leaked || state.target === state.origin) return state;
      const acceptable = [...state.acceptable, state.origin];
      return {
        ...state,
        acceptable,
        versions: { ...state.versions, [origin.id]: { ...origin, leaked: false } },
      };
    }),
    shape: { ...oneEach, budgets: [{ faults: 1, leaks: 1 }] },
    caughtBy: /course: turns to old/,
  },
  {
    name: "turns as often as something fails",
    engine: seeing((state) => ({ ...state, turned: null })),
    shape: oneEach,
    caughtBy: /swings|I11/,
  },
  {
    name: "revokes at once although it was told to wait",
    engine: seeing((state) =>
      state.emergency ? { ...state, emergency: { ...state.emergency, containment: "revoke-now" } } : state,
    ),
    shape: { ...oneEach, budgets: [{ faults: 0, leaks: 1 }] },
    caughtBy: /I2: disable/,
  },
  {
    name: "loses a cancellation",
    engine: { ...rules, fold: (state, event) => (event.type === "cancelled" ? state : fold(state, event)) },
    shape: oneEach,
    caughtBy: /I11: no way back/,
  },
  {
    name: "goes back from who cannot be moved back",
    engine: { ...rules, fold: (state, event) => ({ ...fold(state, event), irreversible: false }) },
    shape: irreversible,
    caughtBy: /I11: deliver old to d1/,
  },
  {
    name: "turns to the origin because of a leak, past the point of no return",
    engine: {
      ...rules,
      fold: (state, event) =>
        event.type === "incident"
          ? { ...fold({ ...state, irreversible: false }, event), irreversible: state.irreversible }
          : fold(state, event),
    },
    shape: irreversible,
    caughtBy: /I11: deliver old to d1/,
  },
  {
    name: "serves those who use a version before those who check it",
    engine: rules,
    shape: { ...keys, plans: keys.plans.map((plan) => ({ ...plan, waves: [...plan.waves].reverse() })) },
    caughtBy: /I1: c1 takes up new, which v1 does not know/,
  },
  {
    name: "does not wait for those who check and are not declared",
    engine: seeing(declaring({ roles: [{ role: "verifier", takes: "issuer", memoryMs: 0 }] })),
    shape: publicKeys,
    caughtBy: /I1: c1 takes up new, which v1 does not know/,
  },
  {
    name: "switches off what something that was made with it still needs",
    engine: seeing(declaring({ derives: [] })),
    shape: keys,
    caughtBy: /I1: v1 refuses what was made with old/,
  },
  {
    name: "calls revoked what is still let in",
    engine: seeing((state) => ({
      ...state,
      versions: Object.fromEntries(
        Object.values(state.versions).map((version) => [
          version.id,
          version.disabledAt === null ? version : { ...version, disabledAt: -100 * tick },
        ]),
      ),
    })),
    shape: publicKeys,
    caughtBy: /closed: v1 still accepts/,
  },
  {
    name: "takes a value that was made and lost for one that it has",
    engine: {
      ...rules,
      fold: (state, event) =>
        fold(
          state,
          event.type === "seized"
            ? { ...event, slots: event.slots.map((slot) => ({ ...slot, unkept: false })) }
            : event,
        ),
    },
    shape: single,
    caughtBy: /records: new is enabled/,
  },
  {
    name: "takes the old value for valid although the new one was made in its place",
    engine: {
      ...rules,
      fold: (state, event) => {
        const next = fold(state, event);
        const { old } = state.versions;
        return event.type === "issued" && old ? { ...next, versions: { ...next.versions, old } } : next;
      },
    },
    shape: single,
    caughtBy: /records: old is enabled/,
  },
  {
    name: "revokes when the overlap is over",
    engine: withGates(
      gates.map((gate) =>
        gate.name === "delivered and adopted"
          ? { ...gate, check: (state, now) => (isOver(state, now) ? { is: "pass" } : gate.check(state, now)) }
          : gate,
      ),
    ),
    shape: overlapping,
    caughtBy: /I2: disable/,
  },
  {
    name: "lets an overlap last",
    engine: seeing((state) => ({ ...state, overlapSince: null })),
    shape: overlapping,
    caughtBy: /overlap: a wait past/,
  },
  {
    name: "leaves a leak open for as long as the store is away",
    engine: {
      ...rules,
      decide: (state, now) => {
        const decision = decide(state, now);
        const cuts = decision.kind === "do" && decision.step.do === "disable";
        const unsettled = !state.seized || Object.values(state.places).some(({ unknown }) => unknown);
        const what = { for: "the store", who: "the store", watch: false } as const;
        return cuts && unsettled ? { kind: "wait", until: now + tick, ...what } : decision;
      },
    },
    shape: away,
    caughtBy: /I5: the store is away/,
  },
  {
    name: "waits for nobody",
    engine: {
      ...rules,
      decide: (state, now) => {
        const decision = decide(state, now);
        return decision.kind === "needs-operator" ? { ...decision, exits: [] } : decision;
      },
    },
    shape: oneEach,
    caughtBy: /deadlock/,
  },
];

/** A kind that declares something else than it does. */
function declaring(more: Partial<Record<keyof IssuerTraits, unknown>>) {
  return (state: RotationState): RotationState => ({
    ...state,
    traits: { ...state.traits, ...more } as IssuerTraits,
  });
}

function isOver(state: RotationState, now: number): boolean {
  const end = overlapEnd(state);
  return end !== null && now >= end;
}

function alwaysFresh(state: RotationState, now: number): RotationState {
  return state.surveyedAt === null ? state : { ...state, stale: false, surveyedAt: now };
}
