/** How each source of the estate is doing: when it was read last, why not since, what it could not see, when it is read next. */

import type { Malformed } from "../domain/discovery/said.js";
import type { Shapes } from "../domain/estate/shapes.js";
import type { SourceConfig } from "../domain/estate/types.js";
import { useWindowMs } from "../domain/graph/current.js";
import { evidenceMaxAgeMs } from "../domain/watched.js";
import { type Database, read, type Tx } from "./database.js";
import { entries } from "./estate-tables.js";
import { and, eq, isNull, sql } from "./orm.js";
import { ms } from "./rows.js";
import { askedOf, watchedWithin } from "./watching.js";

/** A source, and its readings by its present settings. Times are milliseconds since the epoch. */
export interface SourceHealth {
  readonly name: string;
  readonly kind: string;
  readonly owner: string;
  /** When it was read to its end last; null where it never was. */
  readonly wholeAt: number | null;
  /** Since when its readings follow upon each other, as where no policy says how they have to; null: not yet. */
  readonly watchedSince: number | null;
  /** Why and when its last reading failed; null where none has since it was read to its end. */
  readonly failure: { readonly sentence: string; readonly at: number } | null;
  /** Since when a reading goes on that has not come to an end; null where none does. */
  readonly readingSince: number | null;
  /** What the last reading that came to an end or failed could not see, each in a sentence; how many records it could not read, and the first of them. */
  readonly gaps: readonly string[];
  readonly unreadable: number;
  readonly unreadableFirst: readonly Malformed[];
  readonly every: number | null;
  /** When its schedule has it read next, give or take a minute; null where nobody has said how often. */
  readonly nextAt: number | null;
}

/** Durations of a look that is no policy's: two readings further apart than `pauseMs` do not follow upon each other. */
const rules = { windowMs: useWindowMs, lookBackMs: 400 * 24 * 60 * 60_000, pauseMs: evidenceMaxAgeMs };

/** Every source of the estate in force, in the order of their names, as of `now`. Errors as of `read`. */
export async function sourcesHealth(
  db: Database,
  shapes: Pick<Shapes, "seesUse" | "deliveredWithinMs">,
  now: number,
): Promise<SourceHealth[]> {
  return read(db, async (tx) => {
    const declared = await tx
      .select({ id: entries.id, name: entries.name, body: entries.body })
      .from(entries)
      .where(and(eq(entries.section, "sources"), isNull(entries.endedAt)))
      .orderBy(entries.name);
    if (declared.length === 0) return [];
    const asked = declared.map((entry) => askedOf(entry, shapes));
    const watched = new Map(
      (await watchedWithin(tx, asked, { ...rules, now })).map((one) => [one.source, one]),
    );
    const newest = await newestOf(
      tx,
      declared.map(({ id }) => id),
    );
    return declared.map(({ id, name, body }): SourceHealth => {
      const { kind, owner, every = null } = body as unknown as SourceConfig;
      const readings = watched.get(id);
      const last = newest.get(id);
      return {
        ...{ name, kind, owner, every },
        ...{ wholeAt: readings?.wholeAt ?? null, watchedSince: readings?.since ?? null },
        failure: failureOf(readings),
        readingSince: last?.reading_since ?? null,
        ...{ gaps: last?.gaps ?? [], unreadable: Number(last?.malformed ?? 0) },
        unreadableFirst: last?.first ?? [],
        nextAt: every === null ? null : nextAfter(now, every),
      };
    });
  });
}

/** Of a source, since when its newest reading goes on, and what the newest that came to an end or failed could not see. */
interface Newest extends Record<string, unknown> {
  readonly source: string;
  readonly reading_since: number | null;
  readonly gaps: readonly string[] | null;
  readonly malformed: string | null;
  readonly first: readonly Malformed[] | null;
}

/** So many records that could not be read are named. */
const namedMax = 10;

/** The same of all of these at once, by their ids. */
async function newestOf(tx: Tx, sources: readonly string[]): Promise<Map<string, Newest>> {
  const { rows } = await tx.execute<Newest>(sql`
    select s.source, ${ms("begun.started_at")} as reading_since, over.gaps, over.malformed,
      jsonb_path_query_array(over.malformed_first, ${`$[0 to ${namedMax - 1}]`}::jsonpath) as first
    from unnest(${sql.param(sources)}::text[]) as s (source)
    left join lateral (
      select case when ended_at is null and failure is null then started_at end as started_at
      from rekey_inventory.scans where source = s.source order by scans.started_at desc, id desc limit 1
    ) begun on true
    left join lateral (
      select gaps, malformed, malformed_first from rekey_inventory.scans
      where source = s.source and (ended_at is not null or failure is not null)
      order by started_at desc, id desc limit 1
    ) over on true`);
  return new Map(rows.map((row) => [row.source, row]));
}

function failureOf(
  readings: { readonly failure: string | null; readonly failedAt: number | null } | undefined,
): SourceHealth["failure"] {
  const { failure: sentence = null, failedAt: at = null } = readings ?? {};
  return sentence === null || at === null ? null : { sentence, at };
}

/** Schedules with an interval run at its multiples since the epoch. */
function nextAfter(now: number, everyMs: number): number {
  return (Math.floor(now / everyMs) + 1) * everyMs;
}
