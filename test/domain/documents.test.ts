/** A document counts for one run of one rotation, one plan and one span of time; each of these is checked here. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  clockSkewMs,
  type DocumentPayload,
  objectionTo,
  objectionToConfirmation,
  reportText,
} from "../../domain/documents.js";

const now = 1_800_000_000_000;
const expected = { installation: "inst", rotation: "rot", nonce: "nonce", digests: ["plan", "amendment"] };

function payload(more: Partial<DocumentPayload> = {}): DocumentPayload {
  return {
    form: "rekey-decision/1",
    installation: "inst",
    credential: "orders-db",
    rotation: "rot",
    nonce: "nonce",
    digest: "plan",
    says: "approve",
    person: "olivia",
    issuedAt: now,
    expiresAt: now + 1,
    id: "doc",
    ...more,
  };
}

test("a document of this run for a plan in force counts, whichever of the plans and whatever it says", () => {
  const all = (["approve", "reject", "confirm", "emergency", "sign-off"] as const).flatMap((says) =>
    expected.digests.map((digest) => payload({ says, digest })),
  );
  expect(all.map((one) => objectionTo(one, expected, now))).toEqual(all.map(() => null));
});

describe("H7: a document counts for nothing else", () => {
  test.each<[string, Partial<DocumentPayload>, RegExp]>([
    ["form", { form: "rekey-decision/2" as "rekey-decision/1" }, /not a decision of this program/],
    ["installation", { installation: "copy" }, /another installation/],
    ["rotation", { rotation: "rot-2" }, /another rotation/],
    ["rotation that it left open", { rotation: "" }, /another rotation/],
    ["run", { nonce: "nonce-of-the-run-before" }, /earlier run/],
    ["plan", { digest: "plan-before" }, /plan has changed/],
  ])("of another %s", (_what, more, says) => {
    expect(objectionTo(payload(more), expected, now)).toMatch(says);
  });

  test("for no plan at all, as long as there is none", () => {
    expect(objectionTo(payload(), { ...expected, digests: [] }, now)).toMatch(/plan has changed/);
  });
});

describe("H10: a confirmation is about one version, and one delivery of it", () => {
  const told = { told: "v2", toldAt: now };

  test("it counts when that version was delivered before it was signed", () => {
    expect(objectionToConfirmation(payload({ version: "v2" }), "v2", told)).toBeNull();
  });

  test.each<[string, Partial<DocumentPayload>, Parameters<typeof objectionToConfirmation>[2], RegExp]>([
    ["says no version", {}, told, /does not say which version/],
    ["says another version", { version: "v1" }, told, /does not lead to/],
    ["is about an unknown consumer", { version: "v2" }, undefined, /not delivered/],
    ["comes before any delivery", { version: "v2" }, { told: null, toldAt: null }, /not delivered/],
    ["follows another delivery", { version: "v2" }, { told: "v1", toldAt: now }, /not delivered/],
    ["was signed too early", { version: "v2", issuedAt: now - 1 }, told, /before the version was delivered/],
  ])("it does not when it %s", (_what, more, place, says) => {
    expect(objectionToConfirmation(payload(more), "v2", place)).toMatch(says);
  });
});

describe("H38: times are compared, with a stated skew", () => {
  test("a signer's clock may be ahead by the skew and not by more", () => {
    const ahead = (ms: number) => payload({ issuedAt: now + ms, expiresAt: now + ms + 1 });
    expect(objectionTo(ahead(clockSkewMs), expected, now)).toBeNull();
    expect(objectionTo(ahead(clockSkewMs + 1), expected, now)).toMatch(/dated in the future/);
  });

  test("it has expired at the very moment that it names, and no skew prolongs it", () => {
    expect(objectionTo(payload({ expiresAt: now }), expected, now)).toMatch(/expired/);
    expect(objectionTo(payload({ expiresAt: now + 1 }), expected, now)).toBeNull();
  });

  test("it counts in one span of time, and never again after it", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 10 ** 9 }),
        fc.nat({ max: 10 ** 9 }),
        fc.nat({ max: 10 ** 9 }),
        (from, life, at) => {
          const counts =
            objectionTo(payload({ issuedAt: from, expiresAt: from + life }), expected, at) === null;
          expect(counts).toBe(from - clockSkewMs <= at && at < from + life);
        },
      ),
    );
  });
});

describe("what a responder signs", () => {
  const report = { reason: "found in a log", leaked: ["v2", "v1"], containment: "revoke-now" };

  test("is the same report in one form, whatever the order in which versions are named", () => {
    expect(reportText(report)).toBe(
      '{"containment":"revoke-now","form":"rekey-report/1","leaked":["v1","v2"],"reason":"found in a log"}',
    );
    expect(reportText({ ...report, leaked: ["v1", "v2"] })).toBe(reportText(report));
    expect(reportText({ ...report, containment: undefined })).not.toContain("containment");
  });

  test("is another text for every other order, so that nobody widens what was agreed to", () => {
    const others = [
      report,
      { ...report, reason: "found" },
      { ...report, leaked: ["v1"] },
      { ...report, leaked: [] },
      { ...report, leaked: "unknown" as const },
      { ...report, leaked: ["unknown"] },
      { ...report, containment: "after-adoption" },
      { ...report, evidence: "hmac-1" },
      { ...report, evidence: "hmac-2" },
      { reason: report.reason, leaked: report.leaked },
    ];
    expect(new Set(others.map(reportText)).size).toBe(others.length);
  });
});
