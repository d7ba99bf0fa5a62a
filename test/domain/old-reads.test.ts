/** Gate 8: a read of the old version is a use of it, whoever it is and however often they say that they have moved. */
import { describe, expect, test } from "vitest";
import { olderVersion } from "../../domain/discovery/said.js";
import type { BoundedException } from "../../domain/exceptions.js";
import {
  lastReads,
  oldReadFindings,
  oldReads,
  type StoreRead,
  type StoreVersion,
  type Walk,
} from "../../domain/old-reads.js";
import type { VersionState } from "../../domain/rotation/state.js";

const [t0, minute, day] = [Date.UTC(2026, 7, 1, 12), 60_000, 86_400_000];
const stood = (storeVersion: string, version: string | null, at: number, place = "main"): StoreVersion => ({
  ...{ place, storeVersion, version, seenAt: t0 + at * minute },
});
const read = (storeVersion: string, at: number, more: Partial<StoreRead> = {}): StoreRead => ({
  ...{ place: "main", reader: "orders", storeVersion, lastAt: t0 + at * minute, ...more },
});
const version = (id: string, more: Partial<VersionState> = {}): VersionState => ({
  ...{ id, slot: id, life: "retiring", issuer: "enabled", leaked: false, proved: true, delivered: true },
  ...{ disabledAt: null, refused: false, ...more },
});
const told = (at: number | null, to = "new") => ({
  ...{ tag: "", liveVersion: to, told: to, toldTo: [], unknown: false },
  toldAt: at === null ? null : t0 + at * minute,
});
/** From `old` to `new`, which was told at the tenth minute. */
const walk = (more: Partial<Walk> = {}): Walk => ({
  ...{ origin: "old", target: "new", places: { main: told(10) } },
  versions: { old: version("old"), new: version("new") },
  ...more,
});
const back = walk({ target: "old", places: { main: told(20, "old") } });
const before = walk({ places: { main: told(null, "old") } });
const none = { exceptions: [], now: t0 + day };
const of = (known: readonly StoreVersion[], reads: readonly StoreRead[], on: Walk = walk()) =>
  oldReads(reads, known, on, none).map(({ storeVersion, uses }) => `${storeVersion} ${uses.join()}`.trim());

describe("H21: a store that counts its versions", () => {
  const known = [stood("4", "old", 0), stood("5", "old", 5), stood("7", "new", 12), stood("8", "new", 20)];

  test("has the old one read since the new one was told, however late a look saw that, and never the new one", () => {
    expect(of(known, [read("5", 11), read("7", 30, { reader: "b" })])).toEqual(["5 old"]);
    expect(of(known, [read("5", 10)])).toEqual([]);
    expect(of(known, [read("4", 11)])).toEqual(["4 old"]);
    // A look may have seen it before whoever told it has said so.
    const early = walk({ places: { main: told(15) } });
    expect(of(known, [read("5", 13)], early)).toEqual(["5 old"]);
    expect(of(known, [read("5", 12)], early)).toEqual([]);
  });

  test("has under a number that nobody saw live what stood before it, and under the first ones what stood first", () => {
    expect(of(known, [read("6", 30)])).toEqual(["6 old"]);
    expect(of(known, [read("2", 30)])).toEqual(["2 old"]);
    expect(of(known, [read("9", 30)])).toEqual([]);
  });

  test("is in its order in whatever order that is told", () => {
    expect(of(known.toReversed(), [read("5", 11)])).toEqual(["5 old"]);
    const tens = [stood("9", "old", 0), stood("10", "new", 10)];
    expect(of(tens, [read("9", 11), read("10", 11, { reader: "b" })])).toEqual(["9 old"]);
  });

  test("of which only the new one was ever seen has everything before that read as the old one", () => {
    const late = [stood("7", "new", 12)];
    expect(of(late, [read("5", 11)])).toEqual(["5 old"]);
    const three = { old: version("old"), spare: version("spare"), new: version("new") };
    expect(of(late, [read("5", 11)], walk({ versions: three }))).toEqual(["5 old,spare"]);
    expect(of([stood("8", "old", 12)], [read("5", 30)], back)).toEqual([]);
  });

  test("goes back to what it had: the value that stood in between is the old one then", () => {
    const known = [stood("6", "old", 0), stood("7", "new", 10), stood("8", "old", 20)];
    expect(of(known, [read("7", 21)], back)).toEqual(["7 new"]);
    expect(of(known, [read("6", 21), read("2", 21, { reader: "b" })], back)).toEqual([]);
    expect(of(known, [read("7", 20)], back)).toEqual([]);
    expect(of(known, [read(olderVersion, 21)], back)).toEqual(["older new"]);
    // It was not told yet.
    expect(of(known.slice(0, 2), [read("7", 30)], { ...back, places: { main: told(10) } })).toEqual([]);
  });

  test("tells each place by itself, and nothing of one of which nothing is known", () => {
    const two = [...known, stood("4", "old", 0, "con_1")];
    const on = walk({ places: { main: told(10), con_1: told(null, "old") } });
    expect(of(two, [read("4", 30), read("4", 30, { place: "con_1" })], on)).toEqual(["4 old"]);
    expect(of(two, [read("4", 30, { place: "con_2" })], on)).toEqual([]);
  });
});

describe("H21 H32: what a document names and the rotation does not know", () => {
  test("is the origin where it was live before the target: before the first rotation, and in a store that was put back", () => {
    const first = [stood("1", null, 0), stood("2", "new", 10)];
    expect(of(first, [read("1", 11)])).toEqual(["1 old"]);
    const restored = [stood("7", "ended", 0), stood("8", "ended", 1), stood("9", "new", 10)];
    expect(of(restored, [read("7", 11)])).toEqual(["7 old"]);
    expect(of([stood("7", "ended", 0)], [read("7", 11)])).toEqual(["7 old"]);
  });

  test("is nothing that could be taken away where something else stood there since", () => {
    const third = [stood("1", null, 0), stood("2", "ended", 1), stood("5", "old", 2), stood("7", "new", 10)];
    expect(
      of(third, [read("1", 30), read("3", 30, { reader: "b" }), read("5", 30, { reader: "c" })]),
    ).toEqual(["5 old"]);
  });

  test("counts for nothing once it is gone, or where nobody was ever given it", () => {
    const known = [stood("5", "old", 2), stood("7", "new", 10)];
    const gone = (more: Partial<VersionState>) =>
      walk({ versions: { old: version("old", more), new: version("new") } });
    expect(of(known, [read("5", 30)], gone({ life: "destroyed" }))).toEqual([]);
    expect(of(known, [read("5", 30)], gone({ delivered: false }))).toEqual([]);
    expect(of(known, [read("5", 30)], gone({ life: "disabled", issuer: "disabled" }))).toEqual(["5 old"]);
  });
});

describe("H21: a store that names its versions", () => {
  const known = [stood("aa", null, 0), stood("bb", "new", 10), stood("cc", "new", 20)];

  test("has an old one read by its name, and not what is live", () => {
    const reads = ["aa", "bb", "cc"].map((name) => read(name, 30, { reader: name }));
    expect(of(known, reads)).toEqual(["aa old"]);
    expect(of(known, [read("aa", 9)])).toEqual([]);
  });

  test("has whatever nobody knows, or is only told to be older, for anything but the new one", () => {
    for (const name of ["zz", olderVersion, "12"])
      expect(of(known, [read(name, 11)])).toEqual([`${name} old`]);
    expect(of(known, [read(olderVersion, 9)])).toEqual([]);
    expect(of([stood("bb", "new", 10)], [read("aa", 11)])).toEqual(["aa old"]);
  });
});

describe("H21: before anything new was told", () => {
  const known = [stood("4", "old", 0), stood("5", "old", 5)];

  test("whoever reads what is not live pins it, which uses nothing up and is said", () => {
    expect(of(known, [read("4", 6)], before)).toEqual(["4"]);
    expect(
      of(known, [read("4", 5), read("5", 9, { reader: "b" }), read("3", 9, { reader: "c" })], before),
    ).toEqual([]);
    const [found] = oldReadFindings(oldReads([read("4", 6)], known, before, none));
    expect(found?.sentence).toBe(
      "orders read version 4 of the store on 2026-08-01 12:06 UTC, when version 5 was live there.",
    );
  });
});

describe("what follows from such reads", () => {
  const known = [stood("1", null, 0), stood("2", "new", 10)];
  const answers = (reader: string): BoundedException => ({
    ...{ finding: "old-version-read", about: reader, owner: "payments", reason: "It keeps all versions." },
    ...{ until: new Date(t0 + 2 * day).toISOString(), maxMs: 180 * day },
  });
  const reads = [
    read("1", 12),
    read("1", 15, { reader: "a copy of orders" }),
    read("1", 30, { reader: "backup" }),
  ];
  const old = (some: readonly StoreRead[], exceptions: readonly BoundedException[] = [], now = t0) =>
    oldReads(some, known, walk(), { exceptions, now });

  test("nobody has used the version since the last of them, except for whom somebody answers", () => {
    expect(lastReads(old(reads))).toEqual({ old: { at: t0 + 30 * minute, by: "backup" } });
    const but = { old: { at: t0 + 15 * minute, by: "a copy of orders" } };
    expect(lastReads(old(reads, [answers("backup")]))).toEqual(but);
    expect(lastReads(old(reads.toReversed(), [answers("backup")]))).toEqual(but);
    const over = old(reads, [answers("backup")], t0 + 3 * day);
    expect(lastReads(over)).toEqual({ old: { at: t0 + 30 * minute, by: "backup" } });
    expect(lastReads(old(reads.slice(2), [answers("backup")]))).toEqual({});
  });

  test("each reader is named once, with the last that it read and when, and with who answers for it", () => {
    const many = [read("1", 12), read("0", 14), read("1", 13), read(olderVersion, 30, { reader: "backup" })];
    const found = oldReadFindings(old(many, [answers("backup")]));
    expect(found).toMatchObject([
      {
        ...{ code: "old-version-read", severity: "warn", subject: "backup" },
        sentence:
          "backup read an older version of the store on 2026-08-01 12:30 UTC, after the new value was told there. payments answers for it until 2026-08-03: It keeps all versions.",
      },
      {
        subject: "orders",
        sentence:
          "orders read version 0 of the store on 2026-08-01 12:14 UTC, after the new value was told there.",
      },
    ]);
    expect(found[0]?.hint).toContain("without naming a version");
  });

  test("of a crowd the latest are named, and the others are counted", () => {
    const crowd = Array.from({ length: 23 }, (_, index) => read("1", 12 + index, { reader: `r${index}` }));
    const found = oldReadFindings(old(crowd));
    expect(found).toHaveLength(21);
    expect(found[0]?.subject).toBe("r22");
    expect(found.at(-1)?.sentence).toBe("3 more read older versions of the store.");
    const same = ["b", "a"].map((reader) => read("1", 12, { reader }));
    expect(oldReadFindings(old(same)).map(({ subject }) => subject)).toEqual(["a", "b"]);
  });
});
