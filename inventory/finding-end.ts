/** Ends findings that a look has not met: they stay, with the last time that they were seen, and come back under their number. */

import type { Tx } from "./database.js";
import type { LookScope } from "./finding-scope.js";
import { type SQL, sql } from "./orm.js";
import { iso } from "./rows.js";

/** Keys at a time. */
const keysMax = 20_000;

/** Ends, at `now` (milliseconds since the epoch), what a look of that scope would have met if it were still there. `met` are keys. Answers with how many. */
export async function endUnmet(
  tx: Tx,
  scope: LookScope | null,
  met: ReadonlySet<string>,
  now: number,
): Promise<number> {
  let ended = 0;
  for (const those of lookedFor(scope)) {
    for (let after = ""; ; ) {
      const { rows } = await tx.execute<{ key: string }>(sql`
        select key from rekey_inventory.findings
        where state <> 'ended' and key > ${after} and ${those} order by key limit ${keysMax}`);
      const last = rows.at(-1);
      if (last === undefined) break;
      const over = rows.flatMap(({ key }) => (met.has(key) ? [] : [key]));
      if (over.length > 0) await end(tx, over, now);
      ended += over.length;
      after = last.key;
    }
  }
  return ended;
}

/** What a look of that scope would have met if it were still there, in parts of which each has its index. */
function lookedFor(scope: LookScope | null): SQL[] {
  if (scope === null) return [sql`true`];
  return [
    sql`credential = any(${sql.param(scope.credentials)}::text[])`,
    sql`credential is null and code = 'no-purpose' and subject = any(${sql.param(scope.consumers)}::text[])`,
    sql`credential is null and code <> 'no-purpose' and subject_type <> 'source'`,
  ];
}

async function end(tx: Tx, keys: readonly string[], now: number): Promise<void> {
  await tx.execute(sql`
    with ended as (
      update rekey_inventory.findings set state = 'ended', since = ${iso(now)}, exception_owner = null,
        exception_reason = null, exception_until = null,
        last_seen = greatest(last_seen, (select at from rekey_inventory.finding_looks))
      where key = any(${sql.param(keys)}::text[]) returning number
    )
    insert into rekey_inventory.finding_changes (finding, at, state) select number, ${iso(now)}, 'ended' from ended`);
}
