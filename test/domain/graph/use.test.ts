/** "Nobody was seen" is an answer only with the time in which somebody looked (C21, H21). */

import { describe, expect, test } from "vitest";
import { blastOf } from "../../../domain/graph/blast.js";
import { type Change, changesBetween } from "../../../domain/graph/changes.js";
import { Adjacency } from "../../../domain/graph/reach.js";
import type { GraphEdge } from "../../../domain/graph/types.js";
import { dormancyOf, orphaned, shared, usersOf, type Watch } from "../../../domain/graph/use.js";
import { edgeOf, evidenceOf, mapOf, nodeNamed, t0 } from "./maps.js";

const dayMs = 86_400_000;
const map = mapOf(
  edgeOf(
    "s-batch uses c-db",
    evidenceOf("declared", t0 + 90 * dayMs),
    evidenceOf("session", t0 + 10 * dayMs),
  ),
  edgeOf("s-web uses c-db"),
  edgeOf("i-role can-read c-db", evidenceOf("potential")),
  { ...edgeOf("s-old uses c-db"), endedAt: t0 },
  "s-web uses c-mail",
  "c-db owned-by o-payments",
  "s-web owned-by o-payments",
);

test("users are whoever uses it now and whoever could, each with how that is known", () => {
  const users = usersOf(new Adjacency(map), "c-db").map(({ node, known }) => [node.id, known]);
  expect(users).toEqual([
    ["i-role", "potential"],
    ["s-batch", "session"],
    ["s-web", "declared"],
  ]);
});

test("whoever could read the place in which it is kept could use it, and so could whoever opens the store", () => {
  const kept = mapOf(
    "c-db stored-in l-shop",
    "l-shop stored-in y-vault",
    edgeOf("i-ops can-read l-shop", evidenceOf("potential")),
    "c-engine can-read y-vault",
    "s-web uses c-db",
  );
  const users = usersOf(new Adjacency(kept), "c-db").map(({ node, at }) => [node.id, at?.id ?? null]);
  expect(users).toEqual([
    ["c-engine", "y-vault"],
    ["i-ops", "l-shop"],
    ["s-web", null],
  ]);
});

test("shared is what several use, and orphaned is what nobody answers for", () => {
  expect(shared(new Adjacency(map)).map(({ credential }) => credential.id)).toEqual(["c-db"]);
  expect(
    orphaned(new Adjacency(map))
      .map(({ id }) => id)
      .sort(),
  ).toEqual(["c-mail", "s-batch", "s-old"]);
  // Whoever a source saw is as much without an owner as a consumer; whoever only could read is nobody yet.
  const seen = mapOf("i-seen uses c-db", "i-could can-read c-db", "c-db owned-by o-payments");
  expect(orphaned(new Adjacency(seen)).map(({ id }) => id)).toEqual(["i-seen"]);
});

describe("C21: dormant", () => {
  const monthly = new Map(map.nodes).set("s-batch", nodeNamed("s-batch", { cadenceMs: 31 * dayMs }));
  const ask = (
    nodes: typeof map.nodes,
    since: number | null,
    afterDays: number,
    more: Partial<Watch> = {},
  ) => {
    const credential = nodes.get("c-db");
    if (credential === undefined) throw new Error("the map has it");
    const now = t0 + afterDays * dayMs;
    const watch = {
      since,
      looks: null,
      lastUsed: null,
      leastWindowMs: 7 * dayMs,
      cadencesMs: [],
      anonymous: [],
    };
    return dormancyOf(new Adjacency({ ...map, nodes }), credential, { ...watch, ...more }, now);
  };

  test.each([
    ["used within the window", map.nodes, t0, 12, "live"],
    ["not used for longer than the window", map.nodes, t0, 40, "dormant"],
    ["a monthly job that is not due yet is not dormant", monthly, t0, 40, "live"],
    ["a monthly job that did not come for longer than it may be late", monthly, t0, 90, "dormant"],
    ["nobody has looked for long enough", map.nodes, t0 + 36 * dayMs, 40, "too-soon"],
    ["nobody looks", map.nodes, null, 40, "unwatched"],
  ] as const)("%s: %s", (_name, nodes, since, afterDays, is) => {
    expect(ask(nodes, since, afterDays).is).toBe(is);
  });

  test("by looks at who is connected it is said of those that are close, and of others how far apart they were", () => {
    const by = (closeSince: number | null, apartMs = 10 * 60_000) =>
      ask(map.nodes, t0, 40, { looks: { count: 6, apartMs, closeSince } });
    expect(by(t0)).toMatchObject({
      ...{ is: "dormant" },
      sentence:
        "Nobody was seen since 2023-11-24 22:13 UTC, by looks up to 10 min apart; it may be silent for 7 d.",
    });
    expect([33, 34].map((days) => by(t0 + days * dayMs).is)).toEqual(["dormant", "unwatched"]);
    expect(by(null, 7 * dayMs)).toMatchObject({
      ...{ is: "unwatched", watchedSince: t0 },
      sentence:
        "It was not connected at 6 looks since 2023-11-14 22:13 UTC, up to 7 d apart: whoever came in between was not seen, so nobody can say.",
    });
    expect(
      ask(map.nodes, t0 + 36 * dayMs, 40, { looks: { count: 1, apartMs: 0, closeSince: null } }).is,
    ).toBe("too-soon");
  });

  test("the answer states the window, and since when somebody looked or it was seen last, at every look alike", () => {
    expect(ask(monthly, t0, 90)).toMatchObject({ windowMs: 46.5 * dayMs, lastUsed: t0 + 10 * dayMs });
    expect(ask(map.nodes, t0 + 36 * dayMs, 40).sentence).toBe(
      "Nobody was seen since 2023-12-20 22:13 UTC, when somebody began to look, and it may be silent for 7 d.",
    );
    const sentences = [90, 100].map((afterDays) => ask(monthly, t0, afterDays).sentence);
    expect(sentences).toEqual([
      "Nobody was seen since 2023-11-24 22:13 UTC; it may be silent for 46 d 12 h.",
      sentences[0],
    ]);
    expect(ask(map.nodes, t0 + 30 * dayMs, 40).sentence).toBe(
      "Nobody was seen since 2023-12-14 22:13 UTC, when somebody began to look; it may be silent for 7 d.",
    );
  });

  test("what was seen before and is on the map no more counts, and so does what is said of this credential alone", () => {
    expect(ask(map.nodes, t0, 40, { lastUsed: t0 + 35 * dayMs }).is).toBe("live");
    expect(ask(map.nodes, t0, 40, { cadencesMs: [31 * dayMs] }).is).toBe("live");
  });

  test("one that was used by whom nobody says is in use, watched or not, and the answer says so", () => {
    const use = (afterDays: number, called: string) => ({
      ...{ source: `src_${called}`, called, last: t0 + afterDays * dayMs },
      sentence: "For s3.",
    });
    const anonymous = [use(38, "keys"), use(30, "other")];
    for (const since of [t0, null])
      expect(ask(map.nodes, since, 40, { anonymous })).toMatchObject({
        ...{ is: "live", lastUsed: t0 + 38 * dayMs },
        sentence: "Used on 2023-12-22 22:13 UTC, by whom is not said (source keys). For s3.",
      });
    expect(ask(map.nodes, t0, 46, { anonymous }).is).toBe("dormant");
    expect(ask(map.nodes, t0, 40, { anonymous, lastUsed: t0 + 39 * dayMs }).sentence).toBe(
      "Last used on 2023-12-23 22:13 UTC.",
    );
  });
});

test("what changed between two dates: what came, what ended, and what is known in another way since", () => {
  const late = { ...evidenceOf("session"), firstSeen: t0 + 5, learntAt: t0 + 50 };
  const before = mapOf(
    edgeOf("s-a uses c-1", evidenceOf("declared"), late),
    { ...edgeOf("s-b uses c-1"), firstSeen: t0 + 3 },
    { ...edgeOf("s-c uses c-1"), endedAt: t0 + 4 },
    { ...edgeOf("s-d uses c-1"), endedAt: t0 + 9 },
  );
  const { came, ended, learnt } = changesBetween(before, { from: t0 + 2, until: t0 + 8, by: "record" });
  expect(came.edges.map(({ thing }) => thing.from)).toEqual(["s-b"]);
  expect(ended.edges.map(({ thing }) => thing.from)).toEqual(["s-c"]);
  expect(learnt.map(({ thing }) => thing.from)).toEqual(["s-a"]);
  expect([came.nodes, ended.nodes]).toEqual([[], []]);
});

test("what changed between two dates, of what ended and came back: each time that it came, and each of its ends", () => {
  const now = { ...edgeOf("s-a uses c-1"), learntAt: t0 + 40 };
  const then = { ...now, learntAt: t0 + 10, endedAt: t0 + 20 };
  const node = nodeNamed("s-a", { learntAt: t0 + 40 });
  const map = {
    ...mapOf(now),
    nodes: new Map([["s-a", node]]),
    past: { nodes: [{ ...node, learntAt: t0 + 10, endedAt: t0 + 20 }], edges: [then] },
  };
  const changed = (by: "learnt" | "record", from: number, until: number) => {
    const { came, ended } = changesBetween(map, { from: t0 + from, until: t0 + until, by });
    return [came.nodes, came.edges, ended.nodes, ended.edges].map((list) => list.length);
  };
  expect(changed("learnt", 5, 15)).toEqual([1, 1, 0, 0]);
  expect(changed("learnt", 15, 25)).toEqual([0, 0, 1, 1]);
  expect(changed("learnt", 35, 45)).toEqual([1, 1, 0, 0]);
  // Its record has one first day.
  expect(changed("record", -1, 45)).toEqual([1, 1, 1, 1]);
});

test("what is known since between two dates: by when it was learnt, with the moment that it bears itself", () => {
  const day = 86_400_000;
  const today = { from: t0 + 30 * day, until: t0 + 31 * day };
  const [noon, lately] = [t0 + 30.5 * day, t0 + 30.7 * day];
  const session = evidenceOf("session");
  const map = mapOf(
    // It was there; a log of last week that was read at noon, and another later, show that it is so.
    edgeOf(
      "s-a uses c-1",
      ...[evidenceOf("declared"), { ...session, firstSeen: t0 + 24 * day, learntAt: lately }],
      { ...session, firstSeen: t0 + 23 * day, learntAt: noon },
    ),
    { ...edgeOf("s-b uses c-1"), firstSeen: t0 + 9 * day, learntAt: noon },
    { ...edgeOf("s-c uses c-1"), endedAt: noon },
    // It was over when Rekey learnt of it.
    { ...edgeOf("s-d uses c-1"), learntAt: noon, endedAt: t0 + 10 * day },
    { ...edgeOf("s-e uses c-1"), learntAt: t0 + 40 * day, endedAt: noon },
  );
  const nodes = new Map([["s-b", nodeNamed("s-b", { firstSeen: t0 + 9 * day, learntAt: noon })]]);
  const { came, ended, learnt } = changesBetween({ ...map, nodes }, { ...today, by: "learnt" });
  const told = (list: readonly Change<GraphEdge>[]) =>
    list.map(({ thing, at }) => ({ ...at, of: thing.from }));
  expect(told(came.edges)).toEqual([
    { of: "s-b", record: t0 + 9 * day, learnt: noon },
    { of: "s-d", record: t0, learnt: noon },
  ]);
  expect(told(ended.edges)).toEqual([
    { of: "s-c", record: noon, learnt: noon },
    { of: "s-d", record: t0 + 10 * day, learnt: noon },
  ]);
  expect(told(learnt)).toEqual([{ of: "s-a", record: t0 + 23 * day, learnt: noon }]);
  expect(came.nodes.map(({ thing, at }) => [thing.id, at.record])).toEqual([["s-b", t0 + 9 * day]]);
  expect(ended.nodes).toEqual([]);
});

test("C7: whoever reads a copy uses it: at its place, in a Secret that is filled from there, by a key of it, or all of it", () => {
  const map = mapOf(
    "c1 stored-in l1",
    "l1 stored-in y1",
    // A Secret of a cluster that is filled from the place, its key, and everything of its namespace.
    "l2 depends-on l1",
    "l3 stored-in l2",
    "l2 stored-in l4",
    "s1 uses l1",
    "s2 uses l2",
    "s3 uses l3",
    "i4 can-read l4",
    // Neighbours: another place of the store, another Secret of the namespace.
    "l8 stored-in y1",
    "l9 stored-in l4",
    "s8 uses l8",
    "s9 uses l9",
  );
  const users = usersOf(new Adjacency(map), "c1");
  expect(users.map(({ node, at }) => `${node.id} at ${at?.id}`)).toEqual([
    "i4 at l4",
    "s1 at l1",
    "s2 at l2",
    "s3 at l3",
  ]);
  expect(blastOf(map, "c1").breaks.map(({ node }) => node.id)).toEqual(
    expect.arrayContaining(["s1", "s2", "s3"]),
  );
  expect(blastOf(map, "c1").breaks.map(({ node }) => node.id)).not.toEqual(expect.arrayContaining(["s8"]));
});
