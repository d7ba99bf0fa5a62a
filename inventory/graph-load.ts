/**
 * Reads of the map what a question needs, and no more: everything that a flow reaches from some nodes, with the edges
 * between them and how each is known. The walk is the database's own, over the same tables of flows as in memory.
 */
import { sql } from "drizzle-orm";
import { type Flow, typesAlong } from "../domain/graph/flows.js";
import type { Graph, GraphNode } from "../domain/graph/types.js";
import { type Database, read, type Tx } from "./database.js";
import { type EdgeRow, edgeOf, ms, type NodeRow, nodeColumns, nodeOf } from "./graph-rows.js";

/** The part of the map that these flows reach from some nodes now, with the owners of everything in it. */
export async function loadReach(
  db: Database,
  starts: readonly string[],
  flows: readonly Flow[],
): Promise<Graph> {
  return read(db, async (tx) => {
    const { copies } = await idsKept(tx, starts);
    const reached = [];
    for (const flow of flows)
      reached.push(await idsReached(tx, flow === "failure" ? [...starts, ...copies] : starts, flow));
    return loadAmong(tx, [...new Set([...starts, ...copies, ...reached.flat()])]);
  });
}

/** A credential with whoever uses it or could read it, with where it is kept, and with the owners of all of them. */
export async function loadUsers(db: Database, credential: string): Promise<Graph> {
  return read(db, (tx) => usersWithin(tx, [credential]));
}

/** The same for several, on the picture of the database that `tx` has. */
export async function usersWithin(tx: Tx, credentials: readonly string[]): Promise<Graph> {
  const { copies, containers } = await idsKept(tx, credentials);
  const kept = [...credentials, ...copies, ...containers];
  const { rows } = await tx.execute<{ id: string }>(sql`
    select distinct from_id as id from rekey_inventory.graph_edges
    where to_id = any(${sql.param(kept)}::text[]) and type in ('uses', 'can-read') and ended_at is null`);
  return loadAmong(tx, [...new Set([...kept, ...rows.map(({ id }) => id)])]);
}

/** Whoever may read some place, with everything that stands there and everything that they use. */
export async function rightsWithin(tx: Tx): Promise<Graph> {
  const { rows } = await tx.execute<{ id: string; is_used: boolean }>(sql`
    with recursive readers (id) as (
      select distinct n.id from rekey_inventory.graph_edges e join rekey_inventory.graph_nodes n on n.id = e.from_id
      where e.type = 'can-read' and e.ended_at is null and n.type in ('identity', 'consumer')
    ), inside (id) as (
      select e.to_id from readers r join rekey_inventory.graph_edges e on e.from_id = r.id
      where e.type = 'can-read' and e.ended_at is null
      union
      select e.from_id from inside i join rekey_inventory.graph_edges e on e.to_id = i.id
      join rekey_inventory.graph_nodes n on n.id = e.from_id
      where e.type = 'stored-in' and e.ended_at is null and n.type = 'location'
    )
    select id, false as is_used from readers union all select id, false from inside
    union all
    select e.to_id, true from readers r join rekey_inventory.graph_edges e on e.from_id = r.id
    where e.type = 'uses' and e.ended_at is null`);
  const { copies } = await idsKept(
    tx,
    rows.filter((row) => row.is_used).map(({ id }) => id),
  );
  return loadAmong(tx, [...new Set([...rows.map(({ id }) => id), ...copies])]);
}

/** Everything that is on the map now. */
export async function loadMap(db: Database): Promise<Graph> {
  return read(db, async (tx) => {
    const { rows } = await tx.execute<{ id: string }>(
      sql`select id from rekey_inventory.graph_nodes where ended_at is null`,
    );
    return loadAmong(
      tx,
      rows.map(({ id }) => id),
    );
  });
}

/** Who bears this name now; and, for whoever has mistyped it, some names that begin alike. */
export async function nodesNamed(
  db: Database,
  name: string,
): Promise<{ readonly found: readonly GraphNode[]; readonly alike: readonly string[] }> {
  return read(db, async (tx) => {
    const { rows } = await tx.execute<NodeRow>(sql`
      select ${nodeColumns} from rekey_inventory.graph_nodes where name = ${name} and ended_at is null`);
    const alike = await tx.execute<{ name: string }>(sql`
      select distinct name from rekey_inventory.graph_nodes
      where ended_at is null and type in ('credential', 'consumer', 'owner') and left(name, 1) = left(${name}, 1)
      limit 2000`);
    return { found: rows.map(nodeOf), alike: alike.rows.map((row) => row.name) };
  });
}

/** Where credentials are, as `keptOf` says it: copies and their parts, and what those stand in. */
export async function idsKept(
  tx: Tx,
  credentials: readonly string[],
): Promise<{ readonly copies: readonly string[]; readonly containers: readonly string[] }> {
  const { rows } = await tx.execute<{ id: string; is_copy: boolean }>(sql`
    with recursive copies (id) as (
      select e.to_id from rekey_inventory.graph_edges e join rekey_inventory.graph_nodes c on c.id = e.from_id
      where e.from_id = any(${sql.param(credentials)}::text[]) and c.type = 'credential'
        and e.type = 'stored-in' and e.ended_at is null
      union
      select e.from_id from copies k
      join rekey_inventory.graph_edges e on e.to_id = k.id
      join rekey_inventory.graph_nodes n on n.id = e.from_id
      where e.type in ('depends-on', 'stored-in') and n.type = 'location' and e.ended_at is null
    ), containers (id) as (
      select id from copies
      union
      select e.to_id from containers k join rekey_inventory.graph_edges e on e.from_id = k.id
      where e.type = 'stored-in' and e.ended_at is null
    )
    select id, id in (select id from copies) as is_copy from containers`);
  const those = (isCopy: boolean) => rows.filter((row) => row.is_copy === isCopy).map(({ id }) => id);
  return { copies: those(true), containers: those(false) };
}

async function idsReached(tx: Tx, starts: readonly string[], flow: Flow): Promise<string[]> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    with recursive reached (id) as (
      select unnest(${sql.param(starts)}::text[])
      union
      select next.id from reached r cross join lateral (
        select to_id as id from rekey_inventory.graph_edges
        where from_id = r.id and type = any(${sql.param(typesAlong(flow, "forth"))}::text[]) and ended_at is null
        union all
        select from_id from rekey_inventory.graph_edges
        where to_id = r.id and type = any(${sql.param(typesAlong(flow, "back"))}::text[]) and ended_at is null
      ) next
    )
    select id from reached`);
  return rows.map(({ id }) => id);
}

/** These nodes, the edges between them that are there now, and the owners of each. */
async function loadAmong(tx: Tx, ids: readonly string[]): Promise<Graph> {
  const among = sql`${sql.param(ids)}::text[]`;
  const { rows: edgeRows } = await tx.execute<EdgeRow>(sql`
    select e.from_id, e.type, e.to_id, ${ms("e.first_seen")} as first_seen, known.evidence
    from rekey_inventory.graph_edges e cross join lateral (
      select coalesce(json_agg(json_build_object('kind', v.kind, 'source', v.source, 'count', v.count,
        'sentence', v.sentence, 'first_seen', ${ms("v.first_seen")}, 'last_seen', ${ms("v.last_seen")})), '[]') as evidence
      from rekey_inventory.graph_evidence v
      where v.from_id = e.from_id and v.type = e.type and v.to_id = e.to_id and v.ended_at is null
    ) known
    where e.from_id = any(${among}) and e.ended_at is null and (e.type = 'owned-by' or e.to_id = any(${among}))`);
  const all = [...new Set([...ids, ...edgeRows.map(({ to_id }) => to_id)])];
  const { rows: nodeRows } = await tx.execute<NodeRow>(sql`
    select ${nodeColumns}
    from rekey_inventory.graph_nodes where id = any(${sql.param(all)}::text[])`);
  return { nodes: new Map(nodeRows.map((row) => [row.id, nodeOf(row)])), edges: edgeRows.map(edgeOf) };
}
