/** Small makers of transitions, so that what happens reads as a list. */
import type { RotationEvent } from "../../domain/rotation/events.js";
import { tick } from "../domain/begin.js";
import { brokenByTaking, leaving, passed } from "./checkers.js";
import type { Edge, Kind, Model, Node } from "./node.js";
import type { Instance, World } from "./world.js";

/** The point after these events. */
export function after(
  model: Model,
  node: Node,
  label: string,
  kind: Kind,
  events: readonly RotationEvent[],
): Edge {
  return { label, kind, broken: [], to: { ...node, state: events.reduce(model.engine.fold, node.state) } };
}

/** The point a tick later. */
export function later(node: Node, label: string): Edge {
  return { label, kind: "good", ...passed(node, tick, label) };
}

/** The point in another world. */
export function turnedTo(node: Node, label: string, kind: Kind, world: World): Edge {
  return { label, kind, broken: [], to: { ...node, world } };
}

/** The point where one instance is another. */
export function moved(node: Node, label: string, kind: Kind, index: number, instance: Instance): Edge {
  const { holds, name, unseen } = instance;
  const before = node.world.instances[index];
  const world = before === undefined || before.holds === holds ? node.world : leaving(node, before);
  const instances = world.instances.map((other, at) => (at === index ? instance : other));
  const taken = before?.holds === holds || unseen ? [] : brokenByTaking(node, name, holds);
  return { ...turnedTo(node, label, kind, { ...world, instances }), broken: taken };
}

/** The same, with less left to go wrong. */
export function spent(edge: Edge, budget: Partial<Node>): Edge {
  return { ...edge, to: { ...edge.to, ...budget } };
}
