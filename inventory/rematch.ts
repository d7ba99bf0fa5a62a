/**
 * Tells anew whom every known thing is taken for, when the estate has changed: a reader that a consumer claims now is that
 * consumer from then on, with everything that was ever seen of it.
 */
import { eq, isNull, max, sql } from "drizzle-orm";
import { type Declared, type Resolved, resolve } from "../domain/discovery/resolve.js";
import type { Shapes } from "../domain/estate/shapes.js";
import type { Tx } from "./database.js";
import { things } from "./discovery-tables.js";
import { entries, estateRevisions } from "./estate-tables.js";
import { sha256Hex } from "./hash.js";
import { column, parts } from "./rows.js";
import { sectionsOf } from "./sections.js";
import { isWithin } from "./within.js";

/** What the estate declares, for telling things by it. */
export async function declaredIn(tx: Tx, shapes: Shapes): Promise<Declared> {
  const revision = await revisionIn(tx);
  const rows = await tx.select().from(entries).where(isNull(entries.endedAt));
  const ids = new Map(rows.map(({ id, section, name }) => [`${section} ${name}`, id]));
  const systems = sectionsOf(rows);
  const accounts = new Map(
    Object.entries(systems.credentials).flatMap(([name, credential]) =>
      shapes
        .shownAs(systems, credential)
        .map((account) => [`${credential.issuer} ${account}`, ids.get(`credentials ${name}`)] as const),
    ),
  );
  return {
    revision,
    consumers: Object.entries(systems.consumers).map(([name, { match }]) => ({
      id: ids.get(`consumers ${name}`) ?? "",
      name,
      match,
    })),
    idOf: (section, name) => ids.get(`${section} ${name}`),
    accountOf: (issuer, account) => accounts.get(`${issuer} ${account}`),
    placeKeyOf: (store, place) => shapes.placeKey(systems, store, place),
    isWithin,
    sha256Hex,
  };
}

/** Number of the estate in force, 0 before there is one. */
export async function revisionIn(tx: Tx): Promise<number> {
  const [row] = await tx.select({ number: max(estateRevisions.number) }).from(estateRevisions);
  return row?.number ?? 0;
}

interface Moved extends Resolved {
  readonly id: string;
}

/** Moves what was seen of every thing that is another node now. `at` is now, in milliseconds since the epoch. */
export async function rematch(tx: Tx, shapes: Shapes, at: number): Promise<void> {
  const known = await tx.select().from(things);
  if (known.length === 0) return;
  const declared = await declaredIn(tx, shapes);
  const moved = known.flatMap(({ id, body, node, sentence }): Moved[] => {
    const now = resolve(body, declared);
    return now.node.id === node && now.sentence === sentence ? [] : [{ ...now, id }];
  });
  for (const rows of parts(moved)) await move(tx, rows, new Date(at).toISOString());
}

async function move(tx: Tx, rows: readonly Moved[], when: string): Promise<void> {
  const nodes = [...new Map(rows.map((row) => [row.node.id, row.node])).values()];
  await tx.execute(sql`
    insert into rekey_inventory.graph_nodes (id, type, name, class, first_seen, last_seen)
    select id, type, name, class, ${when}, ${when} from unnest(
      ${column(nodes, ({ id }) => id)}::text[], ${column(nodes, ({ type }) => type)}::text[],
      ${column(nodes, ({ name }) => name)}::text[], ${column(nodes, (node) => node.class ?? null)}::text[]
    ) as told (id, type, name, class)
    on conflict (id) do update set ended_at = null`);
  for (const { id, node, known, sentence } of rows) {
    await tx.update(things).set({ node: node.id, known, sentence }).where(eq(things.id, id));
    for (const end of ["from", "to"] as const) await moveEnd(tx, id, node.id, end, when);
  }
}

/** The evidence of one thing at one end of its edges, to the edges of another node. */
async function moveEnd(tx: Tx, thing: string, node: string, end: "from" | "to", when: string): Promise<void> {
  const seen = sql.raw(end === "from" ? "seen_from" : "seen_to");
  const mine = sql.raw(end === "from" ? "from_id" : "to_id");
  const [from, to] = end === "from" ? [sql`${node}::text`, sql`to_id`] : [sql`from_id`, sql`${node}::text`];
  await tx.execute(sql`
    insert into rekey_inventory.graph_edges (from_id, type, to_id, first_seen, last_seen, ended_at)
    select ${from}, type, ${to}, min(first_seen), max(last_seen),
      case when bool_or(ended_at is null) then null else max(ended_at) end
    from rekey_inventory.graph_evidence where ${seen} = ${thing} and ${mine} <> ${node}
    group by 1, 2, 3
    on conflict (from_id, type, to_id) do update set
      ended_at = case when excluded.ended_at is null then null else graph_edges.ended_at end,
      first_seen = least(graph_edges.first_seen, excluded.first_seen),
      last_seen = greatest(graph_edges.last_seen, excluded.last_seen)`);
  const { rows: left } = await tx.execute<{ from_id: string; type: string; to_id: string }>(sql`
    with moved as (
      select from_id, type, to_id, source, kind, record, seen_from, seen_to
      from rekey_inventory.graph_evidence where ${seen} = ${thing} and ${mine} <> ${node}
    )
    update rekey_inventory.graph_evidence e set ${mine} = ${node} from moved m
    where (e.from_id, e.type, e.to_id, e.source, e.kind, e.record, e.seen_from, e.seen_to)
      = (m.from_id, m.type, m.to_id, m.source, m.kind, m.record, m.seen_from, m.seen_to)
    returning m.from_id, m.type, m.to_id`);
  await tx.execute(sql`
    update rekey_inventory.graph_edges e set ended_at = ${when}
    from unnest(${column(left, (row) => row.from_id)}::text[], ${column(left, (row) => row.type)}::text[],
      ${column(left, (row) => row.to_id)}::text[]) as l (from_id, type, to_id)
    where (e.from_id, e.type, e.to_id) = (l.from_id, l.type, l.to_id) and e.ended_at is null and not exists (
      select from rekey_inventory.graph_evidence v
      where (v.from_id, v.type, v.to_id) = (l.from_id, l.type, l.to_id) and v.ended_at is null)`);
  await tx.execute(sql`
    update rekey_inventory.graph_nodes n set ended_at = ${when}
    from unnest(${column(left, (row) => (end === "from" ? row.from_id : row.to_id))}::text[]) as l (id)
    where n.id = l.id and n.type in ('identity', 'credential') and n.ended_at is null
      and not exists (select from rekey_inventory.entries where id = n.id)
      and not exists (select from rekey_inventory.graph_edges o
        where (o.from_id = n.id or o.to_id = n.id) and o.ended_at is null)`);
}
