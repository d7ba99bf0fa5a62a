/**
 * The readings of sources: where each begins, how far it has come, what it could not read, and what is gone because a whole
 * reading no longer has it.
 */
import { believedPart } from "../domain/discovery/believed.js";
import { hiddenByBoth, hiddenIn } from "../domain/discovery/hidden.js";
import { mergedReaches } from "../domain/discovery/reaches.js";
import type { Declared } from "../domain/discovery/resolve.js";
import type { ScanPart } from "../domain/discovery/said.js";
import { soundPart } from "../domain/discovery/sound.js";
import { atEnds, mergedStretches, type Stretch } from "../domain/discovery/stretches.js";
import { RekeyError } from "../domain/errors.js";
import { lateness, shownFor } from "../domain/graph/current.js";
import { type Database, type Tx, transact } from "./database.js";
import { keepPart, type ScanRef } from "./discovery-keep.js";
import { scans } from "./discovery-tables.js";
import { endForsaken, forsaken, longestWindowMs } from "./forsaken.js";
import { endEdgesWithoutEvidence, lockMap } from "./graph-keep.js";
import { and, desc, eq, isNull, sql } from "./orm.js";
import { revisionIn } from "./rematch.js";
import { endUnmet, hiddenBy } from "./unmet.js";
import { forgetVersionReads } from "./version-reads.js";

/** A reading, as it stands. Times are milliseconds since the epoch. */
export type Scan = typeof scans.$inferSelect;

/** Malformed records that are named; all are counted. */
const namedMax = 100;

/** After this time a reading of what is there now begins anew: what it read first may be gone. */
const resumeMsMax = 6 * 60 * 60_000;

/**
 * The reading to go on with: one that was broken off and is not too old, or a new one. A log is gone on with from where
 * the last one came to, however that ended; what is there now is read from its beginning, and so is what was read by other
 * settings. `anew` asks for the beginning, whatever was read: once, so that whoever asks again with the same word goes on.
 */
export async function beginScan(
  db: Database,
  {
    source,
    shows,
    settings,
    now,
    newId,
    anew,
  }: Omit<ScanRef, "id"> & {
    readonly now: number;
    readonly newId: () => string;
    readonly anew?: string | undefined;
  },
): Promise<Scan> {
  return transact(db, async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${`scan ${source}`}))`);
    const [last] = await tx
      .select()
      .from(scans)
      .where(eq(scans.source, source))
      .orderBy(desc(scans.startedAt), desc(scans.id))
      .limit(1);
    const isSame = last?.settings === settings && (anew === undefined || last.round === anew);
    // That it failed stays in the records until it ends: between two attempts nothing is mended.
    if (last !== undefined && isSame && last.endedAt === null && now - last.startedAt < resumeMsMax)
      return { ...last, failure: null };
    const cursor = shows === "log" && isSame ? last.cursorAfter : null;
    const id = newId();
    const row = {
      ...{ id, round: isSame ? last.round : (anew ?? id) },
      source,
      shows,
      settings,
      startedAt: now,
      cursorBefore: cursor,
      cursorAfter: cursor,
    };
    const none = {
      records: 0,
      claims: 0,
      copies: 0,
      malformed: 0,
      malformedFirst: [],
      gaps: [],
      gapsAgain: [],
      hidden: [],
    };
    const [made] = await tx
      .insert(scans)
      .values({ ...row, ...none })
      .returning();
    if (made === undefined) throw new RekeyError("internal", "A reading was not kept.");
    return made;
  });
}

/**
 * Keeps a part and moves the cursor from `before`, in one transaction, as learnt of `now`. Throws `conflict` where the cursor stands elsewhere:
 * somebody else reads on, and what this one has read is theirs to keep. What cannot be kept counts as malformed, and times that cannot be true as now.
 */
export async function notePart(
  db: Database,
  scan: ScanRef,
  before: string | null,
  said: ScanPart,
  declared: Declared,
  now: number,
): Promise<void> {
  const part = believedPart(soundPart(said, declared.sha256Hex), now);
  await transact(db, async (tx) => {
    await lockMap(tx);
    if ((await revisionIn(tx)) !== declared.revision)
      throw new RekeyError(
        "conflict",
        "The estate was changed meanwhile; the reading goes on by the new one.",
      );
    const [standing] = await tx.select().from(scans).where(eq(scans.id, scan.id)).for("update");
    // It is kept already, and the answer that said so was lost: the same cursor stands for the same records.
    if (standing?.endedAt === null && standing.cursorAfter === part.cursor && part.cursor !== before) return;
    if (standing === undefined || standing.cursorAfter !== before || standing.endedAt !== null)
      throw new RekeyError("conflict", "Another reading of this source goes on from here.");
    await keepPart(tx, scan, part, declared, now);
    const { covered } = part;
    const from = [standing.coveredFrom, covered?.from ?? null].filter((at) => at !== null);
    const until = [standing.coveredUntil, covered?.until ?? null].filter((at) => at !== null);
    await tx
      .update(scans)
      .set({
        cursorAfter: part.cursor,
        records: standing.records + part.records,
        claims: standing.claims + part.claims.length,
        copies: standing.copies + part.copies.length,
        malformed: standing.malformed + part.malformed.length,
        malformedFirst: [...standing.malformedFirst, ...part.malformed].slice(0, namedMax),
        gaps: [...new Set([...standing.gaps, ...part.gaps])].slice(0, namedMax),
        gapsAgain: [...new Set([...standing.gapsAgain, ...(part.gapsAgain ?? [])])].slice(0, namedMax),
        hidden: hiddenByBoth(hiddenBy(standing), hiddenIn(part)),
        coveredFrom: from.length === 0 ? null : Math.min(...from),
        coveredUntil: until.length === 0 ? null : Math.max(...until),
        stretches: mergedStretches(stretchesOf(standing), part.stretches ?? atEnds(covered)),
        ...(part.reaches === undefined
          ? {}
          : { reaches: mergedReaches(standing.reaches ?? [], part.reaches) }),
      })
      .where(eq(scans.id, scan.id));
  });
}

/** Of a reading that an earlier release began, only the ends are known. */
function stretchesOf({ stretches, coveredFrom, coveredUntil }: Scan): readonly Stretch[] {
  if (stretches !== null || coveredFrom === null || coveredUntil === null) return stretches ?? [];
  return atEnds({ from: coveredFrom, until: coveredUntil });
}

/** The place was read to its end; of what is there now, whatever was not met where nothing hid it is gone. */
export async function endScan(db: Database, scan: ScanRef, now: number): Promise<Scan> {
  return transact(db, async (tx) => {
    await lockMap(tx);
    const [newest] = await tx
      .select({ id: scans.id })
      .from(scans)
      .where(eq(scans.source, scan.source))
      .orderBy(desc(scans.startedAt), desc(scans.id))
      .limit(1);
    const [ended] = await tx
      .update(scans)
      .set({ endedAt: now, failure: null, failedAt: null })
      .where(and(eq(scans.id, scan.id), isNull(scans.endedAt)))
      .returning();
    if (ended === undefined || newest?.id !== scan.id)
      throw new RekeyError(
        "conflict",
        "Another reading of this source has ended this one, or came after it.",
      );
    if (scan.shows === "now") await endUnmet(tx, ended, now);
    await endFaded(tx, scan, now);
    await forgetVersionReads(tx, scan, now);
    return ended;
  });
}

/**
 * The reading broke off at `now`; the next one goes on from its cursor. `why` is a sentence of ours. One that somebody else has
 * ended has not failed.
 */
export async function breakOff(db: Database, id: string, why: string, now: number): Promise<void> {
  const unended = and(eq(scans.id, id), isNull(scans.endedAt));
  await transact(db, (tx) => tx.update(scans).set({ failure: why, failedAt: now }).where(unended));
}

/** Ends what no policy of the estate has counted for as long as it counted, as `isCurrent` says it; also of sources that are gone. */
async function endFaded(tx: Tx, { source }: ScanRef, now: number): Promise<void> {
  const at = new Date(now).toISOString();
  const intervalMs = sql`case when v.count > 1
    then extract(epoch from v.last_seen - v.first_seen) * 1000 / (v.count - 1) else 0 end`;
  await endEdgesWithoutEvidence(
    tx,
    sql`update rekey_inventory.graph_evidence v set ended_at = ${at}
      where (v.source = ${source} or v.source in (${forsaken})) and v.ended_at is null and v.kind in ('read', 'session')
        and extract(epoch from ${at}::timestamptz - v.last_seen) * 1000 > ${shownFor}::float8 * greatest(${longestWindowMs}, ${lateness}::float8 * (${intervalMs}),
          ${lateness}::float8 * (select coalesce(max(n.cadence_ms), 0) from rekey_inventory.graph_nodes n where n.id in (v.from_id, v.to_id)))`,
    at,
  );
  await endForsaken(tx, longestWindowMs, at);
}
