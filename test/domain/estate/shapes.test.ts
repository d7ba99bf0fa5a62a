/** What the registered kinds make of accounts and places, by which what a source saw meets what the estate declares. */
import { expect, test } from "vitest";
import { plainShapes, type Systems } from "../../../domain/estate/shapes.js";
import { registeredShapes } from "../../support/shapes.js";

const systems = {
  issuers: { orders: { kind: "postgres", host: "db.example.com", port: 5432 } },
  stores: {
    vault: { kind: "vault", address: "https://vault.example.com", mount: "secret" },
    aws: { kind: "aws-secrets-manager", account: "123456789012", region: "eu-west-1" },
  },
} as unknown as Systems;

test("a place has one key whatever is written there and how, and another place has another", () => {
  const key = (store: string, place: object) => registeredShapes.placeKey(systems, store, { ...place });
  const custom = { fields: { username: "db_user", password: "db_pass" } };
  expect(key("vault", { path: "apps/orders/db" })).toBe(key("vault", { path: "apps/orders/db", ...custom }));
  expect(key("vault", { path: "apps/orders/db" })).not.toBe(key("vault", { path: "apps/billing/db" }));
  expect(key("aws", { name: "apps/orders/db" })).toBe(key("aws", { name: "apps/orders/db", ...custom }));
});

test("a place that its kind would refuse, or in a store that nobody declared, is named by all of itself", () => {
  expect(registeredShapes.placeKey(systems, "vault", { path: "/../etc" })).toBe('{"path":"/../etc"}');
  expect(registeredShapes.placeKey(systems, "elsewhere", { path: "a" })).toBe('{"path":"a"}');
});

test("an account is shown under its logins and its group", () => {
  const account = { group: "orders", logins: ["orders_a", "orders_b"] };
  const shown = registeredShapes.shownAs(systems, { issuer: "orders", account });
  expect([...shown].sort()).toEqual(["orders", "orders_a", "orders_b"]);
  expect(registeredShapes.shownAs(systems, { issuer: "gone", account })).toEqual([]);
});

test("what shows uses is told by the kind; a kind that nobody knows shows none, and without kinds none does", () => {
  expect(registeredShapes.seesUse("postgres-activity")).toBe(true);
  expect(registeredShapes.seesUse("compose")).toBe(false);
  expect(registeredShapes.seesUse("of-a-later-release")).toBe(false);
  expect(plainShapes.seesUse("postgres-activity")).toBe(false);
});

test("how late a record may be is the kind's; where none says, it is there at once", () => {
  const late = (kind: string) => registeredShapes.deliveredWithinMs(kind);
  expect([late("cloudtrail"), late("vault-audit"), late("of-a-later-release")]).toEqual([900_000, 0, 0]);
  expect(late("rabbitmq-connections")).toBe(15_000);
  expect(plainShapes.deliveredWithinMs("cloudtrail")).toBe(0);
});
