/** Finds rings in who-points-at-whom: deputies who stand in for each other, credentials that need each other. */

/**
 * Every ring met while walking from the given nodes in their order, each as the nodes along it, the first one
 * not repeated. At least one ring is returned for every set of nodes that reach each other. Does not recurse,
 * so that a long chain in a hostile file cannot exhaust the stack.
 */
export function findCycles(nodes: Iterable<string>, next: (node: string) => readonly string[]): string[][] {
  const done = new Set<string>();
  const cycles: string[][] = [];
  for (const start of nodes) {
    const trail: string[] = [];
    const depthOf = new Map<string, number>();
    const pending: (string | null)[] = [start];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (node === null) {
        const left = trail.pop() as string;
        depthOf.delete(left);
        done.add(left);
        continue;
      }
      const depth = depthOf.get(node);
      if (depth !== undefined) cycles.push(trail.slice(depth));
      if (depth !== undefined || done.has(node)) continue;
      depthOf.set(node, trail.length);
      trail.push(node);
      pending.push(null, ...next(node).toReversed());
    }
  }
  return cycles;
}
