/** A node of the map by the name that people give it. */
import { RekeyError } from "../../domain/errors.js";
import { listed } from "../../domain/estate/issues.js";
import { suggest } from "../../domain/estate/suggest.js";
import { type Graph, type GraphNode, type NodeType, nodeTypes } from "../../domain/graph/types.js";
import { knownName } from "./choose.js";
import { option } from "./command.js";
import type { Inventory } from "./inventory.js";

/** `--type`, for a name that several bear. */
export const typeOption = () => option("--type <type>", "what the name is, where several things bear it");

/**
 * The one node of these types that bears a name. Throws `not-found` with the nearest name as a hint, and `bad-input` where
 * several bear it and `type` does not say which.
 */
export async function nodeNamed(
  inventory: Inventory,
  name: string,
  types: readonly NodeType[],
  type?: string,
): Promise<GraphNode> {
  if (type !== undefined) knownName(type, nodeTypes, "type of thing");
  const { found, alike } = await inventory.nodesNamed(name);
  const fitting = found.filter(
    (node) => types.includes(node.type) && (type === undefined || node.type === type),
  );
  const [first, ...more] = fitting;
  if (first === undefined) {
    const others = [...new Set(found.map((node) => node.type))];
    const close = suggest(name, alike);
    const what = type ?? listed(types);
    const hint =
      others.length > 0
        ? `"${name}" is the name of a ${others.join(" and of a ")}.`
        : close
          ? `Did you mean "${close}"?`
          : "`rekey get` shows what was applied, `rekey graph` what is known.";
    throw new RekeyError("not-found", `There is no ${what} "${name}" on the map.`, hint);
  }
  if (more.length > 0) {
    const several = fitting.map((node) => node.type);
    throw new RekeyError(
      "bad-input",
      `"${name}" is the name of a ${several.join(" and of a ")}.`,
      `Say which with --type ${several[0]}.`,
    );
  }
  return first;
}

/** What people call a node of this map, by its id. */
export function namesIn({ nodes }: Graph): (id: string) => string {
  return (id) => nodes.get(id)?.name ?? id;
}
