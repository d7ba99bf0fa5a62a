/**
 * Notices of new findings: which owners are to be told through which notifiers, kept before they are sent. A notice is one of an
 * owner, a notifier and a look, so that one notifier that is away does not have the others told again.
 */

import { type DigestLine, namedInDigest, toldBesides } from "../domain/findings/digest.js";
import { type Database, patient, read, transact } from "./database.js";
import { lookMsMax } from "./finding-facts.js";
import { type SQL, sql } from "./orm.js";
import { iso, ms } from "./rows.js";

/** A notice that is to be sent. */
export interface FindingNotice {
  /** `findings/<time of the look>/<notifier>/<owner>`; no name has a slash. */
  readonly id: string;
  /** When the look was made, in milliseconds since the epoch. */
  readonly at: number;
  /** Name of the notifier. */
  readonly notifier: string;
  /** Name of who is told; null: nobody answers for what was found. */
  readonly owner: string | null;
}

/** What opens again within so long after it was told is not told again: somebody knows of it. */
const knownForMs = 86_400_000;

const kind = "findings";

/**
 * Keeps a notice for each owner of what has opened since the notices before these and up to `at`, the time of a look that has
 * just been made, and for each notifier; once for the same look. Answers with those that were kept now. Where there is no
 * notifier nothing is kept, and what is open waits for one. Errors as of `transact`.
 */
export async function keepFindingNotices(
  db: Database,
  notifiers: readonly string[],
  at: number,
): Promise<FindingNotice[]> {
  if (notifiers.length === 0) return [];
  return transact(patient(db, lookMsMax), async (tx) => {
    const { rows } = await tx.execute<{ id: string }>(sql`
      with opened as (${openedBy(iso(at))}), whom as (
        select distinct coalesce(o.owner, '') as owner
        from opened left join lateral jsonb_array_elements_text(opened.owners) o (owner) on true
      )
      insert into rekey_inventory.notices (id, kind, recipients, at)
      select ${`${kind}/${at}/`} || notifier || '/' || owner, ${kind}, '{}', ${iso(at)}
      from whom cross join unnest(${sql.param(notifiers)}::text[]) n (notifier)
      order by owner, notifier on conflict do nothing returning id`);
    return rows.map(({ id }) => noticeOf(id, at));
  });
}

/**
 * The notices of looks before `before` that were not sent, newest first and `max` of them at most: whoever kept them did not come
 * to it, or the notifier was away. Those for a notifier that has left the estate, which nobody can send, are dropped.
 */
export async function lateFindingNotices(
  db: Database,
  notifiers: readonly string[],
  { before, max }: { readonly before: number; readonly max: number },
): Promise<FindingNotice[]> {
  return transact(db, async (tx) => {
    await tx.execute(sql`
      delete from rekey_inventory.notices where kind = ${kind} and sent_at is null
        and split_part(id, '/', 3) <> all(${sql.param(notifiers)}::text[])`);
    const { rows } = await tx.execute<{ id: string; at: number }>(sql`
      select id, ${ms("at")} as at from rekey_inventory.notices
      where kind = ${kind} and sent_at is null and at < ${iso(before)} order by at desc, id limit ${max}`);
    return rows.map(({ id, at }) => noticeOf(id, at));
  });
}

/** What the notice is about and still stands: the first of them, the gravest first, and how many there are. */
export async function noticedFindings(
  db: Database,
  { at, owner }: FindingNotice,
): Promise<{ readonly lines: readonly DigestLine[]; readonly total: number }> {
  const whose =
    owner === null ? sql`opened.owners = '[]'` : sql`opened.owners @> ${JSON.stringify([owner])}::jsonb`;
  return read(patient(db, lookMsMax), async (tx) => {
    const { rows } = await tx.execute<{
      number: number;
      code: string;
      what: string;
      sentence: string;
      total: number;
    }>(sql`
      with opened as (${openedBy(iso(at))})
      select number::float8 as number, code, subject_name || coalesce(': ' || about_name, '') as what, sentence, (count(*) over ())::int as total
      from opened where ${whose}
      order by code <> 'verified-literal', severity <> 'refuse', code, number limit ${namedInDigest}`);
    const lines = rows.map(({ total: _, ...line }) => line);
    return { lines, total: rows[0]?.total ?? 0 };
  });
}

/** Notes that the notice was sent at `now`, and to whom; of one that had nothing left to tell, to nobody. */
export async function markFindingsTold(
  db: Database,
  id: string,
  recipients: readonly string[],
  now: number,
): Promise<void> {
  await transact(db, (tx) =>
    tx.execute(sql`
      update rekey_inventory.notices set sent_at = ${iso(now)}, recipients = ${sql.param(recipients)}::text[]
      where id = ${id} and sent_at is null`),
  );
}

/**
 * Findings that are open, are told, and opened after the notices before those of `at`. Looks come one after the other, each
 * later than the one before, so that what lies between two of them is told by the second, and by no other.
 */
function openedBy(at: string): SQL {
  const before = sql`(select coalesce(max(n.at), '-infinity') from rekey_inventory.notices n
    where n.kind = ${kind} and n.at < ${at}::timestamptz)`;
  return sql`
    select f.number, f.code, f.severity, f.subject_name, f.about_name, f.sentence, f.owners
    from rekey_inventory.findings f, lateral (select ${before} as at offset 0) before
    where f.state = 'open' and (f.severity = 'refuse' or f.code = any(${sql.param(toldBesides)}::text[]))
      and f.since > before.at and f.since <= ${at}::timestamptz
      and not exists (select from rekey_inventory.finding_changes c
        where c.finding = f.number and c.state = 'open' and c.at <= before.at
          and c.at > f.since - ${knownForMs / 1000} * interval '1 second')`;
}

function noticeOf(id: string, at: number): FindingNotice {
  const [, , notifier = "", owner = ""] = id.split("/");
  return { id, at, notifier, owner: owner === "" ? null : owner };
}
