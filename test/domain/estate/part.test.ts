/** A part of an estate is checked like the whole, as far as it was asked about. */
import { describe, expect, test } from "vitest";
import { parseEstate } from "../../../domain/estate/parse.js";
import { checkPart, checkSystems, isShared } from "../../../domain/estate/part.js";
import { claimsOf } from "../../../domain/estate/systems.js";
import type { Estate } from "../../../domain/estate/types.js";
import { credential, kinds, sound } from "./fixtures.js";

function parsed(raw: unknown): Estate {
  const result = parseEstate(raw, kinds);
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.estate;
}

const codes = (part: Estate, asked: readonly string[]) =>
  checkPart(part, kinds, (section, name) => asked.includes(`${section} ${name}`)).map(({ code }) => code);

describe("a part", () => {
  test("need not have what an entry names that was not asked about", () => {
    const whole = parsed(sound());
    const part = { ...whole, consumers: {} };
    expect(codes(part, ["credentials bills"])).toEqual([]);
    expect(codes(part, ["credentials orders"])).toEqual(["unknown-reference", "unknown-reference"]);
  });

  test("is held to the rules between its entries, asked about or not", () => {
    const whole = parsed(sound());
    const { orders } = whole.credentials;
    const twice = { ...whole, credentials: { orders, twin: orders } } as Estate;
    expect(codes(twice, [])).toEqual(["same-account", "same-place"]);
  });

  test("says which of its credentials could not be read because nobody knows their system", () => {
    const raw = {
      credentials: { a: credential({ issuer: "none" }), b: credential({ store: "none" }), c: credential({}) },
    };
    const { issuers, stores, credentials } = parsed(sound());
    const read = { c: credentials.orders } as Estate["credentials"];
    const paths = checkSystems(raw, { issuers, stores }, read).map(({ path }) => path.join("."));
    expect(paths).toEqual(["credentials.a.issuer", "credentials.b.store"]);
  });
});

test("what every credential shares is told from the rest", () => {
  expect(["owners", "policies", "stores"].every((section) => isShared(section as "owners"))).toBe(true);
  expect(isShared("credentials") || isShared("consumers")).toBe(false);
});

test("two credentials claim the same where the rules say that they have the same account or place", () => {
  const seenAs = [{ account: "a" }, { at: "books", account: "b" }];
  const pinned = { consumer: "web", isolation: "pinned", place: { path: "own" } };
  const estate = parsed({ ...sound(), credentials: { orders: credential({ consumers: [pinned], seenAs }) } });
  const { orders } = estate.credentials;
  if (orders === undefined) throw new Error("it is there");
  expect(claimsOf(estate, kinds, orders)).toEqual([
    "account books.example.com:7000/orders",
    "seen books a",
    "seen books b",
    "place https://desk.example.com/orders",
    "place https://desk.example.com/own",
  ]);
  expect(claimsOf({ ...estate, issuers: {}, stores: {} }, kinds, orders)).toEqual([
    "seen books a",
    "seen books b",
  ]);
});
