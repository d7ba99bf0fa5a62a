/** As which accounts a credential is seen elsewhere: each account one credential's, and each system one that is known. */
import { describe, expect, it } from "vitest";
import { credential, issuesOf, sound } from "./fixtures.js";

describe("accounts elsewhere", () => {
  it("are one credential's, also where the estate says that it is seen as an account elsewhere", () => {
    const raw = sound();
    raw.sources.queue = { kind: "log", file: "/x", owner: "ada", issuer: "queue" };
    const seen = (name: string, seenAs: object[]) =>
      credential({ account: { login: name }, place: { path: name }, seenAs });
    const both = [{ at: "queue", account: "q" }, { account: "b" }];
    raw.credentials.one = seen("one", [...both, { account: "b" }]);
    raw.credentials.two = seen("two", [{ at: "queue", account: "other" }, ...both]);
    raw.credentials.three = seen("three", [{ at: "books", account: "shown as orders" }]);
    expect(issuesOf(raw)).toEqual([
      'same-seen-as credentials.two.seenAs.1: "one" is seen as the same account, and a session of it could be a use of either',
      'same-seen-as credentials.two.seenAs.2: "one" is seen as the same account, and a session of it could be a use of either',
      'same-seen-as credentials.three.seenAs.0: "orders" is seen as the same account, and a session of it could be a use of either',
    ]);
  });

  it("are seen at an issuer, or at what a source reads that is none; at nothing else", () => {
    const raw = sound();
    raw.sources.queue = { kind: "log", file: "/x", owner: "ada", issuer: "quue" };
    raw.sources.other = { kind: "log", file: "/x", owner: "ada", issuer: "queue" };
    raw.credentials.orders = credential({
      seenAs: [
        { at: "queu", account: "a" },
        { at: "other", account: "a" },
      ],
    });
    expect(issuesOf(raw)).toEqual([
      "unknown-reference sources.queue.issuer: there is no issuer of this name",
      "unknown-reference credentials.orders.seenAs.0.at: there is no issuer of this name",
    ]);
  });
});
