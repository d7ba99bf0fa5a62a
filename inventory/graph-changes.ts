/** Reads of the map what came, ended or was learnt between two moments, ended or not. */

import type { GraphOverTime, Period } from "../domain/graph/changes.js";
import { type Database, read, type Tx } from "./database.js";
import { copiesChanged } from "./graph-copy-changes.js";
import { edgesKnown, type NodeRow, nodeColumns, nodeOf } from "./graph-rows.js";
import { learntOf } from "./learnt.js";
import { type SQL, sql } from "./orm.js";
import { iso, ms } from "./rows.js";

/** The part of the map that has changed in that time, with what it hangs on; copies that sources met among it. */
export async function loadChanged(db: Database, { from, until, by }: Period): Promise<GraphOverTime> {
  const [after, upTo] = [from, until].map(iso);
  const within = (column: string) => sql`${sql.raw(column)} > ${after} and ${sql.raw(column)} <= ${upTo}`;
  const begun = within(by === "learnt" ? learntOf("") : "first_seen");
  return read(db, async (tx) => {
    const spans = await spansOf(tx, sql`(${begun} or ${within("ended_at")})`);
    // Each table is read once, and then what has changed is looked up: asked for each edge it is the evidence of all of them.
    const those = sql`select e.* from (
        select from_id, type, to_id from rekey_inventory.graph_edges where ${begun} or ${within("ended_at")}
        union select from_id, type, to_id from rekey_inventory.graph_evidence where ${begun}
        union select key[1], key[2], key[3] from rekey_inventory.past_spans
          where of = 'edge' and (${begun} or ${within("ended_at")})
      ) changed join rekey_inventory.graph_edges e using (from_id, type, to_id)`;
    const edges = await edgesKnown(tx, those, sql`true`);
    const edgeOf = new Map(edges.map((edge) => [JSON.stringify([edge.from, edge.type, edge.to]), edge]));
    const copies = await copiesChanged(tx, { from, until, by });
    edges.push(...copies.edges);
    const gone = spans.flatMap(({ of, key: [id = ""] }) => (of === "node" ? [id] : []));
    const ends = [
      ...new Set([...[...edges, ...copies.past].flatMap(({ from: one, to }) => [one, to]), ...gone]),
    ];
    const { rows: nodeRows } = await tx.execute<NodeRow>(sql`
      select ${nodeColumns} from rekey_inventory.graph_nodes
      where id = any(${sql.param(ends)}::text[]) or ${begun} or ${within("ended_at")}`);
    const nodes = new Map(nodeRows.map((row) => [row.id, nodeOf(row)]));
    const asThen = <T extends object>(of: Span["of"], find: (key: readonly string[]) => T | undefined) =>
      spans.flatMap(({ key, learntAt, endedAt, ...span }): T[] => {
        const thing = span.of === of ? find(key) : undefined;
        return thing === undefined ? [] : [{ ...thing, learntAt, endedAt }];
      });
    const past = {
      nodes: asThen("node", ([id = ""]) => nodes.get(id)),
      edges: [...asThen("edge", (key) => edgeOf.get(JSON.stringify(key))), ...copies.past],
    };
    return { nodes, edges, past };
  });
}

interface Span extends Record<string, unknown> {
  readonly of: "node" | "edge";
  readonly key: readonly string[];
  readonly learntAt: number;
  readonly endedAt: number;
}

/** When what came back was there before, as far as that is asked for. */
async function spansOf(tx: Tx, isWanted: SQL): Promise<readonly Span[]> {
  const { rows } = await tx.execute<Span>(sql`
    select of, key, ${ms(learntOf(""))} as "learntAt", ${ms("ended_at")} as "endedAt" from rekey_inventory.past_spans
    where of in ('node', 'edge') and ${isWanted} order by ended_at, of, key`);
  return rows;
}
