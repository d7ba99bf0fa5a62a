/** What a reading could not see: in which records, and whether that is more than an earlier one could not see. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { believedPart } from "../../../domain/discovery/believed.js";
import { hiddenByBoth, hiddenIn, hiddenMax, hidesMore } from "../../../domain/discovery/hidden.js";
import type { Claim, Hidden, ScanPart } from "../../../domain/discovery/said.js";
import { soundPart } from "../../../domain/discovery/sound.js";

const torn: Hidden = { record: "a.yaml", why: "a.yaml is not complete." };
const away: Hidden = { record: "b.yaml", why: "b.yaml is not complete." };
const claim = (record: string, last = 1_000): Claim => ({
  ...{
    record,
    known: "read",
    from: { is: "reader", name: "job", traits: { workload: "job" } },
    type: "uses",
  },
  ...{ to: { is: "location", scope: "wiki", path: "x" }, seen: { first: last, last, count: 1 } },
  sentence: "It says so.",
});
const part = (more: Partial<ScanPart> = {}): ScanPart => ({
  ...{ records: 1, claims: [], copies: [], listed: [], malformed: [], covered: null, gaps: [], cursor: "1" },
  ...more,
});

/** Only of names that are too long. */
const sha256Hex = (text: string) => String(text.length);

describe("what a part hides", () => {
  it("is nothing without a gap, and anything where nobody says where its gaps are", () => {
    expect(hiddenIn(part())).toEqual([]);
    expect(hiddenIn(part({ gaps: ["One node did not answer."] }))).toBeNull();
    expect(hiddenIn(part({ malformed: [{ where: "a", why: "no YAML" }] }))).toBeNull();
    expect(hiddenIn(part({ gaps: [torn.why], hidden: [torn] }))).toEqual([torn]);
  });

  it("is also the record of what cannot be kept, unless it hides anything already", () => {
    const lost = claim("c.yaml", Number.NaN);
    const why = "it has a time that cannot be kept: outside of the years 1 to 9999";
    expect(soundPart(part({ claims: [lost] }), sha256Hex).hidden).toEqual([{ record: "c.yaml", why }]);
    expect(soundPart(part({ claims: [lost], gaps: [torn.why], hidden: [torn] }), sha256Hex).hidden).toEqual([
      torn,
      { record: "c.yaml", why },
    ]);
    expect(soundPart(part({ claims: [lost], gaps: ["A gap."] }), sha256Hex).hidden).toBeUndefined();
    expect(soundPart(part({ claims: [claim("\ud800", Number.NaN)] }), sha256Hex).hidden).toEqual([
      { record: "\ufffd", why },
    ]);
    const hides = (record: string) =>
      soundPart(part({ gaps: ["a gap"], hidden: [{ record, why: "a gap" }] }), sha256Hex).hidden;
    expect(hides("a\0")).toEqual([{ record: "a\ufffd", why: "a gap" }]);
    // A file within a folder is kept by a name that begins with the folder's, or may be hidden wherever it stands.
    expect(hides("f".repeat(599))).toEqual([{ record: "f".repeat(599), why: "a gap" }]);
    expect(hides("f".repeat(600))).toBeUndefined();
    const within = claim(`${"f".repeat(599)}/${"x".repeat(1_500)}`);
    const [kept] = soundPart(part({ claims: [within] }), sha256Hex).claims;
    expect(kept?.record.startsWith(`${"f".repeat(599)}/`)).toBe(true);
    const covered = { from: Number.NaN, until: 1 };
    expect(soundPart(part({ covered }), sha256Hex).hidden).toEqual([]);
  });

  it("is nothing more where a time is not believed: such a record is there", () => {
    const ahead = claim("a.yaml", 9_000_000_000);
    expect(believedPart(part({ claims: [ahead] }), 0).hidden).toEqual([]);
    expect(believedPart(part({ claims: [ahead], gaps: ["A gap."] }), 0).hidden).toBeUndefined();
    expect(believedPart(part({ claims: [ahead], gaps: [torn.why], hidden: [torn] }), 0).hidden).toEqual([
      torn,
    ]);
  });
});

describe("what two parts hide", () => {
  it("is the same in whatever order and however often it is told", () => {
    const some = fc.option(
      fc.array(fc.record({ record: fc.constantFrom("a", "b", "a b"), why: fc.constantFrom("x", "y") })),
      { nil: null },
    );
    fc.assert(
      fc.property(some, some, some, (a, b, c) => {
        const all = hiddenByBoth(hiddenByBoth(a, b), c);
        expect(hiddenByBoth(a, hiddenByBoth(c, b))).toEqual(all);
        expect(hiddenByBoth(all, a)).toEqual(all);
      }),
    );
  });

  it("is anything where it is more than anybody can keep", () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ record: `${index}`, why: "It is torn." }));
    expect(hiddenByBoth([], many(hiddenMax))).toHaveLength(hiddenMax);
    expect(hiddenByBoth(many(hiddenMax), many(hiddenMax + 1))).toBeNull();
  });
});

describe("a reading hides more than one before it", () => {
  it("where a record has a gap that it had not, and not where one has none any more", () => {
    const before = { hidden: [torn], gaps: [torn.why] };
    expect(hidesMore([torn], before)).toBe(false);
    expect(hidesMore([], before)).toBe(false);
    expect(hidesMore([torn, away], before)).toBe(true);
    expect(hidesMore([{ ...torn, why: "a.yaml lacks two records." }], before)).toBe(true);
  });

  it("by the gaps alone where an earlier release has read", () => {
    expect(hidesMore([torn], { hidden: null, gaps: [torn.why] })).toBe(false);
    expect(hidesMore([torn], { hidden: null, gaps: [away.why] })).toBe(true);
  });
});
