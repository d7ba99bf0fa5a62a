/**
 * Keeps on the map what the records of a source say: each of them, such as an entry of the estate, speaks for itself,
 * and what it no longer says ends. Only what differs is written, by a few statements for thousands of rows at a time.
 */

import type { Said } from "../domain/graph/declared.js";
import type { EvidenceKind } from "../domain/graph/types.js";
import type { Tx } from "./database.js";
import { learntAgain } from "./learnt.js";
import { type SQL, sql } from "./orm.js";
import { column, parts } from "./rows.js";

/** What records of one source say at a moment, in milliseconds since the epoch. A record that is gone says nothing. */
export interface Statement {
  readonly source: string;
  readonly kind: EvidenceKind;
  readonly at: number;
  readonly records: readonly { readonly record: string; readonly said: Said }[];
}

/** Whoever writes the map does so alone: what ends an edge has to see every piece of evidence that keeps it. */
export async function lockMap(tx: Tx): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(7305141970)`);
}

/**
 * Makes the map say what these records say. Other records, and other sources, go on saying what they said. A row that says
 * so already is left alone: of a credential that thousands use, one user more is one row, and `last_seen` is when a record
 * last said something new of the edge.
 */
export async function keepSaid(tx: Tx, statement: Statement): Promise<void> {
  const { records } = statement;
  for (const part of parts(records.flatMap(({ said }) => said.nodes))) await keepNodes(tx, part, statement);
  const edges = new Map(
    records.flatMap(({ record, said }) =>
      said.edges.map((edge) => [evidenceKey({ ...edge, record }), { ...edge, record }] as const),
    ),
  );
  const kept = await keptOf(tx, statement);
  const differing = [...edges].filter(([key, { sentence }]) => kept.get(key)?.sentence !== sentence);
  for (const part of parts(differing.map(([, edge]) => edge))) await keepEdges(tx, part, statement);
  const unsaid = [...kept].flatMap(([key, edge]) => (edges.has(key) ? [] : [edge]));
  for (const part of parts(unsaid)) await endUnsaid(tx, part, statement);
  await endGone(tx, statement);
}

/** What a record says of an edge. */
type Edge = Said["edges"][number] & { readonly record: string };

function evidenceKey({ from, type, to, record }: Edge): string {
  return `${from} ${type} ${to} ${record}`;
}

/** What these records have said so far and not taken back. */
async function keptOf(tx: Tx, { source, kind, records }: Statement): Promise<Map<string, Edge>> {
  const kept = new Map<string, Edge>();
  for (const part of parts(records)) {
    const { rows } = await tx.execute<Edge & Record<string, unknown>>(sql`
      select from_id as from, type, to_id as to, record, sentence from rekey_inventory.graph_evidence
      where source = ${source} and kind = ${kind} and record = any(${column(part, ({ record }) => record)}::text[])
        and ended_at is null`);
    for (const row of rows) kept.set(evidenceKey(row), row);
  }
  return kept;
}

type Nodes = Said["nodes"];

/** The estate says what a credential is, and of consumers nothing: what sources say of those stays. */
async function keepNodes(tx: Tx, nodes: Nodes, { at }: Statement): Promise<void> {
  // Several records may speak of one node, such as a place; one statement may write a row once.
  const once = [...new Map(nodes.map((node) => [node.id, node])).values()];
  const when = new Date(at).toISOString();
  await tx.execute(sql`
    insert into rekey_inventory.graph_nodes (id, type, name, class, cadence_ms, first_seen, last_seen, learnt_at)
    select id, type, name, class, cadence_ms, ${when}, ${when}, ${when}
    from unnest(
      ${column(once, ({ id }) => id)}::text[], ${column(once, ({ type }) => type)}::text[],
      ${column(once, ({ name }) => name)}::text[], ${column(once, (node) => node.class ?? null)}::text[],
      ${column(once, ({ cadenceMs }) => cadenceMs ?? null)}::bigint[]
    ) as said (id, type, name, class, cadence_ms)
    where not exists (
      select from rekey_inventory.graph_nodes kept
      where kept.id = said.id and kept.ended_at is null and (kept.name, kept.class, kept.cadence_ms)
        is not distinct from (said.name, coalesce(said.class, kept.class), said.cadence_ms) offset 0)
    on conflict (id) do update set
      name = excluded.name, class = coalesce(excluded.class, graph_nodes.class), cadence_ms = excluded.cadence_ms,
      last_seen = greatest(graph_nodes.last_seen, excluded.last_seen), ended_at = null, ${learntAgain("graph_nodes")}`);
}

async function keepEdges(tx: Tx, edges: readonly Edge[], { source, kind, at }: Statement): Promise<void> {
  const when = new Date(at).toISOString();
  const said = sql`unnest(
    ${column(edges, ({ from }) => from)}::text[], ${column(edges, ({ type }) => type)}::text[],
    ${column(edges, ({ to }) => to)}::text[], ${column(edges, ({ record }) => record)}::text[],
    ${column(edges, ({ sentence }) => sentence)}::text[]
  ) as said (from_id, type, to_id, record, sentence)`;
  await tx.execute(sql`
    insert into rekey_inventory.graph_edges (from_id, type, to_id, first_seen, last_seen, learnt_at)
    select distinct from_id, type, to_id, ${when}::timestamptz, ${when}::timestamptz, ${when}::timestamptz from ${said}
    on conflict (from_id, type, to_id) do update set
      last_seen = greatest(graph_edges.last_seen, excluded.last_seen), ended_at = null, ${learntAgain("graph_edges")}`);
  await tx.execute(sql`
    insert into rekey_inventory.graph_evidence
      (from_id, type, to_id, source, kind, record, count, sentence, first_seen, last_seen, learnt_at)
    select from_id, type, to_id, ${source}, ${kind}, record, 1, sentence,
      ${when}::timestamptz, ${when}::timestamptz, ${when}::timestamptz
    from ${said}
    on conflict (from_id, type, to_id, source, kind, record, seen_from, seen_to) do update set
      sentence = excluded.sentence,
      last_seen = greatest(graph_evidence.last_seen, excluded.last_seen), ended_at = null,
      ${learntAgain("graph_evidence")}`);
}

/** What records said before and do not say now; then edges that nobody speaks of any more, and places. */
async function endUnsaid(tx: Tx, unsaid: readonly Edge[], { source, kind, at }: Statement): Promise<void> {
  const when = new Date(at).toISOString();
  const left = await endEdgesWithoutEvidence(
    tx,
    sql`update rekey_inventory.graph_evidence set ended_at = ${when}
      where source = ${source} and kind = ${kind} and ended_at is null and (from_id, type, to_id, record) in (
        select * from unnest(${column(unsaid, ({ from }) => from)}::text[], ${column(unsaid, ({ type }) => type)}::text[],
          ${column(unsaid, ({ to }) => to)}::text[], ${column(unsaid, ({ record }) => record)}::text[]))`,
    when,
  );
  // A place is there as long as something is kept in it.
  await tx.execute(sql`
    update rekey_inventory.graph_nodes n set ended_at = ${when}
    where n.ended_at is null and n.type = 'location' and n.id = any(${sql.param(left)}::text[]) and not exists (
      select from rekey_inventory.graph_edges e where e.to_id = n.id and e.ended_at is null)`);
}

/** Records that are gone, and with them what they were. */
async function endGone(tx: Tx, { at, records }: Statement): Promise<void> {
  const gone = records.filter(({ said }) => said.nodes.length === 0);
  for (const part of parts(gone))
    await tx.execute(sql`
      update rekey_inventory.graph_nodes set ended_at = ${new Date(at).toISOString()}
      where ended_at is null and id = any(${column(part, ({ record }) => record)}::text[])`);
}

/** An edge by its ends. */
export interface EdgeKey extends Record<string, unknown> {
  readonly from_id: string;
  readonly type: string;
  readonly to_id: string;
}

/**
 * Ends the evidence that a statement (an `update` of it without `returning`) says is gone, the edges of which nobody speaks
 * any more, and whoever was known by such an edge alone. `when` is a timestamp in ISO 8601. Answers with the ids to which
 * the edges led that have ended.
 */
export async function endEdgesWithoutEvidence(tx: Tx, ending: SQL, when: string): Promise<string[]> {
  const { rows: unsaid } = await tx.execute<EdgeKey>(sql`
    with unsaid as (${ending} returning from_id, type, to_id) select distinct from_id, type, to_id from unsaid`);
  const left: string[] = [];
  for (const part of parts(unsaid)) {
    const { rows: ended } = await tx.execute<EdgeKey>(sql`
      update rekey_inventory.graph_edges e set ended_at = ${when}
      from unnest(${column(part, (row) => row.from_id)}::text[], ${column(part, (row) => row.type)}::text[],
        ${column(part, (row) => row.to_id)}::text[]) as u (from_id, type, to_id)
      where e.from_id = u.from_id and e.type = u.type and e.to_id = u.to_id and not exists (
        select from rekey_inventory.graph_evidence v
        where v.from_id = u.from_id and v.type = u.type and v.to_id = u.to_id and v.ended_at is null)
      returning e.from_id, e.type, e.to_id`);
    await tx.execute(sql`
      update rekey_inventory.graph_nodes n set ended_at = ${when}
      where n.id = any(${column(ended, (row) => row.from_id)}::text[]) and n.type = 'identity'
        and n.ended_at is null and not exists (
          select from rekey_inventory.graph_edges o where o.from_id = n.id and o.ended_at is null)`);
    for (const { to_id } of ended) left.push(to_id);
  }
  return left;
}
