/** After a change of the estate, a look at what it touched leaves the records as a look at everything would. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Claim, Thing } from "../../domain/discovery/said.js";
import type { Consumer, Credential, Estate } from "../../domain/estate/types.js";
import { bringFindings } from "../../inventory/finding-keep.js";
import { at, dayMs, house, seen, shapes } from "./findings-house.js";
import { policy, sampleEstate, t0 } from "./world.js";

const base = sampleEstate();
const { checkout, reports } = base.consumers;
const { "orders-db": orders, "billing-db": billing } = base.credentials;
if (!checkout || !reports || !orders || !billing) throw new Error("the sample has changed");

const matching = (names: readonly string[]): Consumer["match"] => ({
  ...checkout.match,
  applicationName: names,
});
const consumer = fc.record({
  owner: fc.constantFrom("payments", "ann", ""),
  purpose: fc.constantFrom(undefined, "It serves."),
  cadenceMs: fc.constantFrom(undefined, 30 * dayMs),
  match: fc.subarray(["a", "b"]).map(matching),
});
const credential = fc.record({
  owner: fc.constantFrom("payments", "bob"),
  policy: fc.constantFrom("standard", "strict"),
  store: fc.constantFrom("secrets", "vault"),
  issuer: fc.constantFrom("main-db", "other-db"),
  consumers: fc.subarray(["checkout", "reports", "third"]),
  isExcepted: fc.boolean(),
  isThere: fc.boolean(),
});
const estates = {
  ...{ checkout: consumer, reports: consumer, third: fc.option(consumer) },
  ...{ orders: credential, billing: credential },
  windowDays: fc.constantFrom(1, 35),
  unmapped: fc.constantFrom("refuse" as const, "warn" as const),
  address: fc.constantFrom("one", "two"),
};
const whole = fc.record(estates);
type Said = typeof whole extends fc.Arbitrary<infer T> ? T : never;
/** A change of one thing, or of one field of an entry: whatever else changes would hide what that one leads to. */
const step = fc
  .record({ of: whole, what: fc.constantFrom(...(Object.keys(estates) as (keyof Said)[])), field: fc.nat(6) })
  .map(({ of, what, field }) => (said: Said): Said => {
    const [before, after] = [said[what], of[what]];
    if (typeof before !== "object" || typeof after !== "object" || before === null || after === null)
      return { ...said, [what]: after };
    const names = Object.keys(after);
    const name = names[field % names.length] ?? "";
    return { ...said, [what]: { ...before, [name]: (after as Record<string, unknown>)[name] } };
  });

function changed(estate: Estate, said: Said): Estate {
  const consumers: Record<string, Consumer> = {};
  for (const name of ["checkout", "reports", "third"] as const) {
    const one = said[name];
    if (one !== null) consumers[name] = { ...checkout, ...one } as Consumer;
  }
  const credentialOf = (like: Credential, one: Said["orders"]): Credential => ({
    ...like,
    ...{ owner: one.owner, policy: one.policy, store: one.store, issuer: one.issuer },
    consumers: one.consumers
      .filter((name) => name in consumers)
      .map((name) => ({ consumer: name, isolation: "shared" as const })),
    ...(one.isExcepted
      ? {
          exceptions: [
            {
              finding: "unmapped-reader",
              owner: "payments",
              reason: "It goes.",
              until: "2026-05-01T00:00:00Z",
            },
          ],
        }
      : {}),
  });
  const rules = {
    ...policy,
    useWindowMs: said.windowDays * dayMs,
    unmappedReaders: said.unmapped,
    blindSpots: "refuse",
  };
  return {
    ...estate,
    consumers,
    stores: { ...estate.stores, vault: { kind: "fake", address: said.address } },
    issuers: { ...estate.issuers, "other-db": { kind: "fake", address: said.address } },
    policies: { standard: policy, strict: rules as typeof policy },
    credentials: {
      ...(said.orders.isThere ? { "orders-db": credentialOf(orders as Credential, said.orders) } : {}),
      ...(said.billing.isThere ? { "billing-db": credentialOf(billing as Credential, said.billing) } : {}),
    },
  };
}

const reader = (name: string): Thing => ({
  is: "reader",
  name: `psql of ${name}`,
  traits: { applicationName: name },
});
const account: Thing = { is: "account", issuer: "main-db", account: "orders" };
const place: Thing = { is: "place", store: "vault", place: { path: "billing" } };
/** Two strangers at an account, one at a place, and one who could read everything of a folder that holds a place. */
const claims: readonly Claim[] = [
  {
    record: "1",
    known: "session",
    from: reader("a"),
    type: "uses",
    to: account,
    seen,
    sentence: "It is connected.",
  },
  {
    record: "2",
    known: "session",
    from: reader("b"),
    type: "uses",
    to: account,
    seen,
    sentence: "It is connected.",
  },
  {
    record: "3",
    known: "read",
    from: reader("a"),
    type: "uses",
    to: place,
    seen,
    sentence: "It has read it.",
  },
  {
    record: "4",
    known: "potential",
    from: reader("b"),
    type: "can-read",
    to: at("deploy"),
    seen,
    sentence: "It may.",
  },
  {
    record: "5",
    known: "declared",
    from: place,
    type: "stored-in",
    to: at("deploy"),
    seen,
    sentence: "It is there.",
  },
];

type Query = (text: string) => Promise<Record<string, unknown>[]>;

/** What the records say, and nothing of when. */
async function records(sql: Query) {
  return sql(`select key, severity, state, sentence, owners, places, exception_until from rekey_inventory.findings
    where subject_type <> 'source' order by key`);
}

const plain: Said = {
  checkout: { owner: "payments", purpose: "It serves.", cadenceMs: undefined, match: matching([]) },
  reports: { owner: "payments", purpose: "It serves.", cadenceMs: undefined, match: matching([]) },
  third: null,
  orders: {
    ...{ owner: "payments", policy: "standard", store: "secrets", issuer: "main-db" },
    ...{ consumers: ["checkout", "reports"], isExcepted: false, isThere: true },
  },
  billing: {
    ...{ owner: "payments", policy: "strict", store: "vault", issuer: "main-db" },
    ...{ consumers: ["checkout"], isExcepted: false, isThere: true },
  },
  ...{ windowDays: 35, unmapped: "refuse", address: "one" },
};

/** What is found of sources: only a look at everything can tell it. */
async function ofSources(sql: Query) {
  return sql("select * from rekey_inventory.findings where subject_type = 'source' order by key");
}

it.each<[string, Partial<Said>]>([
  ["who answers for a consumer", { checkout: { ...plain.checkout, owner: "" } }],
  ["what a consumer is for", { checkout: { ...plain.checkout, purpose: undefined } }],
  ["whom a stranger at an account is taken for", { reports: { ...plain.reports, match: matching(["a"]) } }],
  ["whom a reader of a place is taken for", { reports: { ...plain.reports, match: matching(["a", "b"]) } }],
  [
    "whom a possible reader of a folder is taken for",
    { checkout: { ...plain.checkout, match: matching(["b"]) } },
  ],
  ["a policy's rule", { unmapped: "warn" }],
  ["that there is a consumer", { third: { ...plain.reports, match: matching(["b"]) } }],
  ["that a credential has left", { billing: { ...plain.billing, isThere: false } }],
  ["who answers for a credential", { orders: { ...plain.orders, owner: "bob" } }],
  ["an exception", { orders: { ...plain.orders, isExcepted: true } }],
])("a change of one thing is looked at as if everything were: %s", async (_, then) => {
  const { db, sql, apply, reading } = await house();
  await apply((estate) => changed(estate, plain));
  await reading({ claims }, t0);
  await bringFindings(db, shapes, t0);
  const before = await records(sql);
  const sources = await ofSources(sql);
  expect(sources).not.toEqual([]);
  const { scope } = await apply((estate) => changed(estate, { ...plain, ...then }), t0 + 1_000);
  expect(scope).not.toBeNull();
  await bringFindings(db, shapes, t0 + 1_000, scope);
  expect(await ofSources(sql)).toEqual(sources);
  const after = await records(sql);
  expect(after).not.toEqual(before);
  await bringFindings(db, shapes, t0 + 1_000);
  expect(await records(sql)).toEqual(after);
});

it("a look at what a change touched leaves what a look at everything would", async () => {
  const { db, sql, apply, reading } = await house();
  await apply();
  let now = t0;
  const steps = fc.array(step, { minLength: 4, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(whole, steps, fc.subarray([...claims], { minLength: 2 }), async (first, then, read) => {
      now += dayMs / 4;
      await apply((estate) => changed(estate, first), now);
      await reading({ claims: read }, now);
      await bringFindings(db, shapes, now);
      let said = first;
      for (const next of then) {
        now += dayMs / 4;
        // What time alone has changed is no change of the estate's.
        await bringFindings(db, shapes, now);
        said = next(said);
        const { scope } = await apply((estate) => changed(estate, said), now);
        expect(scope).not.toBeNull();
        await bringFindings(db, shapes, now, scope);
        const after = await records(sql);
        await bringFindings(db, shapes, now);
        expect(await records(sql)).toEqual(after);
      }
    }),
    { numRuns: 8 },
  );
});
