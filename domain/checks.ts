/**
 * Gate 2: the named checks. Each looks at one input and answers with a code and a sentence, so that a refusal
 * can be read, named in a policy, and tested by itself. Adapters' preflights add theirs.
 */
import { count } from "./count.js";
import { sessionName } from "./discovery/match.js";
import { formatDuration } from "./duration.js";
import type { BoundedException } from "./exceptions.js";
import { parseTag } from "./fence.js";
import type { Finding } from "./finding.js";
import { unownedConsumer, unownedCredential } from "./findings/owners.js";
import type { IssuerTraits } from "./kinds.js";
import { type SourceToRead, unreadFindings } from "./last-reading.js";
import {
  copyFindings,
  excepting,
  type MappedCopy,
  type MappedReader,
  type ReadRhythm,
  readerFindings,
  slowFindings,
} from "./mapped.js";
import { type OldRead, oldReadFindings } from "./old-reads.js";
import type { PlaceFact, SlotFact } from "./rotation/events.js";
import { type UnexplainedUse, useFindings } from "./unexplained.js";
import { type WatchingSource, type WatchRules, watchFindings } from "./watched.js";
import { type GoneWatcher, goneFindings } from "./watchers.js";

/** A consumer as assess sees it. */
export interface AssessedConsumer {
  readonly name: string;
  readonly owner: string | null;
  /** It has at least one way of being observed. */
  readonly observable: boolean;
  /** Instances that the last listing named; null when the listing failed. */
  readonly instances: number | null;
  /** Pool life, cache life and cadence are all stated. */
  readonly memoryKnown: boolean;
  /** The longest of those that are stated; the drain waits for it. */
  readonly memoryMs?: number;
  /** It only checks what others do with a version: then its cache is what is waited for. */
  readonly checks?: boolean;
}

/** A session at the issuer that no declared consumer accounts for. */
export interface UnmappedReader {
  readonly application: string;
  /** What the issuer shows of where it comes from, as `cameFrom` reads it. */
  readonly address: string;
  readonly count: number;
}

/** All that the checks look at. */
export interface AssessInput {
  readonly installation: string;
  readonly owner: string | null;
  readonly approvers: number;
  readonly quorum: number;
  /** Persons who would be among them and have no key to sign with, with who answers for them (H37). */
  readonly keyless?: readonly { readonly person: string; readonly manager: string | null }[];
  readonly consumers: readonly AssessedConsumer[];
  readonly unmapped: readonly UnmappedReader[];
  readonly unmappedReaders: "refuse" | "warn";
  /** What the map knows besides, and what the owners take upon themselves; absent: nothing is known of it. */
  readonly mapped?: {
    readonly readers: readonly MappedReader[];
    readonly uses: readonly UnexplainedUse[];
    readonly copies: readonly MappedCopy[];
    /** How far apart declared consumers were seen reading it, by name. */
    readonly rhythms: readonly ReadRhythm[];
    readonly quietPeriodMs: number;
    readonly sources: readonly WatchingSource[];
    /** Sources that have to be read before the next step. */
    readonly unread: readonly SourceToRead[];
    /** Those that watched when the rotation was agreed to, and do not any more. */
    readonly gone: readonly GoneWatcher[];
    /** Reads of versions that were not live any more. */
    readonly oldReads: readonly OldRead[];
    /** The next step may take a version away. */
    readonly revokesNext: boolean;
    readonly rules: Omit<WatchRules, "unmappedReaders">;
    readonly exceptions: readonly BoundedException[];
    readonly now: number;
  };
  readonly traits: IssuerTraits;
  readonly slots: readonly SlotFact[];
  /** Where the store keeps it. */
  readonly places: readonly Pick<PlaceFact, "place" | "tag">[];
  /** Slots in which a new version could be made. */
  readonly freeSlots: number;
  /** Answers of the nodes to a login with the value that is live now; null when there is no live value. */
  readonly originProof: readonly { readonly node: string; readonly ok: boolean }[] | null;
  /** Our own mark was seen in the listing of sessions. */
  readonly watermarkSeen: boolean;
  readonly identityChanged: boolean;
  /** Once something was issued: the copy of the old value that going back needs is still there (H19). */
  readonly holdCopyKept: boolean;
  readonly preflight: readonly Finding[];
  readonly emergency: boolean;
}

interface Check {
  readonly code: string;
  /** What an emergency makes of a refusal: `holds` keeps it, `waived` turns it into a warning that the plan shows. */
  readonly inEmergency: "holds" | "waived";
  readonly look: (input: AssessInput) => readonly (Partial<Finding> & Pick<Finding, "sentence">)[];
}

const checks: readonly Check[] = [
  {
    code: "no-owner",
    inEmergency: "waived",
    look: ({ owner }) => unownedCredential(owner).map((sentence) => ({ sentence })),
  },
  {
    code: "consumer-without-owner",
    inEmergency: "waived",
    look: ({ consumers }) =>
      consumers.flatMap((consumer) =>
        unownedConsumer(consumer).map((sentence) => ({ subject: consumer.name, sentence })),
      ),
  },
  {
    code: "too-few-approvers",
    inEmergency: "waived",
    look: ({ approvers, quorum, keyless = [] }) => {
      if (approvers >= quorum) return [];
      const few = `The policy asks ${count(quorum, "person")} to agree, and only ${approvers} may.`;
      const left = keyless.map(({ person, manager }) => {
        const whom = manager === null ? "" : `; ask ${manager}, who is named as manager`;
        return ` ${person} has no key to sign with, and may have left${whom}.`;
      });
      return [{ sentence: `${few}${left.join("")}` }];
    },
  },
  {
    code: "unmapped-reader",
    inEmergency: "waived",
    look: ({ unmapped, mapped, unmappedReaders }) => [
      ...unmapped.map((reader) => {
        const subject = sessionName(reader.application, reader.address);
        const sentence = `${count(reader.count, "session")} of ${subject} ${reader.count === 1 ? "belongs" : "belong"} to no declared consumer.`;
        return { severity: unmappedReaders, subject, sentence };
      }),
      ...readerFindings(mapped?.readers ?? [], unmappedReaders),
      ...useFindings(mapped?.uses ?? [], unmappedReaders),
      ...copyFindings(mapped?.copies ?? [], unmappedReaders),
    ],
  },
  {
    code: "stale-evidence",
    inEmergency: "waived",
    look: ({ mapped, unmappedReaders }) =>
      mapped === undefined
        ? []
        : watchFindings(mapped.sources, { ...mapped.rules, unmappedReaders }, mapped.now),
  },
  {
    code: "last-reading",
    inEmergency: "waived",
    look: ({ mapped, unmappedReaders }) =>
      mapped === undefined
        ? []
        : [
            ...unreadFindings(mapped.unread, unmappedReaders),
            ...goneFindings(mapped.gone, mapped.revokesNext ? unmappedReaders : "warn"),
          ],
  },
  {
    code: "old-version-read",
    inEmergency: "waived",
    look: ({ mapped }) => oldReadFindings(mapped?.oldReads ?? []),
  },
  {
    code: "not-observable",
    inEmergency: "waived",
    look: ({ consumers }) =>
      consumers
        .filter((consumer) => !consumer.observable)
        .map(({ name }) => ({
          subject: name,
          sentence: `Nothing can tell which version consumer ${name} uses.`,
        })),
  },
  {
    code: "instances-unknown",
    inEmergency: "waived",
    look: ({ consumers }) =>
      consumers
        .filter((consumer) => consumer.observable && (consumer.instances ?? 0) === 0)
        .map(({ name }) => ({ subject: name, sentence: `No instance of consumer ${name} could be listed.` })),
  },
  {
    code: "memory-unknown",
    inEmergency: "waived",
    look: ({ consumers }) =>
      consumers
        .filter((consumer) => !consumer.memoryKnown && !consumer.checks)
        .map(({ name }) => ({
          subject: name,
          severity: "warn" as const,
          sentence: `How long consumer ${name} keeps a credential (pool, cache, cadence) is not stated; the policy's quiet period is all there is.`,
        })),
  },
  {
    code: "slow-consumer",
    inEmergency: "waived",
    look: ({ consumers, mapped }) => {
      const waited = new Map(
        consumers.map(({ name, memoryMs = 0 }) => [name, Math.max(memoryMs, mapped?.quietPeriodMs ?? 0)]),
      );
      return slowFindings(mapped?.rhythms ?? [], waited);
    },
  },
  {
    code: "sessions-not-visible",
    inEmergency: "waived",
    look: ({ watermarkSeen }) =>
      watermarkSeen
        ? []
        : [{ sentence: "The engine does not see its own session at the issuer, so it would see nobody's." }],
  },
  {
    code: "wrong-server",
    inEmergency: "holds",
    look: ({ identityChanged }) =>
      identityChanged ? [{ sentence: "The issuer is not the server that the plan was made for." }] : [],
  },
  {
    code: "drifted",
    inEmergency: "waived",
    look: ({ originProof }) => {
      if (originProof === null)
        return [{ sentence: "The store holds no value of this credential, so there would be no way back." }];
      return originProof
        .filter((proof) => !proof.ok)
        .map(({ node }) => ({
          subject: node,
          sentence: `The value in the store does not log in at ${node}; it was changed outside.`,
        }));
    },
  },
  {
    code: "hold-copy-missing",
    inEmergency: "waived",
    look: ({ holdCopyKept }) =>
      holdCopyKept
        ? []
        : [{ sentence: "The copy of the old value that going back needs is gone from the store." }],
  },
  {
    code: "foreign-tag",
    inEmergency: "holds",
    look: ({ slots, places, installation }) =>
      [
        ...slots.map(({ slot, tag }) => ({ subject: slot, what: slot, tag })),
        ...places.map(({ place, tag }) => ({ subject: place, what: `The place ${place} in the store`, tag })),
      ].flatMap(({ subject, what, tag }) => {
        const parsed = parseTag(tag);
        return parsed && parsed.installation !== installation
          ? [{ subject, sentence: `${what} carries the tag of installation ${parsed.installation}.` }]
          : [];
      }),
  },
  {
    code: "no-free-slot",
    inEmergency: "waived",
    look: ({ freeSlots }) =>
      freeSlots === 0 ? [{ sentence: "There is no free account or slot for a new version." }] : [],
  },
  {
    code: "outlives-it",
    inEmergency: "waived",
    look: ({ traits }) =>
      traits.derives
        .filter(({ endedByDisable }) => !endedByDisable)
        .map(({ what, maxLifeMs }) => ({
          severity: maxLifeMs === null ? "warn" : "info",
          sentence:
            maxLifeMs === null
              ? `Disabling the old version does not end ${what} that were taken with it, and nobody knows how long they live.`
              : `Disabling the old version does not end ${what} that were taken with it; ${formatDuration(maxLifeMs)} are waited for until they have run out.`,
        })),
  },
  {
    code: "no-overlap",
    inEmergency: "waived",
    look: ({ traits }) =>
      traits.overlap === "none"
        ? [
            {
              severity: "warn",
              sentence:
                "Old and new cannot be valid together: whoever uses the old one fails from the moment of issue.",
            },
          ]
        : [],
  },
];

/** The answers of every check, and the adapters' own, worst first. */
export function assess(input: AssessInput): Finding[] {
  const own = checks.flatMap((check) =>
    check.look(input).map((answer): Finding => {
      const severity = answer.severity ?? "refuse";
      const waived = input.emergency && check.inEmergency === "waived" && severity === "refuse";
      return { code: check.code, ...answer, severity: waived ? "warn" : severity };
    }),
  );
  const { exceptions = [], now = 0 } = input.mapped ?? {};
  const rank = { refuse: 0, warn: 1, info: 2 };
  return [...excepting(own, exceptions, now), ...input.preflight].sort(
    (a, b) => rank[a.severity] - rank[b.severity] || (a.code < b.code ? -1 : 1),
  );
}
