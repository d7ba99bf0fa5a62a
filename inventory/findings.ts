/** Reads the records of findings: all that stand, or one with everything that became of it. */

import { type HeldException, type KeptFinding, keptAt } from "../domain/findings/course.js";
import { type Database, read, type Tx } from "./database.js";
import { findingChanges, findingLooks, findings } from "./finding-tables.js";
import { and, asc, eq, ne, sql } from "./orm.js";
import { iso } from "./rows.js";

/** Which findings are wanted; what is left out does not matter. */
export interface FindingFilter {
  readonly code?: string;
  /** Id of a credential that they concern. */
  readonly credential?: string;
  /** With those that have ended. */
  readonly ended?: boolean;
  /** Only what has been in its state since this moment, in milliseconds since the epoch, or a later one. */
  readonly changedSince?: number;
}

/** A change of a finding's state. */
export interface FindingChange {
  readonly at: number;
  readonly state: KeptFinding["state"];
  readonly exception: HeldException | null;
}

/** The findings as they stand at `now`, worst first, and when they were brought up to date last; null: never. */
export async function listFindings(
  db: Database,
  filter: FindingFilter,
  now: number,
): Promise<{ readonly findings: readonly KeptFinding[]; readonly at: number | null }> {
  return read(db, async (tx) => {
    const at = await lookedAt(tx);
    const rows = await rowsWithin(tx, filter);
    return { findings: rows.map((row) => keptAt(findingOf(row, at), now)), at };
  });
}

async function rowsWithin(tx: Tx, filter: FindingFilter): Promise<Row[]> {
  const rank = sql`array_position(array['refuse', 'warn', 'info'], ${findings.severity})`;
  // Before what stands in the way of a rotation is what somebody can open something with now.
  const works = sql`${findings.code} <> 'verified-literal'`;
  return tx
    .select()
    .from(findings)
    .where(
      and(
        filter.ended ? undefined : ne(findings.state, "ended"),
        filter.code === undefined ? undefined : sql`${findings.code} = ${filter.code}`,
        filter.credential === undefined ? undefined : eq(findings.credential, filter.credential),
        filter.changedSince === undefined ? undefined : sql`${findings.since} >= ${iso(filter.changedSince)}`,
      ),
    )
    .orderBy(rank, works, asc(findings.code), asc(findings.subjectName), asc(findings.number));
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
  const { number, code, severity, state, credential, sentence, owners, places } = row;
  const { about, aboutType, aboutName, firstSeen, since } = row;
  const lastSeen = state === "ended" ? row.lastSeen : Math.max(row.lastSeen, lookedAt ?? row.lastSeen);
  return {
    ...{ number, code, severity, state, credential, sentence, owners, places, firstSeen, lastSeen, since },
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
