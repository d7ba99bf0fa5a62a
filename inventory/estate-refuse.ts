/** What an estate may not change while a rotation or an adoption is under way: where their records say that they are. */

import { RekeyError } from "../domain/errors.js";
import type { Credential } from "../domain/estate/types.js";
import { canonical } from "../domain/plan.js";
import { adoptions } from "./adoption-tables.js";
import type { Tx } from "./database.js";
import type { EstateChanges } from "./estate-changes.js";
import type { Standing } from "./estate-pieces.js";
import { and, isNotNull, isNull, sql } from "./orm.js";
import { rotations } from "./rotation-tables.js";

const bearings: ReadonlySet<string> = new Set(["issuer", "account", "store", "place"]);

/** True when every edge with a place of its own still has that place; the rotation writes there, too. */
function keepsPinned(before: Credential, after: Credential): boolean {
  return before.consumers.every(({ consumer, place }) => {
    if (place === undefined) return true;
    const edge = after.consumers.find((candidate) => candidate.consumer === consumer);
    return edge?.place !== undefined && canonical(edge.place) === canonical(place);
  });
}

/**
 * Throws `rotation-open` when a credential would end, or would get another issuer, account, store or place (a pinned
 * consumer's included), while a rotation of it is open: the rotation's own records would point to somewhere else.
 */
export async function refuseUnderRotation(tx: Tx, { diff, words, ended }: EstateChanges): Promise<void> {
  const fieldsOf = new Map(diff.sections.credentials.changed.map(({ name, fields }) => [name, fields]));
  const moved = words.flatMap(({ entry, before }) => {
    const fields = entry.section === "credentials" ? fieldsOf.get(entry.name) : undefined;
    if (fields === undefined || before === null) return [];
    const [was, is] = [before.body, entry.body] as unknown as [Credential, Credential];
    return fields.some((field) => bearings.has(field)) || !keepsPinned(was, is) ? [before] : [];
  });
  const touched = [...moved, ...ended.filter(({ section }) => section === "credentials")];
  if (touched.length === 0) return;
  const ids = touched.map(({ id }) => id);
  await refuseUnderAdoption(tx, touched);
  const [open] = await tx
    .select({ credential: rotations.credential, id: rotations.id })
    .from(rotations)
    .where(and(sql`${rotations.credential} = any(${sql.param(ids)}::text[])`, isNull(rotations.closedAt)))
    .limit(1);
  if (open === undefined) return;
  const name = touched.find(({ id }) => id === open.credential)?.name;
  throw new RekeyError(
    "rotation-open",
    `Credential ${name} is being rotated (${open.id}), so it can neither end nor move to another account or place.`,
    "Wait until the rotation has ended, or cancel it; then apply again.",
  );
}

/** An adoption that has begun is finished or taken back at the account that was signed. */
async function refuseUnderAdoption(tx: Tx, touched: readonly Standing[]): Promise<void> {
  const ids = touched.map(({ id }) => id);
  const [begun] = await tx
    .select({ credential: adoptions.credential, id: adoptions.id })
    .from(adoptions)
    .where(
      and(
        sql`${adoptions.credential} = any(${sql.param(ids)}::text[])`,
        isNull(adoptions.closedAt),
        isNotNull(adoptions.begunAt),
      ),
    )
    .limit(1);
  if (begun === undefined) return;
  const name = touched.find(({ id }) => id === begun.credential)?.name;
  throw new RekeyError(
    "rotation-open",
    `Credential ${name} is being adopted (${begun.id}), so it can neither end nor move to another account or place.`,
    `Let \`rekey adopt ${name}\` end it, or take it back with --undo; then apply again.`,
  );
}
