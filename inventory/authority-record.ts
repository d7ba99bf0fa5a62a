/** Remembers whose authority over which credential an estate changes (H37); reads whole only the few who may decide. */

import type { Credential } from "../domain/estate/types.js";
import { type Authorities, authorityChanges } from "./authority-changes.js";
import { claimedOtherwise } from "./authority-claims.js";
import type { Tx } from "./database.js";
import type { EstateChanges } from "./estate-changes.js";
import { entries } from "./estate-tables.js";
import { and, inArray, isNull, sql } from "./orm.js";
import { column, parts } from "./rows.js";
import { sectionsOf } from "./sections.js";

const deciding: readonly string[] = ["owners", "policies"];

/** Writes it down. To be called before the entries are written, while the database still says what they said. */
export async function recordAuthority(
  tx: Tx,
  { words, ended }: EstateChanges,
  { revision, by, now }: { readonly revision: number; readonly by: string; readonly now: number },
): Promise<void> {
  const known = await tx
    .select({ section: entries.section, name: entries.name, body: entries.body })
    .from(entries)
    .where(and(inArray(entries.section, ["owners", "policies"]), isNull(entries.endedAt)));
  const gone = new Set(ended.map(({ section, name }) => `${section} ${name}`));
  const standing = known.filter((row) => !gone.has(`${row.section} ${row.name}`));
  const mine = words.filter(({ entry, before }) => entry.section === "credentials" && before !== null);
  const ids = new Map(mine.map(({ entry, before }) => [entry.name, before?.id ?? ""]));
  const credentialsBefore = mine.map(({ entry, before }) => [entry.name, before?.body] as const);
  const credentialsAfter = mine.map(({ entry }) => [entry.name, entry.body] as const);
  const isDeciding = [...words.map(({ entry }) => entry), ...ended].some(({ section }) =>
    deciding.includes(section),
  );
  if (isDeciding) {
    for (const { id, name, owner, policy } of await othersIn(tx)) {
      if (ids.has(name)) continue;
      ids.set(name, id);
      const same = { owner, policy };
      credentialsBefore.push([name, same]);
      credentialsAfter.push([name, same]);
    }
  }
  const credentialsOf = (list: typeof credentialsBefore) =>
    Object.fromEntries(list) as unknown as Readonly<Record<string, Credential>>;
  const sayings = words.map(({ entry }) => entry).filter(({ section }) => deciding.includes(section));
  const before: Authorities = { ...sectionsOf(known), credentials: credentialsOf(credentialsBefore) };
  const after: Authorities = {
    ...sectionsOf([...standing, ...sayings]),
    credentials: credentialsOf(credentialsAfter),
  };
  const changes = authorityChanges(before, after);
  const ruled = new Set(changes.flatMap(({ credential, what }) => (what === "policy" ? [credential] : [])));
  // Whom a consumer claims decides who is a stranger, as an exception does: it is counted with the rules.
  for (const { id, name, policy } of await claimedOtherwise(tx, words)) {
    if (ruled.has(name)) continue;
    ids.set(name, id);
    changes.push({ credential: name, what: "policy", previously: policy });
  }
  for (const part of parts(changes)) {
    await tx.execute(sql`
      insert into rekey_inventory.authority_changes (credential, what, previously, revision, at, by)
      select credential, what, previously, ${revision}, ${new Date(now).toISOString()}, ${by} from unnest(
        ${column(part, ({ credential }) => ids.get(credential) ?? "")}::text[],
        ${column(part, ({ what }) => what)}::text[], ${column(part, ({ previously }) => previously)}::text[]
      ) with ordinality as changed (credential, what, previously, place)
      order by place`);
  }
}

/**
 * Who answers for each credential, and by which rules: all that counts of one that says what it said. One that has left the estate
 * is among them: it may be brought back to rules that somebody has changed meanwhile.
 */
async function othersIn(tx: Tx) {
  return tx
    .select({
      id: entries.id,
      name: entries.name,
      owner: sql<string>`${entries.body}->>'owner'`,
      policy: sql<string>`${entries.body}->>'policy'`,
    })
    .from(entries)
    .where(inArray(entries.section, ["credentials"]));
}
