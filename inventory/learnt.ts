/**
 * When the map learnt of something, beside when it was: written with the row, and once more when what had ended is there
 * again. An end is learnt of when it is written; of what was over when it was learnt of, then.
 */
import { type SQL, sql } from "./orm.js";

/** The moment of a row, in SQL; of one that an earlier release wrote, when it was first so. `row` may be empty. */
export const learntOf = (row: "" | "e." | "v.") => `coalesce(${row}learnt_at, ${row}first_seen)`;

/** For the `do update set` of a table of the map. */
export function learntAgain(table: "graph_nodes" | "graph_edges" | "graph_evidence"): SQL {
  const row = sql.raw(table);
  return sql`learnt_at = case when ${row}.ended_at is not null and excluded.ended_at is null
    then excluded.learnt_at else ${row}.learnt_at end`;
}
