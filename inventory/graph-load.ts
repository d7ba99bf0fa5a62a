/**
 * Reads of the map what a question needs, and no more: everything that a flow reaches from some nodes, with the edges
 * between them and how each is known. The walk is the database's own, over the same tables of flows as in memory.
 */

import type { Flow } from "../domain/graph/flows.js";
import type { Graph, GraphEdge, GraphNode } from "../domain/graph/types.js";
import { type Database, read, type Tx } from "./database.js";
import { Copies } from "./graph-copies.js";
import { edgesKnown, type Finding, type NodeRow, nodeColumns, nodeOf } from "./graph-rows.js";
import { anyOf, walk } from "./graph-walk.js";
import { type SQL, sql } from "./orm.js";
import { column } from "./rows.js";

/**
 * The part of the map that these flows reach from some nodes, with the owners of everything in it, and with the copies of values
 * that may be accepted at `now`, in milliseconds since the epoch.
 */
export async function loadReach(
  db: Database,
  starts: readonly string[],
  flows: readonly Flow[],
  now: number,
): Promise<Graph> {
  return read(db, async (tx) => {
    const kept = await idsOfCopies(tx, starts);
    const copies = await Copies.open(tx, now);
    const reached = new Set([...starts, ...kept]);
    for (const flow of flows) {
      const from = flow === "failure" ? [...starts, ...kept] : starts;
      const { steps } = await walk(tx, from, flow, null, copies);
      for (const id of steps.keys()) reached.add(id);
    }
    return withCopies(await loadAmong(tx, [...reached]), copies);
  });
}

/**
 * A credential, or a place, as whoever asks for its users sees it: as `loadUsers`, with the copies that sources met of what may
 * be accepted at `now`, in milliseconds since the epoch, and who reads those or could.
 */
export async function loadHolders(db: Database, id: string, now: number): Promise<Graph> {
  return read(db, async (tx) => {
    const copies = await Copies.open(tx, now);
    const places = (await copies?.at([id], "forth"))?.map(({ to }) => to) ?? [];
    const graph = await usersWithin(tx, [id], [id, ...places]);
    const isPlace = graph.nodes.get(id)?.type === "location";
    // Of a place it is also said whose values stand there.
    const met = isPlace ? await copies?.at([...graph.nodes.keys()], "back") : undefined;
    const credentials = met?.map(({ from }) => from) ?? [];
    return withCopies(await withNodes(tx, graph, credentials), copies);
  });
}

/** With the edges to copies between what is on it. */
export function withCopies(graph: Graph, copies: Copies | null): Graph {
  return copies === null ? graph : { ...graph, edges: [...graph.edges, ...copies.among(graph.nodes)] };
}

/** The map with these nodes, too. */
async function withNodes(tx: Tx, graph: Graph, ids: readonly string[]): Promise<Graph> {
  const missing = [...new Set(ids)].filter((id) => !graph.nodes.has(id));
  if (missing.length === 0) return graph;
  const more = await loadOf(tx, missing, []);
  return { ...graph, nodes: new Map([...graph.nodes, ...more.nodes]) };
}

/** A credential with whoever uses it or could read it, with where it is kept, and with the owners of all of them. */
export async function loadUsers(db: Database, credential: string): Promise<Graph> {
  return read(db, (tx) => usersWithin(tx, [credential]));
}

/** The same for several, and for what stands at these places, on the picture of the database that `tx` has. */
export async function usersWithin(
  tx: Tx,
  credentials: readonly string[],
  places: readonly string[] = [],
): Promise<Graph> {
  const { copies, containers } = await idsKept(tx, credentials, places);
  const kept = [...new Set([...credentials, ...copies, ...containers])];
  // From the few that are asked about to the many that use them: by the ids of those the database would look through everything.
  const edges = sql`
    with kept (id) as materialized (select unnest(${sql.param(kept)}::text[])),
    used as materialized (
      select * from rekey_inventory.graph_edges
      where to_id = ${anyOf(sql`kept`)} and type in ('uses', 'can-read') and ended_at is null
    ),
    owned (id) as (select id from kept union select from_id from used)
    select * from used
    union all
    select * from rekey_inventory.graph_edges
    where from_id = ${anyOf(sql`kept`)} and type in ('stored-in', 'depends-on') and ended_at is null
      and to_id in (select id from kept)
    union all
    select * from rekey_inventory.graph_edges
    where from_id = ${anyOf(sql`owned`)} and type = 'owned-by' and ended_at is null`;
  return loadEdges(tx, kept, edges, { owned: "bare", evidence: "each" });
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
  const copies = await idsOfCopies(
    tx,
    rows.filter((row) => row.is_used).map(({ id }) => id),
  );
  return loadAmong(tx, [...new Set([...rows.map(({ id }) => id), ...copies])]);
}

/** Everything that is on the map now, as it was said. */
export async function loadMap(db: Database): Promise<Graph> {
  return read(db, mapWithin);
}

/** The same, with the copies of values that may be accepted at `now`, in milliseconds since the epoch. */
export async function loadWhole(db: Database, now: number): Promise<Graph> {
  return read(db, async (tx) => {
    const copies = await Copies.open(tx, now);
    await copies?.all();
    return withCopies(await mapWithin(tx), copies);
  });
}

async function mapWithin(tx: Tx): Promise<Graph> {
  const { rows } = await tx.execute<{ id: string }>(
    sql`select id from rekey_inventory.graph_nodes where ended_at is null`,
  );
  return loadAmong(
    tx,
    rows.map(({ id }) => id),
  );
}

/** Who bears this name now; and, for whoever has mistyped it or only begun it, some that begin alike. */
export async function nodesNamed(
  db: Database,
  name: string,
): Promise<{
  readonly found: readonly GraphNode[];
  readonly alike: readonly Pick<GraphNode, "name" | "type">[];
}> {
  return read(db, async (tx) => {
    const { rows } = await tx.execute<NodeRow>(sql`
      select ${nodeColumns} from rekey_inventory.graph_nodes where name = ${name} and ended_at is null`);
    if (rows.length > 0) return { found: rows.map(nodeOf), alike: [] };
    const alike = await tx.execute<Pick<GraphNode, "name" | "type">>(sql`
      (select distinct name, type from rekey_inventory.graph_nodes
      where ended_at is null and type in ('credential', 'consumer', 'owner') and left(name, 1) = left(${name}, 1)
      limit 2000)
      union
      (select distinct name, type from rekey_inventory.graph_nodes
      where ended_at is null and starts_with(lower(name), lower(${name}))
      limit 20)`);
    return { found: [], alike: alike.rows };
  });
}

/** Where credentials are, as `keptOf` says it: copies and their parts, and what those stand in. */
async function idsKept(
  tx: Tx,
  credentials: readonly string[],
  places: readonly string[],
): Promise<{ readonly copies: readonly string[]; readonly containers: readonly string[] }> {
  const { rows } = await tx.execute<{ id: string; is_copy: boolean }>(sql`
    with recursive ${copiesOf(credentials, places)}, containers (id) as (
      select id from copies
      union
      select whole.id from containers k, lateral (
        select e.to_id as id from rekey_inventory.graph_edges e
        where e.from_id = k.id and e.type = 'stored-in' and e.ended_at is null offset 0) whole
    )
    select id, id in (select id from copies) as is_copy from containers`);
  const those = (isCopy: boolean) => rows.filter((row) => row.is_copy === isCopy).map(({ id }) => id);
  return { copies: those(true), containers: those(false) };
}

/** Copies of credentials and their parts, without what those stand in. */
export async function idsOfCopies(tx: Tx, credentials: readonly string[]): Promise<string[]> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    with recursive ${copiesOf(credentials)} select id from copies`);
  return rows.map(({ id }) => id);
}

/**
 * For a `with recursive`: the copies, as `copies (id)`. Each step is looked up on its own (`offset 0`): the database takes a
 * walk for much longer than it is, and would read every edge for it. What is no credential is kept nowhere. With what else
 * stands at these places.
 */
function copiesOf(credentials: readonly string[], places: readonly string[] = []): SQL {
  return sql`asked (id) as materialized (select unnest(${sql.param(credentials)}::text[])), copies (id) as (
      select e.to_id from rekey_inventory.graph_edges e join rekey_inventory.graph_nodes c on c.id = e.from_id
      where e.from_id = ${anyOf(sql`asked`)} and c.type = 'credential'
        and e.type = 'stored-in' and e.ended_at is null
      union
      select id from rekey_inventory.graph_nodes where id = any(${sql.param(places)}::text[]) and type = 'location'
      union
      select part.id from copies k, lateral (
        select e.from_id as id from rekey_inventory.graph_edges e
        join rekey_inventory.graph_nodes n on n.id = e.from_id
        where e.to_id = k.id and e.type in ('depends-on', 'stored-in') and n.type = 'location' and e.ended_at is null
        offset 0) part
    )`;
}

/** Whether it is also loaded how it is known who owns something; whoever asks who that is need not know. */
type Owned = "known" | "bare";

/** These nodes, the edges between them that are there now, and the owners of each. */
export async function loadAmong(tx: Tx, ids: readonly string[], owned: Owned = "known"): Promise<Graph> {
  const among = sql`${sql.param(ids)}::text[]`;
  const edges = sql`select * from rekey_inventory.graph_edges
    where from_id = any(${among}) and (type = 'owned-by' or to_id in (select unnest(${among}))) and ended_at is null`;
  return loadEdges(tx, ids, edges, { owned });
}

/** These nodes with the owners of each, and of the edges between them only these. */
export async function loadOf(
  tx: Tx,
  ids: readonly string[],
  edges: readonly Pick<GraphEdge, "from" | "type" | "to">[],
): Promise<Graph> {
  const wanted = sql`unnest(
    ${column(edges, ({ from }) => from)}::text[], ${column(edges, ({ type }) => type)}::text[],
    ${column(edges, ({ to }) => to)}::text[]) as w (from_id, type, to_id)`;
  return loadEdges(
    tx,
    ids,
    sql`with owned (id) as materialized (select unnest(${sql.param(ids)}::text[]))
      select o.* from rekey_inventory.graph_edges o
      where o.from_id = ${anyOf(sql`owned`)} and o.type = 'owned-by' and o.ended_at is null
      union all
      select g.* from ${wanted} join rekey_inventory.graph_edges g
        on g.from_id = w.from_id and g.type = w.type and g.to_id = w.to_id and g.ended_at is null`,
    { owned: "bare", evidence: "each" },
  );
}

/** These edges, these nodes, and whatever is at the ends of the edges. */
async function loadEdges(
  tx: Tx,
  ids: readonly string[],
  those: SQL,
  { owned, evidence }: { readonly owned: Owned; readonly evidence?: Finding },
): Promise<Graph> {
  const counts = sql`v.ended_at is null and (e.type <> 'owned-by' or ${owned === "known"})`;
  const edges = await edgesKnown(tx, those, counts, evidence);
  const all = new Set(ids);
  for (const { from, to } of edges) all.add(from).add(to);
  const { rows } = await tx.execute<NodeRow>(sql`
    select ${nodeColumns}
    from rekey_inventory.graph_nodes where id = any(${sql.param([...all])}::text[])`);
  return { nodes: new Map(rows.map((row) => [row.id, nodeOf(row)])), edges };
}
