/**
 * The walk along a flow as the database does it, over the same two tables of flows as in memory, for whoever loads or counts. It
 * goes level by level, so that each is looked up as a whole, in the order of an index.
 */

import { isCopy } from "../domain/graph/copies.js";
import { type Flow, typesAlong } from "../domain/graph/flows.js";
import type { GraphEdge } from "../domain/graph/types.js";
import type { Tx } from "./database.js";
import { type SQL, sql } from "./orm.js";

/** How a node was reached: from which, over which edge, and how many edges that is from where the walk began. */
export interface Step {
  readonly id: string;
  readonly before: string;
  readonly type: GraphEdge["type"];
  /** The edge leads from `before` to `id`; or the other way. */
  readonly forth: boolean;
  readonly distance: number;
}

/** The edge of a step. */
export function edgeOf({ id, before, type, forth }: Step): Pick<GraphEdge, "from" | "type" | "to"> {
  return forth ? { from: before, type, to: id } : { from: id, type, to: before };
}

/** What a flow reaches from some nodes, nearest first; they themselves are none of the steps. */
export interface Walk {
  readonly steps: ReadonlyMap<string, Step>;
  /** False: it was broken off, and there is more. */
  readonly isWhole: boolean;
}

/** Steps that no table of the map has; null where there are none at all. */
export type MoreSteps = {
  steps(nodes: readonly string[], flow: Flow): Promise<readonly Omit<Step, "distance">[]>;
} | null;

/**
 * Walks until there is nothing more, or until more than `most` have been reached (null: without an end): then one more is.
 * What is one of the `more` is as near as what is on the map.
 */
export async function walk(
  tx: Tx,
  starts: readonly string[],
  flow: Flow,
  most: number | null,
  more: MoreSteps,
): Promise<Walk> {
  const steps = new Map<string, Step>();
  const seen = new Set(starts);
  let front = [...seen];
  for (let distance = 1; front.length > 0; distance++) {
    const wanted = most === null ? null : most + 1 - steps.size;
    const level: Omit<Step, "distance">[] = await levelAfter(tx, front, flow, seen, wanted);
    if (more !== null && level.length !== wanted)
      level.push(
        ...unseen(await more.steps(front, flow), seen, wanted === null ? null : wanted - level.length),
      );
    for (const { id, before, type, forth } of level) steps.set(id, { id, before, type, forth, distance });
    if (most !== null && steps.size > most) return { steps, isWhole: false };
    front = level.map(({ id }) => id);
  }
  return { steps, isWhole: true };
}

type StepRow = Omit<Step, "distance"> & Record<string, unknown>;

/**
 * Some nodes are reached in several ways: so many rows are read for each that is wanted, but no more at first than one more for each
 * from which the step leads; and where that was too few, so many times as many.
 */
const rowsEach = 2;

/** What one step leads to from all of these nodes and was not `seen` before, as it is afterwards: all of it, or as much as is wanted. */
async function levelAfter(
  tx: Tx,
  front: readonly string[],
  flow: Flow,
  seen: Set<string>,
  wanted: number | null,
): Promise<StepRow[]> {
  const level: StepRow[] = [];
  const first = wanted === null ? null : Math.min(rowsEach * wanted, wanted + front.length);
  for (let rowsMax = first; ; rowsMax *= rowsEach) {
    const { rows } = await tx.execute<StepRow>(sql`${stepsFrom(front, flow)} limit ${rowsMax}`);
    level.push(...unseen(rows, seen, wanted === null ? null : wanted - level.length));
    if (level.length === wanted) return level;
    if (rowsMax === null || rows.length < rowsMax) return level;
  }
}

/** Those of them that lead to what was not `seen` before, as it is afterwards: all, or as many as are wanted. */
function unseen<Row extends Pick<Step, "id">>(
  rows: readonly Row[],
  seen: Set<string>,
  wanted: number | null,
): Row[] {
  const found: Row[] = [];
  for (const row of rows) {
    if (found.length === wanted) break;
    if (seen.has(row.id)) continue;
    seen.add(row.id);
    found.push(row);
  }
  return found;
}

/** Where one step along the flow leads from these nodes: `before`, `id`, and over an edge of which `type`, `forth` or back. */
function stepsFrom(nodes: readonly string[], flow: Flow): SQL {
  const sides = [
    { way: "forth", here: sql`from_id`, there: sql`to_id`, forth: sql`true` },
    { way: "back", here: sql`to_id`, there: sql`from_id`, forth: sql`false` },
  ] as const;
  const steps = sides.flatMap(({ way, here, there, forth }) => {
    // Edges to copies are in no table.
    const types = typesAlong(flow, way).filter((type) => !isCopy({ type }));
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
