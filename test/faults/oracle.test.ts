/** The oracle is shown a sound end and one that is not, for each invariant: one that never objects proves nothing. */
import { expect, test } from "vitest";
import { formatTag, type TagState } from "../../domain/fence.js";
import { formsOf } from "../support/canaries.js";
import { pinnedQuietMs, strangerQuietMs } from "./house/estate.js";
import { type Evidence, judge } from "./oracle/judge.js";
import type { Seen } from "./seam/witness.js";
import type { Account, World } from "./worlds/world.js";

const before = { username: "a", password: "old", note: "theirs", rekey_version: "ver_1" };
const after = { username: "b", password: "new", note: "theirs", rekey_version: "ver_2" };

function tag(version: string, state: TagState): string {
  return formatTag({ installation: "inst", rotation: "rot", epoch: 1, version, state, change: 1 });
}

const accounts: readonly Account[] = [
  { name: "a", enabled: false, tag: tag("ver_1", "destroyed"), sessions: 0 },
  { name: "b", enabled: true, tag: tag("ver_2", "enabled"), sessions: 3 },
];

function world(more: Partial<World> = {}): World {
  const answers: Partial<World> = {
    live: async () => after,
    copies: async () => ["ver_2"],
    accounts: async () => [...accounts],
    login: async ({ password }) => [{ node: "n", answer: password === "new" ? "in" : "refused" }],
    accountOf: ({ username }) => username ?? "",
  };
  return { ...answers, ...more } as World;
}

function seen(point: string, what: Seen["what"], at: number, kind: Seen["kind"] = "change"): Seen {
  return { at, subject: "cred", point, execution: "1/1", kind, what };
}

const order: readonly Seen[] = [
  seen("disable.inventory.intend.1", "end", 10, "record"),
  seen("disable.issuer.disable.1", "begin", 20),
];

function evidence(more: Partial<Evidence> = {}): Evidence {
  const probe = { service: "checkout", begunAt: 5, endedAt: 6, account: "a", answered: true, why: "" };
  return {
    world: world(),
    before,
    startedAt: 0,
    revocationsFrom: 0,
    made: [after],
    versions: new Map([
      ["ver_1", before],
      ["ver_2", after],
    ]),
    outcome: "rotated",
    mayEndAs: ["rotated"],
    probes: [probe, { ...probe, begunAt: 30, endedAt: 31, account: "b" }],
    atOnce: [{ node: "n", answer: "refused" }],
    containBy: null,
    held: [],
    seen: order,
    trespasses: null,
    copies: null,
    note: "theirs",
    restoredAt: null,
    cutOff: false,
    heldUntil: null,
    unshown: null,
    visited: null,
    pinned: null,
    crashes: [],
    ...more,
  };
}

const held = (alive: boolean) => [
  { document: before, session: { alive: async () => alive, end: async () => undefined } },
];
const broken = {
  service: "checkout",
  begunAt: 15,
  endedAt: 16,
  account: null,
  answered: true,
  why: "refused",
};
const stranded = { ...broken, begunAt: 25, endedAt: 26, account: "a" };
const last = { ...broken, begunAt: 40, endedAt: 41, account: "b" };

/** The first version is revoked at 20, switched on again at 30, and revoked at 40; the second, which everybody worked on between, at 60. */
const third = { username: "c", password: "newest", note: "theirs", rekey_version: "ver_3" };
const onThird = { ...last, begunAt: 70, endedAt: 71, account: "c" };
const revokedTwice: Partial<Evidence> = {
  world: world({
    live: async () => third,
    copies: async () => ["ver_3"],
    accounts: async () => [
      ...accounts.map(({ name }) => ({ name, enabled: false, tag: "", sessions: 0 })),
      { name: "c", enabled: true, tag: tag("ver_3", "enabled"), sessions: 3 },
    ],
    login: async ({ password }) => [{ node: "n", answer: password === "newest" ? "in" : "refused" }],
  }),
  versions: new Map([
    ["ver_1", before],
    ["ver_2", after],
    ["ver_3", third],
  ]),
  seen: [
    seen("disable.inventory.intend.1", "end", 10, "record"),
    { ...seen("disable.issuer.disable.1", "begin", 20), version: "ver_1" },
    { ...seen("restore.issuer.enable.1", "begin", 30), version: "ver_1" },
    { ...seen("disable.issuer.disable.2", "begin", 40), version: "ver_1" },
    { ...seen("disable.issuer.disable.3", "begin", 60), version: "ver_2" },
  ],
};

test("a sound end is asked about in every way and held against nobody", async () => {
  const { asked, violations } = await judge(
    evidence({ held: held(false), heldUntil: 20, unshown: [], trespasses: { of: "I7", sentences: [] } }),
  );
  expect(violations).toEqual([]);
  expect(Object.keys(asked).sort()).toEqual(["I1", "I10", "I11", "I2", "I3", "I4", "I5", "I7", "I8", "I9"]);
});

test("I2: who worked on the second version before it was revoked is held against nobody, nor on the first while it was on again", async () => {
  const worked = [
    { ...broken, begunAt: 35, endedAt: 36, account: "a" },
    { ...broken, begunAt: 45, endedAt: 46, account: "b" },
    onThird,
  ];
  expect((await judge(evidence({ ...revokedTwice, probes: worked }))).violations).toEqual([]);
});

test.each<[string, string, Partial<Evidence>]>([
  ["I1", "a consumer that could not work", { probes: [broken, last] }],
  [
    "I1",
    "a live value that is refused",
    { world: world({ login: async () => [{ node: "n", answer: "refused" }] }) },
  ],
  ["I1", "a consumer that ends on another account", { probes: [{ ...last, account: "a", begunAt: 1 }] }],
  ["I2", "a consumer that was on what was revoked", { probes: [stranded, last] }],
  [
    "I2",
    "a consumer that was on what was revoked first, of two",
    { ...revokedTwice, probes: [{ ...stranded, begunAt: 45, endedAt: 46, account: "a" }, onThird] },
  ],
  [
    "I2",
    "a consumer that was on what was revoked last, of two",
    { ...revokedTwice, probes: [{ ...stranded, begunAt: 65, endedAt: 66, account: "b" }, onThird] },
  ],
  ["I2", "a session that was cut while it was used", { cutOff: true }],
  ["I2", "a version that was switched off before who held it had left", { heldUntil: 21 }],
  ["I9", "a log that was put back, and verifies all the same", { unshown: ["it verifies"] }],
  [
    "I3",
    "an account that is left open",
    {
      world: world({ accounts: async () => accounts.map((one) => ({ ...one, enabled: true })) }),
    },
  ],
  ["I3", "a copy of a version that is gone", { world: world({ copies: async () => ["ver_1", "ver_2"] }) }],
  ["I3", "somebody else's field", { world: world({ live: async () => ({ ...after, note: "ours" }) }) }],
  ["I3", "what somebody else wrote meanwhile, and is not there", { note: "theirs, later" }],
  ["I3", "a store without a document", { world: world({ live: async () => null }) }],
  [
    "I4",
    "a tag of another version",
    {
      world: world({
        accounts: async () => accounts.map((one) => ({ ...one, tag: tag("ver_9", "enabled") })),
      }),
    },
  ],
  ["I4", "a late copy that changed something", { copies: ["a late copy changed something"] }],
  [
    "I5",
    "an old value that is let in",
    { world: world({ login: async () => [{ node: "n", answer: "in" }] }) },
  ],
  [
    "I5",
    "an old value that a node lets in for a while after the end",
    { atOnce: [{ node: "standby", answer: "in" }] },
  ],
  [
    "I5",
    "a session that goes on",
    {
      world: world({ accounts: async () => accounts.map((one) => ({ ...one, sessions: 1 })) }),
    },
  ],
  ["I5", "a session that was held open and goes on", { held: held(true) }],
  [
    "I3",
    "an account that is open at one place and not at another",
    {
      world: world({
        accounts: async () => [
          ...accounts,
          { name: "b", where: "a replica", enabled: false, tag: "", sessions: 0 },
        ],
      }),
    },
  ],
  [
    "I5",
    "a session from before the revocation that shows no account",
    { world: world({ looseSessions: async () => [{ where: "n", beganAt: 19 }] }) },
  ],
  [
    "I2",
    "what was made with a version and refused before its time",
    { world: world({ refusedEarly: async () => ["a token was refused"] }) },
  ],
  ["I7", "what was done without leave", { trespasses: { of: "I7", sentences: ["it went on"] } }],
  ["I8", "a change without an intent", { seen: order.slice(1) }],
  ["I10", "a worker that ended by itself", { crashes: ["a worker ended with 1"] }],
  ["I11", "an end that it may not have", { outcome: "went-back" }],
  ["I11", "a value that is another although it went back", { outcome: "went-back", mayEndAs: ["went-back"] }],
])("%s: %s is a violation", async (invariant, _what, more) => {
  const { violations } = await judge(evidence(more));
  expect(violations.map((violation) => violation.invariant)).toContain(invariant);
});

const watched = world({ sources: { log: {}, sessions: {} } });
/** Both are read behind the delivery and before the revocation. */
const readings: readonly Seen[] = [
  seen("deliver.inventory.intend.1", "end", 3, "record"),
  seen("deliver.store.promote.1", "begin", 4),
  ...["log", "sessions"].flatMap((name) =>
    [
      seen(`scan_${name}.source.scan.1`, "begin", 5, "ask"),
      seen(`scan_${name}.source.scan.1`, "end", 6, "ask"),
      seen(`scan_${name}.inventory.endScan.1`, "end", 7, "record"),
    ].map((one) => ({ ...one, execution: `2/${name}` })),
  ),
];
const other = (name: string, change: (one: Seen) => Seen | null) =>
  readings.flatMap((one) => (one.point.startsWith(`scan_${name}.`) ? (change(one) ?? []) : one));

test("I2: what is taken away was read about behind the delivery, by each source, to its end", async () => {
  const found = async (...seenBefore: readonly Seen[]) =>
    (await judge(evidence({ world: watched, seen: [...seenBefore, ...order] }))).violations;
  expect(await found(...readings)).toEqual([]);
  const lost = other("log", (one) =>
    one.what === "end" ? { ...one, what: "planted", code: "after-kill" } : one,
  );
  expect(await found(...lost)).toEqual([]);
  const isUnread = [expect.objectContaining({ invariant: "I2", sentence: expect.stringContaining("log") })];
  expect(await found(...other("log", () => null))).toEqual(isUnread);
  expect(await found(...other("log", (one) => ({ ...one, at: one.at - 3 })))).toEqual(isUnread);
  expect(await found(...other("log", (one) => ({ ...one, at: one.at + 15 })))).toEqual(isUnread);
  const part = /\.source\.scan\./;
  const failed = (one: Seen): Seen =>
    part.test(one.point) && one.what === "end" ? { ...one, what: "threw", code: "unreachable" } : one;
  expect(await found(...other("log", failed))).toEqual(isUnread);
  const unkept = other("log", (one) => (one.point.includes("endScan") ? { ...one, what: "threw" } : one));
  expect(await found(...unkept)).toEqual(isUnread);
});

test("I2: a leak waits for no source, and what goes back takes no version away from anybody", async () => {
  const leaky = await judge(evidence({ world: watched, containBy: 20 }));
  expect(leaky.violations).toEqual([]);
  const back = { outcome: "went-back", mayEndAs: ["went-back"] };
  const sentences = (await judge(evidence({ world: watched, ...back }))).violations.map(
    ({ sentence }) => sentence,
  );
  expect(sentences.filter((sentence) => sentence.includes("read to"))).toEqual([]);
});

test("I2: whoever only a source shows keeps the old version and is named, if they came in time", async () => {
  const visited = { name: "export", fetchedAt: 8, isNamed: true, isLost: false };
  const found = async (more: Partial<typeof visited>) => {
    const visit = { world: watched, seen: [...readings, ...order], visited: { ...visited, ...more } };
    return (await judge(evidence(visit))).violations.map(({ sentence }) => sentence);
  };
  expect(await found({})).toEqual([]);
  expect(await found({ isLost: true })).toEqual([expect.stringMatching(/switched off, and export/)]);
  expect(await found({ isNamed: false })).toEqual([expect.stringMatching(/never said that export/)]);
  expect(await found({ isNamed: false, isLost: true, fetchedAt: 4 + strangerQuietMs })).toEqual([]);
});

test("I2: what a consumer's copy reads by its number stays for the quiet period after that, and is said, if it came in time", async () => {
  const [first, live] = [10_000, 9_000];
  const again = first + 0.9 * pinnedQuietMs;
  const until = again + pinnedQuietMs;
  const read = (begunAt: number) => ({ begunAt, endedAt: begunAt + 20 });
  const told = seen("deliver.store.promote.1", "begin", 5_000);
  const known = seen("look.inventory.keepLiveVersions.1", "end", live, "record");
  const pinned = { name: "invoices", reads: [read(first), read(again)], isNamed: true, closedAt: null };
  const found = async (
    more: Partial<NonNullable<Evidence["pinned"]>>,
    by: readonly Seen[] = [told, known],
  ) => {
    const visit = { seen: [...by, ...order], pinned: { ...pinned, ...more } };
    const { violations } = await judge(evidence(visit));
    return violations.flatMap(({ sentence }) => (/invoices/.test(sentence) ? [sentence] : []));
  };
  const early = [expect.stringMatching(/switched off within the quiet period after invoices/)];
  const unsaid = [expect.stringMatching(/never said that invoices reads/)];
  expect(await found({})).toEqual([]);
  // What is closer together than clocks tell apart is held against nobody.
  for (const closedAt of [until - 100, until]) expect(await found({ closedAt })).toEqual([]);
  // Right before the second read as well as right before its time is over.
  for (const closedAt of [again - 10, until - 1_000]) expect(await found({ closedAt })).toEqual(early);
  expect(await found({ isNamed: false })).toEqual(unsaid);
  // One that came too late asks nothing, and what the first one asks it asks all the same.
  const late = [read(first), read(first + pinnedQuietMs)];
  expect(await found({ reads: late, closedAt: first + pinnedQuietMs })).toEqual([]);
  expect(await found({ reads: late, closedAt: first + pinnedQuietMs - 1_000 })).toEqual(early);
  const tooLate = { reads: [read(told.at + pinnedQuietMs)], isNamed: false, closedAt: until };
  expect(await found(tooLate)).toEqual([]);
  // A slow answer may be one of any time.
  const slow = [{ begunAt: first, endedAt: told.at + pinnedQuietMs }];
  expect(await found({ reads: slow, closedAt: first + 1, isNamed: false })).toEqual([]);
  expect(await found({ reads: [], isNamed: false, closedAt: first })).toEqual([]);
  // Before anybody has seen what is live, no read is known for one of an old version; it stays all the same.
  const unseen = [told, { ...known, at: until }];
  expect(await found({ isNamed: false }, unseen)).toEqual([]);
  expect(await found({ isNamed: false, closedAt: first + 1 }, unseen)).toEqual(early);
  expect(await found({ isNamed: false, closedAt: first }, [known])).toEqual([]);
});

test("I2: a revocation for which the engine lacks the right takes nothing away", async () => {
  const { at: _, ...first } = seen("disable.issuer.disable.1", "threw", 0);
  const denied: readonly Seen[] = [...order, { ...first, at: 22, code: "not-permitted" }];
  expect((await judge(evidence({ seen: denied, probes: [stranded, last] }))).violations).toEqual([]);
});

test("I1: whoever had not moved when a leak was revoked at its deadline is cut off, and nobody else", async () => {
  const late = { ...broken, begunAt: 25, endedAt: 26 };
  const excepted = await judge(evidence({ probes: [late, last], containBy: 20 }));
  expect(excepted.violations).toEqual([]);
  const tooEarly = await judge(evidence({ probes: [late, last], containBy: 21 }));
  expect(tooEarly.violations.map(({ invariant }) => invariant)).toContain("I1");
});

test("I2: in an emergency what was made with the leaked version is refused at once", async () => {
  const leaky = world({ refusedEarly: async () => ["a token was refused"] });
  const { violations } = await judge(evidence({ world: leaky, containBy: 25 }));
  expect(violations).toEqual([]);
});

test("I5: a session that began behind the revocation is anybody's, and so is one where nothing was revoked", async () => {
  const loose = world({ looseSessions: async () => [{ where: "n", beganAt: 20 }] });
  expect((await judge(evidence({ world: loose }))).violations).toEqual([]);
  const unrevoked = { world: loose, seen: [], outcome: "refused", mayEndAs: ["refused"] };
  const { violations } = await judge(evidence(unrevoked));
  expect(violations.filter(({ invariant }) => invariant === "I5")).toEqual([]);
});

test("I1: where two versions are never valid together, whoever holds the old one fails from the issue on", async () => {
  const displacing = world({ breaksFrom: /^issue\.issuer\.mint\./ });
  const mint = seen("issue.issuer.mint.1", "begin", 12);
  const minting = [seen("issue.inventory.intend.1", "end", 10, "record"), { ...mint, execution: "1/1" }];
  const displaced = await judge(evidence({ world: displacing, seen: minting, probes: [broken, last] }));
  expect(displaced.violations).toEqual([]);
  const tooSoon = { ...broken, begunAt: 8, endedAt: 9 };
  const early = await judge(evidence({ world: displacing, seen: minting, probes: [tooSoon, last] }));
  expect(early.violations.map(({ invariant }) => invariant)).toContain("I1");
});

test("I6: a value is looked for as it is, in halves, in hex, in base64 wherever it stands, and URL-encoded", () => {
  const value = "q7/Zk+3vWm0TtYp2Xb9c";
  const text = `before ${Buffer.from(`x${value}y`).toString("base64")} after`;
  expect(formsOf(value).some((form) => text.includes(form))).toBe(true);
  const forms = formsOf(value);
  expect(forms).toContain(value);
  expect(forms).toContain(Buffer.from(value).toString("hex"));
  expect(forms).toContain(encodeURIComponent(value));
  expect(formsOf("a".repeat(30))).toContain("a".repeat(15));
});

test("I1 I2: what fails by a restore is not held against anybody, how it ends and what is revoked after it is", async () => {
  const restoredAt = 22;
  const failing = { ...broken, begunAt: 25, endedAt: 26 };
  expect((await judge(evidence({ probes: [failing, last], restoredAt }))).violations).toEqual([]);
  // The revocation at 20 is undone by it, and whoever is put back to the old value works.
  expect((await judge(evidence({ probes: [stranded, last], restoredAt }))).violations).toEqual([]);
  const again = [...order, { ...order[0], at: 23 } as Seen, seen("disable.issuer.disable.2", "begin", 24)];
  const named = async (more: Partial<Evidence>) =>
    (await judge(evidence({ restoredAt, ...more }))).violations.map(({ invariant }) => invariant);
  expect(await named({ probes: [stranded, last], seen: again })).toEqual(["I2"]);
  expect(await named({ probes: [broken, last] })).toEqual(["I1"]);
  expect(await named({ probes: [{ ...failing, begunAt: 40, endedAt: 41 }] })).toEqual(["I1"]);
});
