/** Applying an estate: what it changes, that it changes nothing twice, and what it remembers for ever (H37). */
import fc from "fast-check";
import { expect, it } from "vitest";
import { sections } from "../../domain/estate/schema.js";
import type { CredentialException, Estate } from "../../domain/estate/types.js";
import { closeRotation } from "../../inventory/close.js";
import {
  applyEstate,
  changesSince,
  entryNamed,
  entryOf,
  listEntries,
  planEstate,
} from "../../inventory/estate.js";
import { diffEstate } from "../../inventory/estate-diff.js";
import { currentEstate } from "../../inventory/estate-load.js";
import { idPrefixes } from "../../inventory/estate-write.js";
import { openRotation } from "../../inventory/open.js";
import { migratedDatabase } from "./database.js";
import { newId, openRequest, policy, sampleEstate, t0 } from "./world.js";

type Db = Awaited<ReturnType<typeof migratedDatabase>>["db"];

let applied = 0;
const apply = (db: Db, estate: Estate, more: { by?: string; now?: number; digest?: string } = {}) =>
  applyEstate(db, { estate, digest: `digest-${++applied}`, by: "ann", now: t0 + applied, newId, ...more });

const nothing = { created: [], changed: [], ended: [] };

it("says what a first estate creates, and keeps every entry under an opaque id", async () => {
  const { db } = await migratedDatabase();
  expect(await planEstate(db, sampleEstate())).toEqual((await apply(db, sampleEstate())).diff);
  expect(diffEstate(null, sampleEstate())).toEqual({
    empty: false,
    sections: {
      owners: { ...nothing, created: ["ann", "bob", "payments"] },
      stores: { ...nothing, created: ["secrets"] },
      issuers: { ...nothing, created: ["main-db"] },
      notifiers: nothing,
      sources: nothing,
      policies: { ...nothing, created: ["standard"] },
      consumers: { ...nothing, created: ["checkout", "reports"] },
      credentials: { ...nothing, created: ["billing-db", "orders-db"] },
    },
  });
  for (const section of sections) {
    for (const entry of await listEntries(db, section)) {
      expect(entry.id).toMatch(new RegExp(`^${idPrefixes[section]}_[0-9a-f]{16}$`));
      expect(entry.body).toEqual(sampleEstate()[section][entry.name]);
      expect(await entryOf(db, entry.id)).toEqual(entry);
    }
  }
});

it("says that the installation has another name, and keeps it once applied", async () => {
  const { db } = await migratedDatabase();
  const named = (installation: string): Estate => ({ ...sampleEstate(), installation });
  expect((await apply(db, named("before"))).diff.renamed).toBeUndefined();
  const renamed = { from: "before", to: "after" };
  expect(await planEstate(db, named("after"))).toMatchObject({ empty: false, renamed });
  expect((await planEstate(db, named("before"))).empty).toBe(true);
  expect((await apply(db, named("after"))).diff).toMatchObject({ empty: false, renamed });
  expect((await currentEstate(db))?.estate.installation).toBe("after");
  expect((await planEstate(db, named("after"))).empty).toBe(true);
});

it("names entries and fields that change, and ends what is left out", async () => {
  const { db } = await migratedDatabase();
  await apply(db, sampleEstate());
  const { "billing-db": _, ...credentials } = sampleEstate().credentials;
  const next: Estate = {
    ...sampleEstate(),
    stores: { secrets: { kind: "fake", region: "north" }, spare: { kind: "fake" } },
    policies: { standard: { ...policy, quietPeriodMs: 1, freezes: [] } },
    credentials,
  };
  const { diff, revision } = await apply(db, next);
  expect(diff.sections).toEqual({
    ...Object.fromEntries(sections.map((section) => [section, nothing])),
    stores: { created: ["spare"], changed: [{ name: "secrets", fields: ["region"] }], ended: [] },
    policies: { ...nothing, changed: [{ name: "standard", fields: ["quietPeriodMs"] }] },
    credentials: { ...nothing, ended: ["billing-db"] },
  });
  expect(await currentEstate(db)).toMatchObject({ number: revision, estate: next, appliedBy: "ann" });
  expect((await listEntries(db, "credentials")).map(({ name }) => name)).toEqual(["orders-db"]);
  await expect(entryNamed(db, "credentials", "billing-db")).rejects.toMatchObject({ code: "not-found" });
  const [billing] = await listEntries(db, "credentials", { ended: true });
  expect(billing).toMatchObject({ name: "billing-db", endedAt: t0 + applied });
});

it("changes nothing the second time, and answers a repeated request as the first time", async () => {
  const { db, sql } = await migratedDatabase();
  const request = { estate: sampleEstate(), digest: "d", by: "ann", now: t0, newId };
  const first = await applyEstate(db, request);
  const before = await sql("select * from rekey_inventory.entries order by id");
  // Its answer was lost, and it is asked again; whose findings it concerns is not on record.
  expect(await applyEstate(db, request)).toEqual({ ...first, scope: null });
  const later = await applyEstate(db, { ...request, now: t0 + 1 });
  expect(later).toMatchObject({ revision: first.revision, diff: { empty: true } });
  expect(await sql("select * from rekey_inventory.entries order by id")).toEqual(before);
  expect(await sql("select 1 from rekey_inventory.estate_revisions")).toHaveLength(1);
});

it("lets ten appliers at once make one revision of one digest, and one each of their own", async () => {
  const { db, sql } = await migratedDatabase();
  const estates = Array.from({ length: 10 }, (_, i) => ({
    ...sampleEstate(),
    stores: { ...sampleEstate().stores, [`store-${i % 5}`]: { kind: "fake" } },
  }));
  await Promise.all(
    estates.map((estate, i) =>
      applyEstate(db, { estate, digest: `d${i % 5}`, by: "ann", now: t0 + i, newId }),
    ),
  );
  const numbers = await sql<{ number: number }>(
    "select number from rekey_inventory.estate_revisions order by 1",
  );
  expect(numbers.map(({ number }) => number)).toEqual(numbers.map((_, i) => i + 1));
  expect(numbers.length).toBeGreaterThanOrEqual(5);
  const names = await sql(
    "select section, name from rekey_inventory.entries group by 1, 2 having count(*) > 1",
  );
  expect(names).toEqual([]);
  const current = await currentEstate(db);
  expect((await listEntries(db, "stores")).map(({ name }) => name)).toEqual(
    Object.keys(current?.estate.stores ?? {}).sort(),
  );
});

it("keeps nothing when an id cannot be made", async () => {
  const { db, sql } = await migratedDatabase();
  let made = 0;
  const failing = (prefix: string) => {
    if (++made > 5) throw new Error("no randomness");
    return newId(prefix);
  };
  const request = { estate: sampleEstate(), digest: "d", by: "ann", now: t0, newId: failing };
  await expect(applyEstate(db, request)).rejects.toThrow("no randomness");
  expect(made).toBe(6);
  expect(await sql("select 1 from rekey_inventory.entries")).toEqual([]);
  expect(await currentEstate(db)).toBeNull();
});

it("keeps an id for a name for ever, over any number of ends and returns", async () => {
  const names = ["a", "b", "c", "d"] as const;
  const estateOf = (stores: Readonly<Record<string, number>>): Estate => ({
    ...sampleEstate(),
    stores: {
      ...sampleEstate().stores,
      ...Object.fromEntries(Object.entries(stores).map(([name, size]) => [name, { kind: "fake", size }])),
    },
  });
  const oneEstate = fc.dictionary(fc.constantFrom(...names), fc.nat(2), { maxKeys: 4 });
  await fc.assert(
    fc.asyncProperty(fc.array(oneEstate, { minLength: 1, maxLength: 5 }), async (history) => {
      const { db } = await migratedDatabase();
      const ids = new Map<string, string>();
      let before: Estate | null = null;
      for (const stores of history) {
        const estate = estateOf(stores);
        const { diff } = await apply(db, estate);
        expect(diff).toEqual(diffEstate(before, estate));
        const entries = await listEntries(db, "stores", { ended: true });
        const current = entries.filter(({ endedAt }) => endedAt === null);
        expect(Object.fromEntries(current.map(({ name, body }) => [name, body]))).toEqual(estate.stores);
        for (const { name, id } of entries) {
          expect(ids.get(name) ?? id).toBe(id);
          ids.set(name, id);
        }
        expect(new Set(ids.values()).size).toBe(ids.size);
        before = estate;
      }
    }),
    { numRuns: 15 },
  );
});

it("finds every difference, in both directions, and none where there is none", () => {
  const entry = fc.record({ kind: fc.constant("fake"), size: fc.option(fc.nat(2), { nil: undefined }) });
  const stores = fc.dictionary(fc.constantFrom("a", "b", "c"), entry);
  fc.assert(
    fc.property(stores, stores, (one, two) => {
      const [before, after] = [one, two].map((part) => ({ ...sampleEstate(), stores: part }) as Estate);
      if (before === undefined || after === undefined) return;
      const there = diffEstate(before, after);
      const back = diffEstate(after, before);
      expect(there.sections.stores.created).toEqual(back.sections.stores.ended);
      expect(there.sections.stores.changed).toEqual(back.sections.stores.changed);
      expect(there.empty).toBe(back.empty);
      const names = new Set([...Object.keys(one), ...there.sections.stores.created]);
      for (const name of there.sections.stores.ended) names.delete(name);
      expect([...names].sort()).toEqual(Object.keys(two).sort());
      expect(diffEstate(before, structuredClone(before)).empty).toBe(true);
    }),
  );
});

it("H37: remembers who changed a credential's owner, its rules or the people behind them, and when", async () => {
  const { db } = await migratedDatabase();
  await apply(db, sampleEstate());
  const { id } = await entryNamed(db, "credentials", "orders-db");
  const other = await entryNamed(db, "credentials", "billing-db");
  expect(await changesSince(db, id, 0)).toEqual([]);
  const orders = sampleEstate().credentials["orders-db"];
  if (orders === undefined) throw new Error("the sample has it");

  const owned: Estate = {
    ...sampleEstate(),
    credentials: { ...sampleEstate().credentials, "orders-db": { ...orders, owner: "bob" } },
  };
  await apply(db, owned, { by: "mallory", now: t0 + 1_000 });
  const eased: Estate = {
    ...owned,
    policies: { standard: { ...policy, approval: { ...policy.approval, quorum: 0 } } },
  };
  await apply(db, eased, { by: "eve", now: t0 + 2_000 });
  const keyed: Estate = {
    ...eased,
    owners: {
      ...eased.owners,
      bob: {
        kind: "person",
        email: "bob@example.com",
        keys: [{ kty: "OKP", crv: "Ed25519", x: "eves-key" }],
        delegates: [],
      },
    },
  };
  await apply(db, keyed, { by: "eve", now: t0 + 3_000 });

  expect(await changesSince(db, id, t0)).toEqual([
    { what: "owner", previously: "payments", by: "mallory", at: t0 + 1_000 },
    { what: "policy", previously: "standard", by: "eve", at: t0 + 2_000 },
    { what: "people", previously: "bob", by: "eve", at: t0 + 3_000 },
  ]);
  expect(await changesSince(db, id, t0 + 2_000)).toHaveLength(2);
  // Bob is a member of the team that owns the other one, so his new key counts there too.
  expect((await changesSince(db, other.id, t0)).map(({ what }) => what)).toEqual(["policy", "people"]);
});

it("H37: leaving a credential out and bringing it back under another owner is a change of owner", async () => {
  const { db } = await migratedDatabase();
  await apply(db, sampleEstate());
  const { id } = await entryNamed(db, "credentials", "orders-db");
  const { "orders-db": orders, ...rest } = sampleEstate().credentials;
  if (orders === undefined) throw new Error("the sample has it");
  await apply(db, { ...sampleEstate(), credentials: rest });
  const back = { ...rest, "orders-db": { ...orders, owner: "ann" } };
  await apply(db, { ...sampleEstate(), credentials: back }, { by: "mallory" });
  expect(await changesSince(db, id, t0)).toMatchObject([
    { what: "owner", previously: "payments", by: "mallory" },
  ]);
});

it("H37: leaving a credential out, easing its policy and bringing it back is a change of its rules", async () => {
  const { db } = await migratedDatabase();
  const { "orders-db": orders, ...rest } = sampleEstate().credentials;
  if (orders === undefined) throw new Error("the sample has it");
  const eased = { standard: { ...policy, approval: { ...policy.approval, quorum: 0 } } };
  const change = { what: "policy", previously: "standard", by: "eve" };
  const ways = [
    [{ credentials: rest }, { credentials: rest, policies: eased }],
    [{ credentials: rest, policies: eased }],
  ];
  for (const [index, steps] of ways.entries()) {
    const at = t0 + index * 10_000;
    await apply(db, sampleEstate(), { now: at });
    const { id } = await entryNamed(db, "credentials", "orders-db");
    for (const more of [...steps, { policies: eased }])
      await apply(db, { ...sampleEstate(), ...more }, { by: "eve", now: at + 1 });
    expect(await changesSince(db, id, at + 1)).toMatchObject([change]);
  }
});

it("C30 H37: whoever adds, widens or extends an exception of a credential does not sign for it; one of a source lets nothing pass", async () => {
  const { db } = await migratedDatabase();
  const exception = {
    finding: "unmapped-reader",
    owner: "bob",
    reason: "It is retired.",
    until: "2027-01-31T00:00:00.000Z",
  } as const;
  const withThose = (exceptions: CredentialException[], ofSource: CredentialException[] = []): Estate => {
    const sample = sampleEstate();
    const orders = sample.credentials["orders-db"];
    if (orders === undefined) throw new Error("the sample has it");
    return {
      ...sample,
      sources: { log: { kind: "fake", owner: "bob", exceptions: ofSource } },
      credentials: { ...sample.credentials, "orders-db": { ...orders, exceptions } },
    };
  };
  await apply(db, withThose([]));
  const { id } = await entryNamed(db, "credentials", "orders-db");
  const other = await entryNamed(db, "credentials", "billing-db");
  const narrow = { ...exception, about: "psql" };
  await apply(db, withThose([narrow]), { by: "adds", now: t0 + 1_000 });
  await apply(db, withThose([exception]), { by: "widens", now: t0 + 2_000 });
  const longer = { ...exception, until: "2028-01-31T00:00:00.000Z" };
  await apply(db, withThose([longer]), { by: "extends", now: t0 + 3_000 });
  // The gate asks a credential's own exceptions alone, so these take nothing from anybody.
  await apply(db, withThose([longer], [exception]), { by: "elsewhere", now: t0 + 4_000 });
  const changes = (await changesSince(db, id, t0)).map(({ what, by }) => `${by} ${what}`);
  expect(changes).toEqual(["adds policy", "widens policy", "extends policy"]);
  expect(await changesSince(db, other.id, t0)).toEqual([]);
});

it("H37: a display name or an address is nobody's authority, and neither is a purpose", async () => {
  const { db, sql } = await migratedDatabase();
  await apply(db, sampleEstate());
  const { id } = await entryNamed(db, "credentials", "orders-db");
  const estate = structuredClone(sampleEstate()) as Estate & {
    owners: Record<string, { email?: string }>;
    credentials: Record<string, { purpose: string }>;
  };
  Object.assign(estate.owners.ann ?? {}, { email: "ann@new.example.com", name: "Ann" });
  Object.assign(estate.credentials["orders-db"] ?? {}, { purpose: "Other words." });
  expect((await apply(db, estate)).diff.empty).toBe(false);
  expect(await changesSince(db, id, 0)).toEqual([]);
  await expect(sql("delete from rekey_inventory.estate_revisions")).rejects.toThrow(/only ever added/);
});

it("H18: a credential under rotation can neither end nor move, and can once the rotation has ended", async () => {
  const { db } = await migratedDatabase();
  await apply(db, sampleEstate());
  const { id } = await entryNamed(db, "credentials", "orders-db");
  const { rotation, epoch } = await openRotation(db, openRequest(id));
  const { "orders-db": orders, ...rest } = sampleEstate().credentials;
  if (orders === undefined) throw new Error("the sample has it");
  const ended = { ...sampleEstate(), credentials: rest };
  const moved = {
    ...sampleEstate(),
    credentials: { ...rest, "orders-db": { ...orders, place: { path: "elsewhere" } } },
  };
  const refusal = { code: "rotation-open", detail: expect.stringContaining(rotation) };
  await expect(apply(db, ended)).rejects.toMatchObject(refusal);
  await expect(apply(db, moved)).rejects.toMatchObject(refusal);
  const reworded = {
    ...sampleEstate(),
    credentials: { ...rest, "orders-db": { ...orders, purpose: "Other words." } },
  };
  await apply(db, reworded);
  const end = { outcome: "refused", reason: "x", active: null, versions: [], at: t0 } as const;
  await closeRotation(db, { rotation, epoch, ...end });
  await apply(db, ended);
  await expect(openRotation(db, openRequest(id))).rejects.toMatchObject({ code: "not-found" });
});

it("H18: a pinned consumer's place stays as it is while a rotation writes there", async () => {
  const { db } = await migratedDatabase();
  const { "orders-db": orders, ...rest } = sampleEstate().credentials;
  if (orders === undefined) throw new Error("the sample has it");
  const withConsumers = (consumers: Estate["credentials"][string]["consumers"]): Estate => ({
    ...sampleEstate(),
    credentials: { ...rest, "orders-db": { ...orders, consumers } },
  });
  const checkout = { consumer: "checkout", isolation: "pinned" as const, place: { path: "orders-checkout" } };
  const reports = { consumer: "reports", isolation: "shared" as const };
  await apply(db, withConsumers([checkout, reports]));
  const { id } = await entryNamed(db, "credentials", "orders-db");
  const { rotation, epoch } = await openRotation(db, openRequest(id));
  const refusal = { code: "rotation-open", detail: expect.stringContaining(rotation) };
  for (const consumers of [
    [reports],
    [{ ...checkout, place: { path: "elsewhere" } }, reports],
    [{ consumer: "checkout", isolation: "shared" as const }, reports],
  ]) {
    await expect(apply(db, withConsumers(consumers))).rejects.toMatchObject(refusal);
  }
  await apply(db, withConsumers([{ ...checkout, cadenceMs: 5 }]));
  const end = { outcome: "refused", reason: "x", active: null, versions: [], at: t0 } as const;
  await closeRotation(db, { rotation, epoch, ...end });
  await apply(db, withConsumers([reports]));
});
