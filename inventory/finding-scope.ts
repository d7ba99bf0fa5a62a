/**
 * Which findings a change of the estate can change, so that after a small change of a large estate only those are looked at.
 * Less than that would leave findings that are over; a property test holds it against a look at everything.
 */

import type { Section } from "../domain/estate/schema.js";
import type { Tx } from "./database.js";
import { type EstateDiff, touchedIn } from "./estate-diff.js";
import { sql } from "./orm.js";

/** What a look is confined to: ids of credentials and of consumers. */
export interface LookScope {
  readonly credentials: readonly string[];
  readonly consumers: readonly string[];
}

/** What a credential's findings tell of its consumers. */
const toldOfConsumers: ReadonlySet<string> = new Set(["owner", "cadenceMs"]);

/**
 * The scope of a change that has just been written; `moved` is what `rematch` answers with. What is found of the sources
 * themselves is not in it: that is told by all credentials together. Null: everything, because there are other sources. What
 * stores and issuers say counts by what it makes of places and accounts, and that is among what has moved.
 */
export async function scopeOf(
  tx: Tx,
  { sections }: EstateDiff,
  moved: ReadonlySet<string>,
): Promise<LookScope | null> {
  if (touchedIn(sections.sources).length > 0) return null;
  const consumers = await idsOf(tx, "consumers", touchedIn(sections.consumers));
  const toldAnew = sections.consumers.changed.flatMap(({ name, fields }) =>
    fields.some((field) => toldOfConsumers.has(field)) ? (consumers.get(name) ?? []) : [],
  );
  const used = await usedBy(tx, toldAnew);
  const credentials = [
    ...(await idsOf(tx, "credentials", touchedIn(sections.credentials))).values(),
    ...(await credentialsUnder(
      tx,
      sections.policies.changed.map(({ name }) => name),
    )),
    ...(await credentialsAt(tx, [...new Set([...used, ...moved])])),
  ];
  return { credentials: [...new Set(credentials)], consumers: [...consumers.values()] };
}

/** By their names. */
async function idsOf(tx: Tx, section: Section, names: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await tx.execute<{ id: string; name: string }>(sql`
    select id, name from rekey_inventory.entries
    where section = ${section} and name = any(${sql.param(names)}::text[])`);
  return new Map(rows.map(({ id, name }) => [name, id]));
}

async function credentialsUnder(tx: Tx, policies: readonly string[]): Promise<string[]> {
  if (policies.length === 0) return [];
  const { rows } = await tx.execute<{ id: string }>(sql`
    select id from rekey_inventory.entries
    where section = 'credentials' and ended_at is null and body->>'policy' = any(${sql.param(policies)}::text[])`);
  return rows.map(({ id }) => id);
}

/** Credentials and places that these use, or could. */
async function usedBy(tx: Tx, consumers: readonly string[]): Promise<string[]> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    select distinct to_id as id from rekey_inventory.graph_edges
    where from_id = any(${sql.param(consumers)}::text[]) and type in ('uses', 'can-read') and ended_at is null`);
  return rows.map(({ id }) => id);
}

/** Those of the nodes that are credentials, and the credentials that are kept in others of them: the way of `idsKept`, back. */
async function credentialsAt(tx: Tx, nodes: readonly string[]): Promise<string[]> {
  if (nodes.length === 0) return [];
  const { rows } = await tx.execute<{ id: string }>(sql`
    with recursive inside (id) as (
      select id from rekey_inventory.graph_nodes where id = any(${sql.param(nodes)}::text[])
      union
      select part.id from inside i, lateral (
        select e.from_id as id from rekey_inventory.graph_edges e
        join rekey_inventory.graph_nodes n on n.id = e.from_id
        where e.to_id = i.id and e.type = 'stored-in' and n.type = 'location' and e.ended_at is null offset 0) part
    ), whole (id) as (
      select id from inside
      union
      select beyond.id from whole w, lateral (
        select e.to_id as id from rekey_inventory.graph_nodes n
        join rekey_inventory.graph_edges e on e.from_id = n.id
        where n.id = w.id and n.type = 'location' and e.type in ('depends-on', 'stored-in') and e.ended_at is null
        offset 0) beyond
    )
    select n.id from whole w join rekey_inventory.graph_nodes n on n.id = w.id where n.type = 'credential'
    union
    select e.from_id from whole w join rekey_inventory.graph_edges e on e.to_id = w.id
    join rekey_inventory.graph_nodes n on n.id = e.from_id
    where e.type = 'stored-in' and n.type = 'credential' and e.ended_at is null`);
  return rows.map(({ id }) => id);
}
