/** What the readings of sources are worth together: until when, since when and how completely each of them has looked. */

import type { LogReach } from "../domain/discovery/said.js";
import type { Shapes } from "../domain/estate/shapes.js";
import { closeLooksMs, type Glimpses, lateShareMax } from "../domain/glimpses.js";
import type { Lacking } from "../domain/last-reading.js";
import { type Database, read, type Tx } from "./database.js";
import { sql } from "./orm.js";
import { column, iso, ms } from "./rows.js";
import { settingsDigest } from "./source-settings.js";
import type { Body } from "./submission.js";

/** A source of the estate, as far as it is told which of its readings count. */
export interface AskedSource {
  readonly id: string;
  readonly body: Body;
  /** There is always something to write where it is a log; false of a program of somebody's own, with nothing new to say for long. */
  readonly isBusy: boolean;
}

/**
 * An entry as it is asked about here, whether its kind sees uses (what is built in always has something new, a program may not), and
 * how late its records may be.
 */
export function askedOf<Entry extends Omit<AskedSource, "isBusy">>(
  entry: Entry,
  shapes: Pick<Shapes, "seesUse" | "deliveredWithinMs">,
): Entry & { readonly isBusy: boolean; readonly seesUse: boolean; readonly deliveredWithinMs: number } {
  const { kind, deliveredWithin } = entry.body;
  const seesUse = shapes.seesUse(String(kind));
  const own = typeof deliveredWithin === "number" ? deliveredWithin : null;
  return {
    ...entry,
    ...{ seesUse, isBusy: seesUse, deliveredWithinMs: own ?? shapes.deliveredWithinMs(String(kind)) },
  };
}

/** One source's readings by its present settings. Times are milliseconds since the epoch. */
export interface Watched {
  readonly source: string;
  /** When it was read to its end last, and when that reading began; null where it never was. */
  readonly wholeAt: number | null;
  /** Why the newest reading that came to an end or broke off is not whole, in a sentence of ours, and when; null where it is, or there is none. */
  readonly failure: string | null;
  readonly failedAt: number | null;
  readonly begunAt: number | null;
  /** Since when: the first of the records of a log, or of the looks, that follow upon each other; null: not yet. */
  readonly since: number | null;
  /** Its looks since then, of a source of who is connected now; undefined of everything else. */
  readonly glimpses: Glimpses | undefined;
  /** Of a busy log, since when it has had no record, or has been read without one; null of everything else. */
  readonly silentSince: number | null;
  /** Which of its logs that is, where another one has had a record since. */
  readonly silentLog: string | null;
  /** Of a busy log, the time of its newest record in the present round, null where it has none; of everything else undefined. */
  readonly reachesTo: number | null | undefined;
  /** The same of each of its logs, where it reads several that always have something to write. */
  readonly logs: readonly LogReach[];
  /** Of a log, what was missing within the window; of what is there now, in the last whole look. */
  readonly gaps: readonly string[];
  /** The same and what could not be read, by the reading, with when that ended; one that broke off counts as of the next, or of now. */
  readonly lacking: readonly Lacking[];
  readonly unreadable: number;
}

interface WatchedRow extends Record<string, unknown> {
  readonly source: string;
  readonly whole_at: number | null;
  readonly failure: string | null;
  readonly failed_at: number | null;
  readonly begun_at: number | null;
  readonly since: number | null;
  readonly looks: number;
  readonly apart_ms: number;
  readonly close_since: number;
  readonly silent_since: number | null;
  readonly is_busy_log: boolean | null;
  readonly reaches_to: number | null;
  readonly logs: readonly (LogReach & { readonly silentSince: number })[];
  readonly lacking: readonly Lacking[];
  readonly unreadable: string;
}

/**
 * Of these sources. `windowMs`: how far back uses count; `pauseMs`: two looks that lie further apart do not follow upon each
 * other, and records of a busy log do not either, within one reading or in two: whoever writes it may have been off. What a log lacked in an earlier round,
 * and a reading from its beginning would name again or meet again, is made up for by a later round; and only what that one has read has been
 * watched. Looks back `lookBackMs` and no further, so that years of readings cost nothing; `since` is no earlier than that.
 */
export async function watchedBy(
  db: Database,
  sources: readonly AskedSource[],
  times: WatchTimes,
): Promise<readonly Watched[]> {
  return sources.length === 0 ? [] : read(db, (tx) => watchedWithin(tx, sources, times));
}

/** Durations and the present, in milliseconds. */
export interface WatchTimes {
  readonly windowMs: number;
  readonly lookBackMs: number;
  readonly pauseMs: number;
  readonly now: number;
}

/** The same, on the picture of the database that `tx` has. */
export async function watchedWithin(
  tx: Tx,
  sources: readonly AskedSource[],
  { windowMs, lookBackMs, pauseMs, now }: WatchTimes,
): Promise<readonly Watched[]> {
  const pause = sql`make_interval(secs => ${pauseMs / 1_000})`;
  const { rows } = await tx.execute<WatchedRow>(sql`
      select s.source, ${ms("whole.ended_at")} as whole_at, ${ms("whole.started_at")} as begun_at,
        latest.failure, ${ms("latest.failed_at")} as failed_at,
        ${ms("coalesce(stretched.since, chain.since)")} as since, ${ms("chain.silent_since")} as silent_since,
        coalesce(glimpsed.looks, 0) as looks, glimpsed.apart_ms, ${ms("glimpsed.close_since")} as close_since,
        chain.is_busy_log, ${ms("chain.reaches_to")} as reaches_to, coalesce(reaching.logs, '[]'::jsonb) as logs,
        coalesce(missing.lacking, '[]'::jsonb) as lacking, coalesce(missing.unreadable, 0) as unreadable
      from unnest(${column(sources, ({ id }) => id)}::text[],
        ${column(sources, ({ body }) => settingsDigest(body))}::text[],
        ${column(sources, ({ isBusy }) => isBusy)}::boolean[]) as s (source, settings, is_busy)
      left join lateral (
        select id, started_at, ended_at, round from rekey_inventory.scans w
        where w.source = s.source and w.settings = s.settings and w.ended_at is not null
        order by started_at desc, id desc limit 1
      ) whole on true
      left join lateral (
        select case when ended_at is null then failure end as failure,
          case when ended_at is null then coalesce(failed_at, started_at) end as failed_at
        from rekey_inventory.scans l
        where l.source = s.source and l.settings = s.settings and (l.ended_at is not null or l.failure is not null)
        order by started_at desc, id desc limit 1
      ) latest on true
      left join lateral (
        select max(span_from) filter (where until_before is null or s.is_busy and span_from - until_before > ${pause}) as since
        from (
          select span_from, max(span_until)
            over (order by span_from, span_until rows between unbounded preceding and 1 preceding) as until_before
          from (
            select to_timestamp((pair ->> 0)::float8 / 1000) as span_from,
              least(to_timestamp((pair ->> 1)::float8 / 1000), coalesce(c.ended_at, c.started_at)) as span_until
            from rekey_inventory.scans c,
              -- Of a reading of an earlier release only the ends are known.
              lateral jsonb_array_elements(coalesce(c.stretches, jsonb_build_array(
              jsonb_build_array(${ms("c.covered_from")}, ${ms("c.covered_from")}),
              jsonb_build_array(${ms("c.covered_until")}, ${ms("c.covered_until")})))) as one (pair)
            where c.source = s.source and c.settings = s.settings and c.started_at > ${iso(now - lookBackMs)}
              and c.shows = 'log' and c.round = whole.round and c.covered_from is not null
          ) spans
        ) ordered
      ) stretched on true
      left join lateral (
        select max(started_at) filter (where is_newest and ended_at is not null and (before is null or started_at - before > ${pause})) as since,
        case when s.is_busy and bool_or(shows = 'log') then coalesce(max(until), min(started_at)) end as silent_since,
        s.is_busy and bool_or(shows = 'log') as is_busy_log, max(until) filter (where is_newest) as reaches_to
        from (
          select *, shows = 'now' or round = whole.round as is_newest,
            lag(read_at) over (partition by case when shows = 'log' then round end order by started_at, id) as before
          from (
            -- Nothing was read before it happened: a clock that is ahead makes no log newer, and hides no hole in it.
            select *, case when covered_until is not null then least(covered_until, read_at) end as until
            from rekey_inventory.scans c, lateral (select coalesce(c.ended_at, c.started_at) as read_at) as r
            where c.source = s.source and c.settings = s.settings and c.started_at > ${iso(now - lookBackMs)}
              -- A log is gone on with behind what a reading that broke off has read.
              and (c.ended_at is not null or c.shows = 'log')
          ) readings
        ) looks
      ) chain on true
      left join lateral (
        -- Close since the first look from which on the looks are late for no more than their share of the time.
        select count(*)::int as looks, coalesce(max(apart), 0)::float8 as apart_ms,
          min(started_at) filter (where late_after <= ${lateShareMax}::float8 * extract(epoch from last_at - started_at) * 1000) as close_since
        from (
          select started_at, apart, max(ended_at) over () as last_at, coalesce(sum(greatest(apart - ${closeLooksMs}::float8, 0))
            over (order by started_at desc, id desc rows between unbounded preceding and 1 preceding), 0) as late_after
          from (
            select id, started_at, ended_at,
              extract(epoch from started_at - lag(ended_at) over (order by started_at, id)) * 1000 as apart
            from rekey_inventory.scans c
            where s.is_busy and c.source = s.source and c.settings = s.settings and c.shows = 'now'
              and c.ended_at is not null and c.started_at >= chain.since
          ) paused
        ) late
      ) glimpsed on true
      left join lateral (
        select jsonb_agg(jsonb_build_object('log', log, 'until', ${ms("until")}, 'silentSince', ${ms("coalesce(newest, read_first)")}) order by place) as logs
        from (
          select log, min(place) as place, min(read_at) as read_first, max(reached) filter (where is_newest) as until,
            -- A reading of an earlier release tells of its logs together, and of each of them no more than that.
            greatest(max(reached), (
              select max(least(covered_until, coalesce(ended_at, started_at))) from rekey_inventory.scans o
              where o.source = s.source and o.settings = s.settings and o.started_at > ${iso(now - lookBackMs)} and o.reaches is null
            )) as newest
          from (
            select reach ->> 'log' as log, place, r.read_at, c.round = whole.round as is_newest,
              case when reach ->> 'until' is not null then least(to_timestamp((reach ->> 'until')::float8 / 1000), r.read_at) end as reached
            from rekey_inventory.scans c, lateral (select coalesce(c.ended_at, c.started_at) as read_at) as r,
              jsonb_array_elements(c.reaches) with ordinality as one (reach, place)
            where s.is_busy and c.source = s.source and c.settings = s.settings and c.started_at > ${iso(now - lookBackMs)}
          ) told
          group by log having bool_or(is_newest)
        ) by_log
      ) reaching on true
      left join lateral (
        select sum(unreadable) as unreadable, jsonb_agg(jsonb_build_object('at', ${ms("read_at")}, 'gaps', lacks,
            'unreadable', unreadable, 'firstUnreadable', first_unreadable) order by read_at) filter (where lacks <> '[]' or unreadable > 0) as lacking
        from (
          -- What could not be read stands there still, and the reading that begins anew has met it again, unless it was mended.
          select case when is_newest then m.malformed else 0 end as unreadable, case when is_newest then m.malformed_first -> 0 end as first_unreadable,
            coalesce(m.ended_at, lead(m.started_at) over (order by m.started_at, m.id), ${iso(now)}) as read_at,
            case when is_newest then m.gaps
              else m.gaps - array(select jsonb_array_elements_text(m.gaps_again)) end as lacks
          from rekey_inventory.scans m,
            lateral (select m.shows = 'now' or whole.round is null or m.round = whole.round) as one (is_newest)
          where m.source = s.source and m.settings = s.settings
            and case when m.shows = 'log' then m.started_at > ${iso(now - windowMs)} else m.id = whole.id end
        ) lacking
      ) missing on true`);
  return rows.map(({ source, since, failure, lacking, logs, looks, ...row }) => ({
    ...{ source, since, failure, failedAt: row.failed_at, lacking },
    glimpses: looks === 0 ? undefined : { count: looks, apartMs: row.apart_ms, closeSince: row.close_since },
    ...{ wholeAt: row.whole_at, begunAt: row.begun_at },
    ...silence(row.silent_since, logs),
    reachesTo: row.is_busy_log === true ? row.reaches_to : undefined,
    logs: logs.map(({ log, until }) => ({ log, until })),
    unreadable: Number(row.unreadable),
    gaps: [...new Set(lacking.flatMap((one) => one.gaps))],
  }));
}

/** A source has had nothing new for as long as the log of it that has had nothing for longest. */
function silence(
  silentSince: number | null,
  logs: WatchedRow["logs"],
): Pick<Watched, "silentSince" | "silentLog"> {
  return logs.reduce<Pick<Watched, "silentSince" | "silentLog">>(
    (longest, { log, silentSince: since }) =>
      longest.silentSince === null || since < longest.silentSince
        ? { silentSince: since, silentLog: log }
        : longest,
    { silentSince, silentLog: null },
  );
}
