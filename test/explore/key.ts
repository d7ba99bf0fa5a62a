/**
 * The canonical form of a node. Two points from which the same things can happen have the same form: times
 * count from now and no further than the longest deadline, tags count by what they say and whether they match,
 * and like instances may change places. That makes the space finite.
 */
import type { RotationState } from "../../domain/rotation/state.js";
import { tick } from "../domain/begin.js";
import { checkingForm } from "./checkers.js";
import type { Node } from "./node.js";
import { mayLand, tagMeaning } from "./world.js";

/** How many ticks ago still make a difference, by what is measured: the age of a fact, or a deadline. */
const ages = { fact: 2, deadline: 3, none: 0 } as const;
const futureMs = 6 * tick;

type Rel = (time: number | null | undefined, kind: keyof typeof ages) => string;

/** The form, as a text. */
export function keyOf(node: Node): string {
  const { state, world, now } = node;
  // Nothing follows an end, and it is judged whenever it is reached.
  if (state.closed !== null) return state.closed;
  const at = from(now);
  const tag = (known: string | undefined, real: string | undefined): string =>
    known === real ? "=" : tagMeaning(known ?? "");
  const parts: string[] = [
    `${node.faults} ${node.leaks} ${node.swings} ${world.plan} ${world.finding} ${world.spoilt} ${world.unkept} ${world.renewed}${world.isAway ? " away" : ""}`,
    stateForm(state, now),
  ];
  for (const [name, slot] of Object.entries(world.slots)) {
    parts.push(`${name}:${slot.accepts} ${tagMeaning(slot.tag)} ${tag(state.tags[name], slot.tag)}`);
  }
  for (const [name, place] of Object.entries(world.places)) {
    parts.push(`${name}:${place.live} ${tagMeaning(place.tag)} ${tag(state.places[name]?.tag, place.tag)}`);
  }
  for (const write of world.flying) {
    if (mayLand(world, write))
      parts.push(`>${write.name} ${write.effect.does} ${write.effect.version} ${write.excused}`);
  }
  parts.push(...consumers(node, at), checkingForm(node));
  return parts.join("|");
}

function from(now: number): Rel {
  return (time, kind) =>
    time === null || time === undefined
      ? "-"
      : String(Math.min(futureMs, Math.max(-ages[kind] * tick, time - now)));
}

/** Half of all transitions change only the world, and come one after the other: the form of their state is made once. */
let latest: { readonly state: RotationState; readonly now: number; readonly form: string } | undefined;

function stateForm(state: RotationState, now: number): string {
  if (latest?.state !== state || latest.now !== now) latest = { state, now, form: formOf(state, now) };
  return latest.form;
}

function formOf(state: RotationState, now: number): string {
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
  const copies = new Map<string, { readonly place: string; readonly forms: string[] }>();
  for (const { consumer, name, place, holds, sick, unseen } of world.instances) {
    const seen = state.consumers[consumer]?.instances.find(({ instance }) => instance === name);
    const form = `${holds} ${sick} ${unseen} ${seen ? `${seen.version} ${seen.working}` : "?"}`;
    const known = copies.get(consumer);
    if (known === undefined) copies.set(consumer, { place, forms: [form] });
    else known.forms.push(form);
  }
  const all: string[] = [];
  for (const [id, { place, forms }] of copies) {
    const known = state.consumers[id];
    const lostAt = later(known?.lostAt, state.resumedAt, state.turned?.at, state.places[place]?.toldAt);
    const record = known
      ? `${Math.min(known.stable, 2)} ${at(known.since, "fact")} ${at(lostAt, "deadline")} ${known.instances.length}`
      : "-";
    const planned = state.plan?.consumers.some((consumer) => consumer.id === id);
    all.push(`${place} ${planned}:${record}:${forms.sort().join(";")}`);
  }
  return all.sort();
}
