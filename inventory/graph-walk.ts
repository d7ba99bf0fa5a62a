/** The walk along a flow as the database does it: over the same two tables of flows as in memory, for whoever loads or counts. */
import { type SQL, sql } from "drizzle-orm";
import { type Flow, typesAlong } from "../domain/graph/flows.js";

/**
 * Where one step along the flow leads from a node, an expression: `id`, and over an edge of which `type`, `forth` or back. For a
 * lateral join, in which each node is looked up on its own (`offset 0`): the database takes a walk for much longer than it is, and
 * would read every edge for it.
 */
export function stepsFrom(node: SQL, flow: Flow): SQL {
  const sides = [
    { way: "forth", here: sql`from_id`, there: sql`to_id` },
    { way: "back", here: sql`to_id`, there: sql`from_id` },
  ] as const;
  const steps = sides.flatMap(({ way, here, there }) => {
    const types = typesAlong(flow, way);
    if (types.length === 0) return [];
    return sql`
      select ${there} as id, type, ${way === "forth"} as forth from rekey_inventory.graph_edges
      where ${here} = ${node} and type = any(${sql.param(types)}::text[]) and ended_at is null`;
  });
  return sql`${sql.join(steps, sql` union all `)} offset 0`;
}

/** For a `with recursive`: everything that the flow reaches now from these nodes, a query, themselves included, as `reached (id)`. */
export function reachedFrom(starts: SQL, flow: Flow): SQL {
  return sql`reached (id) as (
    ${starts}
    union
    select next.id from reached r cross join lateral (${stepsFrom(sql`r.id`, flow)}) next
  )`;
}
