/**
 * Keeps which versions of a place were read by whom, and what stood there under which of them, so that a rotation can tell a
 * read of the old value from one of the new. Reads are merged by the first and the last moment: in any order, as often as one likes.
 */
import type { Claim, Thing } from "../domain/discovery/said.js";
import { isCounted, type StoreRead, type StoreVersion } from "../domain/old-reads.js";
import { type Database, read, type Tx, transact } from "./database.js";
import { sql } from "./orm.js";
import { column, iso, ms, parts } from "./rows.js";

interface ReadRow {
  readonly thing: string;
  readonly reader: string;
  readonly version: string;
  readonly first: number;
  readonly last: number;
}

/** Takes over what a part's claims say; their things are kept already. `source` is the id of the estate's entry. */
export async function keepVersionReads(
  tx: Tx,
  { source }: { readonly source: string },
  claims: readonly Claim[],
  idOf: (thing: Thing) => string,
): Promise<void> {
  const merged = new Map<string, ReadRow>();
  for (const { from, to, versions = [] } of claims) {
    if (versions.length === 0) continue;
    const [reader, thing] = [idOf(from), idOf(to)];
    for (const row of versions) {
      const key = JSON.stringify([thing, reader, row.version]);
      const before = merged.get(key) ?? row;
      const [first, last] = [Math.min(row.first, before.first), Math.max(row.last, before.last)];
      merged.set(key, { thing, reader, version: row.version, first, last });
    }
  }
  for (const rows of parts([...merged.values()])) {
    await tx.execute(sql`
      insert into rekey_inventory.version_reads (thing, reader, source, version, first_seen, last_seen)
      select thing, reader, ${source}, version, first_seen, last_seen from unnest(
        ${column(rows, ({ thing }) => thing)}::text[], ${column(rows, ({ reader }) => reader)}::text[],
        ${column(rows, ({ version }) => version)}::text[], ${column(rows, ({ first }) => iso(first))}::timestamptz[],
        ${column(rows, ({ last }) => iso(last))}::timestamptz[]
      ) as met (thing, reader, version, first_seen, last_seen)
      order by thing, reader, version
      on conflict (thing, reader, source, version) do update set
        first_seen = least(version_reads.first_seen, excluded.first_seen),
        last_seen = greatest(version_reads.last_seen, excluded.last_seen)`);
  }
}

/** Longer than any rotation lasts, and than most policies look back: in milliseconds. */
const readsKeptMs = 400 * 24 * 60 * 60_000;

/** Lets go of reads that nobody asks about any more: every write to a document and each of its readers makes a row. */
export async function forgetVersionReads(
  tx: Tx,
  { source }: { readonly source: string },
  now: number,
): Promise<void> {
  await tx.execute(sql`
    delete from rekey_inventory.version_reads where source = ${source} and last_seen < ${iso(now - readsKeptMs)}`);
}

/** A place of a rotation (`main`, or the id of a consumer) and its node on the map. */
export interface PlaceNode {
  readonly place: string;
  readonly node: string;
}

/** What of a credential a look saw to be live at a place, under the store's own name of it, at a moment in milliseconds since the epoch. */
export interface LiveVersion extends StoreVersion {
  readonly node: string;
}

/**
 * Keeps what was seen to be live of a credential, from the first time on, and answers with what is known at these places then. Where a
 * store that counts has a lower number live than is known, or something else under a known one, its document was removed and made
 * anew: later numbers are of before.
 */
export async function keepLiveVersions(
  db: Database,
  credential: string,
  places: readonly PlaceNode[],
  live: readonly LiveVersion[],
): Promise<StoreVersion[]> {
  const known = await versionsAt(db, credential, places);
  const news = live.flatMap((one) => {
    const there = known.filter(({ place }) => place === one.place);
    const same = there.find(({ storeVersion }) => storeVersion === one.storeVersion);
    const gone = laterThan(one, there);
    return same?.version === one.version && gone.length === 0 ? [] : [{ ...one, gone }];
  });
  // Most looks see what the one before has seen.
  if (news.length === 0) return known;
  await transact(db, async (tx) => {
    for (const { node, storeVersion, version, seenAt, gone } of news) {
      await tx.execute(sql`
        delete from rekey_inventory.store_versions
        where credential = ${credential} and place = ${node} and store_version = any(${sql.param(gone)}::text[])`);
      await tx.execute(sql`
        insert into rekey_inventory.store_versions (credential, place, store_version, version, seen_at)
        values (${credential}, ${node}, ${storeVersion}, ${version}, ${iso(seenAt)})
        on conflict (credential, place, store_version) do update
          set version = excluded.version, seen_at = excluded.seen_at
          where store_versions.version is distinct from excluded.version`);
    }
  });
  return versionsAt(db, credential, places);
}

/** Names of known versions with a number that is higher than that of what is live. */
function laterThan(live: StoreVersion, there: readonly StoreVersion[]): string[] {
  if (!isCounted(live)) return [];
  return there.flatMap((one) =>
    isCounted(one) && Number(one.storeVersion) > Number(live.storeVersion) ? [one.storeVersion] : [],
  );
}

/** What is known of a credential at these places. */
export async function versionsAt(
  db: Database,
  credential: string,
  places: readonly PlaceNode[],
): Promise<StoreVersion[]> {
  const { rows } = await read(db, (tx) =>
    tx.execute<{ node: string; name: string; version: string | null; seen: number }>(sql`
      select place as node, store_version as name, version, ${ms("seen_at")} as seen
      from rekey_inventory.store_versions
      where credential = ${credential} and place = any(${sql.param(places.map(({ node }) => node))}::text[])
      order by place, store_version`),
  );
  const byNode = Map.groupBy(places, ({ node }) => node);
  return rows.flatMap(({ node, name: storeVersion, version, seen: seenAt }) =>
    (byNode.get(node) ?? []).map(({ place }) => ({ place, storeVersion, version, seenAt })),
  );
}

/** Who read which version there other than what is `live`, last at `since` or later, in milliseconds since the epoch. */
export async function otherReadsAt(
  db: Database,
  places: readonly PlaceNode[],
  live: readonly LiveVersion[],
  since: number,
): Promise<StoreRead[]> {
  const { rows } = await read(db, (tx) =>
    tx.execute<{ node: string; reader: string; version: string; last: number }>(sql`
      select t.node, n.name as reader, r.version, ${ms("max(r.last_seen)")} as last
      from rekey_inventory.things t
      join rekey_inventory.version_reads r on r.thing = t.id
      join rekey_inventory.things f on f.id = r.reader
      join rekey_inventory.graph_nodes n on n.id = f.node
      where t.node = any(${sql.param(places.map(({ node }) => node))}::text[]) and r.last_seen >= ${iso(since)}
        and (t.node, r.version) not in (
          select * from unnest(${column(live, ({ node }) => node)}::text[],
            ${column(live, ({ storeVersion }) => storeVersion)}::text[]))
      group by t.node, n.id, n.name, r.version order by t.node, n.name, n.id, r.version`),
  );
  const byNode = Map.groupBy(places, ({ node }) => node);
  return rows.flatMap(({ node, reader, version: storeVersion, last: lastAt }) =>
    (byNode.get(node) ?? []).map(({ place }) => ({ place, reader, storeVersion, lastAt })),
  );
}
