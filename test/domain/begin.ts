/** A rotation as it begins, for every test of the rules: one pair of slots, two consumers, small round numbers. */
import { formatTag, type TagState } from "../../domain/fence.js";
import type { IssuerTraits } from "../../domain/kinds.js";
import type { Plan, RotationPolicy, RotationState, VersionState } from "../../domain/rotation/state.js";

/** One tick of the tests' clock, in milliseconds. */
export const tick = 1_000;

/** A policy in whole ticks, short enough that every deadline is met on the way. */
export const policy: RotationPolicy = {
  approval: { quorum: 0, deadlineMs: 2 * tick, reminderMs: tick },
  adoptionTimeoutMs: 2 * tick,
  adoptionSoakMs: tick,
  quietPeriodMs: tick,
  drainTimeoutMs: tick,
  disableSoakMs: tick,
  observationMaxAgeMs: tick,
  stallTimeoutMs: 2 * tick,
  retryDelayMs: tick,
  containment: "after-adoption",
  containmentDeadlineMs: 2 * tick,
  signOffDeadlineMs: 4 * tick,
};

/** A kind that can do everything, as two accounts can. */
export const traits: IssuerTraits = {
  overlap: "two-accounts",
  sessionsTellVersions: true,
  capacity: 2,
  valueBy: "engine",
  disableReversible: true,
  derives: [],
  propagationMs: 0,
};

/** The text of a tag of this installation and rotation. */
export function tagText(version: string, state: TagState, epoch = 0, change = 0): string {
  return formatTag({ installation: "inst", rotation: "rot", epoch, version, state, change });
}

/** A plan whose waves are given as `place: consumers`; all consumers are shared, reversible and forget at once. */
export function planFor(waves: Readonly<Record<string, readonly string[]>>, digest = "plan"): Plan {
  const list = Object.entries(waves).map(([place, consumers]) => ({ place, consumers }));
  const consumers = list.flatMap(({ place, consumers: ids }) =>
    ids.map((id) => ({
      id,
      owner: `owner-of-${id}`,
      isolation: place === "main" ? ("shared" as const) : ("pinned" as const),
      reversible: true,
      place,
      memoryMs: 0,
    })),
  );
  return {
    digest,
    identity: "server",
    waves: list,
    consumers,
    approvers: ["owner"],
    pointOfNoReturn: "destroy",
    madeAt: 0,
  };
}

/** A version as it stands before anything happened to it in this rotation. */
export function versionIn(slot: string, id: string, more: Partial<VersionState> = {}): VersionState {
  return {
    id,
    slot,
    life: "planned",
    issuer: "absent",
    leaked: false,
    proved: false,
    delivered: false,
    disabledAt: null,
    refused: false,
    ...more,
  };
}

/** The version that is live at the start. */
export function originIn(slot: string): VersionState {
  return versionIn(slot, "old", { life: "active", issuer: "enabled", delivered: true });
}

/** A rotation from `old` in slot `a` to `new` in slot `b`, before its first step. */
export function begin(more: Partial<RotationState> = {}): RotationState {
  return {
    id: "rot",
    credential: "cred",
    installation: "inst",
    nonce: "nonce",
    epoch: 1,
    startedAt: 0,
    policy,
    traits,
    emergency: null,
    origin: "old",
    target: "new",
    acceptable: ["old", "new"],
    versions: { old: originIn("a"), new: versionIn("b", "new") },
    freeSlots: [],
    spareIds: ["third"],
    tags: { a: tagText("old", "enabled"), b: tagText("zero", "destroyed") },
    places: {
      main: {
        tag: tagText("old", "enabled"),
        liveVersion: "old",
        told: "old",
        toldTo: [],
        toldAt: null,
        unknown: false,
      },
    },
    change: 0,
    changedAt: 0,
    plan: null,
    amendments: [],
    surveyedAt: null,
    findings: [],
    blockedSince: null,
    notBefore: null,
    consumers: {},
    uses: {},
    decisions: [],
    asked: [],
    askedAt: null,
    remindedAt: null,
    seized: true,
    turned: null,
    irreversible: false,
    trouble: null,
    operator: null,
    resumedAt: null,
    refused: null,
    objections: [],
    closed: null,
    ...more,
  };
}
