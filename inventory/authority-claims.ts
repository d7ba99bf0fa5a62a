/**
 * Whose claimed readers an estate changes. Whom a consumer of the credential claims (`match`) is no stranger that a rotation is
 * refused for, and a claim that falls away may leave a reader that two claimed to the other: so any change counts, whichever way.
 */
import type { Match } from "../domain/estate/types.js";
import { canonical } from "../domain/plan.js";
import type { Tx } from "./database.js";
import type { EstateChanges } from "./estate-changes.js";
import { entries } from "./estate-tables.js";
import { and, eq, inArray, sql } from "./orm.js";
import { parts } from "./rows.js";
import type { Body } from "./submission.js";

/** A credential, with the name of its policy until now. */
export interface Ruled {
  readonly id: string;
  readonly name: string;
  readonly policy: string;
}

/** What a consumer claims, before and after; empty: nothing. */
interface Claims {
  readonly was: string;
  readonly is: string;
}

/** Of a consumer that is named before and after, and says what it said. */
const none: Claims = { was: "", is: "" };

/**
 * Credentials for which the consumers that they name claim other readers than before, by name: one with claims was attached or
 * detached, or claims otherwise. New credentials are not among them; those that leave or have left are, as long as they last named
 * that consumer, so that nobody brings one back to what they changed meanwhile. To be called while the database still says what the
 * entries said. It does not see a claim that a consumer of none of these gives up, so that a reader that two claimed becomes one's.
 */
export async function claimedOtherwise(tx: Tx, words: EstateChanges["words"]): Promise<Ruled[]> {
  const said = words.flatMap(({ entry, before }) =>
    entry.section === "consumers"
      ? [{ before, name: entry.name, was: claimedBy(before?.body), is: claimedBy(entry.body) }]
      : [],
  );
  const lists = words.flatMap(({ entry, before }) =>
    entry.section === "credentials" && before !== null
      ? [{ before, name: entry.name, was: namedIn(before.body), is: namedIn(entry.body) }]
      : [],
  );
  const claims = new Map<string, Claims>(said.map((one) => [one.name, one]));
  const unknown = lists.flatMap(({ was, is }) =>
    [...was, ...is].filter((name) => was.has(name) !== is.has(name) && !claims.has(name)),
  );
  for (const { name, claimed } of await standing(tx, [...new Set(unknown)])) {
    claims.set(name, { was: claimed, is: claimed });
  }
  const others = said.flatMap(({ before, was, is }) => (before === null || was === is ? [] : [before.id]));
  const found = new Map((await usedBy(tx, others)).map((one) => [one.name, one]));
  for (const { before, name, was, is } of lists) {
    found.delete(name);
    const differs = [...was, ...is].some((consumer) => {
      const told = claims.get(consumer) ?? none;
      return (was.has(consumer) ? told.was : "") !== (is.has(consumer) ? told.is : "");
    });
    if (differs) found.set(name, { id: before.id, name, policy: String(before.body.policy) });
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What consumers of which the estate says nothing new claim, ended or not. */
async function standing(tx: Tx, names: readonly string[]) {
  const found: { readonly name: string; readonly claimed: string }[] = [];
  for (const part of parts(names)) {
    const rows = await tx
      .select({ name: entries.name, body: entries.body })
      .from(entries)
      .where(and(eq(entries.section, "consumers"), inArray(entries.name, part)));
    for (const { name, body } of rows) found.push({ name, claimed: claimedBy(body) });
  }
  return found;
}

/**
 * Credentials that name one of these consumers, or named it when they left the estate. Edges lead to them, ended or not, and what a
 * credential last said decides; it is read once for all of them, as one may name thousands.
 */
async function usedBy(tx: Tx, consumers: readonly string[]): Promise<Ruled[]> {
  const found: Ruled[] = [];
  for (const part of parts(consumers)) {
    const { rows } = await tx.execute<Ruled & Record<string, unknown>>(sql`
      select c.id, c.name, c.body->>'policy' as policy
      from (
        select e.to_id, array_agg(u.name) as names
        from rekey_inventory.graph_edges e join rekey_inventory.entries u on u.id = e.from_id
        where e.from_id = any(${sql.param(part)}::text[]) and e.type = 'uses' group by e.to_id
      ) used join rekey_inventory.entries c on c.id = used.to_id
      where c.section = 'credentials' and exists (
        select from json_array_elements(c.body->'consumers') named
          join unnest(used.names) consumer on consumer = named->>'consumer')`);
    found.push(...rows);
  }
  return found;
}

function namedIn({ consumers }: Body): ReadonlySet<string> {
  return new Set(
    ((consumers ?? []) as readonly { readonly consumer: string }[]).map(({ consumer }) => consumer),
  );
}

/** Its claims in one order. */
function claimedBy(body: Body | undefined): string {
  const claims = Object.entries((body?.match ?? {}) as Partial<Match>).flatMap(([trait, claimed = []]) =>
    claimed.length === 0 ? [] : [[trait, [...new Set<string>(claimed)].sort()] as const],
  );
  return claims.length === 0 ? "" : canonical(Object.fromEntries(claims));
}
