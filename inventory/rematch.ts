/**
 * Tells anew whom every known thing is taken for, when the estate has changed: a reader that a consumer claims now is that
 * consumer from then on, with everything that was ever seen of it.
 */

import { type Declared, type Resolved, resolve } from "../domain/discovery/resolve.js";
import type { Shapes } from "../domain/estate/shapes.js";
import type { Credential, Match } from "../domain/estate/types.js";
import { mapped } from "../domain/graph/declared.js";
import type { Tx } from "./database.js";
import { things } from "./discovery-tables.js";
import type { EstateDiff } from "./estate-diff.js";
import { entries, estateRevisions } from "./estate-tables.js";
import type { EdgeKey } from "./graph-keep.js";
import { sha256Hex } from "./hash.js";
import { learntAgain } from "./learnt.js";
import { gt, isNull, max, sql } from "./orm.js";
import { column } from "./rows.js";
import { sectionsOf } from "./sections.js";
import type { Body } from "./submission.js";
import { showClasses } from "./thing-classes.js";
import { isWithin } from "./within.js";

/** What the estate declares, for telling things by it. */
export async function declaredIn(tx: Tx, shapes: Shapes): Promise<Declared> {
  const revision = await revisionIn(tx);
  const rows = await tx
    .select({ id: entries.id, section: entries.section, name: entries.name, told: told })
    .from(entries)
    .where(isNull(entries.endedAt));
  const ids = new Map(rows.map(({ id, section, name }) => [`${section} ${name}`, id]));
  const systems = sectionsOf(
    rows.flatMap(({ told: body, ...row }) =>
      row.section === "stores" || row.section === "issuers" ? [{ ...row, body: body as Body }] : [],
    ),
  );
  const accounts = new Map(
    rows.flatMap(({ id, section, told: shown }) => {
      if (section !== "credentials") return [];
      const credential = shown as Pick<Credential, "issuer" | "account" | "seenAs">;
      const names = shapes.shownAs(systems, credential).map((account) => ({ account }));
      return [...(credential.seenAs ?? []), ...names].map(
        ({ at = credential.issuer, account }: { at?: string | undefined; account: string }) =>
          [`${at} ${account}`, id] as const,
      );
    }),
  );
  return {
    revision,
    consumers: rows.flatMap(({ id, section, name, told: match }) =>
      section === "consumers" ? [{ id, name, match: match as Match }] : [],
    ),
    idOf: (section, name) => ids.get(`${section} ${name}`),
    accountOf: (issuer, account) => accounts.get(`${issuer} ${account}`),
    placeKeyOf: (store, place) => shapes.placeKey(systems, store, place),
    isWithin,
    sha256Hex,
  };
}

/** What things are told by: of a hundred thousand entries the rest would be read for nothing. */
const told = sql<unknown>`case ${entries.section}
  when 'consumers' then ${entries.body}->'match'
  when 'credentials' then json_build_object('issuer', ${entries.body}->'issuer', 'account', ${entries.body}->'account',
    'seenAs', ${entries.body}->'seenAs')
  when 'stores' then ${entries.body} when 'issuers' then ${entries.body} end`;

/** Number of the estate in force, 0 before there is one. */
export async function revisionIn(tx: Tx): Promise<number> {
  const [row] = await tx.select({ number: max(estateRevisions.number) }).from(estateRevisions);
  return row?.number ?? 0;
}

interface Moved extends Resolved {
  readonly id: string;
  /** Id of the node that it was. */
  readonly was: string;
}

/** Fields by which things are told. */
const telling: ReadonlySet<string> = new Set(["match", "issuer", "account", "seenAs"]);

/** Whether a change of the estate can make a thing another node than it was. */
function concernsThings({ sections }: EstateDiff): boolean {
  return mapped.some((section) => {
    const { created, changed, ended } = sections[section];
    const isSystem = section === "stores" || section === "issuers";
    const isTold = changed.some(({ fields }) => isSystem || fields.some((field) => telling.has(field)));
    return created.length > 0 || ended.length > 0 || isTold;
  });
}

/** Things at a time. */
const thingsMax = 5_000;

/**
 * Moves what was seen of every thing that is another node now. `at` is now, in milliseconds since the epoch. Answers with the
 * ids of all nodes that something was moved from, to or at.
 */
export async function rematch(
  tx: Tx,
  shapes: Shapes,
  diff: EstateDiff,
  at: number,
): Promise<ReadonlySet<string>> {
  const touched = new Set<string>();
  if (!concernsThings(diff)) return touched;
  let declared: Declared | null = null;
  for (let after = ""; ; ) {
    const known = await tx
      .select({ id: things.id, body: things.body, node: things.node, sentence: things.sentence })
      .from(things)
      .where(gt(things.id, after))
      .orderBy(things.id)
      .limit(thingsMax);
    const last = known.at(-1);
    if (last === undefined) return touched;
    declared ??= await declaredIn(tx, shapes);
    const by = declared;
    const moved = known.flatMap(({ id, body, node, sentence }): Moved[] => {
      const now = resolve(body, by);
      return now.node.id === node && now.sentence === sentence ? [] : [{ ...now, id, was: node }];
    });
    if (moved.length > 0) for (const id of await move(tx, moved, new Date(at).toISOString())) touched.add(id);
    after = last.id;
  }
}

async function move(tx: Tx, rows: readonly Moved[], when: string): Promise<readonly string[]> {
  const nodes = [...new Map(rows.map((row) => [row.node.id, row.node])).values()];
  await tx.execute(sql`
    insert into rekey_inventory.graph_nodes (id, type, name, class, first_seen, last_seen, learnt_at)
    select id, type, name, class, ${when}, ${when}, ${when} from unnest(
      ${column(nodes, ({ id }) => id)}::text[], ${column(nodes, ({ type }) => type)}::text[],
      ${column(nodes, ({ name }) => name)}::text[], ${column(nodes, (node) => node.class ?? null)}::text[]
    ) as told (id, type, name, class)
    on conflict (id) do update set ended_at = null, ${learntAgain("graph_nodes")}`);
  await tx.execute(sql`
    update rekey_inventory.things t set node = told.node, known = told.known, sentence = told.sentence
    from unnest(
      ${column(rows, ({ id }) => id)}::text[], ${column(rows, ({ node }) => node.id)}::text[],
      ${column(rows, ({ known }) => known)}::boolean[], ${column(rows, ({ sentence }) => sentence)}::text[]
    ) as told (id, node, known, sentence)
    where t.id = told.id`);
  await showClasses(
    tx,
    rows.map(({ id }) => id),
    [...new Set(rows.map(({ was }) => was))],
  );
  const left = [...(await moveEnd(tx, rows, "from", when)), ...(await moveEnd(tx, rows, "to", when))];
  const ids = rows.flatMap(({ was, node }) => [was, node.id]);
  return [...ids, ...left.flatMap(({ from_id, to_id }) => [from_id, to_id])];
}

/**
 * The evidence of these things at one end of its edges, to the edges of the nodes that they are now: that it is about those
 * is learnt now. Answers with the edges that it has left.
 */
async function moveEnd(
  tx: Tx,
  rows: readonly Moved[],
  end: "from" | "to",
  when: string,
): Promise<readonly EdgeKey[]> {
  const seen = sql.raw(end === "from" ? "seen_from" : "seen_to");
  const mine = sql.raw(end === "from" ? "from_id" : "to_id");
  const [from, to] = end === "from" ? [sql`m.node`, sql`v.to_id`] : [sql`v.from_id`, sql`m.node`];
  const moved = sql`unnest(
    ${column(rows, ({ id }) => id)}::text[], ${column(rows, ({ node }) => node.id)}::text[]) as m (thing, node)`;
  await tx.execute(sql`
    insert into rekey_inventory.graph_edges (from_id, type, to_id, first_seen, last_seen, learnt_at, ended_at)
    select ${from}, v.type, ${to}, min(v.first_seen), max(v.last_seen), ${when}::timestamptz,
      case when bool_or(v.ended_at is null) then null else max(v.ended_at) end
    from ${moved} join rekey_inventory.graph_evidence v on v.${seen} = m.thing and v.${mine} <> m.node
    group by 1, 2, 3
    on conflict (from_id, type, to_id) do update set
      ended_at = case when excluded.ended_at is null then null else graph_edges.ended_at end,
      first_seen = least(graph_edges.first_seen, excluded.first_seen),
      last_seen = greatest(graph_edges.last_seen, excluded.last_seen), ${learntAgain("graph_edges")}`);
  const { rows: left } = await tx.execute<EdgeKey>(sql`
    with moving as (
      select v.from_id, v.type, v.to_id, v.source, v.kind, v.record, v.seen_from, v.seen_to, m.node
      from ${moved} join rekey_inventory.graph_evidence v on v.${seen} = m.thing and v.${mine} <> m.node
    ), written as (
      update rekey_inventory.graph_evidence e set ${mine} = m.node, learnt_at = ${when} from moving m
      where (e.from_id, e.type, e.to_id, e.source, e.kind, e.record, e.seen_from, e.seen_to)
        = (m.from_id, m.type, m.to_id, m.source, m.kind, m.record, m.seen_from, m.seen_to)
      returning m.from_id, m.type, m.to_id
    )
    select distinct from_id, type, to_id from written`);
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
  return left;
}
