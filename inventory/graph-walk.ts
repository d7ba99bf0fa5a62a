/**
 * The walk along a flow as the database does it, over the same two tables of flows as in memory, for whoever loads or counts. It
 * goes level by level, so that each is looked up as a whole, in the order of an index.
 */

import { type Flow, typesAlong } from "../domain/graph/flows.js";
import type { GraphEdge } from "../domain/graph/types.js";
import type { Tx } from "./database.js";
import { type SQL, sql } from "./orm.js";

/** How a node was reached: from which, over which edge, and how many edges that is from where the walk began. */
export interface Step {
  readonly distance: number;
  readonly before: string;
  readonly edge: { readonly from: string; readonly type: GraphEdge["type"]; readonly to: string };
}

/** What a flow reaches from some nodes, nearest first; they themselves are none of the steps. */
export interface Walk {
  readonly steps: ReadonlyMap<string, Step>;
  /** False: it was broken off, and there is more. */
  readonly isWhole: boolean;
}

/** Walks until there is nothing more, or until more than `most` have been reached (null: without an end): then one more is. */
export async function walk(
  tx: Tx,
  starts: readonly string[],
  flow: Flow,
  most: number | null,
): Promise<Walk> {
  const steps = new Map<string, Step>();
  const seen = new Set(starts);
  let front = [...seen];
  for (let distance = 1; front.length > 0; distance++) {
    const wanted = most === null ? null : most + 1 - steps.size;
    const level = await levelAfter(tx, front, flow, seen, wanted);
    for (const [id, step] of level) {
      seen.add(id);
      steps.set(id, { distance, ...step });
    }
    if (most !== null && steps.size > most) return { steps, isWhole: false };
    front = [...level.keys()];
  }
  return { steps, isWhole: true };
}

interface StepRow extends Record<string, unknown> {
  readonly id: string;
  readonly before: string;
  readonly type: GraphEdge["type"];
  readonly forth: boolean;
}

/** Some nodes are reached in several ways: so many rows are read for each that is wanted, and where that was too few, so many times as many. */
const rowsEach = 2;

/** What one step leads to from all of these nodes and was not seen before: all of it, or as much as is wanted. */
async function levelAfter(
  tx: Tx,
  front: readonly string[],
  flow: Flow,
  seen: ReadonlySet<string>,
  wanted: number | null,
): Promise<Map<string, Omit<Step, "distance">>> {
  for (let rowsMax = wanted === null ? null : rowsEach * wanted; ; rowsMax *= rowsEach) {
    const { rows } = await tx.execute<StepRow>(sql`${stepsFrom(front, flow)} limit ${rowsMax}`);
    const level = new Map<string, Omit<Step, "distance">>();
    for (const { id, before, type, forth } of rows) {
      if (seen.has(id) || level.has(id)) continue;
      level.set(id, {
        before,
        edge: forth ? { from: before, type, to: id } : { from: id, type, to: before },
      });
      if (level.size === wanted) return level;
    }
    if (rowsMax === null || rows.length < rowsMax) return level;
  }
}

/** Where one step along the flow leads from these nodes: `before`, `id`, and over an edge of which `type`, `forth` or back. */
function stepsFrom(nodes: readonly string[], flow: Flow): SQL {
  const sides = [
    { way: "forth", here: sql`from_id`, there: sql`to_id`, forth: sql`true` },
    { way: "back", here: sql`to_id`, there: sql`from_id`, forth: sql`false` },
  ] as const;
  const steps = sides.flatMap(({ way, here, there, forth }) => {
    const types = typesAlong(flow, way);
    if (types.length === 0) return [];
    return sql`
      select ${here} as before, ${there} as id, type, ${forth} as forth from rekey_inventory.graph_edges
      where ${here} = ${anyOf(sql`front`)} and type = any(${sql.param(types)}::text[]) and ended_at is null`;
  });
  return sql`
    with front (id) as materialized (select unnest(${sql.param(nodes)}::text[]))
    ${sql.join(steps, sql` union all `)}`;
}

/**
 * For `column =`: any id of a table, `id`, looked up in the order of the column's index. The database does not know how many these
 * are and takes them for few; of thousands it would believe that reading everything was quicker.
 */
export function anyOf(table: SQL): SQL {
  return sql`any(array(select id from ${table}))`;
}
