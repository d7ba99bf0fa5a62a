/**
 * What a run says of its rotation as far as the records bear it out (H7). Whoever can write to Temporal's namespace
 * can start a run with a state of their own making: which versions there are, where they stand, whether they are
 * valid and which one the walk leads to is in the records. A run may know of a doubt that they do not: that an
 * answer was lost, and what was ordered while a step was under way; it may never know of less doubt.
 */
import { isEnded } from "../version.js";
import type { PlaceState, RotationState, VersionState } from "./state.js";

/** The state that `given` is by the records, which `kept` is the fold of. Observations and times stay as given. */
export function borneOut(given: RotationState, kept: RotationState): RotationState {
  const { spareIds, tags } = kept;
  return {
    ...given,
    ...{ spareIds, tags },
    target: targetBorneOut(given, kept),
    versions: each(kept.versions, (known, id) => standing(given.versions[id], known, kept)),
    places: each(kept.places, (known, name) => placed(given.places[name], known)),
    freeSlots: given.freeSlots.filter((slot) => kept.freeSlots.includes(slot)),
  };
}

/**
 * Where the walk leads. An order that came while a step was under way may be folded in another order than it was
 * recorded in, and then a run leads elsewhere than the records for a while: to its end where it was refused, back
 * where the records say that it was, and in an emergency to another version that may be used. Nothing else is believed,
 * because whoever leads to the origin needs nobody's signature.
 */
function targetBorneOut(given: RotationState, kept: RotationState): string {
  const { target } = given;
  if (!kept.acceptable.includes(target) || kept.versions[target] === undefined) return kept.target;
  const ends = target === kept.origin ? kept.refused !== null : given.refused !== null;
  return ends || kept.emergency !== null ? target : kept.target;
}

function standing(given: VersionState | undefined, known: VersionState, kept: RotationState): VersionState {
  if (given === undefined) return known;
  const { orphan: _, untried: __, ...claimed } = given;
  const { id, leaked, orphan, untried } = known;
  return {
    ...claimed,
    ...{ id, leaked },
    ...(orphan === undefined ? {} : { orphan }),
    ...(untried === undefined ? {} : { untried }),
    slot: slotBorneOut(given, known, kept),
    // The answer to a destroy was lost: it is repeated, which is the same twice.
    life: isEnded(known.life) && !isEnded(given.life) ? given.life : known.life,
    issuer: given.issuer === "unknown" ? given.issuer : known.issuer,
  };
}

/**
 * Whose slot is to be emptied for a third version depends on who holds what, which is not recorded. Whatever is in
 * the slot stands in the way of what is planned there, as the records know it.
 */
function slotBorneOut(given: VersionState, known: VersionState, kept: RotationState): string {
  const isPlanned = known.life === "planned" && known.issuer === "absent" && kept.emergency !== null;
  const ours = [...kept.freeSlots, ...Object.values(kept.versions).map(({ slot }) => slot)];
  return isPlanned && ours.includes(given.slot) ? given.slot : known.slot;
}

function placed(given: PlaceState | undefined, known: PlaceState): PlaceState {
  if (given === undefined) return known;
  return {
    ...known,
    unknown: given.unknown || known.unknown,
    told: given.told === null ? null : known.told,
    toldTo: known.toldTo.filter((id) => given.toldTo.includes(id)),
    toldAt: given.toldAt,
  };
}

function each<T>(all: Readonly<Record<string, T>>, one: (known: T, name: string) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(all).map(([name, known]) => [name, one(known, name)]));
}
