/** The walk along a flow as the database does it: over the same two tables of flows as in memory, for whoever loads or counts. */
import { type SQL, sql } from "drizzle-orm";
import { type Flow, typesAlong } from "../domain/graph/flows.js";

/** For a `with recursive`: everything that the flow reaches from these nodes now, themselves included, as `reached (id)`. */
export function reachedFrom(starts: readonly string[], flow: Flow): SQL {
  const along = (way: "forth" | "back") => sql`${sql.param(typesAlong(flow, way))}::text[]`;
  return sql`reached (id) as (
    select unnest(${sql.param(starts)}::text[])
    union
    select next.id from reached r cross join lateral (
      select to_id as id from rekey_inventory.graph_edges
      where from_id = r.id and type = any(${along("forth")}) and ended_at is null
      union all
      select from_id as id from rekey_inventory.graph_edges
      where to_id = r.id and type = any(${along("back")}) and ended_at is null
    ) next
  )`;
}
