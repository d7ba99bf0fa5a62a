/** The small worlds that are explored: one pair with a spare slot and without, waves, sign-offs, a reader nobody declared. */
import { decide, mayAct } from "../../domain/decide.js";
import { fold } from "../../domain/rotation/fold.js";
import type { Plan, PlannedConsumer, RotationState } from "../../domain/rotation/state.js";
import { begin, originIn, planFor, policy, tagText, tick, traits, versionIn } from "../domain/begin.js";
import type { Engine, Model } from "./node.js";
import type { Checking, Instance, World } from "./world.js";

/** The rules as they are. */
const rules: Engine = { decide, mayAct, fold };

function instancesOf(plan: Plan, each: number): Instance[] {
  return plan.consumers
    .filter(({ role }) => role === undefined)
    .flatMap(({ id, place }) =>
      Array.from({ length: each }, (_, index) => index + 1).map((number) => ({
        consumer: id,
        name: `${id}${number}`,
        place,
        holds: "old",
        sick: false,
        unseen: false,
      })),
    );
}

/** How many things may go wrong on one path, and how many leaks are reported. */
export interface Budget {
  readonly faults: number;
  readonly leaks: number;
}

/** A world to begin with. */
export interface Shape {
  readonly name: string;
  readonly plans: readonly Plan[];
  /** Who is there although the first plan does not say so. */
  readonly everybody?: Plan;
  readonly spare?: boolean;
  /** An earlier rotation left a version behind, still enabled, in a slot of its own. */
  readonly leftover?: boolean;
  /** How many of each consumer; two unless said. */
  readonly instances?: number;
  readonly meddlers?: boolean;
  readonly outages?: boolean;
  readonly only?: RegExp;
  readonly signers?: Readonly<Record<string, string>>;
  /** Whoever checks, as it is at the start. */
  readonly checking?: Checking;
  readonly more?: Partial<RotationState>;
  /** What is tried here. */
  readonly budgets: readonly Budget[];
}

/** A model from its shape. */
export function modelOf(shape: Shape, { faults, leaks }: Budget, engine: Engine = rules): Model {
  const { plans, spare = false, leftover = false, more = {} } = shape;
  const everybody = shape.everybody ?? plans[0];
  if (!everybody) throw new Error("a model without a plan");
  const places = [...new Set(everybody.consumers.map(({ place }) => place))];
  const inPlace = more.traits?.overlap === "none";
  const slots = ["a", ...(inPlace ? [] : ["b"]), ...(spare ? ["c"] : []), ...(leftover ? ["d"] : [])];
  const holding: Readonly<Record<string, string>> = { a: "old", d: "past" };
  const tagIn = (slot: string) => {
    const held = holding[slot];
    return held === undefined ? tagText("zero", "destroyed") : tagText(held, "enabled");
  };
  const world: World = {
    slots: Object.fromEntries(
      slots.map((slot) => [slot, { tag: tagIn(slot), accepts: holding[slot] ?? null }]),
    ),
    places: Object.fromEntries(places.map((place) => [place, { tag: tagIn("a"), live: "old" }])),
    instances: instancesOf(everybody, shape.instances ?? 2),
    flying: [],
    spoilt: null,
    plan: 0,
    finding: false,
    ...(shape.checking === undefined ? {} : { checking: shape.checking }),
  };
  const past = leftover
    ? { past: versionIn("d", "past", { life: "retiring", issuer: "enabled", delivered: true }) }
    : {};
  const state = begin({
    versions: { ...past, old: originIn("a"), new: versionIn(inPlace ? "a" : "b", "new") },
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
    start: { state, world, now: 0, faults, leaks, swings: 0 },
    signers: shape.signers ?? {},
    meddlers: shape.meddlers ?? false,
    outages: shape.outages ?? false,
    only: shape.only ?? null,
  };
}

const both = planFor({ main: ["c", "d"] });
/** Where soaks and quiet times are not the matter, they are left out. */
const brisk = { ...policy, adoptionSoakMs: 0, quietPeriodMs: 0, disableSoakMs: 0 };

const signed = { ...brisk, approval: { ...policy.approval, quorum: 1 } };
const late = [planFor({ main: ["c"] }, "first"), planFor({ main: ["c", "d"] }, "second")];

/** The last consumer cannot be moved back. */
function stubborn(plan: Plan): Plan {
  const last = plan.consumers.length - 1;
  const consumers = plan.consumers.map((consumer, index) => ({ ...consumer, reversible: index !== last }));
  return { ...plan, consumers, pointOfNoReturn: "deliver to d" };
}

/** The smallest world that has everything: for bugs that show anywhere. */
export const oneEach: Shape = {
  name: "one instance each",
  plans: [both],
  instances: 1,
  more: { policy: brisk },
  budgets: [{ faults: 1, leaks: 0 }],
};

/** A consumer of one instance, small enough for a misfortune and a leak on the same path. */
export const alone: Shape = {
  name: "one consumer alone",
  plans: [planFor({ main: ["c"] })],
  instances: 1,
  more: { policy: brisk },
  budgets: [{ faults: 1, leaks: 1 }],
};

/** The store is away for as long as it likes, also while the rotation is taken over, and a leak does not wait for it (I5, H24). */
export const away: Shape = {
  name: "a store that goes away",
  plans: [planFor({ main: ["c"] })],
  instances: 1,
  outages: true,
  only: /the store goes away/,
  more: { policy: brisk },
  budgets: [{ faults: 1, leaks: 1 }],
};

/** A reader whom the plan learns of late. */
export const latecomer: Shape = {
  name: "a consumer that is declared late",
  plans: late,
  everybody: both,
  instances: 1,
  more: { policy: brisk },
  budgets: [{ faults: 1, leaks: 0 }],
};

/** The last wave cannot be moved back. */
export const irreversible: Shape = {
  name: "a consumer that cannot be moved back",
  plans: [stubborn(planFor({ canary: ["c"], main: ["d"] }))],
  instances: 1,
  more: { policy: brisk },
  budgets: [
    { faults: 1, leaks: 0 },
    { faults: 0, leaks: 1 },
  ],
};

/** Two versions may not be valid together for as long as consumers may take to move. */
export const overlapping: Shape = {
  name: "an overlap that may not last",
  plans: [both],
  more: { policy: { ...brisk, adoptionTimeoutMs: 3 * tick, overlapMaxMs: 2 * tick } },
  instances: 1,
  budgets: [
    { faults: 1, leaks: 0 },
    { faults: 0, leaks: 1 },
  ],
};

/** One pair of slots, with a free one beside it and without. */
export const pairs: readonly Shape[] = [
  {
    name: "a pair",
    plans: [both],
    budgets: [
      { faults: 1, leaks: 0 },
      { faults: 0, leaks: 1 },
    ],
  },
  {
    name: "sessions that do not tell versions",
    plans: [both],
    instances: 1,
    more: { policy: brisk, traits: { ...traits, sessionsTellVersions: false } },
    budgets: [
      { faults: 1, leaks: 0 },
      { faults: 0, leaks: 1 },
    ],
  },
  { name: "a pair with a spare", plans: [both], spare: true, budgets: [{ faults: 0, leaks: 1 }] },
];

/** Consumers that move one after the other, and the ends of the way back. */
export const waves: readonly Shape[] = [
  {
    name: "a canary first",
    only: /answer lost|refused|busy|taken over|slides/,
    plans: [planFor({ canary: ["c"], main: ["d"] })],
    instances: 1,
    more: { policy: brisk },
    budgets: [
      { faults: 1, leaks: 0 },
      { faults: 0, leaks: 1 },
    ],
  },
  irreversible,
  overlapping,
  {
    name: "nodes that hear of a switch late",
    plans: [planFor({ main: ["c"] })],
    instances: 1,
    more: { policy: brisk, traits: { ...traits, propagationMs: 2 * tick } },
    budgets: [
      { faults: 1, leaks: 0 },
      { faults: 0, leaks: 1 },
    ],
  },
  {
    name: "no way back once disabled",
    plans: [planFor({ main: ["c"] })],
    more: { traits: { ...traits, disableReversible: false } },
    budgets: [
      { faults: 1, leaks: 0 },
      { faults: 0, leaks: 1 },
    ],
  },
  {
    name: "a version that was left behind",
    plans: [planFor({ main: ["c"] })],
    leftover: true,
    instances: 1,
    budgets: [
      { faults: 1, leaks: 0 },
      { faults: 0, leaks: 1 },
    ],
  },
];

const pairOfKeys = planFor({ main: ["c"] });
const checker = {
  ...pairOfKeys.consumers[0],
  id: "v",
  role: "verifier",
  memoryMs: 2 * tick,
} as PlannedConsumer;

/** Versions that are published, checked by others, and used by a few: whoever checks comes first (H28). */
export const keys: Shape = {
  name: "whoever checks comes first",
  plans: [
    {
      ...pairOfKeys,
      consumers: [...pairOfKeys.consumers, checker],
      waves: [{ place: null, consumers: ["v"] }, ...pairOfKeys.waves],
    },
  ],
  instances: 1,
  checking: {
    memoryMs: 2 * tick,
    lifeMs: 2 * tick,
    checkers: [{ consumer: "v", name: "v1", knows: ["old"], askedAt: 0 }],
    madeAt: {},
  },
  more: {
    policy: brisk,
    traits: {
      ...traits,
      overlap: "several-keys",
      sessionless: true,
      derives: [{ what: "tokens", maxLifeMs: 2 * tick, endedByDisable: true }],
      roles: [
        { role: "verifier", takes: "issuer", memoryMs: 2 * tick },
        { role: "signer", takes: "store", memoryMs: 0 },
      ],
      leakedGoesFirst: "stored-copies",
    },
  },
  budgets: [
    { faults: 1, leaks: 0 },
    { faults: 0, leaks: 1 },
  ],
};

/** The same, where nobody knows who checks: only the time that the kind declares can be waited for. */
export const publicKeys: Shape = {
  ...keys,
  name: "whoever checks is not known",
  plans: [{ ...pairOfKeys, waves: [{ place: null, consumers: [] }, ...pairOfKeys.waves] }],
};

/** One value at a time: the new one is made in the place of the old one, by the issuer (H11, H29). */
export const single: Shape = {
  name: "one value at a time",
  plans: [{ ...both, pointOfNoReturn: "issue" }],
  more: {
    policy: brisk,
    traits: { ...traits, overlap: "none", capacity: 1, valueBy: "issuer", disableReversible: false },
  },
  budgets: [
    { faults: 1, leaks: 0 },
    { faults: 0, leaks: 1 },
  ],
};

/** Owners, readers nobody declared, and others who write. */
export const people: readonly Shape[] = [
  {
    name: "a sign-off",
    only: /rejects|nobody works|taken over/,
    plans: [planFor({ main: ["c"] }, "first")],
    instances: 1,
    signers: { first: "ann" },
    more: { policy: signed },
    budgets: [{ faults: 1, leaks: 0 }],
  },
  latecomer,
  {
    name: "a consumer that is declared late, and sign-offs",
    plans: late,
    everybody: both,
    instances: 1,
    signers: { first: "ann", second: "bob" },
    more: { policy: signed },
    budgets: [{ faults: 0, leaks: 0 }],
  },
  {
    name: "somebody else writes",
    plans: [planFor({ main: ["c"] })],
    meddlers: true,
    budgets: [{ faults: 1, leaks: 0 }],
  },
];
