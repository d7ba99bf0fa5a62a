/** Everything that can happen at a point: what the engine does, what the world does, what people say. */
import { leakedBy } from "../../../domain/incident.js";
import type { RotationEvent } from "../../../domain/rotation/events.js";
import { isGoingBack } from "../../../domain/rotation/moves.js";
import { changes, type Decision, type Step } from "../../../domain/rotation/steps.js";
import { tick } from "../begin.js";
import { blindnessesOf, type Changing, changeEdges, failure, takeover } from "./changes.js";
import { brokenByLanding } from "./laws.js";
import type { Edge, Kind, Model, Node } from "./node.js";
import { accepts, type Instance, land, look, mayLand, type World } from "./world.js";

/** What the engine may do at this point, where `decision` is what it decided. */
export function engineEdges(model: Model, node: Node, decision: Decision): Edge[] {
  switch (decision.kind) {
    case "done":
      return [];
    case "do":
      return stepEdges(model, node, decision.step);
    case "wait":
      return decision.watch ? watchEdges(model, node) : [later(node, "a tick passes")];
    case "needs-operator":
      return [
        ...decision.exits.map((exit) =>
          after(model, { ...node, swings: 0 }, `the operator orders: ${exit}`, "good", [
            { type: "resumed", at: node.now, exit, by: "operator" },
          ]),
        ),
        ...(decision.until === null ? [] : [later(node, "a tick passes")]),
      ];
  }
}

function stepEdges(model: Model, node: Node, step: Step): Edge[] {
  if (changes(step))
    return changeEdges(
      model,
      node,
      step as Changing,
      messages(node).map((message) => ({ message, name: named(message) })),
    );
  switch (step.do) {
    case "survey":
      return lookEdges(model, node, "look");
    case "prove": {
      const works = accepts(node.world, step.version);
      const answer: RotationEvent = works
        ? { type: "proved", at: node.now, version: step.version }
        : failure(node, step, "not-done", true, null);
      return recorded(model, node, `prove ${step.version}: ${works ? "ok" : "refused"}`, step, answer);
    }
    case "ask":
      return recorded(model, node, `ask ${step.digests.join()}${step.reminder ? " again" : ""}`, step, {
        type: "asked",
        at: node.now,
        digests: step.digests,
        reminder: step.reminder,
      });
    case "turn": {
      const { target, slot, reason } = step;
      const turned: RotationEvent = { type: "turned", at: node.now, target, slot, reason };
      return recorded(model, node, `turn to ${target}`, step, turned).map((edge) =>
        edge.to.state.target === node.state.target || edge.to.leaks < node.leaks
          ? edge
          : spent(edge, { swings: node.swings + 1 }),
      );
    }
    case "hold":
      return recorded(model, node, `hold: ${step.reason}`, step, {
        type: "held",
        at: node.now,
        reason: step.reason,
      });
    default: {
      const { outcome, reason } = step as Extract<Step, { do: "close" }>;
      return [
        after(model, node, `close: ${outcome}`, "good", [{ type: "closed", at: node.now, outcome, reason }]),
      ];
    }
  }
}

/** A step that only reads or records: it goes well, or fails and is tried again, or a message overtakes it. */
function recorded(model: Model, node: Node, label: string, step: Step, event: RotationEvent): Edge[] {
  const overtaken = messages(node).map((message) => {
    const edge = after(model, node, `${label}, after ${named(message)} had come`, "bad", [message, event]);
    return message.type === "incident" ? spent(edge, { leaks: node.leaks - 1, swings: 0 }) : edge;
  });
  const failed = failure(node, step, "not-done", true, null);
  const fails =
    node.faults === 0
      ? []
      : [spent(after(model, node, `${label}: fails`, "bad", [failed]), { faults: node.faults - 1 })];
  return [after(model, node, label, "good", [event]), ...overtaken, ...fails];
}

function lookEdges(model: Model, node: Node, label: string): Edge[] {
  const seen = look(model.estate, node.world, node.state);
  const edges = [
    after(model, { ...node, world: seen.world }, label, "good", [
      { type: "surveyed", at: node.now, facts: seen.facts },
    ]),
  ];
  if (node.faults === 0) return edges;
  const less = { faults: node.faults - 1 };
  for (const blindness of blindnessesOf(model, node)) {
    const half = look(model.estate, node.world, node.state, blindness);
    const event: RotationEvent = { type: "surveyed", at: node.now, facts: half.facts };
    edges.push(
      spent(after(model, { ...node, world: half.world }, `${label} (half blind)`, "bad", [event]), less),
    );
  }
  const failed = failure(node, { do: "survey" }, "not-done", true, null);
  return [...edges, spent(after(model, node, `${label}: fails`, "bad", [failed]), less)];
}

/** Watching: a tick passes, then the world is looked at. */
function watchEdges(model: Model, node: Node): Edge[] {
  return lookEdges(model, { ...node, now: node.now + tick }, "a tick passes; look");
}

/** What the world and people may do at this point, whatever the engine is about to do. */
export function worldEdges(model: Model, node: Node, decision: Decision): Edge[] {
  if (decision.kind === "done") return [];
  const { world, now } = node;
  const edges: Edge[] = [];
  world.instances.forEach((instance, index) => {
    const live = world.places[instance.place]?.live ?? instance.holds;
    if (instance.holds !== live) {
      const told = { ...instance, holds: live, unseen: false };
      edges.push(moved(node, `${instance.name} takes up ${live}`, "good", index, told));
    }
    if (instance.sick)
      edges.push(moved(node, `${instance.name} recovers`, "good", index, { ...instance, sick: false }));
    if (node.faults === 0) return;
    const less = { faults: node.faults - 1 };
    if (!instance.sick)
      edges.push(
        spent(moved(node, `${instance.name} falls ill`, "bad", index, { ...instance, sick: true }), less),
      );
    for (const version of ["old", "new"]) {
      const known = node.state.versions[version];
      if (version === instance.holds || version === live || !known?.delivered) continue;
      const strayed = { ...instance, holds: version, unseen: true };
      edges.push(spent(moved(node, `${instance.name} slides to ${version}`, "bad", index, strayed), less));
    }
    const renamed = {
      ...instance,
      name: instance.name.endsWith("'") ? instance.name.slice(0, -1) : `${instance.name}'`,
      holds: live,
    };
    edges.push(spent(moved(node, `${instance.name} is replaced`, "bad", index, renamed), less));
  });
  for (const write of world.flying) {
    if (!mayLand(world, write)) continue;
    const landed = land(world, write);
    const broken = brokenByLanding(world, landed, write.excused, node.state);
    const rest = { ...landed, flying: world.flying.filter((other) => other !== write) };
    edges.push({
      label: `a late write lands on ${write.name}`,
      kind: "bad",
      to: { ...node, world: rest },
      broken,
    });
  }
  edges.push(...peopleEdges(model, node, decision));
  if (world.finding)
    edges.push(turnedTo(node, "the finding is mended", "good", { ...world, finding: false }));
  if (node.faults === 0) return edges;
  const less = { faults: node.faults - 1 };
  if (!world.finding)
    edges.push(spent(turnedTo(node, "a finding appears", "bad", { ...world, finding: true }), less));
  model.estate.plans.forEach((_, plan) => {
    if (plan !== world.plan)
      edges.push(
        spent(turnedTo(node, `the estate changes to plan ${plan}`, "bad", { ...world, plan }), less),
      );
  });
  edges.push(spent(after(model, node, "taken over", "bad", [takeover(node, null)]), less));
  for (const ticks of [1, 5]) {
    const away = { ...node, now: now + ticks * tick };
    edges.push(spent({ label: `nobody works for ${ticks} ticks`, kind: "bad", to: away, broken: [] }, less));
  }
  if (model.meddlers) {
    for (const name of Object.keys(world.slots)) {
      const slots = {
        ...world.slots,
        [name]: { tag: "somebody", accepts: world.slots[name]?.accepts ?? null },
      };
      edges.push(
        spent(turnedTo(node, `somebody overwrites the tag of ${name}`, "bad", { ...world, slots }), less),
      );
    }
  }
  return edges;
}

function peopleEdges(model: Model, node: Node, decision: Decision): Edge[] {
  const edges: Edge[] = [];
  const { state, now } = node;
  for (const message of messages(node)) {
    const edge = after(model, node, named(message), message.type === "cancelled" ? "cancel" : "bad", [
      message,
    ]);
    edges.push(message.type === "incident" ? spent(edge, { leaks: node.leaks - 1, swings: 0 }) : edge);
  }
  if (decision.kind !== "wait") return edges;
  for (const digest of state.asked) {
    const person = model.signers[digest];
    const standing = state.decisions.some(
      (known) => known.digest === digest && (known.expiresAt > now || known.verdict === "reject"),
    );
    if (person === undefined || standing) continue;
    const sign = (verdict: "approve" | "reject", ticks: number): RotationEvent => ({
      type: "decided",
      at: now,
      decision: {
        id: "document",
        person,
        digest,
        verdict,
        owners: ["owner"],
        issuedAt: now,
        expiresAt: now + ticks * tick,
      },
    });
    edges.push(after(model, node, `${person} approves`, "good", [sign("approve", 4)]));
    if (node.faults === 0) continue;
    const less = { faults: node.faults - 1 };
    edges.push(
      spent(after(model, node, `${person} approves for a tick`, "bad", [sign("approve", 1)]), less),
      spent(after(model, node, `${person} rejects`, "bad", [sign("reject", 4)]), less),
    );
  }
  return edges;
}

/** What may be said to the rotation at any time: a cancellation, and each leak that could be reported. */
export function messages(node: Node): RotationEvent[] {
  const { state, now } = node;
  const list: RotationEvent[] = [];
  if (state.closed === null && state.refused === null && !isGoingBack(state) && !state.irreversible)
    list.push({ type: "cancelled", at: now, by: "owner", reason: "changed my mind" });
  if (node.leaks === 0 || state.closed !== null) return list;
  const sets = new Map<string, readonly string[]>();
  for (const ids of [["old"], ["new"], ["old", "new"]]) {
    const leaked = leakedBy({ kind: "versions", ids }, state);
    sets.set(leaked.join(), leaked);
  }
  const all = leakedBy({ kind: "unknown" }, state);
  sets.set(all.join(), all);
  sets.delete("");
  for (const leaked of sets.values()) {
    for (const containment of ["after-adoption", "revoke-now"] as const) {
      list.push({
        type: "incident",
        at: now,
        leaked,
        containment,
        emergency: {
          reason: "found in a log",
          containment,
          startedAt: now,
          containBy: now + 2 * tick,
          signOffBy: now + 4 * tick,
          responders: ["responder"],
        },
      });
    }
  }
  return list;
}

function after(model: Model, node: Node, label: string, kind: Kind, events: readonly RotationEvent[]): Edge {
  return { label, kind, broken: [], to: { ...node, state: events.reduce(model.engine.fold, node.state) } };
}

function later(node: Node, label: string): Edge {
  return { label, kind: "good", broken: [], to: { ...node, now: node.now + tick } };
}

function turnedTo(node: Node, label: string, kind: Kind, world: World): Edge {
  return { label, kind, broken: [], to: { ...node, world } };
}

function moved(node: Node, label: string, kind: Kind, index: number, instance: Instance): Edge {
  const instances = node.world.instances.map((other, at) => (at === index ? instance : other));
  return turnedTo(node, label, kind, { ...node.world, instances });
}

function spent(edge: Edge, budget: Partial<Node>): Edge {
  return { ...edge, to: { ...edge.to, ...budget } };
}

/** A message by name; traces find their way by it. */
export function named(message: RotationEvent): string {
  return message.type === "incident"
    ? `a leak of ${message.leaked.join("+")} (${message.containment})`
    : message.type;
}
