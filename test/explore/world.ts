/**
 * The world that the rotation acts on, modelled apart from the engine: what each slot really accepts, what the
 * store really gives out, what each instance really holds, and which writes are still on their way. The laws
 * are judged by this, never by the engine's own records.
 */
import { parseTag } from "../../domain/fence.js";
import type { SurveyFacts } from "../../domain/rotation/events.js";
import type { InstanceState, Plan, RotationState, VersionState } from "../../domain/rotation/state.js";

/** The tag of whoever is not us. */
export const somebody = "somebody";

/** A slot at the issuer: which version logs in there, if any. */
export interface Slot {
  readonly tag: string;
  readonly accepts: string | null;
}

/** A place in the store. */
export interface Place {
  readonly tag: string;
  readonly live: string;
}

/** One running copy of a consumer. */
export interface Instance {
  readonly consumer: string;
  readonly name: string;
  readonly place: string;
  readonly holds: string;
  /** It fails for a reason of its own. */
  readonly sick: boolean;
  /** It went to another version by itself after the last look: nobody could know. */
  readonly unseen: boolean;
}

/** What a change does once it lands; `tag` changes nothing but the tag. */
export type Effect =
  | { readonly on: "slot"; readonly does: "accept" | "cut" | "tag"; readonly version: string }
  | { readonly on: "place"; readonly does: "give" | "tag"; readonly version: string };

/** A fenced write: it lands only where the tag that it expects is still there. */
export interface Write {
  readonly name: string;
  readonly expected: string;
  readonly tag: string;
  readonly effect: Effect;
  /** Containment of a leak: it may take a version from those who hold it. */
  readonly excused: boolean;
}

/** Somebody who checks. */
interface Checker {
  readonly consumer: string;
  readonly name: string;
  readonly knows: readonly string[];
  readonly askedAt: number;
}

/** The part of the world that there is only for such a kind. */
export interface Checking {
  /** For how long a checker goes on with what it knew. */
  readonly memoryMs: number;
  /** For how long what was made with a version lives. */
  readonly lifeMs: number;
  readonly checkers: readonly Checker[];
  /** When something was last made with a version. */
  readonly madeAt: Readonly<Record<string, number>>;
}

/** The whole world. */
export interface World {
  readonly slots: Readonly<Record<string, Slot>>;
  readonly places: Readonly<Record<string, Place>>;
  readonly instances: readonly Instance[];
  /** Writes whose answer was lost and that may still land. */
  readonly flying: readonly Write[];
  /** A version whose value at the issuer is not the one that was kept: it is on, and lets nobody in. */
  readonly spoilt: string | null;
  /** A version that was made at the issuer and whose value nobody kept (H11). */
  readonly unkept?: string;
  /** Where sessions do not tell versions: the target for which all of them were last begun anew. */
  readonly renewed?: string;
  /** Which of the estate's plans is true now. */
  readonly plan: number;
  /** A check refuses at the moment. */
  readonly finding: boolean;
  /** Only for a kind whose versions are checked by others. */
  readonly checking?: Checking;
  /** The store does not answer: nothing is read or written there. */
  readonly isAway?: boolean;
}

/** What the model is told at its start. */
export interface Estate {
  readonly plans: readonly Plan[];
  readonly world: World;
}

/** True when some slot lets the version in. */
export function accepts(world: World, version: string): boolean {
  if (world.spoilt === version || world.unkept === version) return false;
  return Object.values(world.slots).some((slot) => slot.accepts === version);
}

/** True when the instance does its work. */
export function works(world: World, instance: Instance): boolean {
  return !instance.sick && accepts(world, instance.holds);
}

/** False for an instance of a consumer that cannot go back to an earlier version (H29). */
export function canMoveBack({ plans }: Estate, world: World, { consumer }: Instance): boolean {
  return plans[world.plan]?.consumers.find(({ id }) => id === consumer)?.reversible !== false;
}

/** True for one of these that was given another version than the first one. */
export function isStuck(estate: Estate, world: World, instance: Instance): boolean {
  const { holds, place } = instance;
  return !canMoveBack(estate, world, instance) && (holds !== "old" || world.places[place]?.live !== "old");
}

/** Lands a write, or leaves the world as it is where the fence holds it off. */
export function land(world: World, write: Write): World {
  const { effect, name, tag } = write;
  if (effect.on === "slot") {
    const slot = world.slots[name];
    if (slot?.tag !== write.expected) return world;
    const accepted = { accept: effect.version, cut: null, tag: slot.accepts }[effect.does];
    return { ...world, slots: { ...world.slots, [name]: { tag, accepts: accepted } } };
  }
  const place = world.places[name];
  if (place?.tag !== write.expected) return world;
  const live = effect.does === "give" ? effect.version : place.live;
  return { ...world, places: { ...world.places, [name]: { tag, live } } };
}

/** True while the write could still land. */
export function mayLand(world: World, write: Write): boolean {
  return land(world, write) !== world;
}

/** What of a look can go wrong. */
export interface Blindness {
  /** The engine's own mark is not in the listing. */
  readonly noWatermark?: boolean;
  /** This consumer's instances could not be listed. */
  readonly silent?: string;
}

/** What a look at the world finds, and the world after it: whatever an instance did before it is seen now. */
export function look(
  estate: Estate,
  world: World,
  state: RotationState,
  { noWatermark = false, silent }: Blindness = {},
): { facts: SurveyFacts; world: World } {
  const plan = estate.plans[world.plan];
  if (!plan) throw new Error("no such plan");
  const known = plan.consumers.map(({ id }) => id);
  const observations: Record<string, InstanceState[]> = Object.fromEntries(
    known
      .filter((id) => id !== silent)
      .map((id) => [
        id,
        world.instances
          .filter(({ consumer }) => consumer === id)
          .map((instance) => ({
            instance: instance.name,
            version: instance.holds,
            working: works(world, instance),
          })),
      ]),
  );
  for (const { consumer, name, knows } of world.checking?.checkers ?? []) {
    if (!known.includes(consumer) || consumer === silent) continue;
    const accepted = knows.filter((version) => version in state.versions);
    observations[consumer] = [
      ...(observations[consumer] ?? []),
      { instance: name, version: null, working: true, accepts: accepted },
    ];
  }
  const sessions = Object.fromEntries(
    Object.values(state.versions).map((version) => [version.id, sessionsSeen(world, state, version)]),
  );
  const facts: SurveyFacts = {
    slots: Object.entries(world.slots).map(([slot, { tag, accepts: accepted }]) => ({
      slot,
      tag,
      enabled: accepted !== null,
    })),
    places: Object.entries(world.places).map(([place, { tag, live }]) => ({ place, tag, liveVersion: live })),
    findings: world.finding ? [{ code: "blocked", severity: "refuse", sentence: "Something is wrong." }] : [],
    notBefore: null,
    observations,
    sessions,
    watermarkSeen: !noWatermark,
    plan,
  };
  const instances = world.instances.some(({ unseen }) => unseen)
    ? world.instances.map((instance) => (instance.unseen ? { ...instance, unseen: false } : instance))
    : world.instances;
  return { facts, world: { ...world, instances } };
}

/** By the version that a session tells; where it tells none, all of them until they were begun anew. */
function sessionsSeen(world: World, state: RotationState, { id, delivered }: VersionState): number {
  if (state.traits.sessionsTellVersions)
    return accepts(world, id) ? world.instances.filter(({ holds }) => holds === id).length : 0;
  return delivered && id !== state.target && world.renewed !== state.target ? world.instances.length : 0;
}

const meanings = new Map<string, string>();

/** The version and the state that a tag names, for the canonical form of a node. */
export function tagMeaning(tag: string): string {
  const known = meanings.get(tag);
  if (known !== undefined) return known;
  const parsed = parseTag(tag);
  const meaning = parsed ? `${parsed.version}/${parsed.state}` : "foreign";
  meanings.set(tag, meaning);
  return meaning;
}
