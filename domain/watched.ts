/**
 * What "nothing else was seen" is worth: which sources would show a use of the credential, since when, how completely, and
 * when they were read last. Without that an empty map is no evidence.
 */
import { formatDuration, span } from "./duration.js";
import type { Credential, Policy } from "./estate/types.js";
import type { Finding, Severity } from "./finding.js";
import { closeLooksMs, type Glimpsed, isCloseFor } from "./glimpses.js";
import { isSeen, useWindowMs } from "./graph/current.js";
import type { Evidence } from "./graph/types.js";

/** A source that would show who uses the credential, or might. Times are milliseconds since the epoch. */
export interface WatchingSource extends Glimpsed {
  readonly name: string;
  /** It shows uses, and not only what is configured. */
  readonly seesUse: boolean;
  /** It reads the credential's issuer or store, or has shown this credential; false: it might show any. */
  readonly tied: boolean;
  /** When it was read to its end last; null where it never was. */
  readonly wholeAt: number | null;
  /** Why its last reading broke off, in a sentence; null where none has since it was read to its end. */
  readonly failure: string | null;
  /** Since when its readings follow upon each other without a pause that is too long. */
  readonly since: number | null;
  /** Of a log in which there is always something, since when there was nothing; null of everything else. */
  readonly silentSince: number | null;
  /** Which of its logs that is, where others have had something since; null where it is all of them, or nothing is silent. */
  readonly silentLog: string | null;
  /** What was missing in the readings that count, each in a sentence, and records that could not be read. */
  readonly gaps: readonly string[];
  readonly unreadable: number;
}

/** How a policy looks at them. Durations are milliseconds. */
export interface WatchRules {
  readonly unmappedReaders: "refuse" | "warn";
  readonly blindSpots: "refuse" | "warn";
  readonly evidenceMaxAgeMs: number;
  readonly useWindowMs: number;
}

/** How old a source's last whole reading may be where the policy does not say. */
export const evidenceMaxAgeMs = 7 * 24 * 60 * 60_000;

/** How a policy looks at its evidence; of what no policy is for, as where a policy says nothing and nothing is refused. */
export function watchRulesOf(
  policy: Partial<Pick<Policy, "unmappedReaders" | "blindSpots" | "evidenceMaxAgeMs" | "useWindowMs">> | null,
): WatchRules {
  return {
    unmappedReaders: policy?.unmappedReaders ?? "warn",
    blindSpots: policy?.blindSpots ?? "warn",
    evidenceMaxAgeMs: policy?.evidenceMaxAgeMs ?? evidenceMaxAgeMs,
    useWindowMs: policy?.useWindowMs ?? useWindowMs,
  };
}

/** Sources whose word is too old, not whole or not yet long enough; and that there is none. `now` is in milliseconds. */
export function watchFindings(sources: readonly WatchingSource[], rules: WatchRules, now: number): Finding[] {
  const watches = sources.some(({ tied, seesUse }) => tied && seesUse);
  const nobody: Finding = {
    code: "unwatched",
    severity: rules.blindSpots,
    sentence: "No source would show who uses it; the map has only what somebody declared.",
    hint: "Add a source that reads its issuer's sessions or its store's log, and run `rekey discover`.",
  };
  return [
    ...sources.flatMap((source) => [
      ...stale(source, rules, now),
      ...incomplete(source, rules),
      ...short(source, rules, now),
    ]),
    ...(watches ? [] : [nobody]),
  ];
}

function stale(
  { name, tied, wholeAt, failure, silentSince, silentLog }: WatchingSource,
  rules: WatchRules,
  now: number,
): Finding[] {
  const about = {
    ...{ code: "stale-evidence", severity: byTie(tied, rules.unmappedReaders), subject: name },
    hint:
      failure === null
        ? `Run \`rekey discover ${name}\`.`
        : `Mend that; \`rekey doctor\` says what it lacks. Then run \`rekey discover ${name}\`.`,
  };
  if (wholeAt === null)
    return [{ ...about, sentence: `The source ${name} was never read to its end.${brokeOff(failure)}` }];
  const asks = formatDuration(rules.evidenceMaxAgeMs);
  if (now - wholeAt <= rules.evidenceMaxAgeMs) {
    if (silentSince === null || now - silentSince <= rules.evidenceMaxAgeMs) return [];
    // A log that is read to its end every hour, and that nobody writes to any more, shows nobody.
    const sentence = `The source ${name} has had nothing new ${silentLog === null ? "" : `in ${silentLog} `}since ${minuteOf(silentSince)}, and may be written elsewhere by now; the policy asks for every ${asks}.`;
    const hint =
      silentLog === null
        ? `Rekey's own look at the store has left a record by now: run \`rekey discover ${name}\`. If it stays, see where the log is written.`
        : `See where that log is written. One that has nothing to write, such as that of a standby that serves no reads, is named in \`mayBeSilent\` of ${name}.`;
    return [{ ...about, sentence, hint }];
  }
  const sentence = `The source ${name} was read to its end on ${minuteOf(wholeAt)}; the policy asks for every ${asks}.`;
  return [{ ...about, sentence: `${sentence}${brokeOff(failure)}` }];
}

function brokeOff(failure: string | null): string {
  return failure === null ? "" : ` Its last reading failed: ${failure}`;
}

function incomplete({ name, tied, gaps, unreadable }: WatchingSource, { blindSpots }: WatchRules): Finding[] {
  const parts = [
    ...(gaps.length === 0
      ? []
      : [`${gaps[0]}${gaps.length === 1 ? "" : ` And ${gaps.length - 1} more like that.`}`]),
    ...(unreadable === 0 ? [] : [`${unreadable} of its records could not be read.`]),
  ];
  if (parts.length === 0) return [];
  const sentence = `The source ${name} did not see all: ${parts.join(" ")}`;
  const hint = `\`rekey discover ${name}\` names what it meets; with \`--anew\` it reads what has been mended, too.`;
  return [{ code: "incomplete-evidence", severity: byTie(tied, blindSpots), subject: name, sentence, hint }];
}

function short(source: WatchingSource, rules: WatchRules, now: number): Finding[] {
  const { name, tied, seesUse, since, glimpses, wholeAt } = source;
  if (!tied || !seesUse || since === null) return [];
  const about = { code: "short-watch", severity: rules.blindSpots, subject: name } as const;
  const asks = formatDuration(rules.useWindowMs);
  if (now - since < rules.useWindowMs) {
    const sentence = `The source ${name} has watched since ${minuteOf(since)}; whoever uses it more rarely may not have been seen. The policy asks for ${asks}.`;
    return [{ ...about, sentence }];
  }
  if (glimpses === undefined || wholeAt === null || isCloseFor(source, rules.useWindowMs, now)) return [];
  const unseen =
    glimpses.apartMs > closeLooksMs
      ? `since ${minuteOf(since)} up to ${span(glimpses.apartMs)} apart: whoever came in between was not seen`
      : `and has not since ${minuteOf(wholeAt)}: whoever came after that was not seen`;
  const sentence = `The source ${name} looks at who is connected, ${unseen}. The policy asks for ${asks}, with looks no further apart than ${formatDuration(closeLooksMs)}.`;
  const hint = `Have it read by the clock (\`every: 10m\` of ${name}), or read a log of the credential's store as well.`;
  return [{ ...about, sentence, hint }];
}

/** What might show any credential and has never shown this one stops nobody's rotation. */
function byTie(tied: boolean, severity: Severity): Severity {
  return tied ? severity : "warn";
}

/** Where a credential is: what a source is bound to that shows its use. */
export type Whereabouts = Pick<Credential, "store" | "issuer" | "seenAs">;

/**
 * Whether a source reads what a credential is about: its store, its issuer, or where else the estate says that it is seen.
 * `any`: it is bound to none, and might show every credential.
 */
export function tieOf(
  source: Readonly<Record<string, unknown>>,
  { store, issuer, seenAs = [] }: Whereabouts,
): "tied" | "any" | "elsewhere" {
  const listed = Array.isArray(source.stores) ? source.stores : [];
  const stores = [source.store, ...listed.map((one: { readonly store?: unknown }) => one.store)];
  const bound = [...stores, source.issuer].filter((name) => name !== undefined);
  if (bound.length === 0) return "any";
  const systems = [issuer, ...seenAs.flatMap(({ at }) => at ?? [])];
  const isOne = typeof source.issuer === "string" && systems.includes(source.issuer);
  return stores.includes(store) || isOne ? "tied" : "elsewhere";
}

/** What a source is worth that was never read to its end. */
export const neverRead = {
  wholeAt: null,
  failure: null,
  since: null,
  silentSince: null,
  silentLog: null,
  gaps: [],
  unreadable: 0,
} as const satisfies Pick<
  WatchingSource,
  "wholeAt" | "failure" | "since" | "silentSince" | "silentLog" | "gaps" | "unreadable"
>;

/** A source of the estate, with the settings of its entry. */
export interface DeclaredSource extends Pick<WatchingSource, "name" | "seesUse"> {
  readonly id: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * The sources that would show who uses a credential, or might, in the order of their names, and whether they are tied to it.
 * `evidence`: how its users are known; a source that has shown one is tied, and one that has shown a use sees uses.
 */
export function watchersAmong<Source extends DeclaredSource>(
  sources: readonly Source[],
  credential: Whereabouts,
  evidence: readonly Pick<Evidence, "kind" | "source">[],
): (Source & Pick<WatchingSource, "tied">)[] {
  const shown = new Set(evidence.map(({ source }) => source));
  const used = new Set(evidence.filter(isSeen).map(({ source }) => source));
  return sources
    .flatMap((source) => {
      const tie = shown.has(source.id) ? "tied" : tieOf(source.settings, credential);
      const seesUse = source.seesUse || used.has(source.id);
      return tie === "elsewhere" ? [] : [{ ...source, seesUse, tied: tie === "tied" }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** To the minute, in UTC. */
export function minuteOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
