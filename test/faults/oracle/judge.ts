/**
 * Says whether the invariants held in a case. It reads nothing that the engine wrote down: it logs in, lists
 * accounts with their tags, reads the store, and goes by what probes, held sessions and the seam's witness saw.
 */
import { parseTag } from "../../../domain/fence.js";
import type { Seen } from "../seam/witness.js";
import type { HeldSession, LoginAnswer, RawDocument, World } from "../worlds/world.js";
import type { Probe } from "./probes.js";
import {
  cameInTime,
  isClosedEarly,
  keptFor,
  lostButKept,
  type PinnedVisit,
  unreadAt,
  type Visited,
} from "./readings.js";
import { type Revocation, revocations, revokedFirstAt, usedAfter } from "./revocations.js";

/** Everything that a case left behind. */
export interface Evidence {
  readonly world: World;
  /** The live document before the case. */
  readonly before: RawDocument;
  readonly startedAt: number;
  /** When the last rotation of the case began: what earlier ones revoked is not what consumers then were on. */
  readonly revocationsFrom: number;
  /** Every document that was ever made valid or kept in this case and the ones shortly before. */
  readonly made: readonly RawDocument[];
  /** Those of this case whose version was seen at the seam, by its id. */
  readonly versions: ReadonlyMap<string, RawDocument>;
  readonly outcome: string;
  /** Outcomes that the case may have. */
  readonly mayEndAs: readonly string[];
  readonly probes: readonly Probe[];
  /** How the value from before was answered in the moment in which the rotation ended as rotated. */
  readonly atOnce: readonly LoginAnswer[];
  /** When a leak is revoked without waiting for consumers, who then may break; null where that never is so. */
  readonly containBy: number | null;
  readonly held: readonly { readonly document: RawDocument; readonly session: HeldSession }[];
  readonly seen: readonly Seen[];
  /** What happened before an owner allowed it (I7), or while nothing could be recorded (I8); null where that was not tried. */
  readonly trespasses: { readonly of: Invariant; readonly sentences: readonly string[] } | null;
  /** What late copies of a call changed, each in a sentence; null where no copy turned up. */
  readonly copies: readonly string[] | null;
  /** What somebody else wrote into the document last, in their own field. */
  readonly note: string | undefined;
  /** When issuer or store were put back to an earlier time; null where they were not. */
  readonly restoredAt: number | null;
  /** A session of somebody who was entitled to it was ended. */
  readonly cutOff: boolean;
  /** Until when somebody held one who was entitled to it, in ms since the epoch; null where nobody was. */
  readonly heldUntil: number | null;
  /** What became of somebody whom nobody declared; null where nobody came. */
  readonly visited: Visited | null;
  /** What became of a declared consumer's copy that had pinned the old version; null where there was none. */
  readonly pinned: PinnedVisit | null;
  /** What the audit log did not show of having been put back; null where it was not. */
  readonly unshown: readonly string[] | null;
  readonly crashes: readonly string[];
}

/** The invariants of the protocol that a case can touch. */
export const invariants = ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11"] as const;
/** One of them. */
export type Invariant = (typeof invariants)[number];

/** What did not hold. */
export interface Violation {
  readonly invariant: Invariant;
  readonly sentence: string;
}

/** How often each invariant was asked, and what did not hold. */
export interface Verdict {
  readonly asked: Readonly<Partial<Record<Invariant, number>>>;
  readonly violations: readonly Violation[];
}

/** Collects answers; a check that was made and held counts as much as one that did not. */
class Findings {
  readonly asked: Partial<Record<Invariant, number>> = {};
  readonly violations: Violation[] = [];

  check(invariant: Invariant, holds: boolean, sentence: string): void {
    this.asked[invariant] = (this.asked[invariant] ?? 0) + 1;
    if (!holds) this.violations.push({ invariant, sentence });
  }
}

/** The verdict on a case whose rotation has ended and whose late writes have all taken effect. */
export async function judge(evidence: Evidence): Promise<Verdict> {
  const findings = new Findings();
  const { world, before, outcome, mayEndAs, crashes } = evidence;
  const { trespasses, copies } = evidence;
  if (copies !== null) findings.check("I4", copies.length === 0, copies.join("; "));
  if (trespasses !== null)
    findings.check(trespasses.of, trespasses.sentences.length === 0, trespasses.sentences.join("; "));
  findings.check("I2", !evidence.cutOff, "a session of the old version was ended while its consumer used it");
  const { unshown, heldUntil } = evidence;
  if (unshown !== null) findings.check("I9", unshown.length === 0, unshown.join("; "));
  if (heldUntil !== null && outcome === "rotated") {
    const waited = revokedFirstAt(revoked(evidence)) >= heldUntil;
    findings.check("I2", waited, "the old version was switched off while its consumer held a session of it");
  }
  findings.check("I10", crashes.length === 0, crashes.join("; "));
  findings.check("I11", mayEndAs.includes(outcome), `it ended as ${outcome}`);
  const live = await world.live();
  if (live === null) {
    findings.check("I3", false, "the store holds no document any more");
    return findings;
  }
  const changed = live.password !== before.password || live.username !== before.username;
  const moved = outcome === "rotated";
  findings.check(
    "I11",
    changed === moved,
    `it ended as ${outcome}, and the live value is ${changed ? "another" : "the same"}`,
  );
  findings.check("I3", live.note === evidence.note, "a field of somebody else is not what it was");
  await logins(findings, evidence, live);
  await accounts(findings, evidence, live);
  await sessions(findings, evidence, live);
  await remains(findings, evidence);
  sources(findings, evidence);
  pinnedVersion(findings, evidence);
  probes(findings, evidence, live);
  intents(findings, evidence);
  return findings;
}

/** The live value is let in at every server, and every other one ever made is refused (I1, I3, I5). */
async function logins(
  findings: Findings,
  { world, before, made, atOnce }: Evidence,
  live: RawDocument,
): Promise<void> {
  for (const { node, answer } of await world.login(live))
    findings.check("I1", answer === "in", `the live value is refused at ${node}`);
  for (const { node, answer } of atOnce)
    findings.check("I5", answer === "refused", `it is said to be revoked, and ${node} still lets it in`);
  const others = new Map<string, RawDocument>();
  for (const document of [before, ...made])
    if (document.password !== live.password)
      others.set(`${document.username} ${document.password}`, document);
  for (const document of others.values()) {
    const account = world.accountOf(document);
    for (const { node, answer } of await world.login(document))
      findings.check(
        "I5",
        answer === "refused",
        `a value of ${account} that is not live is let in at ${node}`,
      );
  }
}

/** Exactly the live version's account is open, its tag says so, and the store keeps no copy of another version (I3, I4). */
async function accounts(findings: Findings, { world }: Evidence, live: RawDocument): Promise<void> {
  const name = world.accountOf(live);
  const all = await world.accounts();
  for (const account of all) {
    const wanted = account.name === name;
    const at = account.where === undefined ? "" : ` at ${account.where}`;
    findings.check(
      "I3",
      account.enabled === wanted,
      `${account.name} is ${account.enabled ? "open" : "closed"}${at}, and the live version is at ${name}`,
    );
    const tag = parseTag(account.tag);
    if (!wanted) {
      findings.check("I4", tag?.state !== "enabled", `${account.name} is closed and tagged as open${at}`);
      continue;
    }
    const version = live.rekey_version;
    const sound = version === undefined || (tag?.state === "enabled" && tag.version === version);
    findings.check(
      "I4",
      sound,
      `${name} carries ${account.tag || "no tag"}${at}, and the live version is ${version}`,
    );
  }
  const orphans = (await world.copies()).filter((version) => version !== live.rekey_version);
  findings.check("I3", orphans.length === 0, `the store keeps copies of ${orphans.join(", ")}`);
}

/** Nobody is connected as an account that is closed, held sessions included (I5). */
async function sessions(findings: Findings, { world, held }: Evidence, live: RawDocument): Promise<void> {
  const name = world.accountOf(live);
  for (const account of await world.accounts()) {
    if (account.name === name) continue;
    findings.check("I5", account.sessions === 0, `${account.sessions} sessions of ${account.name} are open`);
  }
  for (const { document, session } of held) {
    if (document.password === live.password) continue;
    findings.check(
      "I5",
      !(await session.alive()),
      "a session that was held open through the rotation goes on",
    );
  }
}

/**
 * What tells no version apart and was there before the first one was revoked is gone (I5); and what was made with a
 * version in an ordinary rotation was good until its time was over (I2).
 */
async function remains(findings: Findings, evidence: Evidence): Promise<void> {
  const { world, startedAt, containBy } = evidence;
  const revokedAt = revokedFirstAt(revoked(evidence));
  for (const { where, beganAt } of (await world.looseSessions?.()) ?? []) {
    if (revokedAt === Infinity) continue;
    findings.check("I5", beganAt >= revokedAt, `a session at ${where} is older than the revocation`);
  }
  if (world.refusedEarly === undefined || containBy !== null) return;
  const early = await world.refusedEarly(startedAt);
  findings.check("I2", early.length === 0, early.join("; "));
}

/**
 * What an ordinary rotation took away was read about before, by every source that would show who uses it; whoever one of them
 * shows is named and keeps it (I2). A leak waits for no source.
 */
function sources(findings: Findings, evidence: Evidence): void {
  const { world, seen, containBy, outcome, visited } = evidence;
  const names = Object.keys(world.sources ?? {});
  const revokedAt = revokedFirstAt(revoked(evidence));
  if (names.length > 0 && containBy === null && outcome === "rotated") {
    const unread = unreadAt(seen, names, revokedAt);
    const sentence = `the old version was taken away, and not read to their end before: ${unread.join(", ")}`;
    findings.check("I2", unread.length === 0, sentence);
  }
  if (visited === null || !cameInTime(visited, seen)) return;
  const { name, isNamed, isLost } = visited;
  findings.check("I2", !isLost, `the old version was switched off, and ${name} had just fetched it`);
  findings.check("I2", isNamed, `the rotation never said that ${name} has the old version`);
}

/** A version that a declared consumer reads by its number is in use: it stays, and the rotation says who reads it (I2). */
function pinnedVersion(findings: Findings, { pinned, seen }: Evidence): void {
  if (pinned === null) return;
  const kept = keptFor(pinned, seen);
  if (kept.until === null) return;
  const early = `the old version was switched off within the quiet period after ${pinned.name} had read it`;
  findings.check("I2", !isClosedEarly(pinned, kept), early);
  if (!kept.isShown) return;
  findings.check("I2", pinned.isNamed, `the rotation never said that ${pinned.name} reads the old version`);
}

/** What was taken out of use since then: as a rule by the last rotation of the case. */
function revoked(
  { world, seen, versions, revocationsFrom }: Evidence,
  since = revocationsFrom,
): readonly Revocation[] {
  const accounts = [...versions].map(([id, document]) => [id, world.accountOf(document)] as const);
  return revocations(seen, since, new Map(accounts));
}

/** Every consumer worked all the time, works now on the live version, and none was on what was being revoked (I1, I2). */
function probes(findings: Findings, evidence: Evidence, live: RawDocument): void {
  const { world, probes: all, containBy, seen, revocationsFrom, restoredAt } = evidence;
  // A restore undoes what was revoked before it, and takes away what was made: whoever fails or is where it was put back to
  // is not the engine's doing. How it ends is, and so is whatever is revoked after it.
  const taken = revoked(evidence, Math.max(revocationsFrom, restoredAt ?? 0));
  const revokedAt = revokedFirstAt(taken);
  const lost = restoredAt ?? Infinity;
  // "revoke-now excepted, and said": whoever had not moved by the deadline is cut off with the leak.
  const excepted = containBy !== null && revokedAt >= containBy;
  const { breaksFrom } = world;
  const broken = seen.find(({ point, what }) => what === "begin" && breaksFrom?.test(point))?.at ?? Infinity;
  for (const { service, account, why, endedAt } of all) {
    const mayBreak = (excepted && endedAt > revokedAt) || endedAt > broken || endedAt > lost;
    findings.check("I1", account !== null || mayBreak, `${service} could not work: ${why}`);
  }
  const last = new Map(all.map((probe) => [probe.service, probe]));
  for (const { service, account } of last.values())
    findings.check("I1", account === world.accountOf(live), `${service} works as ${account} in the end`);
  const closed = usedAfter(all, taken, world.accountOf(live));
  const sentence = `${closed.join(", ")} was in use after it was revoked`;
  findings.check("I2", closed.length === 0 || excepted, sentence);
}

/**
 * Inside one execution of an activity, no change at issuer or store begins before an intent was kept (I8). What was
 * given up by the recorded end of its rotation may be purged after that.
 */
function intents(findings: Findings, { seen }: Evidence): void {
  const kept = new Set<string>();
  let ended = false;
  for (const { point, execution, kind, what, code } of seen) {
    const isKept = what === "end" || lostButKept(what, code);
    if (/\.inventory\.intend\./.test(point) && isKept) kept.add(execution);
    ended ||= /\.inventory\.closeRotation\./.test(point) && isKept;
    if (what !== "begin" || kind !== "change" || !/\.(issuer|store)\./.test(point)) continue;
    const allowed = kept.has(execution) || (ended && /^close\.store\.purge\./.test(point));
    findings.check("I8", allowed, `${point} began without a kept intent`);
  }
}
