/** A node of the map by the name that people give it. */
import { RekeyError } from "../../domain/errors.js";
import { listed } from "../../domain/estate/issues.js";
import { begunMax, begunWith, suggest } from "../../domain/estate/suggest.js";
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
    const what = type ?? listed(types);
    const hint =
      others.length > 0
        ? `"${name}" is the name of ${several(others)}.`
        : (meant(name, alike, type === undefined ? types : [type]) ??
          "`rekey get` shows what was applied, `rekey graph` what is known.");
    throw new RekeyError("not-found", `There is no ${what} "${name}" on the map.`, hint);
  }
  if (more.length > 0) {
    throw new RekeyError(
      "bad-input",
      `"${name}" is the name of ${several(fitting.map((node) => node.type))}.`,
      `Say which with --type ${first.type}.`,
    );
  }
  return first;
}

/** `a system and of an owner`: what bears one name. */
function several(types: readonly string[]): string {
  return types.map((type) => (/^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`)).join(" and of ");
}

/**
 * Which name was probably meant, as a hint: one that begins so, or else one that is a slip away; undefined where there is neither.
 * A name of the wanted types comes before others; null: of whatever type.
 */
export function meant(
  name: string,
  alike: readonly { readonly name: string; readonly type: string }[],
  types: readonly string[] | null,
): string | undefined {
  const all = alike.map((node) => node.name);
  const wanted = alike.filter((node) => types?.includes(node.type)).map((node) => node.name);
  for (const names of [wanted, all]) {
    const longer = begunWith(name, names);
    const some = longer.slice(0, begunMax).map((one) => `"${one}"`);
    if (longer.length > 1)
      return `Names begin with it: ${some.join(", ")}${longer.length > some.length ? ", and more" : ""}.`;
    const close = longer[0] ?? suggest(name, names);
    if (close !== undefined) return `Did you mean "${close}"?`;
  }
  return undefined;
}

/** What people call a node of this map, by its id. */
export function namesIn({ nodes }: Graph): (id: string) => string {
  return (id) => nodes.get(id)?.name ?? id;
}
