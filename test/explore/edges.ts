/** What the engine does at a point: one step, with everything that can become of it. */
import { declarable, declarationDigest } from "../../domain/declaration.js";
import type { RotationEvent } from "../../domain/rotation/events.js";
import { changes, type Decision, type Step } from "../../domain/rotation/steps.js";
import { tick } from "../domain/begin.js";
import { blindnessesOf, type Changing, changeEdges, failure } from "./changes.js";
import { passed } from "./checkers.js";
import { worldEdges } from "./life.js";
import { after, later, spent } from "./make.js";
import type { Edge, Model, Node } from "./node.js";
import { messages, named, peopleEdges } from "./people.js";
import { accepts, isStuck, look } from "./world.js";

/** Everything that can happen at this point: what the engine does, what the world does, what people say. */
export function edgesOf(model: Model, node: Node, decision: Decision): Edge[] {
  const edges = [
    ...engineEdges(model, node, decision),
    ...worldEdges(model, node, decision),
    ...peopleEdges(model, node, decision),
  ];
  const { only } = model;
  return only === null
    ? edges
    : edges.filter(({ to, label }) => to.faults === node.faults || only.test(label));
}

/** What the engine may do at this point, where `decision` is what it decided. */
function engineEdges(model: Model, node: Node, decision: Decision): Edge[] {
  switch (decision.kind) {
    case "done":
      return [];
    case "do":
      return stepEdges(model, node, decision.step);
    case "wait":
      return decision.watch ? watchEdges(model, node) : [later(node, "a tick passes")];
    case "needs-operator":
      return [
        ...declarations(model, node),
        ...decision.exits
          .filter((exit) => exit !== "declare")
          .map((exit) =>
            after(model, { ...node, swings: 0 }, `the operator orders: ${exit}`, "good", [
              { type: "resumed", at: node.now, exit, by: "operator" },
            ]),
          ),
        ...(decision.until === null ? [] : [later(node, "a tick passes")]),
      ];
  }
}

/**
 * Two persons say which version is live, and they do not lie: everybody has it. No good end may depend on them, for
 * nobody has to come.
 */
function declarations(model: Model, node: Node): Edge[] {
  const { state, now, world } = node;
  return (
    declarable(state)
      .filter((id) => world.instances.every(({ holds }) => holds === id) && accepts(world, id))
      // Nor do they call live what somebody is about to take up another version than, and cannot come back from.
      .filter(() => world.instances.every((instance) => !isStuck(model.estate, world, instance)))
      .map((id) => {
        const words = ["ann", "bob"].map((person): RotationEvent => {
          const digest = declarationDigest(state, id);
          const signed = {
            id: person,
            person,
            digest,
            owners: ["owner"],
            issuedAt: now,
            expiresAt: now + tick,
          };
          return { type: "decided", at: now, decision: { ...signed, verdict: "approve" } };
        });
        const order = { type: "resumed", at: now, exit: "declare", by: "ann", version: id } as const;
        const made = after(model, { ...node, swings: 0 }, `two declare ${id} live`, "bad", [...words, order]);
        // What was signed counts once, and then says nothing any more.
        return { ...made, to: { ...made.to, state: { ...made.to.state, decisions: state.decisions } } };
      })
  );
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
      if (node.world.isAway) return unread(model, node, step);
      const works = accepts(node.world, step.version);
      const answer: RotationEvent = works
        ? { type: "proved", at: node.now, version: step.version }
        : failure(node, step, "not-done", true, null);
      return recorded(model, node, `prove ${step.version}: ${works ? "ok" : "refused"}`, step, answer);
    }
    case "probe": {
      if (node.world.isAway) return unread(model, node, step);
      const refused: RotationEvent = { type: "refused", at: node.now, version: step.version };
      return recorded(model, node, `probe ${step.version}`, step, refused);
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

/** What needs the store, while that is away: it fails, and is tried again. */
function unread(model: Model, node: Node, step: Step, label: string = step.do): Edge[] {
  const failed = failure(node, step, "not-done", true, null);
  return [after(model, node, `${label}: the store does not answer`, "good", [failed])];
}

function lookEdges(model: Model, node: Node, label: string): Edge[] {
  if (node.world.isAway) return unread(model, node, { do: "survey" }, label);
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
  const label = "a tick passes; look";
  const { to, broken } = passed(node, tick, label);
  return lookEdges(model, to, label).map((edge) => ({ ...edge, broken: [...broken, ...edge.broken] }));
}
