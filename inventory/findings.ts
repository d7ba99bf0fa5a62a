/** Reads the records of findings: all that stand, or one with everything that became of it. */

import { type HeldException, type KeptFinding, keptAt } from "../domain/findings/course.js";
import { type Database, read, type Tx } from "./database.js";
import { findingChanges, findingLooks, findings } from "./finding-tables.js";
import { and, asc, count, eq, ne, sql } from "./orm.js";
import { iso } from "./rows.js";

/** Which findings are wanted; what is left out does not matter. */
export interface FindingFilter {
  readonly code?: string;
  /** Id of a credential that they concern. */
  readonly credential?: string;
  readonly severity?: string;
  /** Name of who answers for it. */
  readonly owner?: string;
  /** What is in this state; without one, all that have not ended. */
  readonly state?: string;
  /** Where no state is asked for: with those that have ended. */
  readonly ended?: boolean;
  /** So many of them, after so many; without it all. */
  readonly part?: { readonly limit: number; readonly offset: number };
  /** Only what has been in its state since this moment, in milliseconds since the epoch, or a later one. */
  readonly changedSince?: number;
}

/** A change of a finding's state. */
export interface FindingChange {
  readonly at: number;
  readonly state: KeptFinding["state"];
  readonly exception: HeldException | null;
}

/** Findings, all or a part of them; how many there are in all; and when they were brought up to date last. */
export interface FindingList {
  readonly findings: readonly KeptFinding[];
  readonly total: number;
  /** Null: never. */
  readonly at: number | null;
}

/** The findings as they stand at `now`, in milliseconds since the epoch, worst first. */
export async function listFindings(db: Database, filter: FindingFilter, now: number): Promise<FindingList> {
  return read(db, async (tx) => {
    const at = await lookedAt(tx);
    const wanted = whereOf(filter, now);
    const rows = await rowsWithin(tx, wanted, filter.part);
    const total = filter.part === undefined ? rows.length : await countWithin(tx, wanted);
    return { findings: rows.map((row) => keptAt(findingOf(row, at), now)), total, at };
  });
}

/** An exception counts until its end, whether or not anybody has looked since, as in `keptAt`. */
function whereOf(
  { code, severity, credential, owner, state, ended, changedSince }: FindingFilter,
  now: number,
) {
  const standing = sql`case when ${findings.state} = 'excepted' and ${findings.exceptionUntil} <= ${iso(now)}
    then 'open' else ${findings.state} end`;
  return and(
    state === undefined && !ended ? ne(findings.state, "ended") : undefined,
    state === undefined ? undefined : sql`${standing} = ${state}`,
    code === undefined ? undefined : sql`${findings.code} = ${code}`,
    severity === undefined ? undefined : sql`${findings.severity} = ${severity}`,
    credential === undefined ? undefined : eq(findings.credential, credential),
    owner === undefined ? undefined : sql`${findings.owners} @> ${JSON.stringify([owner])}::jsonb`,
    changedSince === undefined ? undefined : sql`${findings.since} >= ${iso(changedSince)}`,
  );
}

async function rowsWithin(
  tx: Tx,
  wanted: ReturnType<typeof whereOf>,
  part: FindingFilter["part"],
): Promise<Row[]> {
  const rank = sql`array_position(array['refuse', 'warn', 'info'], ${findings.severity})`;
  // Before what stands in the way of a rotation is what somebody can open something with now.
  const works = sql`${findings.code} <> 'verified-literal'`;
  const rows = tx
    .select()
    .from(findings)
    .where(wanted)
    .orderBy(rank, works, asc(findings.code), asc(findings.subjectName), asc(findings.number));
  return part === undefined ? rows : rows.limit(part.limit).offset(part.offset);
}

async function countWithin(tx: Tx, wanted: ReturnType<typeof whereOf>): Promise<number> {
  const [row] = await tx.select({ size: count() }).from(findings).where(wanted);
  return row?.size ?? 0;
}

/** How many findings there are of a severity in a state. */
export interface FindingCount {
  readonly severity: KeptFinding["severity"];
  readonly state: "open" | "excepted";
  readonly size: number;
}

/** How many findings have not ended at `now`, of each severity and state, none too; and when they were brought up to date last. */
export async function countFindings(
  db: Database,
  now: number,
): Promise<{ readonly counts: readonly FindingCount[]; readonly lookedAt: number | null }> {
  return read(db, async (tx) => {
    const { rows } = await tx.execute<{ severity: string; state: string; size: number }>(sql`
      select severity, case when exception_until > ${iso(now)} then 'excepted' else 'open' end as state,
        count(*)::int as size
      from rekey_inventory.findings where state <> 'ended' group by 1, 2`);
    const sizes = new Map(rows.map(({ severity, state, size }) => [`${severity} ${state}`, size]));
    const counts = (["refuse", "warn", "info"] as const).flatMap((severity) =>
      (["open", "excepted"] as const).map((state) => {
        return { severity, state, size: sizes.get(`${severity} ${state}`) ?? 0 };
      }),
    );
    return { counts, lookedAt: await lookedAt(tx) };
  });
}

/** A finding by its number, with every change of its state, oldest first; null where there is none. */
export async function findingNumbered(
  db: Database,
  number: number,
  now: number,
): Promise<{ readonly finding: KeptFinding; readonly changes: readonly FindingChange[] } | null> {
  return read(db, async (tx) => {
    const [row] = await tx.select().from(findings).where(eq(findings.number, number));
    if (row === undefined) return null;
    const changes = await tx
      .select()
      .from(findingChanges)
      .where(eq(findingChanges.finding, number))
      .orderBy(asc(findingChanges.at));
    return {
      finding: keptAt(findingOf(row, await lookedAt(tx)), now),
      changes: changes.map(({ at, state, ...change }) => ({ at, state, exception: exceptionOf(change) })),
    };
  });
}

async function lookedAt(tx: Tx): Promise<number | null> {
  const [look] = await tx.select().from(findingLooks);
  return look?.at ?? null;
}

type Row = typeof findings.$inferSelect;
type Excepted = Pick<Row, "exceptionOwner" | "exceptionReason" | "exceptionUntil">;

function exceptionOf({ exceptionOwner, exceptionReason, exceptionUntil }: Excepted): HeldException | null {
  if (exceptionUntil === null) return null;
  return { owner: exceptionOwner ?? "", reason: exceptionReason ?? "", until: exceptionUntil };
}

/** A finding that has not ended was there when everything was looked at last: that is not written to each of them. */
function findingOf(row: Row, lookedAt: number | null): KeptFinding {
  const { number, code, severity, state, credential, sentence, owners, places, sources } = row;
  const { about, aboutType, aboutName, firstSeen, since } = row;
  const lastSeen = state === "ended" ? row.lastSeen : Math.max(row.lastSeen, lookedAt ?? row.lastSeen);
  return {
    ...{ number, code, severity, state, credential, sentence, owners, places, sources },
    ...{ firstSeen, lastSeen, since },
    // What several places have in common has no name, and its id here is of use to nobody but the records.
    subject: {
      id: row.subjectType === "value" ? "" : row.subject,
      type: row.subjectType,
      name: row.subjectName,
    },
    about: about === null ? null : { id: about, type: aboutType ?? "", name: aboutName ?? "" },
    exception: exceptionOf(row),
  };
}
