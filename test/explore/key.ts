/**
 * The canonical form of a node. Two points from which the same things can happen have the same form: times
 * count from now and no further than the longest deadline, tags count by what they say and whether they match,
 * and like instances may change places. That makes the space finite.
 */
import type { RotationState } from "../../domain/rotation/state.js";
import { tick } from "../domain/begin.js";
import { checkingForm } from "./checkers.js";
import type { Node } from "./node.js";
import { mayLand, type Place, type Slot, tagMeaning } from "./world.js";

/** How many ticks ago still make a difference, by what is measured: the age of a fact, or a deadline. */
const ages = { fact: 2, deadline: 3, none: 0 } as const;
const futureMs = 6 * tick;

type Rel = (time: number | null | undefined, kind: keyof typeof ages) => string;

/**
 * Numbers for forms: two nodes have the same number here only if they have the same form. The state and what is around
 * it are numbered apart, because there are few of each and many pairs.
 */
export class Forms {
  readonly #states = new Map<string, number>();
  readonly #worlds = new Map<string, number>();

  /** The number of the node's form. */
  numberOf(node: Node): number {
    // Nothing follows an end, and it is judged whenever it is reached.
    const closed = node.state.closed;
    if (closed !== null) return numberIn(this.#worlds, closed);
    return (1 + this.#numberOfState(node)) * worldsMax + numberIn(this.#worlds, worldForm(node));
  }

  /** Half of all transitions change only the world, so the number of its state is kept with a node. */
  #numberOfState(node: Node): number {
    const { formed, state, now } = node;
    if (formed?.forms === this && formed.state === state && formed.now === now) return formed.number;
    const number = numberIn(this.#states, stateForm(state, now));
    node.formed = { forms: this, state, now, number };
    return number;
  }
}

/** How many forms there may be of what is around the state, so that one number holds both. */
const worldsMax = 2 ** 22;

function numberIn(numbers: Map<string, number>, form: string): number {
  const known = numbers.get(form);
  if (known !== undefined) return known;
  const number = numbers.size;
  if (number === worldsMax) throw new Error(`more than ${worldsMax} forms`);
  numbers.set(form, number);
  return number;
}

/** The form, as a text. */
export function keyOf(node: Node): string {
  const { state, now } = node;
  return state.closed ?? `${stateForm(state, now)}|${worldForm(node)}`;
}

/** The form of all that is not the state, and of how the two differ. */
function worldForm(node: Node): string {
  const { state, world, now } = node;
  const at = from(now);
  const tag = (known: string | undefined, real: string | undefined): string =>
    known === real ? "=" : tagMeaning(known ?? "");
  let form = `${node.faults} ${node.leaks} ${node.swings} ${world.plan} ${world.finding} ${world.spoilt} ${world.unkept} ${world.renewed}${world.isAway ? " away" : ""}`;
  for (const name of Object.keys(world.slots)) {
    const slot = world.slots[name] as Slot;
    form += `|${name}:${slot.accepts} ${tagMeaning(slot.tag)} ${tag(state.tags[name], slot.tag)}`;
  }
  for (const name of Object.keys(world.places)) {
    const place = world.places[name] as Place;
    form += `|${name}:${place.live} ${tagMeaning(place.tag)} ${tag(state.places[name]?.tag, place.tag)}`;
  }
  for (const write of world.flying) {
    if (mayLand(world, write))
      form += `|>${write.name} ${write.effect.does} ${write.effect.version} ${write.excused}`;
  }
  return `${form}|${consumers(node, at).join("|")}|${checkingForm(node)}`;
}

function from(now: number): Rel {
  return (time, kind) =>
    time === null || time === undefined
      ? "-"
      : String(Math.min(futureMs, Math.max(-ages[kind] * tick, time - now)));
}

function stateForm(state: RotationState, now: number): string {
  const at = from(now);
  const { resumedAt, emergency, policy, overlapSince } = state;
  const blockedSince = state.blockedSince ?? null;
  const told = Object.values(state.places).map(({ toldAt }) => toldAt ?? 0);
  const parts = [
    `${state.target} ${state.acceptable.join()} ${state.freeSlots.join()} ${state.seized} ${state.irreversible}`,
    `${state.turned === null} ${at(later(state.turned?.at, resumedAt), "deadline")} ${at(state.operator?.since, "deadline")} ${state.refused === null}`,
    `${at(later(state.changedAt, resumedAt), "deadline")} ${at(state.surveyedAt, "fact")} ${state.stale === true} ${at(resumedAt, "deadline")}`,
    `${at(askedAt(state), "deadline")} ${state.remindedAt === null} ${at(blockedSince === null ? null : Math.max(blockedSince, resumedAt ?? 0), "deadline")}`,
    `${state.plan?.digest} ${state.amendments.map(({ digest }) => digest).join()} ${state.asked.join()}`,
    state.findings.map(({ code, subject }) => `${code}${subject ?? ""}`).join(),
    emergency === null ? "-" : `${emergency.containment} ${at(emergency.containBy, "none")}`,
    policy.overlapMaxMs === undefined ? "" : at(later(overlapSince, resumedAt), "deadline"),
    trouble(state, at),
    decisions(state, now, at),
  ];
  for (const version of Object.values(state.versions)) {
    const { id, slot, life, issuer, leaked, proved, delivered, refused } = version;
    const use = state.uses[id];
    if (state.traits.propagationMs > 0 || state.traits.overlap === "none")
      parts.push(`${version.refusals ?? 0} ${at(version.refusedSince, "fact")}`);
    const quietFrom = use?.quietSince == null ? null : Math.max(use.quietSince, ...told);
    parts.push(
      `${id}@${slot} ${life} ${issuer} ${leaked} ${proved} ${delivered} ${refused} ${at(version.disabledAt, state.traits.roles ? "deadline" : "fact")}`,
      ...(state.traits.roles ? [at(version.enabledAt, "deadline")] : []),
      use ? `${at(quietFrom, "fact")} ${use.watermarkAt === state.surveyedAt} ${use.sessions > 0}` : "-",
    );
  }
  for (const place of Object.values(state.places)) {
    parts.push(
      `${place.liveVersion} ${place.told} ${place.toldTo.join()} ${at(place.toldAt, "deadline")} ${place.unknown}`,
    );
  }
  return parts.join("|");
}

/** A time that counts only where it is later than all the others. */
function later(time: number | null | undefined, ...others: (number | null | undefined)[]): number | null {
  if (time === null || time === undefined) return null;
  return others.every((other) => other === null || other === undefined || time > other) ? time : null;
}

function trouble(state: RotationState, at: Rel): string {
  const { trouble: known } = state;
  return known === null
    ? "-"
    : `${known.step} ${at(known.since, "deadline")} ${at(known.retryAt, "none")} ${Math.min(known.attempts, 3)} ${known.again} ${known.code}`;
}

/**
 * What was signed, as far as it still counts: whether it came in time for the round that is open, and when it
 * runs out; of what has run out, only that the round before it is over.
 */
function decisions(state: RotationState, now: number, at: Rel): string {
  const round = state.askedAt ?? 0;
  const forms = state.decisions.map(({ person, digest, verdict, issuedAt, expiresAt }) => {
    if (verdict === "reject") return `${person} ${digest} rejects`;
    if (expiresAt <= now) return state.asked.includes(digest) && round < expiresAt ? `${digest} ran out` : "";
    const inTime = issuedAt < round + state.policy.approval.deadlineMs;
    return `${person} ${digest} ${inTime} ${at(expiresAt, "none")}`;
  });
  return [...new Set(forms)].sort().join();
}

/** When people were asked, or nothing where an operator has ended that round. */
function askedAt({ asked, askedAt: at, resumedAt }: RotationState): number | null {
  return asked.length === 0 || (resumedAt !== null && at !== null && at < resumedAt) ? null : at;
}

/** Each consumer with its instances as they are and as they were last seen; like ones in a fixed order. */
function consumers({ state, world }: Node, at: Rel): string[] {
  const ids = [...new Set(world.instances.map(({ consumer }) => consumer))];
  const forms = ids.map((id) => {
    const known = state.consumers[id];
    const instances = world.instances
      .filter(({ consumer }) => consumer === id)
      .map(({ name, holds, sick, unseen }) => {
        const seen = known?.instances.find(({ instance }) => instance === name);
        return `${holds} ${sick} ${unseen} ${seen ? `${seen.version} ${seen.working}` : "?"}`;
      })
      .sort();
    const place = world.instances.find(({ consumer }) => consumer === id)?.place ?? "";
    const lostAt = later(known?.lostAt, state.resumedAt, state.turned?.at, state.places[place]?.toldAt);
    const record = known
      ? `${Math.min(known.stable, 2)} ${at(known.since, "fact")} ${at(lostAt, "deadline")} ${known.instances.length}`
      : "-";
    const planned = state.plan?.consumers.some((consumer) => consumer.id === id);
    return `${place} ${planned}:${record}:${instances.join(";")}`;
  });
  return forms.sort();
}
