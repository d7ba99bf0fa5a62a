/** The first state of a rotation: what is known before the first look, and nothing assumed. */
import { parseTag } from "../fence.js";
import type { IssuerTraits } from "../kinds.js";
import type { Life } from "../version.js";
import type { PlaceFact, SlotFact } from "./events.js";
import { plannedVersion, replacesInPlace } from "./moves.js";
import type { PlaceState, RotationPolicy, RotationState, VersionState } from "./state.js";

/** A version that the records know to live. */
export interface LivingVersion {
  readonly id: string;
  readonly slot: string;
  readonly life: Life;
}

/** What a rotation begins with. */
export interface Beginning {
  readonly rotation: string;
  readonly credential: string;
  readonly installation: string;
  readonly nonce: string;
  readonly epoch: number;
  readonly policy: RotationPolicy;
  readonly traits: IssuerTraits;
  readonly slots: readonly SlotFact[];
  readonly places: readonly PlaceFact[];
  /** Names of places that could not be read: a leak waits for no store. What stands there is asked for later. */
  readonly unread?: readonly string[];
  /** Slot whose account the live document logs in with; null when the store holds none. */
  readonly liveSlot: string | null;
  readonly living: readonly LivingVersion[];
  /** Ids of versions that have ended. A store restored to an earlier day may give one of them out again (H32). */
  readonly ended: readonly string[];
  /** Never used ids, at least two: for a live version that nobody has named yet, for the target, and spare ones. */
  readonly ids: readonly string[];
  readonly now: number;
}

/** The state of a rotation that has just been opened. */
export function initialState(beginning: Beginning): RotationState {
  const { slots, places, unread = [], living, ended, now } = beginning;
  const [firstId = "", ...otherIds] = beginning.ids;
  const liveVersion = places.find((place) => place.place === "main")?.liveVersion ?? null;
  const known =
    living.find((version) => version.id === liveVersion) ??
    living.find((version) => version.slot === beginning.liveSlot) ??
    (unread.includes("main") ? living.find((version) => version.life === "active") : undefined);
  // What has ended never lives again: a value that carries such an id is one that nobody has named yet.
  const named = liveVersion !== null && !ended.includes(liveVersion) ? liveVersion : null;
  const originId = known?.id ?? named ?? firstId;
  const origin: VersionState = {
    ...plannedVersion(originId, known?.slot ?? beginning.liveSlot ?? ""),
    life: "active",
    issuer: "enabled",
    delivered: true,
  };
  const leftOver = living
    .filter((version) => version.id !== originId)
    .map((version) => leftOverVersion(version, slots));
  const taken = new Set([origin.slot, ...leftOver.map((version) => version.slot)]);
  const free = slots.filter((slot) => !taken.has(slot.slot) && isFree(slot)).map((slot) => slot.slot);
  const [targetId = "", ...spareIds] = otherIds;
  // Where two are never valid together, the new one is made in the place of the present one.
  const inPlace = replacesInPlace(beginning) ? origin.slot : "";
  const target = plannedVersion(targetId, free[0] ?? inPlace);
  return {
    id: beginning.rotation,
    credential: beginning.credential,
    installation: beginning.installation,
    nonce: beginning.nonce,
    epoch: beginning.epoch,
    startedAt: now,
    policy: beginning.policy,
    traits: beginning.traits,
    emergency: null,
    origin: originId,
    target: targetId,
    acceptable: [originId, targetId],
    versions: Object.fromEntries([origin, ...leftOver, target].map((version) => [version.id, version])),
    freeSlots: free.slice(1),
    spareIds,
    tags: Object.fromEntries(slots.map(({ slot, tag }) => [slot, tag])),
    places: Object.fromEntries([
      ...places.map((place) => [place.place, untouched(place)] as const),
      ...unread.map((place) => [
        place,
        { ...untouched({ place, tag: "", liveVersion: null }), unknown: true },
      ]),
    ]),
    change: 0,
    changedAt: now,
    plan: null,
    amendments: [],
    surveyedAt: null,
    findings: [],
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
  };
}

/** A document without a version's id is left as that: going back would write the origin's, so that it can be attested. */
function untouched({ tag, liveVersion }: PlaceFact): PlaceState {
  return { tag, liveVersion, told: liveVersion, toldTo: [], toldAt: null, unknown: false };
}

/** A slot in which a version can be made: switched off, or holding one that was destroyed. An enabled one may be somebody's. */
function isFree({ tag, enabled }: SlotFact): boolean {
  return !enabled && (tag === "" || parseTag(tag) !== null);
}

function leftOverVersion({ id, slot, life }: LivingVersion, slots: readonly SlotFact[]): VersionState {
  const enabled = slots.find((candidate) => candidate.slot === slot)?.enabled ?? false;
  return {
    ...plannedVersion(id, slot),
    life: life === "planned" ? "planned" : enabled ? "retiring" : "disabled",
    issuer: life === "planned" ? "absent" : enabled ? "enabled" : "disabled",
    delivered: life !== "planned",
  };
}
