/**
 * Who goes on reading an older version of a place. A consumer that pins one of the store's versions has the old value after the
 * new one was delivered, and no session shows it: gate 8 asks for "no read of O", and logs of stores are where such a read is.
 */
import { olderVersion } from "./discovery/said.js";
import { answersFor, type BoundedException, exceptionsFor } from "./exceptions.js";
import type { Finding } from "./finding.js";
import type { LastRead, PlaceState } from "./rotation/state.js";
import { minuteOf } from "./watched.js";

/** What stands at a place under one of the store's own versions. */
export interface StoreVersion {
  /** Of the rotation: `main`, or the id of the consumer that has it for itself. */
  readonly place: string;
  readonly storeVersion: string;
  /** Id of the credential's version; null for the value of before the first rotation. */
  readonly version: string | null;
  /** When it was first seen to be live, in milliseconds since the epoch. */
  readonly seenAt: number;
}

/** One of the store's versions at a place, read by somebody. */
export interface StoreRead {
  readonly place: string;
  /** As the reader is called on the map. */
  readonly reader: string;
  /** The store's name of it, or `olderVersion`. */
  readonly storeVersion: string;
  /** In milliseconds since the epoch, on the clock of whoever wrote the log. */
  readonly lastAt: number;
}

/** A read of what was not live any more. */
export interface OldRead extends StoreRead {
  /** Id of the version that was read; null for the value of before the first rotation. */
  readonly version: string | null;
  /** What was live by then. */
  readonly live: string;
  /** Who answers for that reader, in a sentence; such a read keeps nothing valid. */
  readonly answered?: string;
}

/**
 * Reads of a version after a later one was live at the same place. A store that counts has its versions in order, and one that nobody
 * saw holds what the last one before it held. Any other name that is not known, and `olderVersion`, is taken for the value that
 * was live before the present one.
 */
export function oldReads(
  reads: readonly StoreRead[],
  known: readonly StoreVersion[],
  exceptions: readonly BoundedException[],
  now: number,
): OldRead[] {
  const byPlace = Map.groupBy(known, ({ place }) => place);
  return reads.flatMap((read): OldRead[] => {
    const there = inOrder(byPlace.get(read.place) ?? []);
    const held = heldBy(read, there);
    const live = held?.after.findLast(({ seenAt }) => seenAt < read.lastAt);
    if (held === null || live === undefined) return [];
    const { holding } = exceptionsFor(exceptions, "old-version-read", [read.reader], now);
    const answered = holding === null ? {} : { answered: answersFor(holding, "it") };
    return [{ ...read, version: held.version, live: live.storeVersion, ...answered }];
  });
}

/**
 * The same with what a rotation has put there itself live since that was told: the first look at it may come long after, where it
 * fails for a while, and a read of the old version in between is one.
 */
export function liveSinceTold(
  known: readonly StoreVersion[],
  places: Readonly<Record<string, Pick<PlaceState, "told" | "toldAt">>>,
): StoreVersion[] {
  const byPlace = Map.groupBy(known, ({ place }) => place);
  return [...byPlace].flatMap(([place, there]) => {
    const { told = null, toldAt = null } = places[place] ?? {};
    // What somebody else has written beside it later was live later.
    const first = inOrder(there).find(({ version }) => version !== null && version === told);
    return there.map((one) =>
      one === first && toldAt !== null ? { ...one, seenAt: Math.min(one.seenAt, toldAt) } : one,
    );
  });
}

/** Whether that is a name of a store that counts its versions. */
export const isCounted = ({ storeVersion }: Pick<StoreRead, "storeVersion">): boolean =>
  /^\d{1,15}$/.test(storeVersion);

/** As they were written: by number where the store counts, and otherwise as they were seen. */
function inOrder(there: readonly StoreVersion[]): StoreVersion[] {
  const counts = there.every(isCounted);
  const place = ({ storeVersion, seenAt }: StoreVersion) => (counts ? Number(storeVersion) : seenAt);
  return there.toSorted((a, b) => place(a) - place(b));
}

/** Which version was read of those `there`, in their order, and what came after it; null where nobody knows of an older one. */
function heldBy(
  read: StoreRead,
  there: readonly StoreVersion[],
): { readonly version: string | null; readonly after: readonly StoreVersion[] } | null {
  const split = (index: number) => {
    const version = there[Math.max(index, 0)]?.version ?? null;
    return { version, after: there.slice(index + 1) };
  };
  if (isCounted(read) && there.every(isCounted)) {
    const number = Number(read.storeVersion);
    return split(there.findLastIndex(({ storeVersion }) => Number(storeVersion) <= number));
  }
  const named = there.findIndex(({ storeVersion }) => storeVersion === read.storeVersion);
  if (named >= 0) return split(named);
  const before = there.findLastIndex(({ version }) => version !== there.at(-1)?.version);
  return before < 0 ? null : split(before);
}

/**
 * The last read of each version for which nobody answers, by its id: since then alone can nobody have used it. `origin` is the
 * version that a document without one holds.
 */
export function lastReads(reads: readonly OldRead[], origin: string): Record<string, LastRead> {
  const last: Record<string, LastRead> = {};
  for (const { version, answered, reader, lastAt } of reads) {
    const id = version ?? origin;
    if (answered === undefined && lastAt > (last[id]?.at ?? 0)) last[id] = { at: lastAt, by: reader };
  }
  return last;
}

/** Such reads as findings: while it goes on, the version that is read is not taken away. */
export function oldReadFindings(reads: readonly OldRead[]): Finding[] {
  return reads.map(({ reader: subject, storeVersion, lastAt, live, answered }) => ({
    ...{ code: "old-version-read", severity: "warn", subject },
    sentence: `${subject} read ${storeVersion === olderVersion ? "an older version" : `version ${storeVersion}`} of the store on ${minuteOf(lastAt)}, when version ${live} was live there.${answered === undefined ? "" : ` ${answered}`}`,
    hint: "Let it read what is live, without naming a version: it will fail when the old value is revoked.",
  }));
}
