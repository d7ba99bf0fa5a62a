/** How far the sources are to be relied on: by the check of the gate, and since when all of them have looked. */
import { closeFrom, type Glimpses } from "../glimpses.js";
import {
  type DeclaredSource,
  minuteOf,
  type WatchingSource,
  type WatchRules,
  watchFindings,
} from "../watched.js";
import type { FindingCode } from "./codes.js";
import type { Present } from "./present.js";

/** A source of the estate, and what its readings are worth by the rules of a policy. */
export interface ReadSource extends DeclaredSource, Omit<WatchingSource, "tied"> {
  readonly owner: string;
}

/** One that would show who uses a credential, or might. */
export type TiedSource = ReadSource & Pick<WatchingSource, "tied">;

/**
 * What is found of the sources that would show a credential's users. One of a source is about the source, and the same for all
 * credentials; that there is none is about the credential (`said`).
 */
export function evidenceFindings(
  said: Omit<Present, "code" | "severity" | "sentence">,
  watching: readonly TiedSource[],
  rules: WatchRules,
  now: number,
): Present[] {
  return watchFindings(watching, rules, now).map(({ code, severity, sentence, subject }) => {
    const source = watching.find(({ name }) => name === subject);
    const found = { ...said, code: code as FindingCode, severity, sentence };
    if (source === undefined) return found;
    const { id, name, owner } = source;
    return {
      ...found,
      subject: { id, type: "source", name },
      about: null,
      credential: null,
      owners: [owner],
      sources: [id],
      shownBy: [id],
    };
  });
}

/** Sources whose last reading failed, whoever's use they would show: until it is mended nobody new is seen there. */
export function failingFindings(sources: readonly Omit<ReadSource, "settings" | "seesUse">[]): Present[] {
  return sources.flatMap(({ id, name, owner, failure, wholeAt }) => {
    if (failure === null) return [];
    const before =
      wholeAt === null
        ? "It was never read to its end."
        : `It was read to its end on ${minuteOf(wholeAt)} last.`;
    return [
      {
        ...{ code: "source-failing", severity: "warn", subject: { id, type: "source", name }, about: null },
        ...{ credential: null, owners: [owner], places: [], sources: [id], shownBy: [id] },
        sentence: `The last reading of the source ${name} failed: ${failure} ${before}`,
      },
    ];
  });
}

/** Each finding once; of those that several credentials lead to, the gravest. */
export function gravest(found: readonly Present[], keyOf: (present: Present) => string): Present[] {
  const rank = { refuse: 0, warn: 1, info: 2 } as const;
  const kept = new Map<string, Present>();
  for (const present of found) {
    const key = keyOf(present);
    const before = kept.get(key);
    if (before === undefined || rank[present.severity] < rank[before.severity]) kept.set(key, present);
  }
  return [...kept.values()];
}

/**
 * Since when all sources that would show a use have looked: the shortest of their times. Null where there is none, or where
 * one of them is not read in time or could not see all.
 */
export function watchedSince(
  watching: readonly TiedSource[],
  { evidenceMaxAgeMs: maxAgeMs }: Pick<WatchRules, "evidenceMaxAgeMs">,
  now: number,
): number | null {
  const looking = watching.filter(({ tied, seesUse }) => tied && seesUse);
  const times = looking.map(({ wholeAt, since, silentSince, gaps, unreadable }) => {
    const isWhole = gaps.length === 0 && unreadable === 0;
    const isLate = (at: number | null) => at !== null && now - at > maxAgeMs;
    return isWhole && wholeAt !== null && !isLate(wholeAt) && !isLate(silentSince) ? since : null;
  });
  const known = times.filter((since) => since !== null);
  return known.length === 0 || known.length < times.length ? null : Math.max(...known);
}

/** Since when all of them have looked; and where none of them saw more than who was connected at its looks, what those were. */
export interface Watching {
  readonly since: number | null;
  readonly looks: (Pick<Glimpses, "count" | "apartMs"> & { readonly closeSince: number | null }) | null;
}

/** The same with the looks: where a log watches, or what tells of a use afterwards, nobody has to be met by a look. */
export function watchingOf(
  watching: readonly TiedSource[],
  rules: Pick<WatchRules, "evidenceMaxAgeMs">,
  now: number,
): Watching {
  const since = watchedSince(watching, rules, now);
  const looking = watching.filter(({ tied, seesUse }) => tied && seesUse);
  const looks = looking.flatMap(({ glimpses, wholeAt }) => {
    if (glimpses === undefined) return [];
    const closeSince = closeFrom(glimpses, wholeAt, now);
    // Where the last look is too long ago, there was none for as long.
    const apartMs =
      closeSince === null ? Math.max(glimpses.apartMs, now - (wholeAt ?? now)) : glimpses.apartMs;
    return [{ ...glimpses, apartMs, closeSince }];
  });
  if (since === null || looks.length < looking.length) return { since, looks: null };
  const close = looks.map(({ closeSince }) => closeSince).filter((from) => from !== null);
  return {
    since,
    looks: {
      count: Math.min(...looks.map((one) => one.count)),
      apartMs: Math.max(...looks.map(({ apartMs }) => apartMs)),
      closeSince: close.length < looks.length ? null : Math.max(...close),
    },
  };
}
