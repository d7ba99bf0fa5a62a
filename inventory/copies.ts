/** Where sources met a credential's value: the same keyed hash there as of a value of it that may be accepted. No value, and no hash, comes out. */

import type { MetCopy } from "../domain/mapped.js";
import { liveStages } from "../domain/version.js";
import { type Database, read, type Tx } from "./database.js";
import { maybeAccepted } from "./live-values.js";
import { type SQL, sql } from "./orm.js";
import { readsAt } from "./place-readers.js";
import { ms } from "./rows.js";

interface MetRow extends Record<string, unknown> {
  readonly node: string;
  readonly name: string;
  readonly literal: boolean;
  readonly past: boolean;
  readonly sentence: string;
  readonly last_seen: number;
  readonly readers: readonly string[];
  readonly sources: readonly string[];
}

/** Whose value is looked for, at `now`, in milliseconds since the epoch. */
export interface Sought {
  readonly credential: string;
  /** Which is to be revoked. */
  readonly version: string;
  /** The rotation that revokes it, whose own versions are none of those. */
  readonly rotation: string;
  /** Keyed hashes of what is live, where that was read. */
  readonly hmacs: readonly string[];
}

/** Copies of the values of a version, and of whatever else of its credential nobody has seen refused; by name. */
export async function copiesMet(
  db: Database,
  { credential, version, rotation, hmacs }: Sought,
  now: number,
): Promise<readonly MetCopy[]> {
  const { rows } = await read(db, (tx) =>
    tx.execute<MetRow>(sql`
      select ${metColumns} from ${metPlaces}
      where m.ended_at is null and (m.mark = any(${sql.param(hmacs)}::text[]) or m.mark in (
        select hmac from rekey_inventory.fingerprints where version = ${version}
        union all
        select f.hmac from rekey_inventory.fingerprints f join rekey_inventory.versions v on v.id = f.version
        where v.credential = ${credential} and v.life = any(${sql.param(liveStages)}::text[])
          and coalesce(v.rotation, '') <> ${rotation}
        union all
        select hmac from (${maybeAccepted(now)}) as accepted where credential = ${credential}))
      group by n.id, n.name order by n.name`),
  );
  return rows.map(copyOf);
}

/** Copies of the values that may be accepted at `now`, by the id of the credential. */
export async function copiesInUse(tx: Tx, now: number): Promise<Map<string, MetCopy[]>> {
  const { rows } = await tx.execute<MetRow & { readonly credential: string }>(sql`
    select a.credential, ${metColumns} from ${metPlaces}
    join (${accepted(now)}) a on a.hmac = m.mark
    where m.ended_at is null
    group by a.credential, n.id, n.name order by n.name`);
  const byCredential = Map.groupBy(rows, ({ credential }) => credential);
  return new Map([...byCredential].map(([id, met]) => [id, met.map(copyOf)]));
}

/**
 * Columns `credential` and `hmac` of every value that may be accepted at `now`: of versions that live, and of what was live when a
 * rotation looked. Conditions on versions `v` with their hashes `f`, and on the latter `l`, say which of them are looked up.
 */
export function accepted(
  now: number,
  { ofVersions = sql`true`, ofLive = sql`true` }: { readonly ofVersions?: SQL; readonly ofLive?: SQL } = {},
): SQL {
  return sql`select v.credential, f.hmac from rekey_inventory.versions v
    join rekey_inventory.fingerprints f on f.version = v.id
    where v.life = any(${sql.param(liveStages)}::text[]) and ${ofVersions}
    union
    select l.credential, l.hmac from (${maybeAccepted(now)}) l where ${ofLive}`;
}

/** Where values were met: the mark `m`, the thing `t` that bears it, and its node `n`. */
export const metPlaces = sql`rekey_inventory.marks m
  join rekey_inventory.things t on t.id = m.thing
  join rekey_inventory.graph_nodes n on n.id = t.node`;

const metColumns = sql`n.id as node, n.name, bool_or(m.literal) as literal, bool_and(m.past) as past, min(m.sentence) as sentence,
  ${ms("max(m.last_seen)")} as last_seen, array_agg(distinct m.source order by m.source) as sources,
  array(
    select distinct r.name from ${readsAt("n.id")} e join rekey_inventory.graph_nodes r on r.id = e.from_id order by r.name
  ) as readers`;

function copyOf({ node, name, literal, past, sentence, last_seen, readers, sources }: MetRow): MetCopy {
  return { node, name, literal, past, sentence, readers, sources, lastSeen: last_seen };
}
