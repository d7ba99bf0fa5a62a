/** The small worlds that are explored: one pair with a spare slot and without, waves, sign-offs, a reader nobody declared. */
import { decide, mayAct } from "../../../domain/decide.js";
import { fold } from "../../../domain/rotation/fold.js";
import type { Plan, RotationState } from "../../../domain/rotation/state.js";
import { begin, originIn, planFor, policy, tagText, versionIn } from "../begin.js";
import type { Engine, Model } from "./node.js";
import type { Instance, World } from "./world.js";

/** The rules as they are. */
export const rules: Engine = { decide, mayAct, fold };

function instancesOf(plan: Plan): Instance[] {
  return plan.consumers.flatMap(({ id, place }) =>
    [1, 2].map((number) => ({
      consumer: id,
      name: `${id}${number}`,
      place,
      holds: "old",
      sick: false,
      unseen: false,
    })),
  );
}

interface Shape {
  readonly name: string;
  readonly plans: readonly Plan[];
  /** Who is there although the first plan does not say so. */
  readonly everybody?: Plan;
  readonly spare: boolean;
  readonly faults: number;
  readonly leaks: number;
  readonly meddlers?: boolean;
  readonly signers?: Readonly<Record<string, string>>;
  readonly more?: Partial<RotationState>;
}

/** A model from its shape. */
export function modelOf(shape: Shape, engine: Engine = rules): Model {
  const { plans, spare, more = {} } = shape;
  const everybody = shape.everybody ?? plans[0];
  if (!everybody) throw new Error("a model without a plan");
  const places = [...new Set(everybody.consumers.map(({ place }) => place))];
  const slots = spare ? ["a", "b", "c"] : ["a", "b"];
  const tagIn = (slot: string) => (slot === "a" ? tagText("old", "enabled") : tagText("zero", "destroyed"));
  const world: World = {
    slots: Object.fromEntries(
      slots.map((slot) => [slot, { tag: tagIn(slot), accepts: slot === "a" ? "old" : null }]),
    ),
    places: Object.fromEntries(places.map((place) => [place, { tag: tagIn("a"), live: "old" }])),
    instances: instancesOf(everybody),
    flying: [],
    plan: 0,
    finding: false,
  };
  const state = begin({
    versions: { old: originIn("a"), new: versionIn("b", "new") },
    freeSlots: spare ? ["c"] : [],
    tags: Object.fromEntries(slots.map((slot) => [slot, tagIn(slot)])),
    places: Object.fromEntries(
      places.map((place) => [
        place,
        { tag: tagIn("a"), liveVersion: "old", told: "old", toldTo: [], toldAt: null, unknown: false },
      ]),
    ),
    ...more,
  });
  return {
    name: shape.name,
    engine,
    estate: { plans, world },
    start: { state, world, now: 0, faults: shape.faults, leaks: shape.leaks, swings: 0 },
    signers: shape.signers ?? {},
    meddlers: shape.meddlers ?? false,
  };
}

const both = planFor({ main: ["c", "d"] });
const signed = { ...policy, approval: { ...policy.approval, quorum: 1 } };

/** The shapes, each with how much may go wrong on one path. `more` raises that by one. */
export function shapes(more = 0): Shape[] {
  const faults = 1 + more;
  return [
    { name: "a pair", plans: [both], spare: false, faults, leaks: 1 },
    { name: "a pair with a spare", plans: [both], spare: true, faults, leaks: 1 },
  ];
}

/** More, kept apart while they are small. */
export function otherShapes(more = 0): Shape[] {
  const faults = 1 + more;
  return [
    {
      name: "a canary first",
      plans: [planFor({ canary: ["c"], main: ["d"] })],
      spare: false,
      faults,
      leaks: 1,
    },
    {
      name: "a sign-off, and a consumer that comes later",
      plans: [planFor({ main: ["c"] }, "first"), planFor({ main: ["c", "d"] }, "second")],
      everybody: both,
      spare: false,
      faults: faults + 1,
      leaks: 0,
      signers: { first: "ann", second: "bob" },
      more: { policy: signed },
    },
    {
      name: "somebody else writes",
      plans: [planFor({ main: ["c"] })],
      spare: false,
      faults: faults + 1,
      leaks: 0,
      meddlers: true,
    },
    {
      name: "no way back once disabled",
      plans: [planFor({ main: ["c"] })],
      spare: false,
      faults,
      leaks: 1,
      more: { traits: { ...begin().traits, disableReversible: false } },
    },
  ];
}
