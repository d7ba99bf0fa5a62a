/** Times that cannot be true count as of now, whatever source says them, and that is said. */
import { describe, expect, it } from "vitest";
import { believedPart } from "../../../domain/discovery/believed.js";
import type { Claim, ScanPart, Seen } from "../../../domain/discovery/said.js";

const now = Date.parse("2026-03-01T00:00:00Z");
const dayMs = 24 * 60 * 60_000;
const yearsAgo = (years: number) => now - years * 365 * dayMs - 1;
const place = { is: "location", scope: "wiki", path: "x" } as const;
const from = { is: "reader", name: "job", traits: { applicationName: "job" } } as const;

const claim = (seen: Seen, known: Claim["known"] = "read"): Claim => ({
  ...{ record: "r", known, from, type: "uses", to: place, seen, sentence: "It says so." },
});
const part = (more: Partial<ScanPart> = {}): ScanPart => ({
  ...{ records: 1, claims: [], copies: [], listed: [], malformed: [], covered: null, gaps: [], cursor: "1" },
  ...more,
});
const seenOf = (first: number, last: number, known?: Claim["known"]) =>
  believedPart(part({ claims: [claim({ first, last, count: 2 }, known)] }), now).claims[0]?.seen;

describe("a part", () => {
  it("is what it was where its times can be true", () => {
    const seen = { first: yearsAgo(9), last: now + 299_000, count: 1 };
    const old = { first: yearsAgo(30), last: yearsAgo(30), count: 1 };
    const used = { first: yearsAgo(15), last: yearsAgo(15), count: 1 };
    const whole = part({
      claims: [claim(seen), claim(old, "declared")],
      copies: [{ record: "r", at: place, mark: "m", literal: true, seen: old, sentence: "a password" }],
      listed: [{ record: "r", thing: place, seen: old }],
      uses: [{ record: "r", of: place, seen: used, sentence: "It was used." }],
      covered: { from: yearsAgo(9), until: now },
    });
    expect(believedPart(whole, now)).toBe(whole);
    const file = part({ covered: { from: 0, until: 0 } });
    expect(believedPart(file, now)).toBe(file);
  });

  it("has no time of the future, and nobody who was seen in 1970", () => {
    expect(seenOf(0, 4_102_444_800_000)).toEqual({ first: now, last: now, count: 2 });
    expect(seenOf(now - dayMs, now + 300_001)).toEqual({ first: now - dayMs, last: now, count: 2 });
    expect(seenOf(0, now - dayMs)).toEqual({ first: now - dayMs, last: now - dayMs, count: 2 });
    expect(seenOf(yearsAgo(10), now, "session")).toEqual({ first: now, last: now, count: 2 });
    expect(seenOf(now, 4_102_444_800_000, "declared")).toEqual({ first: now, last: now, count: 2 });
  });

  it("has no version that was read in the future, nor long ago, and is what it was where they can be true", () => {
    const read = (...spans: (readonly [number, number])[]) =>
      part({
        claims: [
          {
            ...claim({ first: now - dayMs, last: now, count: 3 }),
            versions: spans.map(([first, last], index) => ({ version: `${index}`, first, last })),
          },
        ],
      });
    const { claims, gaps } = believedPart(
      read([now - dayMs, now], [0, now], [now - dayMs, now + dayMs], [now + dayMs, now - dayMs]),
      now,
    );
    expect(claims[0]?.versions?.map(({ first, last }) => [first, last])).toEqual([
      [now - dayMs, now],
      [now, now],
      [now - dayMs, now],
      [now - dayMs, now - dayMs],
    ]);
    expect(claims[0]?.seen).toEqual({ first: now - dayMs, last: now, count: 3 });
    expect(gaps).toEqual([expect.stringContaining("1 of the times are from the future or from long ago")]);
    const whole = read([now - dayMs, now]);
    expect(believedPart(whole, now)).toBe(whole);
    const doubted = believedPart(part({ claims: [claim({ first: 0, last: now, count: 1 })] }), now);
    expect(doubted.claims[0]).not.toHaveProperty("versions");
  });

  it("says how many times it does not believe, in which record, once more for whoever reads anew", () => {
    const seen = { first: now, last: now + dayMs, count: 1 };
    const { copies, listed, uses, gaps, gapsAgain } = believedPart(
      part({
        copies: [{ record: "a", at: place, mark: "m", literal: true, seen, sentence: "a password" }],
        listed: [{ record: "b", thing: place, seen }],
        uses: [{ record: "c", of: place, seen: { first: 0, last: 0, count: 1 }, sentence: "It was used." }],
        gaps: ["A gap."],
      }),
      now,
    );
    for (const one of [copies[0], listed[0], uses?.[0]])
      expect(one?.seen).toEqual({ first: now, last: now, count: 1 });
    const gap =
      "3 of the times are from the future or from long ago, the first of them in a. They are not believed: they count as of now.";
    expect([gaps, gapsAgain]).toEqual([["A gap.", gap], [gap]]);
  });

  it("has watched only between times that are believed", () => {
    const lately = { first: now - dayMs, last: now, count: 1 };
    const claims = [claim({ first: 0, last: now, count: 1 }), claim(lately)];
    expect(believedPart(part({ claims, covered: { from: 0, until: now } }), now).covered).toEqual({
      from: now - dayMs,
      until: now,
    });
    const covered = { from: now - dayMs, until: now + 2 * dayMs };
    const ahead = believedPart(part({ covered }), now);
    expect(ahead.covered).toEqual({ from: now - dayMs, until: now });
    expect(ahead.gaps).toHaveLength(1);
    const both = { from: now + dayMs, until: now + 2 * dayMs };
    expect(believedPart(part({ covered: both }), now).covered).toEqual({ from: now, until: now });
  });
});
