/** What an estate may not say away: somebody has to be left whom nobody claims, and who was seen has to count for a while. */
import { describe, expect, it } from "vitest";
import { issuesOf, sound } from "./fixtures.js";

const observe = [{ kind: "person" }];

describe("consumers", () => {
  it("C7: do not claim everybody", () => {
    const raw = sound();
    const wide = {
      applicationName: ["shop", "*"],
      address: ["10.0.0.0/8", "0.0.0.0/0", "128.0.0.0/1", "2001:db8::/32", "::/0", "::1"],
      role: [" * "],
    };
    raw.consumers.web = { owner: "shop", observe, match: wide };
    expect(issuesOf(raw)).toEqual([
      'matches-everybody consumers.web.match.applicationName.1: "web" would claim whoever shows any applicationName, so no reader would be unmapped',
      ...[1, 2, 4].map(
        (i) =>
          `matches-everybody consumers.web.match.address.${i}: "web" would claim whoever shows any address, so no reader would be unmapped`,
      ),
      'matches-everybody consumers.web.match.role.0: "web" would claim whoever shows any role, so no reader would be unmapped',
    ]);
  });

  const wide: Readonly<Record<string, readonly string[]>> = {
    applicationName: ["a*", "or*", " or *", "**"],
    entity: ["e*"],
    host: ["*.com", "*.com.", "*.internal"],
    role: [
      "ar*",
      "arn:*",
      "arn:aws:*",
      "arn:aws:sts::*",
      "arn:aws:sts::123456789012*",
      "arn:aws:sts::123456789012:*",
      "arn:aws:sts::123456789012:assumed-role*",
      "arn:aws:sts::123456789012:assumed-role/*",
      "arn:aws:sts::123456789012:assumed-role/or*",
      "arn:aws:sts:::assumed-role/orders*",
      "arn:aws:sts::123456789012:assumed-role//*",
      "kub*",
      "kubernetes prod *",
      "kubernetes prod User/*",
    ],
    serviceAccount: ["shop*", "k*", "kubernetes *", "kubernetes prod *", "kubernetes prod shop*", "/*"],
    workload: ["k*", "compose *", "compose shop*", "compose /*", "kubernetes prod *"],
  };
  const fine: typeof wide = {
    applicationName: ["ord*", "*x", "a", "orders-api*"],
    entity: ["8c1*", "e"],
    host: ["*.shop.example", "local", "com"],
    role: [
      "arn:aws:sts::123456789012:assumed-role/ord*",
      "arn:aws:sts::123456789012:assumed-role/a/*",
      "arn:aws:iam::123456789012:role/team/*",
      "arn:aws:iam::123456789012:role/a",
      "kubernetes prod User/system:*",
    ],
    serviceAccount: ["shop/*", "shop/orders*", "kubernetes prod shop/*", "a/b"],
    workload: ["compose shop/*", "kubernetes prod shop/Deployment/*", "github-actions acme/shop/*", "k"],
  };
  const widths = (match: typeof wide) => {
    const raw = sound();
    raw.consumers.web = { owner: "shop", observe, match };
    return issuesOf(raw);
  };

  it.each(Object.entries(wide))("C7: do not claim nearly everybody by %s", (trait, claims) => {
    expect(widths({ [trait]: claims })).toEqual(
      claims.map(
        (_, i) =>
          `matches-everybody consumers.web.match.${trait}.${i}: "web" would claim nearly whoever shows any ${trait}, so hardly a reader would be unmapped`,
      ),
    );
  });

  it.each(Object.entries(fine))("may claim whoever begins so of their own by %s", (trait, claims) => {
    expect(widths({ [trait]: claims })).toEqual([]);
  });
});

describe("policies", () => {
  it("count who was seen for at least as long as a source may not be read", () => {
    const raw = sound();
    const said = (policy: object) => {
      raw.policies.calm = policy;
      return issuesOf(raw);
    };
    const issue =
      "contradicting-times policies.calm.useWindow: sources may be read more rarely than that (`evidenceMaxAge`), and whom they saw would not count any more";
    expect(said({ useWindow: "6d" })).toEqual([issue]);
    expect(said({ evidenceMaxAge: "36d" })).toEqual([issue]);
    expect(said({ useWindow: "6d", evidenceMaxAge: "6d" })).toEqual([]);
  });
});
