/**
 * The findings that an owner can be asked about: what each of them means and what mends it, in one list, so that the command line,
 * the pages and the rules about exceptions speak of the same ones.
 */

/** What is told of a code. */
interface FindingWords {
  /** What it means, in a sentence. */
  readonly what: string;
  readonly mend: string;
}

const words = {
  "no-owner": {
    what: "A credential is known, and nobody answers for it.",
    mend: "Declare it in the estate, with an owner, or have it taken away.",
  },
  "consumer-without-owner": {
    what: "A declared consumer of a credential has nobody who answers for it.",
    mend: "Give the consumer an `owner` in the estate.",
  },
  "no-purpose": {
    what: "Nobody has said what it is for.",
    mend: "Write its `purpose`: a sentence that a stranger understands.",
  },
  "no-expiry": {
    what: "A credential lives until somebody thinks of rotating it.",
    mend: "Give its policy an `interval`.",
  },
  overdue: {
    what: "A rotation is due and was not done, or what is kept there has run out.",
    mend: "Rotate it with `rekey rotate`; `rekey status` says what stands in the way.",
  },
  dormant: {
    what: "Nobody was seen using it for longer than its slowest user may be silent.",
    mend: "Ask its owner whether it is needed; if it is not, retire it.",
  },
  "unmapped-reader": {
    what: "An unmapped reader: somebody uses a credential and is none of its declared consumers.",
    mend: "Declare them as a consumer, or let one claim them (`match`).",
  },
  "unexplained-use": {
    what: "A credential was used, nobody says by whom, and none of its declared consumers was seen using it at that time.",
    mend: "Add a source that shows who uses it, or have those that there are read.",
  },
  "past-reader": {
    what: "Somebody who is none of its declared consumers used it once, and was not seen for long.",
    mend: "Ask them whether they will again, and declare them as a consumer if so.",
  },
  "potential-reader": {
    what: "Somebody who is none of its declared consumers could read it.",
    mend: "Take the right away, or declare them as a consumer.",
  },
  "unmapped-copy": {
    what: "The value that is valid stands where nothing is delivered: whoever reads it there fails when it is revoked.",
    mend: "Let it be read from the store, or declare the place as one that is delivered to.",
  },
  "leaked-copy": {
    what: "The value that is valid has got to a place where whoever can see that has it.",
    mend: "Rotate it; `rekey rotate --emergency` does it now.",
  },
  "stale-evidence": {
    what: "A source that would show who uses a credential was not read for too long, or its log has no record of late.",
    mend: "Run `rekey discover`, and see what keeps the source from being read, or its log from being written to.",
  },
  "source-failing": {
    what: "The last reading of a source failed: until it is mended, whoever is new there is not seen.",
    mend: "Mend what `rekey doctor` says that it lacks, and read it again with `rekey discover`.",
  },
  "last-reading": {
    what: "Before a version is taken away, a source that would show its use has not shown yet that there was none in the quiet time (one of its logs does not reach to the end, there is a gap, a record could not be read), or is none any more, or reads by other settings than when the owners were asked.",
    mend: "Rekey has it read; `rekey discover SOURCE` says what it meets. Who has no way to mend it answers for it by its name.",
  },
  "old-version-read": {
    what: "Somebody read a version of a place after a later one was live there: they go on with the old value, and show no session.",
    mend: "Let them read what is live, without naming a version. Whoever reads every version, and uses none, is excepted by name.",
  },
  "incomplete-evidence": {
    what: "A source could not see all that it should.",
    mend: "Give it the rights that it lacks; `rekey discover` names each gap and each record that could not be read. With `--anew` it reads what has been mended.",
  },
  "short-watch": {
    what: "A source has not looked for long enough to have seen whoever uses a credential rarely.",
    mend: "Wait; until then what is known is what somebody declared and what was seen since.",
  },
  unwatched: {
    what: "No source would show who uses the credential.",
    mend: "Add a source that reads its issuer's sessions or its store's log.",
  },
  literal: {
    what: "A value stands outside of any store, where a rotation does not get at it.",
    mend: "Let its reader take it from a store, then rotate it: what was written there has to be taken for known.",
  },
  "verified-literal": {
    what: "A value stands outside of any store, and whoever found it there has tried it: it works.",
    mend: "Revoke it now: `rekey find` says whose it is, and `rekey rotate --emergency` replaces one of the estate's.",
  },
  "same-value": {
    what: "One value stands in several places.",
    mend: "Let all of them read one place of a store, or give each a credential of its own.",
  },
  "wider-than-used": {
    what: "Somebody may read more secrets than they are known to use.",
    mend: "Give the right for the secrets by name.",
  },
  "never-verified": {
    what: "What the estate says of it was never borne out: by no rotation, and by nobody who was seen.",
    mend: "Rotate it once, or let a source show its use.",
  },
} as const satisfies Record<string, FindingWords>;

/** Code of a finding that is kept. */
export type FindingCode = keyof typeof words;

/** All of them. */
export const findingCodes = Object.keys(words) as FindingCode[];

const asked: ReadonlySet<string> = new Set<FindingCode>(["last-reading", "old-version-read"]);

/** Whether only a rotation asks for it, so that it stands in its reasons and no record of it is kept. */
export function isOfRotations(code: string): boolean {
  return asked.has(code);
}

/** What a code means and what mends it. */
export function findingWords(code: FindingCode): FindingWords {
  return words[code];
}

/**
 * What an owner may take upon themself until a day. That nobody answers for it is none of these, as nobody could; whatever
 * else a rotation is refused for is mended, and not excepted.
 */
export const exceptable = [
  "unmapped-reader",
  "unexplained-use",
  "unmapped-copy",
  "leaked-copy",
  "consumer-without-owner",
  "stale-evidence",
  "source-failing",
  "last-reading",
  "old-version-read",
  "incomplete-evidence",
  "short-watch",
  "unwatched",
  "past-reader",
  "potential-reader",
  "no-purpose",
  "no-expiry",
  "overdue",
  "dormant",
  "literal",
  "verified-literal",
  "same-value",
  "wider-than-used",
  "never-verified",
] as const satisfies readonly FindingCode[];
/** One of them. */
export type ExceptableCode = (typeof exceptable)[number];
