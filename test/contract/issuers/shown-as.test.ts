/** Under which names an issuer's sessions and records show an account: what sources see is matched with the estate by them. */
import { describe, expect, it } from "vitest";
import { kinds } from "../../../adapters/registry.js";

const accounts: readonly (readonly [kind: string, account: object, names: string[]])[] = [
  [
    "postgres",
    { group: "orders", logins: ["orders_a", "orders_b", "orders_c"] },
    ["orders_a", "orders_b", "orders_c", "orders"],
  ],
  ["redis", { user: "orders", slots: 2 }, ["orders"]],
  ["aws-iam", { user: "orders" }, ["orders"]],
];

describe("the names under which an account is shown", () => {
  it.each(accounts)("of %s are those that it logs in by", (name, account, names) => {
    const kind = kinds.issuers[name];
    expect(kind?.shownAs?.(kind.account.parse(account))).toEqual(names);
  });
});
