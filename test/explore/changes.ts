/** How a step that changes the world is carried out: look again, ask once more, send fenced writes, and lose the answer or not. */
import { isContainment } from "../../domain/decide.js";
import { parseTag, type TagState } from "../../domain/fence.js";
import type { RotationEvent } from "../../domain/rotation/events.js";
import { isDisplaced, replacesInPlace } from "../../domain/rotation/moves.js";
import type { RotationState } from "../../domain/rotation/state.js";
import { needsFreshFacts, type Step } from "../../domain/rotation/steps.js";
import { tagText } from "../domain/begin.js";
import { brokenByLanding, brokenBySending } from "./laws.js";
import { spent } from "./make.js";
import type { Edge, Kind, Model, Node } from "./node.js";
import { type Blindness, land, look, mayLand, type World, type Write } from "./world.js";

/** A step that writes. */
export type Changing = Extract<
  Step,
  { do: "seize" | "issue" | "enable" | "deliver" | "renew" | "disable" | "destroy" }
>;

/** Something said while a step is under way. */
export interface Message {
  readonly message: RotationEvent;
  readonly name: string;
}

/** The writes of a step, as the engine would send them from this state. */
function writesOf(state: RotationState, step: Changing, world: World, excused: boolean): Write[] {
  const tag = (version: string, is: TagState) => tagText(version, is, state.epoch, state.change + 1);
  switch (step.do) {
    case "seize":
      return [
        ...step.slots.map((name): Write => {
          const found = world.slots[name]?.tag ?? "";
          const { version, is } = identityOf(state, name, found);
          return {
            name,
            expected: found,
            tag: tag(version, is),
            effect: { on: "slot", does: "tag", version },
            excused,
          };
        }),
        ...step.places.map((name): Write => {
          const { tag: found = "", live: version = "" } = world.places[name] ?? {};
          return {
            name,
            expected: found,
            tag: tag(version, "enabled"),
            effect: { on: "place", does: "tag", version },
            excused,
          };
        }),
      ];
    case "deliver": {
      const { place: name, version } = step;
      const expected = state.places[name]?.tag ?? "";
      return [
        {
          name,
          expected,
          tag: tag(version, "enabled"),
          effect: { on: "place", does: "give", version },
          excused,
        },
      ];
    }
    case "renew":
      return [];
    default: {
      // Nothing of it is at the issuer: only its copies are destroyed.
      if (step.do === "destroy" && isDisplaced(state, step.version)) return [];
      const { slot: name, version } = step;
      const on = step.do === "issue" || step.do === "enable";
      const is = on ? "enabled" : step.do === "disable" ? "disabled" : "destroyed";
      const effect = { on: "slot", does: on ? "accept" : "cut", version } as const;
      return [{ name, expected: state.tags[name] ?? "", tag: tag(version, is), effect, excused }];
    }
  }
}

/** What a seize writes into a tag: what was there, or, where that was nobody's tag, what the records say. */
function identityOf(state: RotationState, slot: string, found: string): { version: string; is: TagState } {
  const parsed = parseTag(found);
  if (parsed) return { version: parsed.version, is: parsed.state };
  const holder = Object.values(state.versions).find(
    (version) => version.slot === slot && version.issuer !== "absent",
  );
  if (!holder) return { version: "zero", is: "destroyed" };
  const is = holder.issuer === "disabled" || holder.issuer === "destroyed" ? holder.issuer : "enabled";
  return { version: holder.id, is };
}

/** What the activity reports when every write has landed. */
function outcomeOf(state: RotationState, step: Changing, world: World, at: number): RotationEvent {
  const change = state.change + 1;
  switch (step.do) {
    case "seize":
      return {
        type: "seized",
        at,
        epoch: state.epoch,
        change,
        slots: step.slots.map((slot) => {
          const { tag = "", accepts = null } = world.slots[slot] ?? {};
          const unkept = accepts !== null && world.unkept === accepts;
          return { slot, tag, enabled: accepts !== null, ...(unkept ? { unkept } : {}) };
        }),
        places: step.places.map((place) => {
          const { tag = "", live = null } = world.places[place] ?? {};
          return { place, tag, liveVersion: live };
        }),
      };
    case "deliver": {
      const { version, place, consumers } = step;
      return {
        type: "delivered",
        at,
        version,
        place,
        consumers,
        change,
        tag: world.places[place]?.tag ?? "",
      };
    }
    case "renew":
      return { type: "renewed", at, version: step.version, change };
    default: {
      const type = (
        { issue: "issued", enable: "enabled", disable: "disabled", destroy: "destroyed" } as const
      )[step.do];
      return { type, at, version: step.version, change, tag: world.slots[step.slot]?.tag ?? "" };
    }
  }
}

/** A failure as an activity reports it. */
export function failure(
  node: Node,
  step: Step,
  outcome: "not-done" | "unknown",
  again = true,
  change: number | null = node.state.change + 1,
): Extract<RotationEvent, { type: "failed" }> {
  return { type: "failed", at: node.now, step, change, code: "x", sentence: "It failed.", outcome, again };
}

/** Every way in which a changing step can go from this node. */
export function changeEdges(model: Model, node: Node, step: Changing, meanwhile: readonly Message[]): Edge[] {
  const away = node.world.isAway ? awayEdges(model, node, step) : null;
  if (away !== null) return away;
  const blindnesses: Blindness[] = needsFreshFacts(step) && node.faults > 0 ? blindnessesOf(model, node) : [];
  return [
    ...sendEdges(model, node, step, {}, meanwhile),
    ...blindnesses.flatMap((blindness) =>
      sendEdges(model, { ...node, faults: node.faults - 1 }, step, blindness, [])
        .slice(0, 1)
        .map((edge) => ({
          ...edge,
          kind: "bad" as const,
          label: `${edge.label} (half blind)`,
        })),
    ),
  ];
}

/**
 * A step while the store is away. What has to be looked at first, or read from there, changes nothing; a leak is cut
 * off, and nobody can prove it; of a seize the issuer's part is done.
 */
function awayEdges(model: Model, node: Node, step: Changing): Edge[] | null {
  const { engine } = model;
  const { state, world, now } = node;
  if (step.do === "seize" && step.places.length === 0) return null;
  if (!engine.mayAct(state, step, now)) return null;
  const isCut = step.do === "disable" && isContainment(state, step, now);
  const sent = brokenBySending(model, node, step);
  const writes = writesOf(state, step, world, sent.excused).filter(({ effect }) => effect.on === "slot");
  const landed = isCut || step.do === "seize" ? writes.reduce(land, world) : world;
  const isHeldOff = isCut && landed === world;
  const failed: RotationEvent = isHeldOff
    ? { ...failure(node, step, "not-done", false), code: "fenced" }
    : failure(node, step, step.do === "enable" ? "not-done" : "unknown");
  const broken =
    landed === world ? [] : [...sent.broken, ...brokenByLanding(world, landed, sent.excused, state)];
  const label = `${step.do}: the store does not answer`;
  return [{ label, kind: "good", broken, to: { ...node, world: landed, state: engine.fold(state, failed) } }];
}

/** The ways in which a look can see too little. */
export function blindnessesOf(model: Model, node: Node): Blindness[] {
  const consumers = model.estate.plans[node.world.plan]?.consumers ?? [];
  return [{ noWatermark: true }, ...consumers.map(({ id }) => ({ silent: id }))];
}

function sendEdges(
  model: Model,
  node: Node,
  step: Changing,
  blindness: Blindness,
  meanwhile: readonly Message[],
): Edge[] {
  const { engine } = model;
  const before: RotationEvent[] = [];
  let { state, world } = node;
  const label = `${step.do}${"version" in step ? ` ${step.version}` : ""}`;
  const edge = (
    how: string,
    kind: Kind,
    after: World,
    events: readonly RotationEvent[],
    broken: readonly string[] = [],
    faults = kind === "good" ? node.faults : node.faults - 1,
  ): Edge => ({
    label: `${label}: ${how}`,
    kind,
    broken,
    to: { ...node, world: after, faults, state: events.reduce(engine.fold, node.state) },
  });
  if (engine.looksAgain !== false && needsFreshFacts(step) && !isContainment(state, step, node.now)) {
    const seen = look(model.estate, world, state, blindness);
    world = seen.world;
    before.push({ type: "surveyed", at: node.now, facts: seen.facts });
    state = engine.fold(state, before[0] as RotationEvent);
  }
  if (!engine.mayAct(state, step, node.now)) return [edge("not any more", "good", world, before)];

  const sent = brokenBySending(model, { ...node, state, world }, step);
  const writes = writesOf(state, step, world, sent.excused);
  const copiesOnly = step.do === "destroy" && writes.length === 0;
  const landed =
    step.do === "renew" ? { ...world, renewed: state.target } : writes.reduce(land, made(step, world));
  const allLanded = landed !== world || copiesOnly;
  // A duplicate of a write that landed must find its tag gone: the same write twice is the same as once.
  const twice =
    allLanded && writes.some((write) => mayLand(landed, write)) ? ["I4: a duplicate would land"] : [];
  const broken = [...sent.broken, ...twice, ...brokenByLanding(world, landed, sent.excused, state)];
  const done: RotationEvent[] = allLanded
    ? [...before, outcomeOf(state, step, landed, node.now)]
    : [...before, { ...failure(node, step, "not-done", false), code: "fenced" }];
  const edges = [edge(allLanded ? "done" : "held off by the fence", "good", landed, done, broken)];
  const overtaken = (
    how: string,
    after: World,
    events: readonly RotationEvent[],
    wrong: readonly string[],
    faults: number,
  ) => {
    for (const { message, name } of meanwhile) {
      const made = edge(`${how}, after ${name} had come`, "bad", after, [message, ...events], wrong, faults);
      edges.push(message.type === "incident" ? spent(made, { leaks: node.leaks - 1, swings: 0 }) : made);
    }
  };
  overtaken("done", landed, done, broken, node.faults);
  if (node.faults === 0) return edges;
  const lost = [...before, failure(node, step, "unknown")];
  const flying = { ...world, flying: [...world.flying, ...writes] };
  const taken = takeover(node, step);
  edges.push(
    edge("refused for now", "bad", world, [...before, failure(node, step, "not-done")]),
    ...(step.do === "deliver"
      ? [
          edge("its consumers are busy", "bad", world, [
            ...before,
            { ...failure(node, step, "not-done"), code: "busy" },
          ]),
        ]
      : []),
    edge("refused for good", "bad", world, [...before, failure(node, step, "not-done", false)]),
    edge("done, answer lost", "bad", landed, lost, broken),
    edge("not done, answer lost", "bad", world, lost, sent.broken),
    edge("under way, answer lost", "bad", flying, lost, sent.broken),
    edge("done, worker lost", "bad", landed, [taken], broken),
    edge("not done, worker lost", "bad", world, [taken], sent.broken),
    edge("under way, worker lost", "bad", flying, [taken], sent.broken),
  );
  overtaken("done, answer lost", landed, lost, broken, node.faults - 1);
  overtaken("under way, answer lost", flying, lost, sent.broken, node.faults - 1);
  // Not the last one that there is an id for: then nobody could help.
  if (step.do === "issue" && step.version === "new") {
    const spoilt = { ...landed, spoilt: step.version };
    edges.push(edge("done, with a value that lets nobody in", "bad", spoilt, done, broken));
  }
  if (step.do === "issue" && replacesInPlace(state)) {
    const unkept = { ...landed, unkept: step.version };
    edges.push(
      edge("made, and its value lost with the answer", "bad", unkept, lost, broken),
      edge("made, and its value lost with the worker", "bad", unkept, [taken], broken),
    );
  }
  if (writes.length > 1 && writes[0]) {
    edges.push(edge("half done, answer lost", "bad", land(world, writes[0]), lost, sent.broken));
  }
  return edges;
}

/** A value that is made again is another one: nobody has to know the one before (H11). */
function made(step: Changing, world: World): World {
  if (step.do !== "issue" || world.unkept !== step.version) return world;
  const { unkept: _unkept, ...known } = world;
  return known;
}

/** The event of a takeover, with the step that was under way. */
export function takeover(node: Node, openChange: Step | null): RotationEvent {
  return { type: "adopted", at: node.now, epoch: node.state.epoch + 1, nonce: "nonce", openChange };
}
