/** The walk along a flow as the database does it: over the same two tables of flows as in memory, for whoever loads or counts. */
import { type SQL, sql } from "drizzle-orm";
import { type Flow, typesAlong } from "../domain/graph/flows.js";

/** Where one step along the flow leads from a node, an expression: `id`, and over an edge of which `type`, `forth` or back. */
export function stepsFrom(node: SQL, flow: Flow): SQL {
  const along = (way: "forth" | "back") => sql`${sql.param(typesAlong(flow, way))}::text[]`;
  return sql`
    select to_id as id, type, true as forth from rekey_inventory.graph_edges
    where from_id = ${node} and type = any(${along("forth")}) and ended_at is null
    union all
    select from_id as id, type, false as forth from rekey_inventory.graph_edges
    where to_id = ${node} and type = any(${along("back")}) and ended_at is null`;
}

/** For a `with recursive`: everything that the flow reaches from these nodes now, themselves included, as `reached (id)`. */
export function reachedFrom(starts: readonly string[], flow: Flow): SQL {
  return sql`reached (id) as (
    select unnest(${sql.param(starts)}::text[])
    union
    select next.id from reached r cross join lateral (${stepsFrom(sql`r.id`, flow)}) next
  )`;
}
