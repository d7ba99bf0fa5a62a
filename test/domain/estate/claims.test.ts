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
      role: [" * ", "arn:*"],
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
