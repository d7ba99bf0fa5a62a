/**
 * Keeps what a part of a scan says, together with how far the scan has come: all of it or nothing, so that a scan which is
 * gone on with counts nothing twice. By few statements for thousands of rows.
 */

import { type ClassSaid, laterWord } from "../domain/discovery/classes.js";
import { type Declared, type Resolved, resolve, thingId } from "../domain/discovery/resolve.js";
import type { Claim, ScanPart, Seen, Thing } from "../domain/discovery/said.js";
import { timesAt } from "../domain/discovery/times.js";
import { keepUses } from "./anonymous-uses.js";
import type { Tx } from "./database.js";
import { keepCopies } from "./keep-copies.js";
import { learntAgain } from "./learnt.js";
import { sql } from "./orm.js";
import { endOwn } from "./own-readers.js";
import { column, isAfter, iso, parts } from "./rows.js";
import { keepClasses } from "./thing-classes.js";
import { keepWords } from "./thing-words.js";
import { keepVersionReads } from "./version-reads.js";

/** The scan that a part belongs to. `source` is the id of the estate's entry. */
export interface ScanRef {
  readonly id: string;
  readonly source: string;
  readonly shows: "now" | "log";
  /** A digest of how the source is read: what was counted by other settings is counted anew. */
  readonly settings: string;
}

interface Met extends Resolved {
  readonly id: string;
  readonly thing: Thing;
  readonly first: number;
  readonly last: number;
}

/** Takes over a part's claims, copies, lists and uses. `now` is in milliseconds since the epoch. */
export async function keepPart(
  tx: Tx,
  scan: ScanRef,
  part: ScanPart,
  declared: Declared,
  now: number,
): Promise<void> {
  const learntAt = iso(now);
  const met = thingsOf(part, declared);
  for (const rows of parts([...met.values()])) await keepThings(tx, rows, learntAt);
  const idOf = (thing: Thing): string => thingId(thing, declared.sha256Hex);
  await keepClasses(tx, scan, classesIn(part, idOf));
  await endOwn(tx, scan.source, part.own ?? [], { idOf, at: learntAt });
  const nodeOf = (thing: Thing): string => met.get(idOf(thing))?.node.id ?? "";
  const merged = new Map<string, ClaimRow>();
  for (const claim of part.claims) add(merged, rowOf(claim, idOf, nodeOf));
  for (const rows of parts([...merged.values()])) await keepClaims(tx, scan, rows, learntAt);
  await keepCopies(tx, scan, part.copies, { idOf, learntAt });
  await keepWords(tx, scan, part.listed, idOf);
  await keepUses(tx, scan, part.uses ?? [], idOf);
  await keepVersionReads(tx, scan, part.claims, idOf);
}

/** Every thing that a part speaks of, once, with its node. */
function thingsOf(part: ScanPart, declared: Declared): Map<string, Met> {
  const told = new Map<string, Pick<Met, "thing" | "first" | "last">>();
  for (const [thing, { first, last }] of mentioned(part)) {
    const id = thingId(thing, declared.sha256Hex);
    const one = { thing, first, last };
    const before = told.get(id) ?? one;
    const word = isLaterWord(one, before) ? one : before;
    told.set(id, { ...word, first: Math.min(first, before.first) });
  }
  return new Map([...told].map(([id, one]) => [id, { ...resolve(one.thing, declared), ...one, id }]));
}

/** What may differ between two mentions of one thing, besides their times, in an order of importance. */
const wordsOf = ({ name, class: is, createdAt, expiresAt }: Words) =>
  [name ?? "", is ?? "", String(createdAt ?? ""), String(expiresAt ?? "")] as const;

interface Words {
  readonly name?: string;
  readonly class?: string;
  readonly createdAt?: number;
  readonly expiresAt?: number;
}

/** The same words of a row of things, for the database. */
const wordsIn = (row: "excluded" | "things") =>
  sql.raw(
    ["name", "class", "createdAt", "expiresAt"]
      .map((word) => `coalesce(${row}.body->>'${word}', '') collate "C"`)
      .join(", "),
  );

/** Whoever was told of last has the word; at one moment the words decide, so that no order of records does. */
function isLaterWord(one: Pick<Met, "thing" | "last">, other: Pick<Met, "thing" | "last">): boolean {
  if (one.last !== other.last) return one.last > other.last;
  if (one.thing === other.thing) return false;
  const others = wordsOf(other.thing as Words);
  const [decided] = wordsOf(one.thing as Words).flatMap((word, index) => {
    const beside = others[index] ?? "";
    return word === beside ? [] : [isAfter(word, beside)];
  });
  return decided ?? false;
}

/** What a part takes things for, by their ids: the same wherever a scan is cut into parts. */
function classesIn(part: ScanPart, idOf: (thing: Thing) => string): Map<string, ClassSaid> {
  const said = new Map<string, ClassSaid>();
  for (const [thing, { first, last }] of mentioned(part)) {
    if (!("class" in thing) || thing.class === undefined) continue;
    const [id, word] = [idOf(thing), { class: thing.class, first, last }];
    const before = said.get(id);
    said.set(id, before === undefined ? word : laterWord(word, before));
  }
  return said;
}

/** Each mention of a thing, with when it was seen. */
function* mentioned(part: ScanPart): Generator<readonly [Thing, Seen]> {
  for (const { from, to, seen } of part.claims) {
    yield [from, seen];
    yield [to, seen];
  }
  for (const { thing, seen } of part.listed) yield [thing, seen];
  for (const { at, seen } of part.copies) yield [at, seen];
  for (const { of, seen } of part.uses ?? []) yield [of, seen];
}

interface ClaimRow {
  readonly from: string;
  readonly type: string;
  readonly to: string;
  readonly seenFrom: string;
  readonly seenTo: string;
  readonly kind: string;
  readonly record: string;
  readonly sentence: string;
  readonly count: number;
  readonly times: number;
  readonly first: number;
  readonly last: number;
}

function rowOf(claim: Claim, idOf: (thing: Thing) => string, nodeOf: (thing: Thing) => string): ClaimRow {
  const { from, to, type, known, record, sentence, seen } = claim;
  return {
    ...{ from: nodeOf(from), type, to: nodeOf(to), seenFrom: idOf(from), seenTo: idOf(to) },
    ...{ kind: known, record, sentence, count: seen.count, first: seen.first, last: seen.last },
    times:
      known === "read" || known === "session" ? (seen.times ?? timesAt(seen.first) | timesAt(seen.last)) : 0,
  };
}

function add(rows: Map<string, ClaimRow>, row: ClaimRow): void {
  const key = `${row.seenFrom} ${row.type} ${row.seenTo} ${row.kind} ${row.record}`;
  const before = rows.get(key);
  if (before === undefined) rows.set(key, row);
  else {
    const later = isLaterClaim(row, before) ? row : before;
    const [first, last] = [Math.min(row.first, before.first), Math.max(row.last, before.last)];
    rows.set(key, {
      ...later,
      first,
      last,
      count: row.count + before.count,
      times: row.times | before.times,
    });
  }
}

/** Of two that were seen at one moment the sentences decide, so that no order of records does. */
function isLaterClaim(one: ClaimRow, other: ClaimRow): boolean {
  return one.last > other.last || (one.last === other.last && isAfter(one.sentence, other.sentence));
}

async function keepThings(tx: Tx, rows: readonly Met[], learntAt: string): Promise<void> {
  await tx.execute(sql`
    insert into rekey_inventory.things (id, body, node, known, sentence, first_seen, last_seen)
    select id, body::jsonb, node, known, sentence, first_seen, last_seen
    from unnest(
      ${column(rows, ({ id }) => id)}::text[], ${column(rows, ({ thing }) => JSON.stringify(thing))}::text[],
      ${column(rows, ({ node }) => node.id)}::text[], ${column(rows, ({ known }) => known)}::boolean[],
      ${column(rows, ({ sentence }) => sentence)}::text[], ${column(rows, ({ first }) => iso(first))}::timestamptz[],
      ${column(rows, ({ last }) => iso(last))}::timestamptz[]
    ) as met (id, body, node, known, sentence, first_seen, last_seen)
    order by id
    on conflict (id) do update set
      body = case when (excluded.last_seen, ${wordsIn("excluded")}) > (things.last_seen, ${wordsIn("things")})
        then excluded.body else things.body end,
      node = excluded.node, known = excluded.known, sentence = excluded.sentence,
      first_seen = least(things.first_seen, excluded.first_seen),
      last_seen = greatest(things.last_seen, excluded.last_seen)`);
  await keepMetNodes(tx, rows, learntAt);
}

/**
 * What the estate declares keeps the name that it has there, and its first day; of whom only sources speak, that is the first day
 * that any of them told. Classes are told by all sources together.
 */
async function keepMetNodes(tx: Tx, met: readonly Met[], learntAt: string): Promise<void> {
  const rows = [...Map.groupBy(met, ({ node }) => node.id).values()].map(nodeOver);
  const undeclared = rows.flatMap(({ node, known, thing }) =>
    known && thing.is !== "location" ? [] : [node.id],
  );
  await tx.execute(sql`
    insert into rekey_inventory.graph_nodes (id, type, name, class, first_seen, last_seen, learnt_at)
    select *, ${learntAt}::timestamptz from unnest(
      ${column(rows, ({ node }) => node.id)}::text[], ${column(rows, ({ node }) => node.type)}::text[],
      ${column(rows, ({ node }) => node.name)}::text[], ${column(rows, ({ node }) => node.class ?? null)}::text[],
      ${column(rows, ({ first }) => iso(first))}::timestamptz[], ${column(rows, ({ last }) => iso(last))}::timestamptz[]
    ) as met (id, type, name, class, first_seen, last_seen)
    order by id
    on conflict (id) do update set
      first_seen = case when graph_nodes.id = any(${sql.param(undeclared)}::text[])
        then least(graph_nodes.first_seen, excluded.first_seen) else graph_nodes.first_seen end,
      last_seen = greatest(graph_nodes.last_seen, excluded.last_seen), ended_at = null, ${learntAgain("graph_nodes")}`);
  // A reader that nobody claims is called as it was told of last, which is what stands in the thing.
  const readers = met.filter(({ known, thing }) => !known && thing.is === "reader");
  await tx.execute(sql`
    update rekey_inventory.graph_nodes n set name = told.name
    from unnest(
      ${column(readers, ({ id }) => id)}::text[], ${column(readers, ({ thing }) => JSON.stringify(thing))}::text[],
      ${column(readers, ({ node }) => node.id)}::text[], ${column(readers, ({ node }) => node.name)}::text[]
    ) as told (id, body, node, name)
    join rekey_inventory.things t on t.id = told.id and t.body = told.body::jsonb
    where n.id = told.node and n.name <> told.name`);
}

/** A node by all things that are it. */
function nodeOver(met: readonly Met[]): Met {
  const [one] = met as readonly [Met];
  const first = Math.min(...met.map((each) => each.first));
  return { ...one, first, last: Math.max(...met.map(({ last }) => last)) };
}

async function keepClaims(
  tx: Tx,
  { id, source, shows }: ScanRef,
  rows: readonly ClaimRow[],
  learntAt: string,
): Promise<void> {
  const said = sql`unnest(
    ${column(rows, ({ from }) => from)}::text[], ${column(rows, ({ type }) => type)}::text[],
    ${column(rows, ({ to }) => to)}::text[], ${column(rows, ({ seenFrom }) => seenFrom)}::text[],
    ${column(rows, ({ seenTo }) => seenTo)}::text[], ${column(rows, ({ kind }) => kind)}::text[],
    ${column(rows, ({ record }) => record)}::text[], ${column(rows, ({ sentence }) => sentence)}::text[],
    ${column(rows, ({ count }) => count)}::bigint[], ${column(rows, ({ first }) => iso(first))}::timestamptz[],
    ${column(rows, ({ last }) => iso(last))}::timestamptz[], ${column(rows, ({ times }) => times)}::integer[]
  ) as said (from_id, type, to_id, seen_from, seen_to, kind, record, sentence, count, first_seen, last_seen, times)`;
  await tx.execute(sql`
    insert into rekey_inventory.graph_edges (from_id, type, to_id, first_seen, last_seen, learnt_at)
    select from_id, type, to_id, min(first_seen), max(last_seen), ${learntAt}::timestamptz from ${said}
    group by from_id, type, to_id order by from_id, type, to_id
    on conflict (from_id, type, to_id) do update set
      first_seen = least(graph_edges.first_seen, excluded.first_seen),
      last_seen = greatest(graph_edges.last_seen, excluded.last_seen), ended_at = null, ${learntAgain("graph_edges")}`);
  // Of a log, how often it happened; of uses that were there at a look, at how many looks; else, how much of it there is.
  const isUse = sql`kind in ('read', 'session')`;
  const counted =
    shows === "log"
      ? sql`excluded.count + case when (select (mine.settings, mine.round) = (theirs.settings, theirs.round)
          from rekey_inventory.scans mine, rekey_inventory.scans theirs
          where mine.id = excluded.scan and theirs.id = graph_evidence.scan) then graph_evidence.count else 0 end`
      : sql`case when not graph_evidence.${isUse} then excluded.count
          when graph_evidence.scan = excluded.scan then graph_evidence.count else graph_evidence.count + 1 end`;
  const first = shows === "log" ? sql`count` : sql`case when ${isUse} then 1 else count end`;
  await tx.execute(sql`
    insert into rekey_inventory.graph_evidence (from_id, type, to_id, seen_from, seen_to, source, kind, record,
      sentence, count, first_seen, last_seen, times, scan, learnt_at)
    select from_id, type, to_id, seen_from, seen_to, ${source}, kind, record, sentence, ${first}, first_seen, last_seen, times,
      ${id}, ${learntAt}::timestamptz
    from ${said}
    on conflict (from_id, type, to_id, source, kind, record, seen_from, seen_to) do update set
      sentence = case when (excluded.last_seen, excluded.sentence collate "C")
          > (graph_evidence.last_seen, graph_evidence.sentence collate "C")
        then excluded.sentence else graph_evidence.sentence end,
      count = ${counted}, scan = excluded.scan, ended_at = null, ${learntAgain("graph_evidence")},
      times = graph_evidence.times | excluded.times,
      first_seen = least(graph_evidence.first_seen, excluded.first_seen),
      last_seen = greatest(graph_evidence.last_seen, excluded.last_seen)`);
}
