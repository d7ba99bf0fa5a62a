/** Tells a path as people read it: it is walked once more, and each step is shown with what was decided there. */
import type { Decision } from "../../domain/rotation/steps.js";
import { edgesOf } from "./edges.js";
import { keyOf } from "./key.js";
import type { Edge, Model, Node } from "./node.js";
import type { World } from "./world.js";

/** The text of a path that breaks a law. */
export function sentenceOf(model: Model, labels: readonly string[], broken: readonly string[]): string {
  const lines = [`${model.name}: ${broken.join("; ")}`];
  let node = model.start;
  for (const label of labels) {
    const edge = edgesAt(model, node).find((candidate) => candidate.label === label);
    lines.push(`  ${shown(model, node)}\n      -> ${label}`);
    if (!edge) break;
    node = edge.to;
  }
  lines.push(`  ${shown(model, node)}`);
  return [...lines, ...onwards(model, node)].join("\n");
}

/** Where it would go from there if nothing else went wrong, up to the point where it goes in circles. */
function onwards(model: Model, from: Node): string[] {
  const lines: string[] = [];
  const seen = new Set<string>();
  let node = from;
  for (let step = 0; step < 20 && !seen.has(keyOf(node)); step++) {
    seen.add(keyOf(node));
    const edge = edgesAt(model, node).find(({ kind }) => kind === "good");
    if (!edge) break;
    node = edge.to;
    lines.push(`      (then ${edge.label})`);
  }
  return lines;
}

function edgesAt(model: Model, node: Node): Edge[] {
  return edgesOf(model, node, model.engine.decide(node.state, node.now));
}

function shown(model: Model, node: Node): string {
  const { state, world, now } = node;
  let decision: string;
  try {
    decision = said(model.engine.decide(state, now));
  } catch {
    decision = "throws";
  }
  const versions = Object.values(state.versions).map(
    ({ id, slot, issuer, leaked, proved }) =>
      `${id}@${slot}:${issuer}${proved ? "+proved" : ""}${leaked ? "+leaked" : ""}`,
  );
  return `t=${now / 1000} to ${state.target} [${versions.join(" ")}] ${worldText(world)}\n    decides: ${decision}`;
}

function said(decision: Decision): string {
  switch (decision.kind) {
    case "do":
      return `do ${JSON.stringify(decision.step)}`;
    case "wait":
      return `wait until ${decision.until} for ${decision.for}`;
    case "needs-operator":
      return `needs an operator (${decision.exits.join(", ")}): ${decision.reason}`;
    case "done":
      return `done: ${decision.outcome}`;
  }
}

function worldText(world: World): string {
  const slots = Object.entries(world.slots).map(([name, slot]) => `${name}=${slot.accepts}`);
  const places = Object.entries(world.places).map(([name, place]) => `${name}=${place.live}`);
  const instances = world.instances.map(
    ({ name, holds, sick, unseen }) => `${name}:${holds}${sick ? "!" : ""}${unseen ? "?" : ""}`,
  );
  const flying = world.flying.length > 0 ? ` flying ${world.flying.length}` : "";
  return `{issuer ${slots.join(" ")}; store ${places.join(" ")}; ${instances.join(" ")}${flying}}`;
}
