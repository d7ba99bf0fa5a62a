/** How each source of the estate is doing: when it was read last, why not since, what it could not see, when it is read next. */

import type { Malformed } from "../domain/discovery/said.js";
import type { Shapes } from "../domain/estate/shapes.js";
import type { SourceConfig } from "../domain/estate/types.js";
import { useWindowMs } from "../domain/graph/current.js";
import { evidenceMaxAgeMs } from "../domain/watched.js";
import { type Database, read, type Tx } from "./database.js";
import { scans } from "./discovery-tables.js";
import { entries } from "./estate-tables.js";
import { and, desc, eq, isNotNull, isNull, or, type SQL } from "./orm.js";
import type { Scan } from "./scans.js";
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
    const health: SourceHealth[] = [];
    for (const { id, name, body } of declared) {
      const { kind, owner, every = null } = body as unknown as SourceConfig;
      const readings = watched.get(id);
      const newest = await newestOf(tx, eq(scans.source, id));
      const over = or(isNotNull(scans.endedAt), isNotNull(scans.failure));
      const last = await newestOf(tx, and(eq(scans.source, id), over));
      const goesOn = newest !== undefined && newest.endedAt === null && newest.failure === null;
      health.push({
        ...{ name, kind, owner, every },
        ...{ wholeAt: readings?.wholeAt ?? null, watchedSince: readings?.since ?? null },
        failure: failureOf(readings),
        readingSince: goesOn ? newest.startedAt : null,
        ...{ gaps: last?.gaps ?? [], unreadable: last?.malformed ?? 0 },
        unreadableFirst: last?.malformedFirst.slice(0, 10) ?? [],
        nextAt: every === null ? null : nextAfter(now, every),
      });
    }
    return health;
  });
}

async function newestOf(tx: Tx, where: SQL | undefined): Promise<Scan | undefined> {
  const order = [desc(scans.startedAt), desc(scans.id)];
  const [row] = await tx
    .select()
    .from(scans)
    .where(where)
    .orderBy(...order)
    .limit(1);
  return row;
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
