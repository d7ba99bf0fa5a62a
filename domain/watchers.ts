/**
 * Which sources watch over a rotation. They are part of what its owners agreed to, as its rules are (H17): whoever takes one out
 * of the estate meanwhile, binds it to something else, or tells it what to leave out, has nobody's agreement to go on without what it would have shown.
 */
import type { Finding, Severity } from "./finding.js";
import type { LastReading, Watcher } from "./last-reading.js";
import { nothingIssued } from "./rotation/moves.js";
import type { RotationState } from "./rotation/state.js";

/** One that watched, and does not any more as it was agreed to. */
export interface GoneWatcher {
  readonly name: string;
  readonly why: keyof typeof wentText;
}

const wentText = {
  ended: "has left the estate",
  elsewhere: "is bound to something else now",
  changed: "is set to read otherwise now",
} as const;

/** Those that watch now. */
export function watchersIn(sources: readonly (Watcher & Pick<LastReading, "tied" | "seesUse">)[]): Watcher[] {
  return sources.flatMap(({ id, name, tied, seesUse, deliveredWithinMs, settingsDigest }) =>
    tied && seesUse
      ? [{ id, name, deliveredWithinMs, ...(settingsDigest === undefined ? {} : { settingsDigest }) }]
      : [],
  );
}

/** Those that count: all that watched since the owners were asked, or since something was issued; none before. */
export function agreedWatchers(
  state: Pick<RotationState, "asked" | "watching"> & Parameters<typeof nothingIssued>[0],
): readonly Watcher[] {
  return isAgreed(state) ? (state.watching ?? []) : [];
}

function isAgreed(state: Parameters<typeof agreedWatchers>[0]): boolean {
  return state.asked.length > 0 || !nothingIssued(state);
}

/**
 * Which watch over it after a look that saw `seen`. Until somebody was asked those are the ones that the estate has; from then on
 * none leaves them, none may be later than it was, and each is to read as it did. The same list as long as nothing changes; undefined where no look said any.
 */
export function watchingAfter(
  state: Parameters<typeof agreedWatchers>[0],
  seen: readonly Watcher[] | undefined,
): readonly Watcher[] | undefined {
  if (seen === undefined) return state.watching;
  const kept = new Map(agreedWatchers(state).map((watcher) => [watcher.id, watcher]));
  for (const watcher of seen) {
    const before = kept.get(watcher.id);
    const late = Math.max(watcher.deliveredWithinMs, before?.deliveredWithinMs ?? 0);
    kept.set(watcher.id, { ...(before ?? watcher), deliveredWithinMs: late });
  }
  const next = [...kept.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return JSON.stringify(next) === JSON.stringify(state.watching) ? state.watching : next;
}

/**
 * The sources that may show the credential with those that were agreed to: one of these is tied to it also where what it has shown
 * has faded, and is no earlier than it was. `declared`: ids of every source of the estate. One that reads otherwise than it did, such
 * as one that takes somebody for the engine since, is read as it is, and not as what was agreed to.
 */
export function overseeing<Source extends Watcher & Pick<LastReading, "tied" | "seesUse">>(
  sources: readonly Source[],
  declared: ReadonlySet<string>,
  agreed: readonly Watcher[],
): { readonly sources: Source[]; readonly gone: GoneWatcher[] } {
  const byId = new Map(agreed.map((watcher) => [watcher.id, watcher]));
  const here = new Map(sources.map((source) => [source.id, source]));
  const whyGone = ({ id, settingsDigest }: Watcher): GoneWatcher["why"] | null => {
    const now = here.get(id);
    if (now === undefined) return declared.has(id) ? "elsewhere" : "ended";
    return settingsDigest === undefined || settingsDigest === now.settingsDigest ? null : "changed";
  };
  return {
    sources: sources.map((source) => {
      const watcher = byId.get(source.id);
      if (watcher === undefined) return source;
      const deliveredWithinMs = Math.max(source.deliveredWithinMs, watcher.deliveredWithinMs);
      return { ...source, tied: true, seesUse: true, deliveredWithinMs };
    }),
    gone: agreed.flatMap((watcher): GoneWatcher[] => {
      const why = whyGone(watcher);
      return why === null ? [] : [{ name: watcher.name, why }];
    }),
  };
}

/** What stands in the way while one is gone; as grave as one that cannot be read, when a version is about to be taken away. */
export function goneFindings(gone: readonly GoneWatcher[], severity: Severity): Finding[] {
  return gone.map(({ name, why }) => ({
    ...{ code: "last-reading", severity, subject: name },
    sentence: `The source ${name} watched over this rotation when it was agreed to, and ${wentText[why]}: what it would have shown of the old version is not known.`,
    hint: `Put it back as it was until the rotation has ended. An exception to \`last-reading\` about ${name} goes on without it.`,
  }));
}
