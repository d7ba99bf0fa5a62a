/** What is found of one credential: each code by its own fact, in words that are the same tomorrow. */
import { describe, expect, test } from "vitest";
import type { Credential, Policy } from "../../../domain/estate/types.js";
import {
  type CredentialFacts,
  dormancyOfCredential,
  findingsOfCredential,
  isThereStill,
  isVisible,
  type Picture,
} from "../../../domain/findings/credential.js";
import { gravest, type ReadSource } from "../../../domain/findings/evidence.js";
import type { Present } from "../../../domain/findings/present.js";
import { Adjacency } from "../../../domain/graph/reach.js";
import { policy } from "../../inventory/world.js";
import { edgeOf, evidenceOf, mapOf, nodeNamed, t0 } from "../graph/maps.js";

const dayMs = 86_400_000;

const map = mapOf(
  "c-db owned-by o-shop",
  "s-web owned-by o-shop",
  "s-web uses c-db",
  "c-db stored-in l-db",
  edgeOf("i-psql uses c-db", { ...evidenceOf("session"), source: "src_1", sentence: "It is connected." }),
  edgeOf("i-ops can-read l-db", { ...evidenceOf("potential"), source: "src_9" }),
);

const declared: Credential = {
  ...{ issuer: "main-db", account: {}, store: "secrets", place: {}, owner: "o-shop", policy: "standard" },
  ...{
    class: "service-account",
    purpose: "Orders.",
    consumers: [{ consumer: "s-web", isolation: "shared" }],
  },
};

const facts = (more: Partial<CredentialFacts> = {}): CredentialFacts => ({
  ...{ node: nodeNamed("c-db"), declared, policy, knownSince: t0, rotatedAt: null, expiresAt: null },
  ...{ listedAt: null, listedLast: null, sources: [source()], met: [], purpose: null },
  ...more,
});

const source = (more: Partial<ReadSource> = {}): ReadSource => ({
  ...{ id: "src_1", name: "sessions", settings: { issuer: "main-db" }, owner: "o-shop", seesUse: true },
  ...{
    wholeAt: t0,
    since: t0 - 100 * dayMs,
    failure: null,
    silentSince: null,
    silentLog: null,
    gaps: [],
    unreadable: 0,
  },
  ...more,
});

const picture = (more: Partial<Picture> = {}): Picture => ({
  ...{
    adjacency: new Adjacency(map),
    pastUses: new Map(),
    anonymous: new Map(),
    leastWindowMs: 10 * dayMs,
    now: t0 + dayMs,
  },
  ...more,
});

const found = (one: CredentialFacts, seen: Picture) =>
  findingsOfCredential(one, seen).map(({ code, severity, about }) =>
    `${code} ${severity} ${about?.name ?? ""}`.trim(),
  );

test("one that is declared, watched and on time has its strangers, and what nobody has borne out yet", () => {
  expect(found(facts(), picture()).sort()).toEqual([
    "never-verified info",
    "never-verified info s-web",
    "potential-reader warn i-ops",
    "unmapped-reader refuse i-psql",
  ]);
});

test("it is said who shows it: the estate, the sources that list it, or those that saw the reader", () => {
  const shown = (one: Partial<CredentialFacts>, seen: Partial<Picture> = {}) =>
    findingsOfCredential(facts(one), picture(seen)).map(
      ({ code, about, shownBy }) => `${code} ${about?.name ?? ""}: ${shownBy}`,
    );
  const use = { source: "src_7", sentence: "It was used.", last: t0 };
  expect(shown({}, { anonymous: new Map([["c-db", [use]]]) }).sort()).toEqual([
    "never-verified : estate",
    "never-verified s-web: estate",
    "potential-reader i-ops: src_9",
    "unexplained-use src_7: src_7",
    "unmapped-reader i-psql: src_1",
  ]);
  const listed = shown({ declared: null, listedAt: "main-db" });
  expect(listed).toContain("no-purpose : src_1");
  expect(listed.filter((one) => one.includes("estate"))).toEqual(["never-verified s-web: estate"]);
});

test("a policy without words takes strangers for what they are, and the estate's rule decides how grave they are", () => {
  const lenient: Policy = { ...policy, unmappedReaders: "warn" };
  expect(found(facts({ policy: lenient }), picture())).toContain("unmapped-reader warn i-psql");
  expect(found(facts({ policy: null }), picture())).toContain("unmapped-reader warn i-psql");
});

describe("a declared consumer was borne out", () => {
  const isUnseen = (one: CredentialFacts, seen: Picture) =>
    found(one, seen).includes("never-verified info s-web");
  test("by being seen now, or ever, at the credential or a copy of it", () => {
    const session = mapOf(...map.edges, edgeOf("s-web uses l-db", evidenceOf("read")));
    expect(isUnseen(facts(), picture({ adjacency: new Adjacency(session) }))).toBe(false);
    const past = (to: string) =>
      picture({ pastUses: new Map([[to, [{ from: "s-web", last: t0 - dayMs }]]]) });
    expect(["c-db", "l-db", "elsewhere"].map((to) => isUnseen(facts(), past(to)))).toEqual([
      false,
      false,
      true,
    ]);
  });
  test("by a rotation since it is declared, and not by one before", () => {
    expect(isUnseen(facts({ rotatedAt: t0 }), picture())).toBe(false);
    expect(isUnseen(facts({ rotatedAt: t0 - 1 }), picture())).toBe(true);
    expect(found(facts({ rotatedAt: t0 - 1 }), picture())).not.toContain("never-verified info");
  });
});

test("nobody answers for it or for who uses it", () => {
  const ownerless = mapOf(...map.edges.filter(({ type }) => type !== "owned-by"));
  const codes = found(facts(), picture({ adjacency: new Adjacency(ownerless) }));
  expect(codes).toContain("no-owner refuse");
  // Whom a source found and nobody owns is unmapped, and told once.
  expect(codes.filter((code) => /s-web|i-psql/.test(code) && code.includes("refuse")).sort()).toEqual([
    "consumer-without-owner refuse s-web",
    "unmapped-reader refuse i-psql",
  ]);
});

test("it ends, or nobody has said when: by its policy or by what a source says", () => {
  const { intervalMs: _, ...endless } = policy;
  const codes = (more: Partial<CredentialFacts>, now = t0 + dayMs) =>
    found(facts(more), picture({ now })).filter((code) => /no-expiry|overdue/.test(code));
  expect(codes({ policy: endless })).toEqual(["no-expiry warn"]);
  expect(codes({ policy: endless, expiresAt: t0 + 9 * dayMs })).toEqual([]);
  expect(codes({ expiresAt: t0 + dayMs })).toEqual(["overdue warn"]);
  const due = t0 + (policy.intervalMs ?? 0);
  expect([codes({}, due - 1), codes({}, due), codes({ rotatedAt: t0 + 1 }, due)]).toEqual([
    [],
    ["overdue warn"],
    [],
  ]);
});

test("one that only a source lists lacks what the estate would say of it", () => {
  const stray = facts({ node: nodeNamed("c-stray"), declared: null, policy: null, listedAt: "main-db" });
  const alone = new Map([["c-stray", nodeNamed("c-stray")]]);
  const adjacency = new Adjacency({ nodes: alone, edges: [] });
  expect(found(stray, picture({ adjacency }))).toEqual([
    "no-owner refuse",
    "no-purpose warn",
    "no-expiry warn",
    "dormant warn",
  ]);
});

test("it is there still while it is declared, or listed near the last whole reading of what lists it", () => {
  const listed = { declared: null, listedAt: "main-db", listedLast: t0 };
  const after = (days: number) => [source({ wholeAt: t0 + days * dayMs })];
  expect([7, 8].map((days) => isThereStill({ ...listed, sources: after(days) }))).toEqual([true, false]);
  expect(isThereStill({ ...listed, declared, sources: after(8) })).toBe(true);
  expect(isThereStill({ ...listed, listedAt: "another", sources: after(8) })).toBe(true);
  expect(isThereStill({ ...listed, sources: [source({ wholeAt: null })] })).toBe(true);
});

describe("C21: whether it is dormant rests on every source that would see its use", () => {
  const read = (more: Partial<ReadSource> = {}) => source({ wholeAt: t0 + 29 * dayMs, since: t0, ...more });
  const log = read({ id: "src_2", name: "log", settings: { store: "secrets" } });
  const ask = (sources: ReadSource[], days = 30, more: Partial<CredentialFacts> = {}) => {
    const seen = picture({ now: t0 + days * dayMs });
    const one = facts({ sources, ...more });
    return { is: dormancyOfCredential(one, seen).is, visible: isVisible(one, seen) };
  };
  const blind = { is: "unwatched", visible: false };
  test("nobody looks, all look, one of two does not, or not for long enough", () => {
    expect(ask([])).toEqual(blind);
    expect(ask([read()])).toEqual({ is: "dormant", visible: true });
    for (const other of [
      { since: null },
      { wholeAt: null },
      { wholeAt: t0 },
      { gaps: ["One."] },
      { unreadable: 1 },
    ]) {
      expect(ask([read(), { ...log, ...other }]), JSON.stringify(other)).toEqual(blind);
      expect(ask([{ ...log, ...other }, read()]), JSON.stringify(other)).toEqual(blind);
    }
    expect(ask([read(), { ...log, since: t0 + 25 * dayMs }])).toEqual({ is: "too-soon", visible: true });
  });
  test("looks that are far apart say nothing, unless a log watches as well", () => {
    const glimpses = (closeSince: number, apartMs = 7 * dayMs) => ({ count: 5, apartMs, closeSince });
    const far = read({ glimpses: glimpses(t0 + 29 * dayMs), wholeAt: t0 + 30 * dayMs });
    const close = read({ glimpses: glimpses(t0, 600_000), wholeAt: t0 + 30 * dayMs });
    const other = { ...close, id: "src_2", name: "other", settings: { store: "secrets" } };
    expect(ask([far])).toEqual({ is: "unwatched", visible: true });
    expect(ask([close])).toEqual({ is: "dormant", visible: true });
    expect(ask([close, other]).is).toBe("dormant");
    expect(ask([far, other]).is).toBe("unwatched");
    expect(ask([far, log]).is).toBe("dormant");
    // None since the day before: as if they had been that far apart.
    const late = { ...close, wholeAt: t0 + 27 * dayMs };
    expect(ask([late]).is).toBe("unwatched");
    const told = dormancyOfCredential(facts({ sources: [late] }), picture({ now: t0 + 30 * dayMs }));
    expect(told.sentence).toContain("up to 3 d apart");
  });
  test("a source that only says who is meant to use it, or that is bound to nothing, does not look", () => {
    expect(ask([read({ id: "src_7", seesUse: false })])).toEqual(blind);
    // One that has shown a use does, whatever it is made for.
    expect(ask([read({ seesUse: false })]).visible).toBe(true);
    expect(ask([read({ id: "src_7", settings: {} })])).toEqual(blind);
    expect(ask([read({ settings: {} })]).visible).toBe(true);
  });
  test("the slowest use counts, as it is declared for this credential, and the policy's window where nothing is asked", () => {
    const monthly = [{ consumer: "s-web", isolation: "shared", cadenceMs: 31 * dayMs }] as const;
    const lately = [read({ wholeAt: t0 + 44 * dayMs })];
    expect(ask(lately, 46, { declared: { ...declared, consumers: monthly } }).is).toBe("live");
    expect(ask(lately, 47, { declared: { ...declared, consumers: monthly } }).is).toBe("dormant");
    const codes = (days: number) =>
      findingsOfCredential(
        facts({ sources: [read({ wholeAt: t0 + days * dayMs })] }),
        picture({ leastWindowMs: null, now: t0 + days * dayMs }),
      ).map(({ code }) => code);
    expect([codes(35).includes("dormant"), codes(36).includes("dormant")]).toEqual([false, true]);
  });
  test("what was seen of it counts, also where that has ended", () => {
    const pastUses = new Map([
      [
        "l-db",
        [
          { from: "i-x", last: t0 + 24 * dayMs },
          { from: "i-y", last: t0 },
        ],
      ],
    ]);
    const seen = picture({ now: t0 + 30 * dayMs, pastUses });
    expect(dormancyOfCredential(facts({ sources: [read()] }), seen)).toMatchObject({
      ...{ is: "live", lastUsed: t0 + 24 * dayMs },
    });
  });
});

test("where the value in use stands and nothing is delivered is named, by the check of the gate", () => {
  const copy = (node: string) => ({
    ...{
      node,
      name: `place ${node}`,
      literal: true,
      past: false,
      readers: ["s-web"],
      sentence: "It holds it.",
      lastSeen: t0,
      sources: ["src_2", "src_3"],
    },
  });
  const found = findingsOfCredential(facts({ met: [copy("l-db"), copy("l-file")] }), picture());
  expect(found.filter(({ code }) => code === "unmapped-copy")).toMatchObject([
    {
      ...{ severity: "refuse", about: { id: "l-file", type: "location" }, credential: "c-db" },
      ...{ sentence: expect.stringContaining("It holds it. Last met 2023-11-14 22:13 UTC.") },
      ...{ shownBy: ["src_2", "src_3"], sources: [] },
    },
  ]);
});

test("what a source lacks is said of the source, by the check of the gate; that there is none, of the credential", () => {
  const about = (more: Partial<ReadSource>[], days = 1) =>
    findingsOfCredential(
      facts({ sources: more.map((one) => source(one)) }),
      picture({ now: t0 + days * dayMs }),
    )
      .filter(({ code }) => /evidence|watch/.test(code))
      .map(({ code, severity, subject, credential, sentence }) => [
        code,
        severity,
        subject.name,
        credential,
        sentence,
      ]);
  expect(about([{}])).toEqual([]);
  expect(about([{}], 8)).toEqual([
    [
      ...["stale-evidence", "refuse", "sessions", null],
      "The source sessions was read to its end on 2023-11-14 22:13 UTC; the policy asks for every 7d.",
    ],
  ]);
  expect(about([{}], 9)).toEqual(about([{}], 8));
  expect(about([{ gaps: ["Hidden."], since: t0 }]).map(([code]) => code)).toEqual([
    "incomplete-evidence",
    "short-watch",
  ]);
  expect(about([])).toMatchObject([["unwatched", "warn", "c-db", "c-db", expect.any(String)]]);
});

test("of several credentials that lead to one finding of a source the gravest counts", () => {
  const key = ({ code, subject }: Present) => `${code} ${subject.id}`;
  const both = [policy, { ...policy, unmappedReaders: "warn" as const }].map((one) =>
    findingsOfCredential(facts({ policy: one, sources: [source({ wholeAt: null })] }), picture()).filter(
      ({ code }) => code === "stale-evidence",
    ),
  );
  for (const list of [both.flat(), both.flat().toReversed()])
    expect(gravest(list, key)).toMatchObject([{ severity: "refuse", subject: { name: "sessions" } }]);
});

test("C7 C21: a key that was used by whom nobody says is neither dormant nor unwatched, and the use is unexplained", () => {
  const keys = source({ id: "src_2", name: "keys", seesUse: false, settings: { issuer: "main-db" } });
  const used = { source: "src_2", sentence: "For s3.", last: t0 + 99 * dayMs };
  const later = picture({ now: t0 + 100 * dayMs });
  const watched = facts({ sources: [{ ...keys, wholeAt: t0 + 100 * dayMs, since: t0 }] });
  expect(found(watched, later)).toContain("unwatched warn");
  const withUse = (at: string) => ({ ...later, anonymous: new Map([[at, [used]]]) });
  for (const at of ["c-db", "l-db"]) {
    const codes = found(watched, withUse(at));
    expect(codes).toContain("unexplained-use refuse keys");
    expect(codes.filter((text) => /^(dormant|unwatched)/.test(text))).toEqual([]);
    expect(dormancyOfCredential(watched, withUse(at))).toMatchObject({
      ...{ is: "live", lastUsed: used.last },
      sentence: expect.stringContaining("by whom is not said (source keys)"),
    });
    expect(isVisible(watched, withUse(at))).toBe(true);
  }
  // When it counts no more, the same source is what shows that nobody uses it.
  const past = { ...withUse("c-db"), now: t0 + 140 * dayMs };
  const longer = facts({ sources: [{ ...keys, wholeAt: t0 + 140 * dayMs, since: t0 }] });
  expect(found(longer, past)).toContain("dormant warn");
  expect(found(longer, past)).not.toContain("unexplained-use refuse keys");
});
