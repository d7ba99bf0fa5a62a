/** A value leaves the one type that holds it only when somebody asks for it by name. */
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Secret } from "../../domain/secret.js";

const value = ["hunter2", "canary"].join("-");

const waysOut: Readonly<Record<string, (secret: Secret) => unknown>> = {
  "String()": (secret) => String(secret),
  "toString()": (secret) => secret.toString(),
  "a template": (secret) => `${secret}`,
  concatenation: (secret) => `x${secret as unknown as string}`,
  Number: (secret) => String(Number(secret)),
  JSON: (secret) => JSON.stringify(secret),
  "JSON, inside something": (secret) => JSON.stringify({ deep: [{ secret }] }),
  inspect: (secret) => inspect(secret, { showHidden: true, depth: null, getters: true, customInspect: true }),
  "inspect without its hook": (secret) =>
    inspect(secret, { showHidden: true, depth: null, customInspect: false }),
  "inspect, inside something": (secret) => inspect({ deep: new Map([["k", [secret]]]) }, { depth: null }),
  spread: (secret) => inspect({ ...secret }, { showHidden: true }),
  keys: (secret) => JSON.stringify([Reflect.ownKeys(secret), Object.entries(secret)]),
  assign: (secret) => JSON.stringify(Object.assign({}, secret)),
  structuredClone: (secret) => inspect(structuredClone(secret), { showHidden: true, customInspect: false }),
  "an Error's text": (secret) => new Error(String(secret)).stack,
  "an Error's cause": (secret) => inspect(new Error("no", { cause: secret }), { depth: null }),
  "a property of an Error": (secret) => inspect(Object.assign(new Error("no"), { secret }), { depth: null }),
};

describe("I6: a secret is never printed", () => {
  test.each(Object.entries(waysOut))("by %s", (_way, out) => {
    const said = out(new Secret(value));
    expect(typeof said).toBe("string");
    expect(said).not.toContain("hunter2");
  });

  test("it says that it is one, where something is printed in its place", () => {
    const secret = new Secret(value);
    const said = [`${secret}`, String(secret), inspect(secret), JSON.parse(JSON.stringify(secret))];
    expect(said).toEqual(Array(4).fill("[secret]"));
  });

  test("a failed comparison in the standard library does not print it either", async () => {
    const { AssertionError } = await import("node:assert");
    const failed = new AssertionError({
      actual: new Secret(value),
      expected: new Secret("x"),
      operator: "strictEqual",
    });
    expect(inspect(failed, { depth: null })).not.toContain("hunter2");
  });
});

describe("a secret", () => {
  test("is revealed when asked, until it is cleared, and loudly refused afterwards", () => {
    const secret = new Secret(value);
    expect(secret.reveal()).toBe(value);
    secret.clear();
    expect(() => secret.reveal()).toThrow("the secret was cleared and is used again");
    expect(() => secret.equals(new Secret(value))).toThrow("cleared");
    expect(() => new Secret(value).equals(secret)).toThrow("cleared");
    expect(`${secret}`).toBe("[secret]");
  });

  test("overwrites its own bytes when it is cleared, and those only", () => {
    const bytes = new TextEncoder().encode(value);
    const secret = Secret.fromBytes(bytes);
    const copy = secret.copy();
    secret.clear();
    secret.clear();
    expect([...bytes].every((byte) => byte === 0)).toBe(true);
    expect(copy.reveal()).toBe(value);
    expect(() => secret.copy()).toThrow("cleared");
  });

  test("is cleared at the end of its block, also when that throws", () => {
    const seen: Secret[] = [];
    expect(() => {
      using secret = new Secret(value);
      seen.push(secret);
      throw new Error("no");
    }).toThrow("no");
    expect(() => seen[0]?.reveal()).toThrow("cleared");
  });

  test("gives back every text as it was, also what begins with a byte order mark", () => {
    for (const text of ["", "\uFEFFx", "pässwörd 🔑", "\0\n"]) expect(new Secret(text).reveal()).toBe(text);
  });

  test("equals what holds the same text and nothing else", () => {
    const near = fc
      .tuple(fc.string(), fc.string())
      .chain(([a, b]) => fc.constantFrom([a, a], [a, b], [a, a + b]));
    fc.assert(
      fc.property(near, ([a = "", b = ""]) => {
        expect(new Secret(a).equals(new Secret(b))).toBe(a === b);
      }),
    );
    expect(new Secret("a").equals(new Secret("a\0"))).toBe(false);
  });
});
