/** Who may speak for an owner: persons, their teams and their delegates, one level deep and for a time. */
import { describe, expect, test } from "vitest";
import { personOf, respondersOf, signersFor, speaksFor, toldFor, withKeys } from "../../domain/authority.js";
import type { Delegate, Estate, Owner } from "../../domain/estate/types.js";

const from = "2026-03-01T00:00:00.000Z";
const until = "2026-03-08T00:00:00.000Z";
const during = Date.parse(from);
const nobody = { requestedBy: "", recentEditors: [] };

function person(...delegates: readonly (string | Delegate)[]): Owner {
  return {
    kind: "person",
    email: "someone@shop.example",
    keys: [],
    delegates: delegates.map((to) => (typeof to === "string" ? { to, from, until } : to)),
  };
}

function estate(owners: Readonly<Record<string, Owner>>): Estate {
  return {
    version: 1,
    installation: "inst",
    owners,
    stores: {},
    issuers: {},
    notifiers: {},
    sources: {},
    policies: {},
    consumers: {},
    credentials: {},
  };
}

const team = (...members: string[]): Owner => ({ kind: "team", members });

const shop = estate({
  olivia: person("dana"),
  dana: person("erik"),
  erik: person(),
  rashid: person(),
  responders: team("rashid", "olivia"),
});

describe("a person", () => {
  test("is a person of the estate, and neither a team nor a name that every object has", () => {
    expect(personOf(shop, "olivia")).toBe(shop.owners.olivia);
    expect(["responders", "nobody", "toString", "__proto__"].map((name) => personOf(shop, name))).toEqual(
      Array(4).fill(undefined),
    );
  });

  test("speaks for themself, for their teams, and for nobody else", () => {
    const asked = ["olivia", "rashid", "responders", "nobody", "constructor"];
    expect(speaksFor(shop, "rashid", asked, during)).toEqual(["rashid", "responders"]);
    expect(speaksFor(shop, "stranger", asked, during)).toEqual([]);
    expect(speaksFor(shop, "nobody", ["nobody"], during)).toEqual([]);
    expect(speaksFor(shop, "olivia", [], during)).toEqual([]);
  });
});

describe("H37: a delegate", () => {
  test("speaks for who named them, and for the teams of that person", () => {
    expect(speaksFor(shop, "dana", ["olivia", "responders", "rashid"], during)).toEqual([
      "olivia",
      "responders",
    ]);
  });

  test("of a delegate speaks for nobody but that delegate", () => {
    expect(speaksFor(shop, "erik", ["olivia", "responders", "dana"], during)).toEqual(["dana"]);
  });

  test("cannot be a circle", () => {
    const circle = estate({ a: person("b"), b: person("a") });
    expect(signersFor(circle, ["a", "b"], nobody, during)).toEqual(["a", "b"]);
  });

  test.each([
    ["the moment before it begins", during - 1, []],
    ["the moment in which it begins", during, ["olivia"]],
    ["the moment before it ends", Date.parse(until) - 1, ["olivia"]],
    ["the moment in which it ends", Date.parse(until), []],
  ])("speaks only in the time that was given: %s", (_when, at, owners) => {
    expect(speaksFor(shop, "dana", ["olivia"], at)).toEqual(owners);
  });

  test("who is named for two spans has both of them and not what lies between", () => {
    const later = { to: "dana", from: "2026-04-01T00:00:00.000Z", until: "2026-04-02T00:00:00.000Z" };
    const twice = estate({ olivia: person("dana", later), dana: person() });
    const at = [during, Date.parse(until), Date.parse(later.from)];
    expect(at.map((now) => speaksFor(twice, "dana", ["olivia"], now).length)).toEqual([1, 0, 1]);
  });
});

describe("H37: who may sign", () => {
  test("is each person once, however many groups they are in", () => {
    expect(signersFor(shop, ["olivia", "responders"], nobody, during)).toEqual(["dana", "olivia", "rashid"]);
  });

  test("is neither the requester nor who has just edited the rules, also not as a delegate or a member", () => {
    const excluded = { requestedBy: "dana", recentEditors: ["rashid"] };
    expect(signersFor(shop, ["olivia", "responders"], excluded, during)).toEqual(["olivia"]);
  });

  test("is no delegate of the requester either", () => {
    const excluded = { requestedBy: "olivia", recentEditors: [] };
    expect(signersFor(shop, ["olivia", "responders"], excluded, during)).toEqual(["rashid"]);
    expect(speaksFor(shop, "dana", ["olivia", "responders"], during, excluded)).toEqual([]);
    expect(speaksFor(shop, "dana", ["olivia"], during)).toEqual(["olivia"]);
  });

  test("is nobody for an owner who has left", () => {
    expect(signersFor(shop, ["former"], nobody, during)).toEqual([]);
  });
});

test("H37: whoever has left, and has no key any more, is none of those who can sign, and is named", () => {
  const keys = [{ kty: "OKP" as const, crv: "Ed25519" as const, x: "A".repeat(43) }];
  const olivia = { ...person(), keys } as Owner;
  const left = estate({ olivia, dana: person(), payments: team("olivia", "dana") });
  const signers = signersFor(left, ["payments"], nobody, during);
  expect(withKeys(left, [...signers, "former"])).toEqual({ able: ["olivia"], keyless: ["dana", "former"] });
});

describe("whoever is told", () => {
  const mail = (name: string, ...delegates: string[]): Owner => ({
    ...(person(...delegates) as Extract<Owner, { kind: "person" }>),
    email: `${name}@shop.example`,
  });
  const told = estate({
    ada: mail("ada", "bo"),
    bo: mail("bo"),
    cy: mail("cy"),
    payments: team("ada", "gone"),
    ledger: { kind: "team", members: ["cy"], email: "ledger@shop.example" },
  });

  test("is everybody who may sign, or a team at its own address", () => {
    expect(toldFor(told, "payments", during)).toEqual(["ada@shop.example", "bo@shop.example"]);
    expect(toldFor(told, "ledger", during)).toEqual(["ledger@shop.example"]);
    expect(toldFor(told, "cy", during)).toEqual(["cy@shop.example"]);
    expect(["nobody", "toString"].flatMap((name) => toldFor(told, name, during))).toEqual([]);
  });

  test("is a responder of any policy where nobody answers", () => {
    expect(respondersOf(told, during)).toEqual([]);
    const policies = { quick: { responders: ["cy", "ledger"] }, slow: { responders: ["bo"] } };
    const named = { ...told, policies: policies as unknown as Estate["policies"] };
    expect(respondersOf(named, during)).toEqual(["bo@shop.example", "cy@shop.example"]);
  });
});
