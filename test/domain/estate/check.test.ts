/** What entries may not say of one another; each rule by the hazard that it keeps away. */
import { describe, expect, it } from "vitest";
import { parseEstate } from "../../../domain/estate/parse.js";
import { codesOf, credential, issuesOf, kinds, sound } from "./fixtures.js";

const person = (name: string, changes: object = {}) => ({
  kind: "person",
  email: `${name}@example.com`,
  ...changes,
});
const observe = [{ kind: "person" }];

describe("references", () => {
  it("lead somewhere, in every place that has one", () => {
    const raw = sound();
    raw.owners.shop = { kind: "team", members: ["ada", "bobb"] };
    raw.owners.cem = person("cem", {
      manager: "nobody",
      delegates: [{ to: "ghost", from: "2027-01-01", until: "2027-01-02" }],
    });
    raw.stores.desk = { kind: "drawer", address: "https://desk.example.com", engineCredential: "root" };
    raw.issuers.books = { kind: "ledger", host: "h", engineCredential: "ordres" };
    raw.policies.calm = { approval: { from: ["shop", "sohp"] }, responders: ["ada", "add"] };
    raw.consumers.jobs = { owner: "zoe", observe };
    raw.credentials.orders = credential({
      issuer: "b",
      store: "d",
      owner: "o",
      policy: "p",
      consumers: ["wep", { consumer: "job" }],
      exceptions: [
        { finding: "unmapped-reader", about: "psql", owner: "nobody", reason: "Known.", until: "2027-01-01" },
      ],
    });
    expect(issuesOf(raw)).toEqual([
      "unknown-reference owners.shop.members.1: there is no owner of this name",
      "unknown-reference owners.cem.manager: there is no owner of this name",
      "unknown-reference owners.cem.delegates.0.to: there is no owner of this name",
      "unknown-reference issuers.books.engineCredential: there is no credential of this name",
      "unknown-reference stores.desk.engineCredential: there is no credential of this name",
      "unknown-reference policies.calm.approval.from.1: there is no owner of this name",
      "unknown-reference policies.calm.responders.1: there is no owner of this name",
      "unknown-reference consumers.jobs.owner: there is no owner of this name",
      "unknown-reference credentials.orders.issuer: there is no issuer of this name",
      "unknown-reference credentials.orders.store: there is no store of this name",
      "unknown-reference credentials.orders.owner: there is no owner of this name",
      "unknown-reference credentials.orders.policy: there is no policy of this name",
      "unknown-reference credentials.orders.exceptions.0.owner: there is no owner of this name",
      "unknown-reference credentials.orders.consumers.0: there is no consumer of this name",
      "unknown-reference credentials.orders.consumers.1.consumer: there is no consumer of this name",
    ]);
  });

  it("come with the known names and the likely one", () => {
    const raw = sound();
    raw.policies = {};
    raw.credentials.orders = credential({ store: "dessk" });
    const result = parseEstate(raw, kinds);
    expect(result.ok ? [] : result.issues).toMatchObject([
      { expected: "desk", found: '"dessk"', hint: 'did you mean "desk"?' },
      { expected: "a name from `policies`, which is empty", found: '"calm"', hint: "add it to `policies`" },
    ]);
    raw.policies = Object.fromEntries(Array.from({ length: 28 }, (_, i) => [`p${i}`, {}]));
    const many = parseEstate(raw, kinds);
    expect(many.ok ? "" : many.issues[1]?.expected).toMatch(/^p0, p1, .*, p19 and 8 more$/);
  });

  it("are compared in time when thousands are wrong", () => {
    const raw = sound();
    raw.consumers = Object.fromEntries(
      Array.from({ length: 2_000 }, (_, i) => [`consumer-${i}`, { owner: `x${i}`, observe }]),
    );
    raw.owners = Object.fromEntries(
      Array.from({ length: 2_000 }, (_, i) => [`person-${i}`, person(`p${i}`)]),
    );
    raw.credentials = {};
    expect(issuesOf(raw)).toHaveLength(2_000);
  });
});

describe("people", () => {
  it("H37: are persons where a person is needed", () => {
    const raw = sound();
    raw.owners.both = { kind: "team", members: ["shop", "ada"] };
    raw.owners.cem = person("cem", { manager: "shop" });
    expect(codesOf(raw)).toEqual(["not-a-person owners.both.members.0", "not-a-person owners.cem.manager"]);
  });

  it("H37: are one entry each, so that nobody counts twice", () => {
    const raw = sound();
    const key = `ed25519:${"z".repeat(42)}A`;
    raw.owners.cem = person("ADA", { subject: "s-1", keys: [key, key] });
    raw.owners.dee = person("dee", { subject: "s-1", keys: [`ed25519:${"a".repeat(42)}A`] });
    raw.owners.shop = { kind: "team", members: ["ada", "bob", "ada"] };
    expect(issuesOf(raw)).toEqual([
      'same-person owners.cem.email: "ada" has the same email',
      "same-person owners.cem.keys.1: this key is listed twice",
      'same-person owners.dee.subject: "cem" has the same subject',
      'same-person owners.dee.keys.0: "ada" has the same key',
      'duplicate-member owners.shop.members.2: "ada" is a member twice',
    ]);
  });

  it("H37: can give as many signatures as the policy asks for", () => {
    const raw = sound();
    raw.policies.calm = { approval: { quorum: 3 } };
    raw.policies.strict = { approval: { quorum: 2, from: ["ada", "shop", "cem"] } };
    raw.policies.board = { approval: { quorum: 3, from: ["ada", "shop", "cem"] } };
    raw.policies.trusting = { approval: { quorum: 0 } };
    raw.owners.cem = person("cem");
    const place = (name: string) => ({ account: { login: name }, place: { path: name } });
    raw.credentials.a = credential({ policy: "strict", ...place("aa") });
    raw.credentials.b = credential({ policy: "board", ...place("bb") });
    raw.credentials.c = credential({ policy: "board", ...place("cc") });
    raw.credentials.d = credential({ policy: "trusting", owner: "cem", ...place("dd") });
    expect(issuesOf(raw)).toEqual([
      'quorum-out-of-reach credentials.orders.owner: policy "calm" needs 3 signatures and "shop" can give 2',
      'quorum-out-of-reach policies.board.approval.quorum: policy "board" needs 3 signatures and those it is asked from can give 2',
    ]);
    raw.credentials = { e: credential({ policy: "one", owner: "cem" }) };
    raw.policies.one = {};
    expect(issuesOf(raw)).toEqual([
      'quorum-out-of-reach credentials.e.owner: policy "one" needs 1 signature and "cem" can give 0',
    ]);
  });

  it("are not counted where one of them is not known", () => {
    const raw = sound();
    raw.owners.shop = { kind: "team", members: ["ada", "ghost"] };
    raw.policies.calm = { approval: { quorum: 2 } };
    expect(codesOf(raw)).toEqual(["unknown-reference owners.shop.members.1"]);
  });

  it("H37: do not stand in for each other in a ring at the same time", () => {
    const raw = sound();
    const stand = (to: string, from: string, until: string) => ({ to, from, until });
    raw.owners.cem = person("cem", { delegates: [stand("dee", "2027-07-01", "2027-07-15")] });
    raw.owners.dee = person("dee", { delegates: [stand("cem", "2027-08-01", "2027-08-15")] });
    expect(issuesOf(raw)).toEqual([]);
    raw.owners.dee = person("dee", {
      delegates: [stand("ada", "2027-06-01", "2027-06-02"), stand("cem", "2027-07-10", "2027-08-15")],
    });
    raw.owners.eve = person("eve", {
      delegates: [stand("eve", "2027-07-12", "2027-07-11"), stand("bob", "2027-07-14", "2027-07-20")],
    });
    expect(issuesOf(raw)).toEqual([
      "empty-period owners.eve.delegates.0.until: it ends before it begins",
      "delegate-cycle owners.cem.delegates.0.to: at the same time these stand in for each other: cem → dee → cem",
    ]);
  });

  it("have managers that lead to somebody", () => {
    const raw = sound();
    raw.owners.cem = person("cem", { manager: "dee" });
    raw.owners.dee = person("dee", { manager: "eve" });
    raw.owners.eve = person("eve", { manager: "dee" });
    expect(issuesOf(raw)).toEqual([
      "manager-cycle owners.dee.manager: managers lead back to where they began: dee → eve → dee",
    ]);
  });
});

describe("policies", () => {
  it("have times that can be kept", () => {
    const raw = sound();
    raw.credentials = {};
    raw.policies.calm = {
      interval: "1h",
      window: { days: ["mon"], from: "10:00", to: "10:00" },
      freezes: [{ from: "2027-01-02", until: "2027-01-01", reason: "holidays" }],
      approval: { deadline: "1d", reminder: "1d", validFor: "1h" },
      adoptionSoak: "2h",
      adoptionTimeout: "1h",
      quietPeriod: "3d",
      drainTimeout: "2d",
      overlapMax: "1d",
    };
    expect(issuesOf(raw)).toEqual([
      "empty-period policies.calm.freezes.0.until: it ends before it begins",
      "empty-window policies.calm.window.to: the window closes when it opens",
      "contradicting-times policies.calm.approval.reminder: the first reminder would come after the deadline",
      "contradicting-times policies.calm.approval.validFor: the first signature could expire before the last is due",
      "contradicting-times policies.calm.adoptionSoak: the soak is not over before `adoptionTimeout`",
      "contradicting-times policies.calm.quietPeriod: it is not over before `drainTimeout`",
      "contradicting-times policies.calm.overlapMax: soak and quiet period together take longer, so no rotation could finish",
      "contradicting-times policies.calm.interval: a rotation takes longer than this, so the next would be due before it ends",
    ]);
  });
});

describe("edges", () => {
  const edges = (raw: ReturnType<typeof sound>, ...consumers: unknown[]) => {
    raw.credentials.orders = credential({ consumers });
    return issuesOf(raw);
  };
  const pinned = (consumer: string, more: object = {}) => ({
    consumer,
    isolation: "pinned",
    place: { path: `own-${consumer}` },
    ...more,
  });

  it("H1: of one place are one wave", () => {
    const raw = sound();
    raw.consumers.mail = { owner: "ada", observe };
    const one = { consumer: "web", wave: 1 };
    expect(edges(raw, one, { consumer: "jobs", wave: 1 }, "mail")).toEqual([]);
    expect(edges(raw, one, { consumer: "jobs", wave: 2 }, pinned("mail", { wave: 3 }))).toEqual([
      'split-wave credentials.orders.consumers.1.wave: "web" reads the same place in wave 1, and both move when it changes',
    ]);
  });

  it("H1: are canaries only when pinned, and pinned only with a place of their own", () => {
    const raw = sound();
    raw.consumers.web = { owner: "shop", observe, canary: true };
    expect(edges(raw, "web")).toEqual([]);
    expect(edges(raw, pinned("web"), "jobs")).toEqual([]);
    expect(edges(raw, "web", "jobs")).toEqual([
      'canary-not-pinned credentials.orders.consumers.0.consumer: "web" is a canary and moves together with everybody on its path',
    ]);
    expect(
      edges(raw, { consumer: "web", isolation: "pinned" }, { consumer: "jobs", place: { path: "own" } }),
    ).toEqual([
      'pinned-without-place credentials.orders.consumers.0.isolation: "web" is pinned and has no place of its own, so it cannot be moved alone',
      'shared-with-place credentials.orders.consumers.1.place: "jobs" is shared and reads the credential\'s place, not one of its own',
    ]);
  });

  it("H29: that cannot go back go last", () => {
    const raw = sound();
    raw.consumers.web = { owner: "shop", observe, reversible: false };
    expect(edges(raw, pinned("web", { wave: 1 }), { consumer: "jobs", wave: 2 })).toEqual([
      'irreversible-early credentials.orders.consumers.0.wave: "web" cannot be moved back and moves before wave 2, in which others still can',
    ]);
    expect(edges(raw, pinned("web", { wave: 2 }), { consumer: "jobs", wave: 2 })).toEqual([]);
    expect(edges(raw, pinned("web", { wave: 1, reversible: true }), { consumer: "jobs", wave: 2 })).toEqual(
      [],
    );
  });

  it("name a consumer once", () => {
    expect(edges(sound(), "web", { consumer: "web" })).toEqual([
      'duplicate-consumer credentials.orders.consumers.1.consumer: "web" is listed twice',
    ]);
  });

  it("H21: lead to consumers whose sessions can be told apart", () => {
    const raw = sound();
    const match = (applicationName: string[], address: string[] = [], host: string[] = []) => ({
      owner: "ada",
      observe,
      match: { applicationName, address, host },
    });
    raw.consumers.web = match(["shop", "web"]);
    raw.consumers.jobs = match(["shop"]);
    expect(edges(raw, "web", "jobs")).toEqual([
      'ambiguous-match consumers.jobs.match: sessions of "jobs" and of "web" look the same at a credential that both use',
    ]);
    raw.consumers.web = match(["shop"], ["10.0.0.1"]);
    raw.consumers.jobs = match(["shop"], ["10.0.0.2"]);
    expect(edges(raw, "web", "jobs")).toEqual([]);
    raw.consumers.jobs = match(["shop"], [], ["local"]);
    expect(edges(raw, "web", "jobs")).toEqual([]);
    raw.consumers.web = match(["shop"], ["10.0.0.1"], ["local"]);
    expect(edges(raw, "web", "jobs")).toHaveLength(1);
  });

  it("H22: fall silent within the time that the policy waits", () => {
    const raw = sound();
    raw.consumers.jobs = { owner: "ada", observe, cadence: "31d", maxPoolLife: "1h" };
    expect(edges(raw, "web", "jobs")).toEqual([
      'never-quiet credentials.orders.policy: "jobs" may be silent for 31d and policy "calm" waits 7d for quiet',
    ]);
    expect(edges(raw, "web", { consumer: "jobs", cadence: "1d" })).toEqual([]);
    raw.policies.calm = { drainTimeout: "40d", overlapMax: "60d" };
    expect(edges(raw, "web", "jobs")).toEqual([]);
  });
});

describe("roles", () => {
  it("H28: are those that the issuer's kind declares", () => {
    const raw = sound();
    raw.issuers.seals = { kind: "kiosk" };
    raw.credentials.orders = credential({
      issuer: "seals",
      account: { slot: 1 },
      consumers: [
        { consumer: "web", role: "checker" },
        { consumer: "jobs", role: "maker" },
      ],
    });
    expect(issuesOf(raw)).toEqual([
      'unknown-role credentials.orders.consumers.1.role: the kind kiosk has no role "maker"',
    ]);
    raw.credentials.orders = credential({ consumers: [{ consumer: "web", role: "checker" }] });
    expect(codesOf(raw)).toEqual(["unknown-role credentials.orders.consumers.0.role"]);
  });
});

describe("places", () => {
  it("H18: hold one credential each, as do accounts", () => {
    const raw = sound();
    raw.stores.twin = { kind: "drawer", address: "https://desk.example.com" };
    raw.issuers.twin = { kind: "ledger", host: "books.example.com" };
    raw.credentials.copy = credential({
      store: "twin",
      issuer: "twin",
      place: { path: "orders", field: "other" },
    });
    raw.credentials.third = credential({
      account: { login: "third" },
      place: { path: "third" },
      consumers: [{ consumer: "web", isolation: "pinned", place: { path: "orders" } }],
    });
    expect(issuesOf(raw)).toEqual([
      'same-account credentials.copy.account: "orders" has the same account at the issuer, and two writers would undo each other',
      'same-place credentials.copy.place: "orders" has the same place in the store, and two writers would undo each other',
      'same-place credentials.third.consumers.0.place: "orders" has the same place in the store, and two writers would undo each other',
    ]);
  });

  it("are not compared where the issuer or the store is itself wrong", () => {
    const raw = sound();
    raw.credentials.copy = credential({});
    raw.stores.desk = { kind: "drawer", address: "desk" };
    raw.issuers.books = { kind: "ledger" };
    expect(codesOf(raw)).toEqual(["wrong-value stores.desk.address", "missing issuers.books.host"]);
  });
});

describe("the engine's own credentials", () => {
  const estate = (issuer: object, store: object, more: Record<string, unknown> = {}) => {
    const raw = sound();
    raw.issuers.books = { kind: "ledger", host: "books.example.com", ...issuer };
    raw.stores.desk = { kind: "drawer", address: "https://desk.example.com", ...store };
    Object.assign(raw.credentials, more);
    return raw;
  };

  it("H15: may replace themselves where two versions work at once", () => {
    expect(issuesOf(estate({ engineCredential: "orders" }, {}))).toEqual([]);
    const kiosk = estate({}, {});
    kiosk.issuers.slot = { kind: "kiosk", engineCredential: "orders" };
    kiosk.credentials.orders = credential({ issuer: "slot", account: { slot: 1 } });
    expect(issuesOf(kiosk)).toEqual([
      "engine-cycle credentials.orders: rotating it needs itself: orders → orders",
    ]);
  });

  it("H26: are not needed for their own rotation", () => {
    expect(issuesOf(estate({}, { engineCredential: "orders" }))).toEqual([
      "engine-cycle credentials.orders: rotating it needs itself: orders → orders",
    ]);
    const ring = estate({ engineCredential: "other" }, {});
    ring.issuers.second = { kind: "ledger", host: "second.example.com", engineCredential: "orders" };
    ring.credentials.other = credential({
      issuer: "second",
      account: { login: "other" },
      place: { path: "other" },
    });
    expect(issuesOf(ring)).toEqual([
      "engine-cycle credentials.orders: rotating it needs itself: orders → other → orders",
    ]);
    ring.credentials.other = credential({ issuer: "third", place: { path: "other" } });
    expect(codesOf(ring)).toEqual(["unknown-reference credentials.other.issuer"]);
  });
});
