/** What "nothing else was seen" is worth: who looks, since when, how completely, and when last. */
import { expect, test } from "vitest";
import { closeFrom, closeLooksMs, isCloseFor } from "../../domain/glimpses.js";
import {
  evidenceMaxAgeMs,
  tieOf,
  type WatchingSource,
  type WatchRules,
  watchFindings,
} from "../../domain/watched.js";

const now = Date.UTC(2026, 7, 1);
const day = 86_400_000;
const rules: WatchRules = {
  ...{ unmappedReaders: "refuse", blindSpots: "warn", evidenceMaxAgeMs, useWindowMs: 35 * day },
};
const good: WatchingSource = {
  ...{
    name: "sessions",
    seesUse: true,
    tied: true,
    failure: null,
    silentSince: null,
    silentLog: null,
    gaps: [],
    unreadable: 0,
  },
  ...{ wholeAt: now - day, since: now - 40 * day },
};
const codes = (sources: readonly WatchingSource[], by: WatchRules = rules) =>
  watchFindings(sources, by, now).map(
    ({ code, severity, subject }) => `${code} ${severity} ${subject ?? ""}`,
  );

test("a source that watches long enough, whole and lately leaves nothing to say", () => {
  expect(codes([good])).toEqual([]);
});

test("a source that was not read for too long, or never, is no evidence", () => {
  const at = (name: string, ageMs: number | null) => ({
    ...good,
    ...{ name, wholeAt: ageMs === null ? null : now - ageMs },
  });
  const found = watchFindings(
    [at("fresh", evidenceMaxAgeMs), at("old", evidenceMaxAgeMs + 1), at("never", null)],
    rules,
    now,
  );
  expect(found.map(({ subject, severity }) => `${subject} ${severity}`)).toEqual([
    "old refuse",
    "never refuse",
  ]);
  expect(found[0]).toMatchObject({
    hint: "Run `rekey discover old`.",
    sentence: "The source old was read to its end on 2026-07-24 23:59 UTC; the policy asks for every 7d.",
  });
});

test("what keeps a source from being read stands beside that it was not", () => {
  const failure = "main-db cannot be reached.";
  const [old, never, ...more] = watchFindings(
    [
      { ...good, name: "old", wholeAt: now - 8 * day, failure },
      { ...good, name: "never", wholeAt: null, failure },
      // It was read lately: that it fails now is no reason to refuse a rotation.
      { ...good, name: "lately", failure },
    ],
    rules,
    now,
  );
  expect(more).toEqual([]);
  expect(old).toMatchObject({
    sentence:
      "The source old was read to its end on 2026-07-24 00:00 UTC; the policy asks for every 7d. Its last reading failed: main-db cannot be reached.",
    hint: "Mend that; `rekey doctor` says what it lacks. Then run `rekey discover old`.",
  });
  expect(never?.sentence).toBe(
    "The source never was never read to its end. Its last reading failed: main-db cannot be reached.",
  );
});

test("C7: a log that is read every day, and that nobody writes to any more, is no evidence", () => {
  const log = { ...good, name: "log" };
  expect(watchFindings([{ ...log, silentSince: now - evidenceMaxAgeMs }], rules, now)).toEqual([]);
  const [finding, ...more] = watchFindings([{ ...log, silentSince: now - evidenceMaxAgeMs - 1 }], rules, now);
  expect(more).toEqual([]);
  expect(finding).toMatchObject({
    ...{ code: "stale-evidence", severity: "refuse", subject: "log" },
    sentence:
      "The source log has had nothing new since 2026-07-24 23:59 UTC, and may be written elsewhere by now; the policy asks for every 7d.",
    hint: expect.stringContaining("rekey discover log"),
  });
});

test("C7: of several logs the one that has had nothing is named, and what to say where that is right", () => {
  const silent = { silentSince: now - evidenceMaxAgeMs - 1, silentLog: "/logs/b/audit*" };
  const [finding] = watchFindings([{ ...good, name: "log", ...silent }], rules, now);
  expect(finding?.sentence).toMatch(
    /^The source log has had nothing new in \/logs\/b\/audit\* since 2026-07-24/,
  );
  expect(finding?.hint).toContain("is named in `mayBeSilent` of log.");
});

test("a credential whose use no source would show says so: what only shows configuration does not count", () => {
  const configured = { ...good, name: "manifests", seesUse: false, since: now };
  expect(codes([])).toEqual(["unwatched warn "]);
  expect(codes([configured])).toEqual(["unwatched warn "]);
  expect(codes([{ ...good, tied: false }])).toEqual(["unwatched warn "]);
  expect(codes([], { ...rules, blindSpots: "refuse" })).toEqual(["unwatched refuse "]);
});

test("what a source did not see, or has not watched for long enough, is named", () => {
  const partly = { ...good, gaps: ["One node is away.", "Another is."], unreadable: 2, since: now - day };
  const found = watchFindings([partly], { ...rules, blindSpots: "refuse" }, now);
  expect(found).toMatchObject([
    {
      ...{ code: "incomplete-evidence", severity: "refuse", subject: "sessions" },
      sentence:
        "The source sessions did not see all: One node is away. And 1 more like that. 2 of its records could not be read.",
    },
    { code: "short-watch", severity: "refuse", subject: "sessions" },
  ]);
  expect(found[1]?.sentence).toContain("since 2026-07-31 00:00 UTC");
  expect(watchFindings([{ ...good, gaps: ["One node is away."] }], rules, now)[0]?.sentence).toBe(
    "The source sessions did not see all: One node is away.",
  );
});

test("C21: looks that are far apart are no watch: it is told how far, and refuses only where blind spots do", () => {
  const minute = 60_000;
  const looks = (more: object) => ({
    ...good,
    glimpses: { count: 6, apartMs: 7 * day, closeSince: now - day, ...more },
  });
  const strict = { ...rules, blindSpots: "refuse" } as const;
  const [far, ...more] = watchFindings([looks({})], rules, now);
  expect(more).toEqual([]);
  expect(far).toMatchObject({
    ...{
      code: "short-watch",
      severity: "warn",
      subject: "sessions",
      hint: expect.stringContaining("every: 10m"),
    },
    sentence:
      "The source sessions looks at who is connected, since 2026-06-22 00:00 UTC up to 7 d apart: whoever came in between was not seen. The policy asks for 35d, with looks no further apart than 15m.",
  });
  expect(codes([looks({})], strict)).toEqual(["short-watch refuse sessions"]);
  const close = { apartMs: 10 * minute, closeSince: now - 40 * day };
  const lately = { ...looks(close), wholeAt: now - 10 * minute };
  expect(codes([lately])).toEqual([]);
  // A pause of a day is within a twentieth of forty; from then on nobody has looked.
  expect(codes([{ ...lately, wholeAt: now - 2 * day - 15 * minute }])).toEqual([]);
  expect(watchFindings([{ ...lately, wholeAt: now - 3 * day }], rules, now)[0]?.sentence).toBe(
    "The source sessions looks at who is connected, and has not since 2026-07-29 00:00 UTC: whoever came after that was not seen. The policy asks for 35d, with looks no further apart than 15m.",
  );
  expect(codes([{ ...looks({}), seesUse: false }, good])).toEqual([]);
  // It is said once, and where it has not watched for long enough that is what is said.
  expect(
    watchFindings([{ ...looks({}), since: now - day }], rules, now).map(({ sentence }) => sentence),
  ).toEqual([expect.stringContaining("has watched since")]);
});

test("since when looks were close ends with the last one, but for a twentieth of the time", () => {
  const glimpses = { count: 3, apartMs: 0, closeSince: now - 100 * day };
  expect(closeFrom(glimpses, null, now)).toBeNull();
  expect(closeFrom(glimpses, now - 5 * day - closeLooksMs, now)).toBe(now - 100 * day);
  expect(closeFrom(glimpses, now - 5 * day - closeLooksMs - 1, now)).toBeNull();
  const source = { glimpses, wholeAt: now };
  expect([99, 100, 101].map((days) => isCloseFor(source, days * day, now))).toEqual([true, true, false]);
  expect(isCloseFor({ wholeAt: null }, day, now)).toBe(true);
  expect(isCloseFor({ glimpses, wholeAt: null }, 0, now)).toBe(false);
});

test("what might show any credential and has not shown this one stops nobody", () => {
  const loose = {
    ...good,
    name: "repository",
    tied: false,
    wholeAt: null,
    gaps: ["It is private."],
    since: now,
  };
  expect(codes([good, loose], { ...rules, blindSpots: "refuse" })).toEqual([
    "stale-evidence warn repository",
    "incomplete-evidence warn repository",
  ]);
});

test("a source is tied to a credential by its store or its issuer, and might show any where it names none", () => {
  const credential = { store: "vault", issuer: "orders" };
  expect(tieOf({ store: "vault" }, credential)).toBe("tied");
  expect(tieOf({ issuer: "orders" }, credential)).toBe("tied");
  expect(tieOf({ stores: [{ store: "other" }, { store: "vault" }] }, credential)).toBe("tied");
  expect(tieOf({ store: "other" }, credential)).toBe("elsewhere");
  expect(tieOf({ stores: [{ store: "other" }], issuer: "billing" }, credential)).toBe("elsewhere");
  expect(tieOf({ stores: [] }, credential)).toBe("any");
  expect(tieOf({}, credential)).toBe("any");
  const elsewhere = { ...credential, seenAs: [{ account: "orders" }, { at: "queue", account: "orders" }] };
  expect(tieOf({ issuer: "queue" }, elsewhere)).toBe("tied");
  expect(tieOf({ issuer: "billing" }, elsewhere)).toBe("elsewhere");
  expect(tieOf({ store: "other" }, elsewhere)).toBe("elsewhere");
});
