/**
 * Who goes on reading an older version of a place. A consumer that pins one of the store's versions has the old value after the
 * new one was delivered, and no session shows it: gate 8 asks for "no read of O", and logs of stores are where such a read is.
 */
import { olderVersion } from "./discovery/said.js";
import { answersFor, type BoundedException, exceptionsFor } from "./exceptions.js";
import type { Finding } from "./finding.js";
import { isGoingBack, others } from "./rotation/moves.js";
import type { LastRead, RotationState } from "./rotation/state.js";
import { minuteOf } from "./watched.js";

/** What stands at a place under one of the store's own versions. */
export interface StoreVersion {
  /** Of the rotation: `main`, or the id of the consumer that has it for itself. */
  readonly place: string;
  readonly storeVersion: string;
  /** Id of the credential's version, as the document says it; null for the value of before the first rotation. */
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

/** A reader's last read at a place of what is not live there. */
export interface OldRead extends StoreRead {
  /** The versions of the rotation that it may have read, by id; none before the new one was told there. */
  readonly uses: readonly string[];
  /** What was live instead, by the store's name. */
  readonly live: string;
  /** Who answers for that reader, in a sentence; such a read keeps nothing valid. */
  readonly answered?: string;
}

/** What of a rotation tells which reads are of the past. */
export type Walk = Pick<RotationState, "origin" | "target" | "versions" | "places">;

/**
 * Of each reader and place the last read of an older version: since the target was told there of anything else, and before that
 * of whatever is not live, which shows who pins a version and will not follow. A store that counts has its versions in order, and one
 * that nobody saw live holds what the last one before it held. What nobody can tell whose it is, such as a name that was never
 * seen live, counts for every version but the target; a read of one that no rotation can take away any more counts for none.
 */
export function oldReads(
  reads: readonly StoreRead[],
  known: readonly StoreVersion[],
  walk: Walk,
  answering: { readonly exceptions: readonly BoundedException[]; readonly now: number },
): OldRead[] {
  const shelves = new Map(
    [...Map.groupBy(known, ({ place }) => place)].map(([place, there]) => [
      place,
      shelfOf(place, there, walk),
    ]),
  );
  const last = new Map<string, OldRead>();
  for (const read of reads) {
    const old = oldRead(read, shelves.get(read.place) ?? null, walk);
    if (old === null) continue;
    const key = JSON.stringify([read.place, read.reader]);
    const before = last.get(key);
    const uses = [...new Set([...(before?.uses ?? []), ...old.uses])].sort();
    last.set(key, { ...(before !== undefined && before.lastAt > old.lastAt ? before : old), uses });
  }
  return [...last.values()].map((read) => {
    const { holding } = exceptionsFor(answering.exceptions, "old-version-read", [read.reader], answering.now);
    return holding === null ? read : { ...read, answered: answersFor(holding, "it") };
  });
}

/** The versions of a place in their order. */
interface Shelf {
  readonly there: readonly StoreVersion[];
  readonly live: StoreVersion;
  readonly counts: boolean;
  readonly byName: ReadonlyMap<string, number>;
  /** Where in the order the target stands first; below zero where nobody has seen it there. */
  readonly target: number;
  /** Since when whatever else is read there is of the past, in milliseconds since the epoch; null before. */
  readonly since: number | null;
}

/** Whether that is a name of a store that counts its versions. */
export const isCounted = ({ storeVersion }: Pick<StoreRead, "storeVersion">): boolean =>
  /^\d{1,15}$/.test(storeVersion);

function shelfOf(place: string, known: readonly StoreVersion[], { target, places }: Walk): Shelf | null {
  const counts = known.every(isCounted);
  const rank = ({ storeVersion, seenAt }: StoreVersion) => (counts ? Number(storeVersion) : seenAt);
  const there = known.toSorted((a, b) => rank(a) - rank(b));
  const live = there.at(-1);
  if (live === undefined) return null;
  const { told = null, toldAt = null } = places[place] ?? {};
  // The first look at what was told may come long after, where it fails for a while.
  const seenAt = there[there.findLastIndex(({ version }) => version !== target) + 1]?.seenAt;
  return {
    ...{ there, live, counts, target: there.findIndex(({ version }) => version === target) },
    byName: new Map(there.map(({ storeVersion }, index) => [storeVersion, index])),
    since: told === target && toldAt !== null ? Math.min(toldAt, seenAt ?? toldAt) : null,
  };
}

function oldRead(read: StoreRead, shelf: Shelf | null, walk: Walk): OldRead | null {
  if (shelf === null) return null;
  const { there, live, since } = shelf;
  const held = heldIn(shelf, read);
  const row = held < 0 ? undefined : there[held];
  if (since === null) {
    // Nothing was replaced there yet; who reads what is not live pins it.
    const isPast = held >= 0 && row !== live && read.lastAt > live.seenAt;
    return isPast ? { ...read, uses: [], live: live.storeVersion } : null;
  }
  if (row?.version === walk.target || read.lastAt <= since) return null;
  const uses = row === undefined ? usesUnseen(read, shelf, walk) : usesOf(row, held, shelf, walk);
  const given = givenOut(walk);
  const may = uses.filter((id) => given.includes(id));
  return may.length === 0 ? null : { ...read, uses: may, live: live.storeVersion };
}

/** Where in the order what was read stands, or what it held stands; below zero where nobody knows. */
function heldIn({ there, counts, byName }: Shelf, read: StoreRead): number {
  if (!counts || !isCounted(read)) return byName.get(read.storeVersion) ?? -1;
  const number = Number(read.storeVersion);
  let [low, high] = [0, there.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Number(there[middle]?.storeVersion) <= number) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Every version but the target that somebody may have been given and that is not gone. */
function givenOut(walk: Walk): string[] {
  return others(walk).flatMap(({ id, delivered }) => (delivered ? [id] : []));
}

/** Which versions may have been read where nobody has seen that one live. */
function usesUnseen(read: StoreRead, shelf: Shelf, walk: Walk): string[] {
  const [first] = shelf.there;
  if (first === undefined || !shelf.counts || !isCounted(read)) return givenOut(walk);
  // Below the first number that was seen stands what stood there, or what was gone before it.
  if (first.version !== walk.target) return usesOf(first, 0, shelf, walk);
  return isGoingBack(walk) ? [] : givenOut(walk);
}

/**
 * Which version of the rotation stands under a name. A document may name one that the rotation does not know: none, before the first
 * one, or one that has ended, in a store that was put back. What was live before the target is the origin, whatever it is called.
 */
function usesOf(row: StoreVersion, held: number, { there, target }: Shelf, walk: Walk): string[] {
  if (row.version !== null && Object.hasOwn(walk.versions, row.version)) return [row.version];
  const end = target < 0 ? there.length : target;
  const before = there[end - 1]?.version;
  const isOrigin = held < end && there.slice(held, end).every(({ version }) => version === before);
  return isOrigin ? [walk.origin] : [];
}

/** The last read of each version for which nobody answers, by its id: nobody has used it no earlier than since then. */
export function lastReads(reads: readonly OldRead[]): Record<string, LastRead> {
  const last: Record<string, LastRead> = {};
  for (const { uses, answered, reader, lastAt } of reads)
    for (const id of answered === undefined ? uses : [])
      if (lastAt > (last[id]?.at ?? 0)) last[id] = { at: lastAt, by: reader };
  return last;
}

/** Of more than so many readers people read no names, and a look has to stay small. */
const namedMax = 20;

/** Such reads as findings, the latest first: while it goes on, what is read is not taken away. */
export function oldReadFindings(reads: readonly OldRead[]): Finding[] {
  const latest = reads.toSorted((a, b) => b.lastAt - a.lastAt || (a.reader < b.reader ? -1 : 1));
  const found = latest
    .slice(0, namedMax)
    .map(({ reader: subject, storeVersion, lastAt, live, uses, answered }): Finding => {
      const what = storeVersion === olderVersion ? "an older version" : `version ${storeVersion}`;
      const when =
        uses.length === 0 ? `when version ${live} was live there` : "after the new value was told there";
      return {
        ...{ code: "old-version-read", severity: "warn", subject },
        sentence: `${subject} read ${what} of the store on ${minuteOf(lastAt)}, ${when}.${answered === undefined ? "" : ` ${answered}`}`,
        hint: "Let it read what is live, without naming a version: it will fail when the old value is revoked.",
      };
    });
  const more = latest.length - found.length;
  if (more <= 0) return found;
  const sentence = `${more} more read older versions of the store.`;
  return [...found, { code: "old-version-read", severity: "warn", sentence }];
}
