/**
 * The world of a kind whose versions are checked by others: those who check remember what the issuer let in
 * when they last asked, and what was made with a version lives on for a while. The laws of such a world are
 * judged here: whatever is about must be known to everybody who checks, at every moment (I1, H27, H28).
 */
import { tick } from "../domain/begin.js";
import type { Edge, Node } from "./node.js";
import type { World } from "./world.js";

/** What the issuer lets in now. */
function letIn(world: World): string[] {
  return Object.values(world.slots).flatMap(({ accepts }) => (accepts === null ? [] : [accepts]));
}

/** The point after time has passed: whoever uses a version made something with it, and old memories have run out. */
export function passed(node: Node, ms: number, label: string): Pick<Edge, "to" | "broken"> {
  const now = node.now + ms;
  const { checking } = node.world;
  if (checking === undefined) return { to: { ...node, now }, broken: [] };
  const madeAt = { ...checking.madeAt };
  const accepted = letIn(node.world);
  for (const { holds, sick, unseen } of node.world.instances)
    if (!sick && !unseen && accepted.includes(holds)) madeAt[holds] = now;
  let to: Node = { ...node, now, world: { ...node.world, checking: { ...checking, madeAt } } };
  const broken: string[] = [];
  checking.checkers.forEach(({ askedAt }, index) => {
    if (now - askedAt < checking.memoryMs) return;
    const asked = asks(to, index, label);
    to = asked.to;
    broken.push(...asked.broken);
  });
  return { to, broken };
}

/** A checker asks the issuer anew; what it forgets must not be about any more, except where it leaked. */
function asks(node: Node, index: number, label: string): Edge {
  const { world, now, state } = node;
  const { checking } = world;
  const checker = checking?.checkers[index];
  if (checking === undefined || checker === undefined) throw new Error("no such checker");
  const knows = letIn(world).sort();
  const lost = checker.knows.filter((version) => !knows.includes(version));
  const broken = lost
    .filter((version) => !state.versions[version]?.leaked)
    .filter((version) => (checking.madeAt[version] ?? Number.NEGATIVE_INFINITY) + checking.lifeMs > now)
    .map((version) => `I1: ${checker.name} refuses what was made with ${version} and is still about`);
  const checkers = checking.checkers.map((other, at) =>
    at === index ? { ...other, knows, askedAt: now } : other,
  );
  const to = { ...node, world: { ...world, checking: { ...checking, checkers } } };
  return { label, kind: "good", to, broken };
}

/** What the checkers may do at this point by themselves. */
export function checkerEdges(node: Node): Edge[] {
  const { checking } = node.world;
  const accepted = letIn(node.world).sort().join();
  return (checking?.checkers ?? []).flatMap(({ name, knows }, index) =>
    knows.join() === accepted ? [] : [asks(node, index, `${name} asks anew`)],
  );
}

/** An instance takes up a version: everybody who checks has to know it already, but where a leak is cut off. */
export function brokenByTaking({ world, state, now }: Node, name: string, version: string): string[] {
  const { emergency } = state;
  if (emergency && (emergency.containment === "revoke-now" || now >= emergency.containBy)) return [];
  return (world.checking?.checkers ?? [])
    .filter(({ knows }) => !knows.includes(version))
    .map((checker) => `I1: ${name} takes up ${version}, which ${checker.name} does not know`);
}

/** The world in which an instance has left a version: what it made with it until now is about. */
export function leaving({ world, now }: Node, { holds, sick, unseen }: World["instances"][number]): World {
  const { checking } = world;
  if (checking === undefined || sick || unseen || !letIn(world).includes(holds)) return world;
  return { ...world, checking: { ...checking, madeAt: { ...checking.madeAt, [holds]: now } } };
}

/** At the end nobody lets in anything but what was kept. */
export function brokenByForgetting({ checking }: World, kept: string): string[] {
  return (checking?.checkers ?? []).flatMap(({ name, knows }) =>
    knows.filter((version) => version !== kept).map((version) => `closed: ${name} still accepts ${version}`),
  );
}

/** The canonical form of this part. */
export function checkingForm({ world: { checking }, now }: Node): string {
  if (checking === undefined) return "";
  const ticks = (ms: number, most: number) => Math.min(most, ms) / tick;
  const checkers = checking.checkers.map(
    ({ name, knows, askedAt }) => `${name} ${knows.join()} ${ticks(now - askedAt, checking.memoryMs)}`,
  );
  const made = Object.entries(checking.madeAt)
    .filter(([, at]) => at + checking.lifeMs > now)
    .map(([version, at]) => `${version} ${(now - at) / tick}`);
  return [...checkers, ...made.sort()].join(";");
}
