/**
 * What must hold on every path, judged by the world and not by the engine's records: I1, I2, I4 and what an
 * end means (protocol.md, Invariants).
 */

import { replacesInPlace } from "../../domain/rotation/moves.js";
import type { RotationState } from "../../domain/rotation/state.js";
import type { Decision, Step } from "../../domain/rotation/steps.js";
import { brokenByForgetting } from "./checkers.js";
import type { Model, Node } from "./node.js";
import { accepts, isStuck, mayLand, somebody, type World, works } from "./world.js";

/** True where an emergency takes a leaked version away although somebody may hold it. */
function isContainment(state: RotationState, version: string, now: number): boolean {
  const { emergency } = state;
  if (!emergency || !state.versions[version]?.leaked) return false;
  return emergency.containment === "revoke-now" || now >= emergency.containBy;
}

/** I2, I11: what the sending of a step breaks, and whether containment excuses those whom it cuts off. */
export function brokenBySending(
  model: Model,
  node: Node,
  step: Step,
): { readonly broken: readonly string[]; readonly excused: boolean } {
  const { state, world, now } = node;
  if (step.do === "deliver" && step.version === "old") {
    const stuck = world.instances.filter(
      (instance) => instance.place === step.place && isStuck(model.estate, world, instance),
    );
    const broken = stuck.map(({ name }) => `I11: deliver old to ${name}, which cannot be moved back`);
    return { broken, excused: false };
  }
  if (step.do !== "disable" && step.do !== "destroy") return { broken: [], excused: false };
  const { version } = step;
  if (isContainment(state, version, now)) return { broken: [], excused: true };
  const given = Object.values(world.places).some(({ live }) => live === version);
  const held = world.instances.some(({ holds }) => holds === version);
  // In an emergency there may be no clean version to be on. Nobody can lose what is refused already, or what
  // nobody holds and nobody is given.
  const harmless = !accepts(world, version) || (!held && !given);
  if (state.emergency && harmless) return { broken: [], excused: false };
  const plan = model.estate.plans[world.plan];
  const broken = world.instances.flatMap((instance) => {
    const { holds, consumer, name } = instance;
    const declared = plan?.consumers.some(({ id }) => id === consumer);
    // Of a reader nobody declared the sessions are all that can be seen, and there are none of what is refused.
    if (!declared && !accepts(world, version)) return [];
    if (holds === version) return [`I2: ${step.do} ${version} while ${name} holds it`];
    if (!state.acceptable.includes(holds) || !accepts(world, holds))
      return [`I2: ${step.do} ${version} while ${name} is on ${holds}`];
    return declared && !works(world, instance) ? [`I2: ${step.do} ${version} while ${name} fails`] : [];
  });
  if (given) broken.push(`I2: ${step.do} ${version} while the store gives it out`);
  return { broken, excused: false };
}

/** I1: whoever held a working version still does, and the store gives out one that works. */
export function brokenByLanding(
  before: World,
  after: World,
  excused: boolean,
  state: RotationState,
): string[] {
  if (before === after) return [];
  // Where two are never valid together, whoever held the one that was there fails until they have the other (H29);
  // what may never happen is that nothing at all is valid, or nobody knows what is.
  if (replacesInPlace(state)) {
    const none = (world: World) => Object.values(world.slots).every((slot) => slot.accepts === null);
    return none(after) && !none(before) && !excused ? ["I1: nothing is valid any more"] : [];
  }
  const cutOff = excused
    ? []
    : after.instances.filter(
        ({ holds, unseen }) => !unseen && accepts(before, holds) && !accepts(after, holds),
      );
  const dead = Object.entries(after.places).filter(
    ([, { live }]) => !accepts(after, live) && !state.versions[live]?.leaked,
  );
  return [
    ...cutOff.map(({ name, holds }) => `I1: ${name} is cut off from ${holds}`),
    ...dead.map(([name, { live }]) => `I1: ${name} gives out ${live}, which nobody accepts`),
  ];
}

/** I4 and the records: once everything is settled nothing is on its way, and what is written down is so. */
export function brokenByStanding({ state, world, swings, now }: Node): string[] {
  const broken: string[] = [];
  if (swings > 1) broken.push("the walk swings");
  if (world.isAway && isLeftOpen(state, world, now))
    broken.push("I5: the store is away, and a leak is open past its deadline");
  const unknown =
    Object.values(state.versions).some(({ issuer }) => issuer === "unknown") ||
    Object.values(state.places).some((place) => place.unknown);
  if (!state.seized || unknown || state.closed) return broken;
  for (const write of world.flying) {
    if (mayLand(world, write))
      broken.push(`I4: a late write of ${write.name} (${write.effect.does}) would land`);
  }
  for (const version of Object.values(state.versions)) {
    const slot = world.slots[version.slot];
    const there = slot?.accepts === version.id && world.unkept !== version.id;
    if ((version.issuer === "enabled") !== there)
      broken.push(`records: ${version.id} is ${version.issuer}, and the issuer accepts ${slot?.accepts}`);
  }
  for (const [name, place] of Object.entries(state.places)) {
    // What somebody else has just written is in no record before it is looked at.
    if (world.places[name]?.tag === somebody) continue;
    if (place.liveVersion !== world.places[name]?.live)
      broken.push(`records: ${name} gives ${world.places[name]?.live}, not ${place.liveVersion}`);
  }
  return broken;
}

/** True for a leak that lets somebody in later than the emergency allows: the issuer answers, so nothing excuses that. */
function isLeftOpen({ emergency, versions, closed }: RotationState, world: World, now: number): boolean {
  if (emergency === null || closed || now <= emergency.containBy) return false;
  return Object.values(versions).some(({ id, leaked }) => leaked && accepts(world, id));
}

/** What an end means: one version left, and everybody on it whom the plan knows. */
export function brokenByClosing(model: Model, { state, world }: Node): string[] {
  if (!state.closed) return [];
  const plan = model.estate.plans[world.plan];
  const kept = state.closed === "refused" ? state.origin : state.target;
  const broken: string[] = state.closed === "refused" ? [] : brokenByForgetting(world, kept);
  for (const [name, slot] of Object.entries(world.slots)) {
    // What never began leaves what it found.
    const found = state.closed === "refused" ? model.estate.world.slots[name]?.accepts : null;
    if (slot.accepts !== null && slot.accepts !== kept && slot.accepts !== found)
      broken.push(`closed (${state.closed}): ${name} still accepts ${slot.accepts}`);
  }
  for (const { name, consumer, holds, sick, unseen } of world.instances) {
    if (!plan?.consumers.some(({ id }) => id === consumer)) continue;
    if (!sick && !unseen && !(holds === kept && accepts(world, holds)))
      broken.push(`closed (${state.closed}): ${name} is on ${holds}`);
  }
  for (const [name, place] of Object.entries(world.places)) {
    if (place.live !== kept) broken.push(`closed (${state.closed}): ${name} gives out ${place.live}`);
  }
  return broken;
}

/** True for a wait that leaves two versions valid for longer than the policy allows, and nobody is called. */
function isTooLong({ policy, overlapSince, resumedAt, emergency }: RotationState, until: number): boolean {
  if (policy.overlapMaxMs === undefined || overlapSince == null || emergency) return false;
  return until > Math.max(overlapSince, resumedAt ?? 0) + policy.overlapMaxMs;
}

/** No answer leaves the rotation with nobody to move it, and no exit is offered that is not legal (H30). */
export function brokenByDecision({ state, now }: Node, decision: Decision): string[] {
  switch (decision.kind) {
    case "wait":
      if (decision.who === "" || decision.for === "") return ["deadlock: a wait that names nobody"];
      if (decision.until === null || decision.until <= now) return ["deadlock: a wait without an end"];
      return isTooLong(state, decision.until) ? ["overlap: a wait past its end"] : [];
    case "needs-operator": {
      const origin = state.versions[state.origin];
      const alone = decision.exits.filter((exit) => exit !== "declare");
      const broken = alone.length === 0 ? ["deadlock: an operator without an exit"] : [];
      if (
        decision.exits.includes("back") &&
        (origin?.leaked || origin?.issuer === "destroyed" || state.irreversible)
      )
        broken.push("exits: back to a version that is gone or leaked");
      return broken;
    }
    case "do": {
      const { step } = decision;
      const target = "target" in step ? state.versions[step.target] : undefined;
      if (step.do !== "turn") return [];
      if (step.target === state.origin && state.irreversible)
        return [`course: turns to ${step.target}, past the point of no return`];
      return target?.leaked || target?.issuer === "destroyed"
        ? [`course: turns to ${step.target}, which is gone or leaked`]
        : [];
    }
    case "done":
      return state.closed ? [] : ["deadlock: done, and not closed"];
  }
}
