/** Gate 8: a source tells that nobody reads the old version only where it has shown all of the quiet time. */
import { describe, expect, test } from "vitest";
import { type Lacking, type LastReading, toRead, unreadFindings } from "../../domain/last-reading.js";

const day = 86_400_000;
const quiet = { from: Date.UTC(2026, 7, 1), until: Date.UTC(2026, 7, 2) };
const source = (name: string, more: Partial<LastReading> = {}): LastReading => ({
  ...{ id: `src_${name}`, name, tied: true, seesUse: true, begunAt: quiet.until, reachesTo: undefined },
  ...{ deliveredWithinMs: 0, logs: [], lacking: [], ...more },
});
const lacked = (at: number, gaps: readonly string[], more: Partial<Lacking> = {}): Lacking => ({
  ...{ at, gaps, unreadable: 0, firstUnreadable: null },
  ...more,
});
const names = (...sources: readonly LastReading[]) => toRead(sources, quiet).map(({ name }) => name);
const said = (one: LastReading) =>
  unreadFindings(toRead([one], quiet), "refuse").map(({ sentence }) => sentence);

describe("H21: before a version is taken away", () => {
  test("what would show a use is read once more, where it was not since everybody who is connected had left", () => {
    const sources = [
      source("before", { begunAt: quiet.until - 1 }),
      source("since"),
      source("never", { begunAt: null }),
      source("elsewhere", { tied: false, begunAt: null }),
      source("configuration", { seesUse: false, begunAt: null }),
    ];
    const unread = toRead(sources, quiet);
    expect(unread).toEqual([
      { id: "src_before", name: "before", begunAt: quiet.until - 1, tellsFrom: quiet.until },
      { id: "src_never", name: "never", begunAt: null, tellsFrom: quiet.until },
    ]);
    expect(toRead(sources, null)).toEqual([]);
    const found = unreadFindings(unread, "refuse");
    expect(found.map(({ sentence }) => sentence)).toEqual([
      "The source before was read last on 2026-08-01 23:59 UTC; before a version is taken away it is read once more.",
      "The source never was never read; before a version is taken away it is read once more.",
    ]);
    expect(found[0]).toMatchObject({ code: "last-reading", severity: "refuse", subject: "before" });
    expect(found[0]?.hint).toContain("rekey discover before");
    expect(unreadFindings(unread, "warn").map(({ severity }) => severity)).toEqual(["warn", "warn"]);
  });

  test("a log that is behind says nothing, however lately it was read: its records have to reach the end of the quiet time", () => {
    const behind = source("behind", { begunAt: quiet.until + day, reachesTo: quiet.until - 1 });
    expect(names(behind, source("reaches", { reachesTo: quiet.until }))).toEqual(["behind"]);
    expect(said(behind)).toEqual([
      "The source behind was read last on 2026-08-03 00:00 UTC; before a version is taken away it is read once more. Its newest record is of 2026-08-01 23:59 UTC, and it has to show everything until 2026-08-02 00:00 UTC: Rekey's own looks at the store leave a record, so the log is behind, or is written elsewhere.",
    ]);
    expect(said(source("empty", { reachesTo: null }))[0]).toContain(
      "It has no record yet, and it has to show",
    );
  });

  test("a log whose records come late is read that long after the quiet time", () => {
    const late = { deliveredWithinMs: 15 * 60_000, reachesTo: quiet.until };
    const tooEarly = source("early", { ...late, begunAt: quiet.until + 15 * 60_000 - 1 });
    expect(names(tooEarly, source("after", { ...late, begunAt: quiet.until + 15 * 60_000 }))).toEqual([
      "early",
    ]);
    expect(toRead([tooEarly], quiet)[0]?.tellsFrom).toBe(quiet.until + 15 * 60_000);
    expect(said(tooEarly)[0]).toContain(
      "Its records may come 15 min late, so that it is read once more after 2026-08-02 00:15 UTC.",
    );
  });

  test("what a reading lacked of the quiet time is as grave as no reading; what was lacking before it is not", () => {
    const gap = lacked(quiet.until + 1, ["The server b could not be asked."]);
    const before = lacked(quiet.from - 1, ["It was replaced."]);
    expect(
      names(source("past", { lacking: [before] }), source("partly", { lacking: [before, gap] })),
    ).toEqual(["partly"]);
    expect(said(source("partly", { lacking: [gap, gap] }))).toEqual([
      "The source partly was read last on 2026-08-02 00:00 UTC; before a version is taken away it is read once more. It did not see all since 2026-08-01 00:00 UTC: The server b could not be asked.",
    ]);
    const several = lacked(quiet.from, ["One is away.", "Another is.", "A third is."]);
    const [finding] = unreadFindings(toRead([source("several", { lacking: [several] })], quiet), "refuse");
    expect(finding?.sentence).toContain("One is away. And 2 more like that.");
    expect(finding?.hint).toContain("an exception to `last-reading` about several");
  });

  test("what could not be read of the quiet time may be a read of the old version: it is as grave as a gap, and said where it stands", () => {
    const torn = { where: "/logs/audit.log, byte 812", why: "is not JSON" };
    const two = lacked(quiet.from, [], { unreadable: 2, firstUnreadable: torn });
    const one = lacked(quiet.until, [], { unreadable: 1 });
    const before = { ...two, at: quiet.from - 1 };
    expect(names(source("past", { lacking: [before] }), source("torn", { lacking: [before, two] }))).toEqual([
      "torn",
    ]);
    const [finding] = unreadFindings(toRead([source("log", { lacking: [one, two] })], quiet), "refuse");
    expect(finding?.sentence).toContain(
      "It did not see all since 2026-08-01 00:00 UTC: 3 of its records could not be read; the first, /logs/audit.log, byte 812, is not JSON.",
    );
    expect(finding?.hint).toContain("`rekey discover log --anew`");
    expect(finding?.hint).toContain("an exception to `last-reading` about log");
    expect(said(source("log", { lacking: [one] }))[0]).toMatch(/: 1 of its records could not be read\.$/);
    const both = lacked(quiet.until, ["It has shrunk."], { unreadable: 1 });
    expect(said(source("log", { lacking: [both] }))[0]).toMatch(/: It has shrunk\. And 1 more like that\.$/);
  });

  test("of several logs each reaches to the end of the quiet time: what one node writes says nothing of another's", () => {
    const [whole, ends] = [{ begunAt: quiet.until + day, reachesTo: quiet.until + day }, quiet.until];
    const a = { log: "/logs/a/audit*", until: quiet.until + day };
    const b = { log: "/logs/b/audit*", until: ends - 1 };
    const behind = source("behind", { ...whole, logs: [a, b] });
    expect(names(behind, source("reaches", { ...whole, logs: [a, { ...b, until: ends }] }))).toEqual([
      "behind",
    ]);
    expect(said(behind)[0]).toContain(
      "The newest record of its log /logs/b/audit* is of 2026-08-01 23:59 UTC, and it has to show everything until 2026-08-02 00:00 UTC: what other logs show says nothing of this one",
    );
    const never = source("never", { ...whole, logs: [{ ...b, until: null }, a, b] });
    expect(said(never)[0]).toContain("Its log /logs/b/audit* has no record yet, and it has to show");
    expect(said(never)[0]).toContain(" And 1 more of its logs like that.");
    const [finding] = unreadFindings(toRead([behind], quiet), "refuse");
    expect(finding?.hint).toContain("is named in `mayBeSilent` of behind.");
  });
});
