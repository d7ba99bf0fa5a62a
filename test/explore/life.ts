/** What the world does by itself: consumers take up, slide, fail; checks and plans change; late writes land; time is lost. */
import { type Decision, needsFreshFacts } from "../../domain/rotation/steps.js";
import { tick } from "../domain/begin.js";
import { takeover } from "./changes.js";
import { checkerEdges, passed } from "./checkers.js";
import { brokenByLanding } from "./laws.js";
import { after, moved, spent, turnedTo } from "./make.js";
import type { Edge, Model, Node } from "./node.js";
import { accepts, canMoveBack, isStuck, land, mayLand, somebody } from "./world.js";

/** What the world may do at this point, whatever the engine is about to do. */
export function worldEdges(model: Model, node: Node, decision: Decision): Edge[] {
  if (decision.kind === "done") return [];
  const { world } = node;
  const edges: Edge[] = looks(decision)
    ? [...instanceEdges(model, node), ...checkerEdges(node), ...estateEdges(model, node)]
    : [];
  for (const write of world.flying) {
    if (!mayLand(world, write)) continue;
    const landed = land(world, write);
    const broken = brokenByLanding(world, landed, write.excused, node.state);
    const rest = { ...landed, flying: world.flying.filter((other) => other !== write) };
    const label = `a late write lands on ${write.name}`;
    edges.push({ label, kind: "bad", to: { ...node, world: rest }, broken });
  }
  if (world.isAway) edges.push(turnedTo(node, "the store is back", "good", { ...world, isAway: false }));
  if (node.faults === 0) return edges;
  const less = { faults: node.faults - 1 };
  if (model.outages && !world.isAway) {
    const away = { ...node, world: { ...world, isAway: true } };
    edges.push(
      spent({ label: "the store goes away", kind: "bad", broken: [], to: away }, less),
      spent(
        after(model, away, "the store goes away, and it is taken over", "bad", [takeover(node, null)]),
        less,
      ),
    );
  }
  edges.push(spent(after(model, node, "taken over", "bad", [takeover(node, null)]), less));
  for (const ticks of [1, 5]) {
    const label = `nobody works for ${ticks} ticks`;
    edges.push(spent({ label, kind: "bad", ...passed(node, ticks * tick, label) }, less));
  }
  return edges;
}

/** True where the world is looked at next: what happened in it earlier is the same as if it happened just now. */
function looks(decision: Decision): boolean {
  if (decision.kind === "do") return decision.step.do === "survey" || needsFreshFacts(decision.step);
  return decision.kind === "wait" && decision.watch;
}

function instanceEdges(model: Model, node: Node): Edge[] {
  const { world, state, faults } = node;
  const less = { faults: faults - 1 };
  return world.instances.flatMap((instance, index) => {
    const { name, holds, sick } = instance;
    const live = world.places[instance.place]?.live ?? holds;
    const edges: Edge[] = [];
    if (holds !== live && !(live === "old" && isStuck(model.estate, world, instance))) {
      const told = { ...instance, holds: live, unseen: false };
      edges.push(moved(node, `${name} takes up ${live}`, "good", index, told));
    }
    if (sick) edges.push(moved(node, `${name} recovers`, "good", index, { ...instance, sick: false }));
    if (faults === 0) return edges;
    if (!sick)
      edges.push(spent(moved(node, `${name} falls ill`, "bad", index, { ...instance, sick: true }), less));
    for (const version of ["old", "new"]) {
      if (version === holds || version === live || !state.versions[version]?.delivered) continue;
      // Who cannot be moved back is moved by hand, and never by itself.
      if (!canMoveBack(model.estate, world, instance)) continue;
      const strayed = { ...instance, holds: version, unseen: true };
      edges.push(spent(moved(node, `${name} slides to ${version}`, "bad", index, strayed), less));
    }
    const another = { ...instance, name: name.endsWith("'") ? name.slice(0, -1) : `${name}'`, holds: live };
    edges.push(spent(moved(node, `${name} is replaced`, "bad", index, another), less));
    return edges;
  });
}

function estateEdges(model: Model, node: Node): Edge[] {
  const { world } = node;
  const edges: Edge[] = [];
  if (world.finding)
    edges.push(turnedTo(node, "the finding is mended", "good", { ...world, finding: false }));
  if (node.faults === 0) return edges;
  const less = { faults: node.faults - 1 };
  const bad = (label: string, changed: Partial<Node["world"]>) =>
    edges.push(spent(turnedTo(node, label, "bad", { ...world, ...changed }), less));
  if (!world.finding) bad("a finding appears", { finding: true });
  model.estate.plans.forEach((_, plan) => {
    if (plan !== world.plan) bad(`the estate changes to plan ${plan}`, { plan });
  });
  if (!model.meddlers) return edges;
  for (const [name, slot] of Object.entries(world.slots)) {
    const slots = { ...world.slots, [name]: { ...slot, tag: somebody } };
    if (slot.tag !== somebody) bad(`somebody overwrites the tag of ${name}`, { slots });
  }
  for (const [name, place] of Object.entries(world.places)) {
    if (place.tag === somebody) continue;
    for (const live of Object.keys(node.state.versions).filter((version) => accepts(world, version))) {
      const places = { ...world.places, [name]: { tag: somebody, live } };
      bad(`somebody writes ${live} to ${name}`, { places });
    }
  }
  return edges;
}
