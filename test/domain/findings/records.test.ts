/** Copies, rights and readings as findings rest on them, and the course that a finding takes in the records. */
import { describe, expect, test } from "vitest";
import type { CredentialException } from "../../../domain/estate/types.js";
import type { BoundedException } from "../../../domain/exceptions.js";
import { exceptable, findingCodes, findingWords, isOfRotations } from "../../../domain/findings/codes.js";
import { type KeptFinding, keptAt, standingOf } from "../../../domain/findings/course.js";
import { consumerFindings, placeFindings } from "../../../domain/findings/entries.js";
import { keyOf, type Present, withSomebody } from "../../../domain/findings/present.js";
import { rightFindings } from "../../../domain/findings/rights.js";
import { type MetValue, type OwnValue, valueFindings } from "../../../domain/findings/values.js";
import { Adjacency } from "../../../domain/graph/reach.js";
import type { GraphEdge } from "../../../domain/graph/types.js";
import { edgeOf, evidenceOf, mapOf, t0 } from "../graph/maps.js";

const dayMs = 86_400_000;

test("every code says what it means and what mends it, and that nobody answers cannot be answered for", () => {
  for (const code of findingCodes)
    for (const text of Object.values(findingWords(code))) expect(text, code).toMatch(/^[A-Z].+\.$/);
  expect(findingCodes.filter((code) => !exceptable.some((one) => one === code))).toEqual(["no-owner"]);
  expect(findingCodes.filter(isOfRotations)).toEqual(["last-reading", "old-version-read"]);
});

describe("C12, C18: copies", () => {
  const copy = (mark: string, id: string, more: Partial<MetValue> = {}): MetValue => ({
    ...{ mark, literal: true, verified: false, sentence: `${id} holds a password.`, source: "src_1" },
    place: { id, type: "location", name: `place ${id}` },
    ...more,
  });
  const ours = (mark: string, isLive: boolean): OwnValue => ({
    ...{ mark, isLive, owners: ["shop"], credential: { id: "c1", type: "credential", name: "orders-db" } },
  });
  const found = (copies: readonly MetValue[], known: readonly OwnValue[] = []) =>
    valueFindings(copies, known, (mark) => `nameless ${mark.length}`);

  test("three places of one value are one cluster with its places, whoever has met it how often", () => {
    const [cluster, ...more] = found([
      copy("m", "a"),
      copy("m", "b"),
      copy("m", "c"),
      copy("m", "c", { sentence: "Another source says so" }),
      copy("other", "a"),
    ]).filter(({ code }) => code === "same-value");
    expect(more).toEqual([]);
    expect(cluster).toMatchObject({
      ...{ severity: "warn", places: ["place a", "place b", "place c"], credential: null },
      subject: { id: "nameless 1", type: "value", name: "place a and 2 more" },
      sentence: "One value stands in 3 places.",
    });
  });

  test("what cannot be told from others is a literal, and like no other", () => {
    const both = found([copy("", "a"), copy("", "b")]);
    expect(both.map(({ code, subject }) => `${code} ${subject.id}`)).toEqual(["literal a", "literal b"]);
  });

  test("what was found to work is graver than what looks like a value, also of a version that should be dead", () => {
    const works = { verified: true };
    const one = (copies: readonly MetValue[], known: readonly OwnValue[] = []) =>
      found(copies, known).map(({ code, severity }) => `${code} ${severity}`);
    expect(one([copy("m", "a", works)])).toEqual(["verified-literal refuse"]);
    expect(one([copy("", "a", works)])).toEqual(["verified-literal refuse"]);
    expect(one([copy("m", "a", works)], [ours("m", true)])).toEqual(["verified-literal refuse"]);
    expect(one([copy("m", "a", works)], [ours("m", false)])).toEqual(["verified-literal warn"]);
    // A place that holds another value, too, is one finding; what stands in a store is none.
    expect(one([copy("m", "a", works), copy("n", "a")])).toEqual(["verified-literal refuse"]);
    expect(one([copy("m", "a", { ...works, literal: false })])).toEqual([]);
  });

  test("its sources answer for what concerns no credential of the estate", () => {
    const copies = [copy("m", "a"), copy("m", "b", { source: "src_2" })];
    const sources = (known: readonly OwnValue[]) => found(copies, known).map((one) => one.sources);
    expect(sources([])).toEqual([["src_1"], ["src_2"], ["src_1", "src_2"]]);
    expect(sources([ours("m", true)])).toEqual([[], [], []]);
    const owners = new Map([
      ["src_1", "platform"],
      ["src_2", "audit"],
    ]);
    const asked = (known: readonly OwnValue[]) =>
      found(copies, known).map((one) => withSomebody(one, owners).owners);
    expect(asked([])).toEqual([["platform"], ["audit"], ["audit", "platform"]]);
    expect(asked([ours("m", true)])).toEqual([["shop"], ["shop"], ["shop"]]);
    // Of a credential that nobody answers for, that is what is to be said.
    const nobodys = { ...found(copies)[0], credential: "c1" } as Present;
    expect(withSomebody(nobodys, owners).owners).toEqual([]);
  });

  test("where all places are where they should be, it is to know and no more", () => {
    const certificates = [copy("m", "a", { literal: false }), copy("m", "b", { literal: false })];
    expect(found(certificates).map(({ code, severity }) => `${code} ${severity}`)).toEqual([
      "same-value info",
    ]);
  });

  test("a place is one finding whatever it holds, and a value that is ours leads to its credential", () => {
    const both = found([copy("m", "a"), copy("n", "a", { sentence: "a holds a token." })], [ours("m", true)]);
    expect(both).toMatchObject([
      {
        ...{ code: "literal", severity: "warn", credential: "c1", owners: ["shop"] },
        sentence:
          "A holds a password; a holds a token. It is the value of orders-db, of a version that is valid.",
      },
    ]);
  });

  test("one that is valid no more opens nothing; beside one that nobody knows the place is as grave as any", () => {
    expect(found([copy("m", "a")], [ours("m", false)])).toMatchObject([
      { severity: "info", sentence: expect.stringContaining("is not valid any more") },
    ]);
    expect(found([copy("m", "a"), copy("n", "a")], [ours("m", false)])).toMatchObject([{ severity: "warn" }]);
  });
});

describe("C12: one value of several credentials", () => {
  const of = (name: string, isLive = true): OwnValue => ({
    ...{ mark: "m", isLive, owners: [`owner of ${name}`] },
    credential: { id: name, type: "credential", name },
  });
  const found = (places: readonly string[], ...known: readonly OwnValue[]) =>
    valueFindings(
      places.map((name) => ({
        ...{ mark: "m", literal: false, verified: false, sentence: "It stands there.", source: "src_1" },
        place: { id: name, type: "location", name },
      })),
      known,
      () => "nameless",
    );

  test("is found wherever it lies, with all of them and all of their owners", () => {
    expect(found([], of("b"), of("a"))).toMatchObject([
      {
        ...{ code: "same-value", severity: "warn", credential: "a", owners: ["owner of a", "owner of b"] },
        places: ["a", "b"],
        sentence: "It is the value of a and b, of versions that are valid.",
      },
    ]);
    expect(found(["at"], of("a"), of("b"))).toMatchObject([
      {
        places: ["at", "a", "b"],
        sentence: "One value stands in 1 place. It is the value of a and b, of versions that are valid.",
      },
    ]);
  });

  test("is none where it is valid for one alone, or lies nowhere and is one's", () => {
    expect(found([], of("a"))).toEqual([]);
    expect(found([], of("a"), of("a", false))).toEqual([]);
    expect(found([], of("a"), of("b", false))).toEqual([]);
    expect(found(["at", "there"], of("a"), of("b", false))).toMatchObject([
      { credential: "a", owners: ["owner of a"], sentence: expect.stringContaining("of a, of a version") },
    ]);
    expect(found(["at", "there"], of("a", false), of("b", false))).toMatchObject([
      { sentence: expect.stringContaining("of a and b, of versions that are not valid any more") },
    ]);
  });
});

describe("rights that are wider than what is used", () => {
  const right = (text: string) => edgeOf(text, evidenceOf("potential"));
  const found = (...edges: readonly (string | GraphEdge)[]) =>
    rightFindings(new Adjacency(mapOf(...edges))).map(({ subject, about, sentence }) => {
      return [`${subject.id} ${about?.id}`, sentence];
    });
  const inside = ["l-db stored-in l-shop", "l-db-key stored-in l-db", "l-mail stored-in l-shop"];

  test("by what stands in the place at last, used at itself or as a whole", () => {
    expect(found(...inside, right("i-ops can-read l-shop"))).toEqual([
      ["i-ops l-shop", "i-ops may read all of l-shop, where 2 are known, and is known to use none."],
    ]);
    expect(found(...inside, right("i-ops can-read l-shop"), "i-ops uses l-db")).toEqual([
      ["i-ops l-shop", "i-ops may read all of l-shop, where 2 are known, and is known to use 1."],
    ]);
    expect(found(...inside, right("i-ops can-read l-shop"), "i-ops uses l-shop")).toEqual([]);
  });

  test("what is used as a credential is used where that is kept", () => {
    const kept = [...inside, "c-db stored-in l-db-key", "c-mail stored-in l-mail", "s-web uses c-db"];
    expect(found(...kept, right("s-web can-read l-shop"))).toHaveLength(1);
    expect(found(...kept, right("s-web can-read l-shop"), "s-web uses c-mail")).toEqual([]);
  });

  test("a right to one secret is as narrow as can be, and a credential that unlocks a store is no reader", () => {
    expect(found(...inside, right("i-ops can-read l-mail"))).toEqual([]);
    expect(found("l-db stored-in y-vault", "c-root can-read y-vault")).toEqual([]);
    expect(found(...inside, { ...right("i-ops can-read l-shop"), endedAt: t0 })).toEqual([]);
  });
});

describe("C30: the course of a finding", () => {
  const present: Present = {
    ...{ code: "unmapped-reader", severity: "refuse", credential: "c1", sentence: "psql uses it." },
    subject: { id: "c1", type: "credential", name: "orders-db" },
    about: { id: "i1", type: "identity", name: "psql" },
    ...{ owners: [], places: [], sources: [], shownBy: [] },
  };
  const until = t0 + dayMs;
  const held = (more: Partial<BoundedException> = {}): BoundedException => ({
    ...{ finding: "unmapped-reader", owner: "ada", reason: "It goes." },
    ...{ until: new Date(until).toISOString(), maxMs: 9 * dayMs },
    ...more,
  });
  const exception = { owner: "ada", reason: "It goes.", until };

  test("it opens, stays, is excepted, and is open again from the day on which that is over", () => {
    const opened = standingOf(present, undefined, [], t0);
    expect(opened).toMatchObject({ key: keyOf(present), state: "open", isNews: true, since: t0 });
    expect(standingOf(present, opened, [], t0 + 1).isNews).toBe(false);
    const excepted = standingOf(present, opened, [held()], t0 + 1);
    expect(excepted).toMatchObject({ state: "excepted", exception, isNews: true, since: t0 + 1 });
    expect(standingOf(present, excepted, [held()], until - 1).isNews).toBe(false);
    expect(standingOf(present, excepted, [held()], until + 5)).toMatchObject({
      ...{ state: "open", exception: null, isNews: true, since: until },
    });
    expect(standingOf(present, excepted, [], t0 + 9)).toMatchObject({ state: "open", since: t0 + 9 });
  });

  test("an exception that lasts too long does not count, and one about nobody says what it covers", () => {
    const long = held({ maxMs: dayMs - 1 });
    expect(standingOf(present, undefined, [long], t0)).toMatchObject({
      ...{ state: "open", exception: null },
      sentence:
        "psql uses it. The exception that ada answers for until 2023-11-15 does not count: it lasts longer than 86399999ms (`exceptionMax`).",
    });
    expect(standingOf(present, undefined, [long], t0 + 1).state).toBe("excepted");
    const told = (more: Partial<Present>, exception: Partial<BoundedException> = {}) =>
      standingOf({ ...present, ...more }, undefined, [held(exception)], t0).sentence;
    expect(told({})).toBe("psql uses it. The exception is for every unmapped-reader of the credential.");
    expect(told({}, { about: "psql" })).toBe("psql uses it.");
    const place = { id: "l1", type: "location", name: "a.env" } as const;
    expect(told({ credential: null, about: null, subject: place })).toBe(
      "psql uses it. The exception is for every unmapped-reader that the source shows.",
    );
    expect(told({ about: null })).toBe("psql uses it.");
  });

  test("one that is prolonged, or taken over by somebody else, is news", () => {
    const known = { state: "excepted", exception } as const;
    const longer = held({ until: new Date(until + dayMs).toISOString() });
    for (const one of [longer, held({ owner: "bob" }), held({ reason: "Later." })])
      expect(standingOf(present, known, [one], t0).isNews).toBe(true);
    expect(standingOf(present, { state: "ended", exception: null }, [], t0)).toMatchObject({ isNews: true });
  });

  test("it is for what the finding is about, or for each of its places", () => {
    const excepted = (about: readonly string[], one: Present = present) =>
      standingOf(
        one,
        undefined,
        about.map((each, i) => {
          const finding = one.code as CredentialException["finding"];
          return held({ about: each, finding, until: new Date(until - i).toISOString() });
        }),
        t0,
      );
    const states = [["psql"], ["another"], ["orders-db"]].map((about) => excepted(about).state);
    expect(states).toEqual(["excepted", "open", "open"]);
    const cluster: Present = { ...present, code: "same-value", about: null, places: ["a", "b"] };
    const some = [["a"], ["b"], ["a", "c"], ["c"]].map((about) => excepted(about, cluster).state);
    expect(some).toEqual(["open", "open", "open", "open"]);
    // The first that runs out ends it for all.
    expect(excepted(["a", "b"], cluster).exception).toMatchObject({ until: until - 1 });
    expect(excepted(["orders-db"], cluster).state).toBe("excepted");
    const long = { ...held({ about: "b", finding: "same-value" }), maxMs: 1 };
    expect(standingOf(cluster, undefined, [long], t0).sentence).toContain("does not count");
  });

  test("what is kept is read by the time of the look", () => {
    const kept = { ...present, state: "excepted", exception, since: t0 } as unknown as KeptFinding;
    expect(keptAt(kept, until - 1)).toBe(kept);
    expect(keptAt(kept, until)).toMatchObject({ state: "open", exception: null, since: until });
    const ended = { ...kept, state: "ended", exception: null } as KeptFinding;
    expect(keptAt(ended, until)).toBe(ended);
  });
});

test("a consumer says what it does, and what stands at a place ends at its time", () => {
  const subject = { id: "s1", type: "consumer", name: "web" };
  expect(consumerFindings(subject, { owner: "shop", purpose: "Serves." })).toEqual([]);
  expect(consumerFindings(subject, { owner: "shop" })).toMatchObject([
    { code: "no-purpose", owners: ["shop"], sentence: "Nobody has said what web does." },
  ]);
  expect(consumerFindings(subject, { owner: "" })).toMatchObject([{ owners: [] }]);
  expect(placeFindings(subject, { expiresAt: t0 + 1, sources: [] }, t0)).toEqual([]);
  expect(placeFindings(subject, { expiresAt: t0, sources: ["src_1"] }, t0)).toMatchObject([
    { code: "overdue", sources: ["src_1"] },
  ]);
});
