/** What is missing of a credential itself: an owner, a purpose, an end, a rotation in time, a use, and anything that bears it out. */
import { dueAt } from "../due.js";
import type { Credential, Policy } from "../estate/types.js";
import type { Severity } from "../finding.js";
import { type AnonymousUse, asSeen } from "../graph/anonymous.js";
import { ownerNames } from "../graph/blast.js";
import { isSeen } from "../graph/current.js";
import { estateSource } from "../graph/declared.js";
import { keptOf } from "../graph/kept.js";
import type { Adjacency } from "../graph/reach.js";
import type { GraphEdge, GraphNode } from "../graph/types.js";
import { type Dormancy, dormancyOf, isDeclared, type User, usersOf } from "../graph/use.js";
import { copyFindings, type MetCopy, readerFindings, strayCopies } from "../mapped.js";
import { strangersOn } from "../strangers.js";
import { unexplainedUses, useFindings } from "../unexplained.js";
import { evidenceMaxAgeMs, minuteOf, watchersAmong, watchRulesOf } from "../watched.js";
import type { FindingCode } from "./codes.js";
import { evidenceFindings, type ReadSource, type TiedSource, watchedSince, watchingOf } from "./evidence.js";
import { unownedConsumer, unownedCredential } from "./owners.js";
import { type Present, type Subject, sourcesIn } from "./present.js";

/** What is known of a credential besides the map. Times are milliseconds since the epoch. */
export interface CredentialFacts {
  readonly node: GraphNode;
  /** What the estate says; null for one that only a source lists. */
  readonly declared: Credential | null;
  readonly policy: Policy | null;
  /** The sources of the estate, by the rules of that policy. */
  readonly sources: readonly ReadSource[];
  /** Since when the estate has it; of one that only a source lists, since when that does. */
  readonly knownSince: number;
  /** When a rotation of it succeeded last. */
  readonly rotatedAt: number | null;
  /** When it runs out, where a source says so. */
  readonly expiresAt: number | null;
  /** What it is for, where a source says so: what people have written down of one that the estate does not declare. */
  readonly purpose: string | null;
  /** The issuer at which a source lists it, where the estate does not declare it. */
  readonly listedAt: string | null;
  /** When a source spoke of it last. */
  readonly listedLast: number | null;
  /** Where its value that is in use was met. */
  readonly met: readonly MetCopy[];
}

/** What was ever seen in use: by whom, and when last; also where it has ended since. */
export interface PastUse {
  readonly from: string;
  readonly last: number;
}

/** What a look at some credentials rests on. */
export interface Picture {
  readonly adjacency: Adjacency;
  /** By the id of what was used: a credential, or a copy of one. */
  readonly pastUses: ReadonlyMap<string, readonly PastUse[]>;
  /** Uses by whom nobody says, by the same. */
  readonly anonymous: ReadonlyMap<string, readonly AnonymousUse[]>;
  /** The shortest time without a use that counts as dormant; null: as the policy says. */
  readonly leastWindowMs: number | null;
  readonly now: number;
}

/**
 * Whether it is still there: the estate declares it, or what lists it has done so within a few days of its last whole reading.
 * A list is no edge, and nothing else would end it.
 */
export function isThereStill({
  declared,
  listedAt,
  listedLast,
  sources,
}: Pick<CredentialFacts, "declared" | "listedAt" | "listedLast" | "sources">): boolean {
  if (declared !== null || listedLast === null) return true;
  const lists = listsOf({ declared, listedAt, sources });
  return lists.every(({ wholeAt }) => wholeAt === null || wholeAt - listedLast <= evidenceMaxAgeMs);
}

/** The sources that list it, where the estate does not declare it. */
function listsOf({
  declared,
  listedAt,
  sources,
}: Pick<CredentialFacts, "declared" | "listedAt" | "sources">) {
  return sources.filter(
    ({ settings }) => declared === null && listedAt !== null && settings.issuer === listedAt,
  );
}

/** Everything that is found of one credential, and of the sources that would show its users. */
export function findingsOfCredential(facts: CredentialFacts, picture: Picture): Present[] {
  const { node, policy } = facts;
  const { adjacency, now } = picture;
  const owners = ownerNames(adjacency, node.id);
  const lists = listsOf(facts).map(({ id }) => id);
  const said = {
    subject: subjectOf(node),
    credential: node.id,
    owners,
    places: [],
    about: null,
    sources: lists,
    shownBy: facts.declared === null ? lists : [estateSource],
  };
  const find = (
    code: FindingCode,
    severity: Severity,
    sentences: readonly string[],
    other?: { readonly about: Subject; readonly shownBy: readonly string[] },
  ) =>
    sentences.map((sentence): Present => {
      const { about, shownBy } = other ?? { about: null, shownBy: said.shownBy };
      return { ...said, code, severity, sentence, about: about && subjectOf(about), shownBy };
    });
  const shown = (edges: readonly GraphEdge[]) => sourcesIn(edges.flatMap(({ evidence }) => evidence));
  const users = usersOf(adjacency, node.id);
  const used = usesOf(adjacency, picture, node.id);
  const seen = new Set([
    ...used.map(({ from }) => from),
    ...users
      .filter(({ edge }) => edge.type === "uses" && edge.evidence.some(isSeen))
      .map((user) => user.node.id),
  ]);
  const dormancy = dormancyIn(facts, picture, users, used);
  const declared = users.filter(isDeclared);
  const rules = watchRulesOf(policy);
  const anonymous = anonymousOf(picture, node.id);
  const looking = {
    expected: new Set(declared.map((user) => user.node.id)),
    names: new Map(facts.sources.map(({ id, name }) => [id, name])),
    fading: { windowMs: rules.useWindowMs, now },
  };
  const strangers = strangersOn(adjacency.graph, users, looking);
  return [
    ...find("no-owner", "refuse", unownedCredential(owners[0] ?? null)),
    ...find("no-purpose", "warn", purposeless(facts)),
    ...find("no-expiry", "warn", endless(facts)),
    ...find("overdue", "warn", overdue(facts, now)),
    ...find("dormant", "warn", dormancy.is === "dormant" ? [dormancy.sentence] : []),
    ...find("never-verified", "info", unproved(facts)),
    ...declared.flatMap(({ node: consumer, edge }) => {
      const owner = ownerNames(adjacency, consumer.id)[0] ?? null;
      const isMoved = facts.rotatedAt !== null && facts.rotatedAt >= edge.firstSeen;
      const unowned = unownedConsumer({ name: consumer.name, owner });
      const unseen = isMoved || seen.has(consumer.id) ? [] : [neverSeen(consumer)];
      return [
        ...find("consumer-without-owner", "refuse", unowned, { about: consumer, shownBy: shown([edge]) }),
        ...find("never-verified", "info", unseen, { about: consumer, shownBy: shown([edge]) }),
      ];
    }),
    ...strangers.flatMap((stranger) =>
      readerFindings([stranger], rules.unmappedReaders).flatMap(({ code, severity, sentence }) =>
        find(code as FindingCode, severity, [sentence], {
          about: stranger.node,
          shownBy: shown(users.filter((user) => user.node.id === stranger.node.id).map(({ edge }) => edge)),
        }),
      ),
    ),
    ...unexplainedUses(adjacency.graph, users, anonymous, looking).flatMap((use) =>
      useFindings([use], rules.unmappedReaders).flatMap(({ code, severity, sentence }) =>
        find(code as FindingCode, severity, [sentence], {
          about: { ...use.source, type: "source" },
          shownBy: [use.source.id],
        }),
      ),
    ),
    ...strayCopies(facts.met, keptOf(adjacency, node.id).copies).flatMap((copy) =>
      copyFindings([copy], rules.unmappedReaders).flatMap(({ code, severity, sentence }) =>
        find(code as FindingCode, severity, [sentence], {
          about: { id: copy.node, type: "location", name: copy.name },
          shownBy: copy.sources,
        }),
      ),
    ),
    ...evidenceFindings(said, watchersOf(facts, picture, users), rules, now),
  ];
}

/** Whether it is in use, with the time for which somebody looked. */
export function dormancyOfCredential(facts: CredentialFacts, picture: Picture): Dormancy {
  const users = usersOf(picture.adjacency, facts.node.id);
  return dormancyIn(facts, picture, users, usesOf(picture.adjacency, picture, facts.node.id));
}

/** Whether a use of it would be seen, by sources that are read in time and see all. */
export function isVisible(facts: CredentialFacts, picture: Picture): boolean {
  const watching = watchersOf(facts, picture, usersOf(picture.adjacency, facts.node.id));
  return watchedSince(watching, watchRulesOf(facts.policy), picture.now) !== null;
}

function watchersOf(
  { node, declared, listedAt, sources }: CredentialFacts,
  picture: Pick<Picture, "adjacency" | "anonymous">,
  users: readonly User[],
): TiedSource[] {
  const at = declared ?? { issuer: listedAt ?? "", store: "" };
  const seen = asSeen(anonymousOf(picture, node.id));
  return watchersAmong(sources, at, [...users.flatMap(({ edge }) => edge.evidence), ...seen]);
}

function dormancyIn(
  facts: CredentialFacts,
  picture: Picture,
  users: readonly User[],
  used: readonly PastUse[],
): Dormancy {
  const { adjacency, leastWindowMs, now } = picture;
  const { node, declared, policy, sources } = facts;
  const called = (id: string) => sources.find((source) => source.id === id)?.name ?? id;
  const rules = watchRulesOf(policy);
  const watch = {
    ...watchingOf(watchersOf(facts, picture, users), rules, now),
    lastUsed: used.reduce<number | null>((latest, { last }) => Math.max(last, latest ?? last), null),
    anonymous: anonymousOf(picture, node.id).map((use) => ({ ...use, called: called(use.source) })),
    leastWindowMs: leastWindowMs ?? rules.useWindowMs,
    cadencesMs: (declared?.consumers ?? []).map(({ cadenceMs }) => cadenceMs ?? 0),
  };
  return dormancyOf(adjacency, node, watch, now);
}

/** What was ever seen of a credential: of itself, of its copies, and of what those stand in. */
function usesOf(
  adjacency: Adjacency,
  { pastUses }: Pick<Picture, "pastUses">,
  credential: string,
): PastUse[] {
  const { copies, containers } = keptOf(adjacency, credential);
  return [credential, ...copies, ...containers].flatMap((place) => pastUses.get(place) ?? []);
}

/** Uses by whom nobody says, of a credential itself and of its copies. */
function anonymousOf(
  { adjacency, anonymous }: Pick<Picture, "adjacency" | "anonymous">,
  credential: string,
): AnonymousUse[] {
  return [credential, ...keptOf(adjacency, credential).copies].flatMap((place) => anonymous.get(place) ?? []);
}

function subjectOf({ id, type, name }: Subject): Subject {
  return { id, type, name };
}

const listedOnly = "A source lists it, and the estate does not";

function purposeless({ declared, purpose }: CredentialFacts): string[] {
  return declared === null && purpose === null ? [`${listedOnly}: nobody has said what it is for.`] : [];
}

/** Nothing ends it by itself, and nobody has said when it is to be replaced. */
function endless({ declared, policy, expiresAt }: CredentialFacts): string[] {
  if (expiresAt !== null || policy?.intervalMs !== undefined) return [];
  if (declared === null) return [`${listedOnly}, and no source says when it runs out.`];
  return [`Its policy ${declared.policy} has no interval, and no source says when it runs out.`];
}

function overdue({ policy, rotatedAt, knownSince, expiresAt }: CredentialFacts, now: number): string[] {
  if (expiresAt !== null && expiresAt <= now) return [`It ran out on ${minuteOf(expiresAt)}.`];
  const due = policy === null ? null : dueAt(policy, rotatedAt, knownSince);
  return due !== null && due <= now ? [`Its rotation was due on ${minuteOf(due)}.`] : [];
}

function unproved({ declared, rotatedAt }: CredentialFacts): string[] {
  if (declared === null || rotatedAt !== null) return [];
  return ["No rotation of it has succeeded yet, so the engine has never proved a value of it."];
}

/** A declared use that nobody ever saw, and that no rotation has moved since it was declared. */
function neverSeen({ name }: GraphNode): string {
  return `Nobody has ever seen ${name} use it; only the estate says so.`;
}
