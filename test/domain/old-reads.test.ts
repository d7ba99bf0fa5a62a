/** Gate 8: a read of the old version is a use of it, whoever it is and however often they say that they have moved. */
import { describe, expect, test } from "vitest";
import { olderVersion } from "../../domain/discovery/said.js";
import type { BoundedException } from "../../domain/exceptions.js";
import {
  lastReads,
  liveSinceTold,
  oldReadFindings,
  oldReads,
  type StoreRead,
  type StoreVersion,
} from "../../domain/old-reads.js";

const [t0, minute, day] = [Date.UTC(2026, 7, 1, 12), 60_000, 86_400_000];
const stood = (storeVersion: string, version: string | null, at: number, place = "main"): StoreVersion => ({
  ...{ place, storeVersion, version, seenAt: t0 + at * minute },
});
const read = (storeVersion: string, at: number, more: Partial<StoreRead> = {}): StoreRead => ({
  ...{ place: "main", reader: "orders", storeVersion, lastAt: t0 + at * minute, ...more },
});
const of = (known: readonly StoreVersion[], ...reads: readonly StoreRead[]) =>
  oldReads(reads, known, [], t0 + day).map(({ storeVersion, version }) => `${storeVersion} is ${version}`);

describe("H21: a store that counts its versions", () => {
  const known = [stood("4", "old", 0), stood("5", "old", 5), stood("7", "new", 10), stood("8", "new", 20)];

  test("has one read that is not live any more, of whichever version it held", () => {
    expect(of(known, read("5", 11), read("7", 21), read("8", 30))).toEqual(["5 is old", "7 is new"]);
  });

  test("has no old one before another was live: whoever reads the present value reads no old one", () => {
    expect(of(known, read("4", 5), read("5", 10), read("7", 20))).toEqual([]);
    expect(of(known, read("4", 6))).toEqual(["4 is old"]);
  });

  test("has one under a number that nobody saw live hold what stood before it, and the first one before that", () => {
    expect(of(known, read("6", 30), read("2", 30), read("9", 30))).toEqual(["6 is old", "2 is old"]);
  });

  test("is in its order in whatever order that is told", () => {
    expect(of(known.toReversed(), read("5", 11))).toEqual(["5 is old"]);
    const tens = [stood("9", "old", 0), stood("10", "new", 10)];
    expect(of(tens, read("9", 11), read("10", 11))).toEqual(["9 is old"]);
  });

  test("goes back to what it had: the value that stood in between is the old one then", () => {
    const back = [stood("6", "old", 0), stood("7", "new", 10), stood("8", "old", 20)];
    expect(of(back, read("7", 21), read("6", 21), read("8", 30))).toEqual(["7 is new", "6 is old"]);
    expect(of(back, read(olderVersion, 21))).toEqual(["older is new"]);
  });

  test("says what was live by then, and not what is now", () => {
    expect(oldReads([read("5", 11), read("5", 30)], known, [], t0).map(({ live }) => live)).toEqual([
      "7",
      "8",
    ]);
  });

  test("has what a rotation put there live since it was told, however late a look saw that", () => {
    const late = [stood("5", "old", 0), stood("6", "new", 20), stood("7", "new", 30)];
    const told = { main: { told: "new", toldAt: t0 + 10 * minute } };
    const since = (places: Parameters<typeof liveSinceTold>[1]) => liveSinceTold(late, places);
    expect(of(late, read("5", 15))).toEqual([]);
    expect(of(since(told), read("5", 15))).toEqual(["5 is old"]);
    // What somebody else has written beside it was not live by then, nor is a later telling news of it.
    expect(of(since(told), read("5", 10), read("6", 25))).toEqual([]);
    expect(since({ main: { told: "new", toldAt: t0 + 25 * minute } })).toEqual(late);
    expect(since({ main: { told: "new", toldAt: null } })).toEqual(late);
    expect(since({ con_1: told.main })).toEqual(late);
    // A document that nobody has ever marked is none that was told.
    const unmarked = [stood("5", null, 20)];
    expect(liveSinceTold(unmarked, { main: { told: null, toldAt: t0 } })).toEqual(unmarked);
  });

  test("tells each place by itself", () => {
    const two = [...known, stood("4", "new", 0, "con_1")];
    expect(of(two, read("4", 30, { place: "con_1" }), read("4", 30, { place: "con_2" }))).toEqual([]);
  });
});

describe("H21: a store that names its versions", () => {
  const known = [stood("aa", null, 0), stood("bb", "new", 10), stood("cc", "new", 20)];

  test("has an old one read by its name, and not what is live", () => {
    expect(of(known, read("aa", 11), read("bb", 21), read("cc", 30))).toEqual(["aa is null", "bb is new"]);
    expect(of(known, read("aa", 9))).toEqual([]);
  });

  test("has whatever nobody knows, or is only told to be older, for what stood before", () => {
    expect(of(known, read("zz", 11), read(olderVersion, 11), read("12", 11))).toEqual([
      ...["zz is null", "older is null", "12 is null"],
    ]);
    expect(of(known, read(olderVersion, 9))).toEqual([]);
  });

  test("has none before another one was ever live", () => {
    expect(of([stood("aa", null, 0)], read(olderVersion, 30), read("zz", 30), read("aa", 30))).toEqual([]);
    expect(of([], read("aa", 30))).toEqual([]);
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

  test("nobody has used the version since the last of them, except for whom somebody answers", () => {
    const all = oldReads(reads, known, [], t0);
    expect(lastReads(all, "old")).toEqual({ old: { at: t0 + 30 * minute, by: "backup" } });
    const some = oldReads(reads, known, [answers("backup")], t0);
    expect(lastReads(some, "old")).toEqual({ old: { at: t0 + 15 * minute, by: "a copy of orders" } });
    const over = oldReads(reads, known, [answers("backup")], t0 + 3 * day);
    expect(lastReads(over, "old")).toEqual({ old: { at: t0 + 30 * minute, by: "backup" } });
    expect(lastReads(oldReads(reads.slice(2), known, [answers("backup")], t0), "old")).toEqual({});
  });

  test("each is named with what was read and when, and with who answers for it", () => {
    const found = oldReadFindings(
      oldReads([read("1", 12), read(olderVersion, 30, { reader: "backup" })], known, [answers("backup")], t0),
    );
    expect(found).toMatchObject([
      {
        ...{ code: "old-version-read", severity: "warn", subject: "orders" },
        sentence:
          "orders read version 1 of the store on 2026-08-01 12:12 UTC, when version 2 was live there.",
      },
      {
        subject: "backup",
        sentence:
          "backup read an older version of the store on 2026-08-01 12:30 UTC, when version 2 was live there. payments answers for it until 2026-08-03: It keeps all versions.",
      },
    ]);
    expect(found[0]?.hint).toContain("without naming a version");
  });
});
