/** From plain values to an estate: defaults, shapes by kind, and every error at once in words. */
import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { z } from "zod";
import { parseEstate } from "../../../domain/estate/parse.js";
import type { estateSchema } from "../../../domain/estate/schema.js";
import type { Estate, Policy } from "../../../domain/estate/types.js";
import { codesOf, credential, issuesOf, kinds, sound } from "./fixtures.js";

function parsed(raw: unknown): Estate {
  const result = parseEstate(raw, kinds);
  if (!result.ok) throw new Error(JSON.stringify(result.issues, null, 2));
  return result.estate;
}

function only(raw: unknown) {
  const result = parseEstate(raw, kinds);
  expect(result.ok ? [] : result.issues).toHaveLength(1);
  return result.ok ? undefined : result.issues[0];
}

describe("a sound estate", () => {
  it("gets every default of a policy", () => {
    const expected: Policy = {
      freezes: [],
      approval: {
        quorum: 1,
        from: "owner",
        deadlineMs: 259_200_000,
        reminderMs: 86_400_000,
        validForMs: 1_209_600_000,
      },
      quietPeriodMs: 3_600_000,
      adoptionSoakMs: 900_000,
      disableSoakMs: 86_400_000,
      adoptionTimeoutMs: 7_200_000,
      drainTimeoutMs: 604_800_000,
      observationMaxAgeMs: 300_000,
      stallTimeoutMs: 900_000,
      retryDelayMs: 10_000,
      unmappedReaders: "refuse",
      containment: "after-adoption",
      containmentDeadlineMs: 3_600_000,
      responders: [],
      signOffDeadlineMs: 86_400_000,
      overlapMaxMs: 2_592_000_000,
      cooldownMs: 86_400_000,
    };
    expect(parsed(sound()).policies.calm).toEqual(expected);
  });

  it("becomes plain data with units in its names", () => {
    const raw = sound();
    raw.policies.calm = { interval: "30d", window: { days: ["mon"], from: "22:00", to: "04:00" } };
    raw.consumers.web = {
      owner: "shop",
      observe: [{ kind: "probe", url: "env:WEB_URL", timeout: "1s" }],
      deliver: { kind: "person" },
      match: {
        applicationName: ["web"],
        address: ["10.0.0.0/8", "2001:db8::1"],
        host: ["local", "db_1.example.com", "*.example.com"],
      },
      maxPoolLife: "30m",
      canary: true,
    };
    raw.credentials.orders = credential({
      consumers: [
        { consumer: "web", isolation: "pinned", place: { path: "orders-web" }, cadence: "1m", wave: 1 },
        "jobs",
      ],
    });
    const estate = parsed(raw);
    expect(estate.policies.calm).toMatchObject({
      intervalMs: 2_592_000_000,
      window: { days: ["mon"], from: "22:00", to: "04:00", timezone: "UTC" },
    });
    expect(estate.consumers.web).toEqual({
      owner: "shop",
      observe: [{ kind: "probe", url: "env:WEB_URL", timeout: 1_000 }],
      deliver: { kind: "person" },
      match: {
        applicationName: ["web"],
        address: ["10.0.0.0/8", "2001:db8::1"],
        host: ["local", "db_1.example.com", "*.example.com"],
      },
      maxPoolLifeMs: 1_800_000,
      reversible: true,
      canary: true,
    });
    const place = { path: "orders-web", field: "password" };
    expect(estate.credentials.orders).toEqual({
      ...credential({}),
      place: { path: "orders", field: "password" },
      consumers: [
        { consumer: "web", isolation: "pinned", place, cadenceMs: 60_000, wave: 1 },
        { consumer: "jobs", isolation: "shared" },
      ],
    });
    expect(estate.issuers.books).toEqual({ kind: "ledger", host: "books.example.com", port: 7000 });
    expect(estate).toEqual(JSON.parse(JSON.stringify(estate)));
  });

  it("has keys in one form, times in UTC, and may be empty", () => {
    const raw = sound();
    const x = "a".repeat(42).concat("A");
    raw.owners.ada = {
      kind: "person",
      email: "ada@example.com",
      keys: [`ed25519:${x}`, { kty: "OKP", crv: "Ed25519", x: `${"c".repeat(42)}A`, kid: "laptop" }],
      delegates: [{ to: "bob", from: "2027-01-01", until: "2027-01-05T08:00:00+02:00" }],
    };
    expect(parsed(raw).owners.ada).toMatchObject({
      keys: [
        { kty: "OKP", crv: "Ed25519", x },
        { kty: "OKP", crv: "Ed25519", x: `${"c".repeat(42)}A`, kid: "laptop" },
      ],
      delegates: [{ to: "bob", from: "2027-01-01T00:00:00.000Z", until: "2027-01-05T06:00:00.000Z" }],
    });
    expect(Object.keys(parsed({ version: 1, installation: "new" }).credentials)).toEqual([]);
  });

  it("fits the types that workflows import", () => {
    expectTypeOf<z.output<ReturnType<typeof estateSchema>>>().toExtend<Estate>();
  });

  it("may use the names that every object has", () => {
    const raw = sound();
    raw.policies = { calm: {}, constructor: {} };
    raw.credentials.orders = credential({ policy: "constructor" });
    expect(issuesOf(raw)).toEqual([]);
    raw.credentials.orders = credential({ policy: "valueof" });
    expect(codesOf(raw)).toEqual(["unknown-reference credentials.orders.policy"]);
  });
});

describe("what is wrong", () => {
  it("is told all at once, in every section, with shapes and references", () => {
    const raw = sound();
    raw.version = 2;
    raw.policies.calm = { quietPeriod: 30, approvals: {} };
    raw.issuers.books = { kind: "legder", host: "x" };
    raw.stores.desk = {
      kind: "drawer",
      address: "https://desk.example.com",
      auth: { method: "bagde", badge: "1" },
    };
    raw.consumers.jobs = { owner: "adda", observe: [{ kind: "person", aks: "ada" }] };
    raw.credentials.orders = credential({
      place: { path: "o", colour: "red" },
      purpose: undefined,
      policy: "clam",
    });
    (raw as Record<string, unknown>).extra = 1;
    expect(codesOf(raw)).toEqual([
      "wrong-value version",
      "unknown-kind stores.desk.auth.method",
      "unknown-kind issuers.books.kind",
      "wrong-type policies.calm.quietPeriod",
      "unknown-field policies.calm.approvals",
      "unknown-field consumers.jobs.observe.0.aks",
      "missing credentials.orders.purpose",
      "unknown-field extra",
      "wrong-value credentials.orders.place.path",
      "unknown-field credentials.orders.place.colour",
      "unknown-reference consumers.jobs.owner",
      "unknown-reference credentials.orders.policy",
    ]);
  });

  it("names what was expected, found and probably meant", () => {
    const raw = sound();
    raw.issuers.books = { kind: "legder", host: "x" };
    expect(only(raw)).toEqual({
      path: ["issuers", "books", "kind"],
      at: "value",
      code: "unknown-kind",
      message: "there is no such kind here",
      expected: "ledger or kiosk",
      found: '"legder"',
      hint: 'did you mean "ledger"?',
      secret: false,
    });
  });

  it("is found in every kind of section, also where no kind is registered", () => {
    const raw = sound();
    raw.notifiers = { pager: { kind: "bell" } };
    const without = parseEstate(raw, { ...kinds, notifiers: {} });
    expect(without.ok ? [] : without.issues).toMatchObject([
      { path: ["notifiers", "pager"], expected: "no entry: no kind is registered for this section" },
    ]);
  });

  it("is one report for a reference to an entry that is itself wrong", () => {
    const raw = sound();
    raw.policies.calm = { quietPeriod: "soon" };
    expect(codesOf(raw)).toEqual(["wrong-value policies.calm.quietPeriod"]);
  });
});

describe("I6: what may be a secret", () => {
  const value = "correct-horse";
  const hide = (raw: unknown) => expect(JSON.stringify(parseEstate(raw, kinds))).not.toContain(value);

  it("is not repeated where a reference was expected", () => {
    const raw = sound();
    raw.issuers.books = { kind: "ledger", host: "h", password: value };
    raw.stores.desk = {
      kind: "drawer",
      address: "https://a.example.com",
      auth: { method: "token", token: 12345678 },
    };
    raw.consumers.web = { owner: "shop", observe: [{ kind: "probe", url: value }] };
    const result = parseEstate(raw, kinds);
    expect(result.ok ? [] : result.issues).toMatchObject([
      { code: "not-a-reference", found: "a number", secret: true, path: ["stores", "desk", "auth", "token"] },
      { code: "not-a-reference", found: "text", secret: true, path: ["issuers", "books", "password"] },
      {
        code: "not-a-reference",
        found: "text",
        secret: true,
        path: ["consumers", "web", "observe", 0, "url"],
      },
    ]);
    hide(raw);
    expect(JSON.stringify(result)).not.toContain("12345678");
  });

  it("is not repeated under a name that tells, or when it is long or of several lines", () => {
    const raw = sound();
    raw.policies.calm = { token: value, quietPeriod: `${value}\n`, drainTimeout: value.repeat(9) };
    raw.consumers.web = {
      owner: "shop",
      observe: [{ kind: "probe", url: "https://w.example.com", timeout: value.repeat(5) }],
    };
    hide(raw);
    raw.credentials.orders = credential({ account: { login: { password: value } } });
    hide(raw);
  });

  it("is not repeated as the name of a field", () => {
    const raw = sound();
    const name = ["ghp_", "abcdefghijklmnopqrstuvwxyz0123456789"].join("");
    raw.policies.calm = { [name]: 1 };
    expect(issuesOf(raw)).toEqual([`unknown-field policies.calm.${name}: this is not a field here`]);
  });
});

describe("anything at all", () => {
  it("is parsed without an exception, and every path leads into what was given", () => {
    const text = fc.oneof(fc.constantFrom("person", "team", "ledger", "owner", "calm", "1h"), fc.string());
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        text,
        fc.integer(),
        fc.constant(null),
        fc.boolean(),
        tie("list"),
        tie("map"),
      ),
      list: fc.array(tie("any"), { maxLength: 3 }),
      map: fc.dictionary(
        fc.constantFrom(
          "kind",
          "members",
          "consumers",
          "place",
          "account",
          "policy",
          "approval",
          "from",
          "__proto__",
          "observe",
        ),
        tie("any"),
      ),
    })).any;
    const sections = [
      "version",
      "installation",
      "owners",
      "stores",
      "issuers",
      "policies",
      "consumers",
      "credentials",
      "x",
    ];
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom(...sections),
          fc.oneof(value, fc.dictionary(fc.constantFrom("a", "b"), value)),
        ),
        (raw) => {
          const result = parseEstate(raw, kinds);
          if (!result.ok) expect(result.issues.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 300 },
    );
    fc.assert(fc.property(fc.anything(), (raw) => !parseEstate(raw, kinds).ok));
  });
});
