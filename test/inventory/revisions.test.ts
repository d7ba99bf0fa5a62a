/** What revisions keep: no estate whole, and yet every one that was ever in force; and what a rotation reads of the one that is. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Section, sections } from "../../domain/estate/schema.js";
import type { Estate } from "../../domain/estate/types.js";
import { applyEstate } from "../../inventory/estate.js";
import { currentEstate, currentRevision, estateAround } from "../../inventory/estate-load.js";
import { type Fresh, migratedDatabase } from "./database.js";
import { newId, sampleEstate, t0 } from "./world.js";

let applied = 0;
const apply = (db: Fresh["db"], estate: Estate) => {
  applied += 1;
  return applyEstate(db, { estate, digest: `digest-${applied}`, by: "ann", now: t0 + applied, newId });
};

/** The sections of a revision, out of what is in force and what was replaced since. */
async function sectionsAt(
  { sql }: Fresh,
  revision: number,
): Promise<Record<string, Record<string, unknown>>> {
  const rows = await sql<{ section: Section; name: string; body: unknown }>(
    `select e.section, e.name, case when p.entry is null then e.body else p.body end as body
     from rekey_inventory.entries e
     left join lateral (
       select * from rekey_inventory.past_bodies p
       where p.entry = e.id and p.until_revision > $1 order by p.until_revision limit 1
     ) p on true
     join rekey_inventory.estate_revisions r on r.number = $1
     where e.since <= r.applied_at and (p.entry is not null or e.ended_at is null)`,
    [revision],
  );
  const found: Record<string, Record<string, unknown>> = Object.fromEntries(sections.map((one) => [one, {}]));
  for (const { section, name, body } of rows)
    if (body !== null) Object.assign(found[section] ?? {}, { [name]: body });
  return found;
}

const plain = (estate: Estate) => Object.fromEntries(sections.map((section) => [section, estate[section]]));

const stores = fc.dictionary(
  fc.constantFrom("a", "b", "c"),
  fc.record({ kind: fc.constant("fake"), size: fc.nat(2) }),
  { noNullPrototype: true },
);

it("keep enough for every past estate", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stores, { minLength: 2, maxLength: 6 }), async (history) => {
      const fresh = await migratedDatabase();
      const past = new Map<number, Estate>();
      for (const some of history) {
        const estate = { ...sampleEstate(), stores: { ...sampleEstate().stores, ...some } } as Estate;
        past.set((await apply(fresh.db, estate)).revision, estate);
      }
      for (const [number, estate] of past) expect(await sectionsAt(fresh, number)).toEqual(plain(estate));
    }),
    { numRuns: 8 },
  );
});

it("of an earlier release are read, and what they say is not written again", async () => {
  const { db, sql } = await migratedDatabase();
  await apply(db, sampleEstate());
  // As a release left it that kept whole documents and no hashes.
  await sql("set session_replication_role = replica");
  await sql("update rekey_inventory.estate_revisions set document = $1, header = null, changes = null", [
    JSON.stringify(sampleEstate()),
  ]);
  await sql("update rekey_inventory.entries set digest = null");
  await sql("set session_replication_role = origin");
  expect((await currentEstate(db))?.estate).toEqual(sampleEstate());
  const before = await sql("select id, body, changed_at from rekey_inventory.entries order by id");
  expect(await apply(db, sampleEstate())).toMatchObject({ revision: 2, diff: { empty: true } });
  expect(await sql("select id, body, changed_at from rekey_inventory.entries order by id")).toEqual(before);
  expect(await sql("select 1 from rekey_inventory.entries where digest is null")).toEqual([]);
});

it("what concerns one credential says of it what the whole estate says", async () => {
  const names = ["orders-db", "billing-db", "other-db"] as const;
  const [base] = Object.values(sampleEstate().credentials);
  const [consumer] = Object.values(sampleEstate().consumers);
  if (base === undefined || consumer === undefined) throw new Error("the sample has some");
  const users = fc.uniqueArray(fc.constantFrom("checkout", "reports", "jobs"), { maxLength: 3 });
  const credentials = fc.dictionary(fc.constantFrom(...names), users, { noNullPrototype: true });
  await fc.assert(
    fc.asyncProperty(fc.array(credentials, { minLength: 1, maxLength: 3 }), async (history) => {
      const { db } = await migratedDatabase();
      expect(await estateAround(db, "orders-db")).toBeNull();
      expect(await currentRevision(db)).toBeNull();
      for (const some of history) {
        const all = Object.entries(some).map(([name, list]) => {
          const edges = list.map((one) => ({ consumer: one, isolation: "shared" as const }));
          return [name, { ...base, place: { path: name }, account: { name }, consumers: edges }] as const;
        });
        await apply(db, {
          ...sampleEstate(),
          consumers: { ...sampleEstate().consumers, jobs: consumer },
          credentials: Object.fromEntries(all),
        });
      }
      const whole = await currentEstate(db);
      if (whole === null) throw new Error("it was applied");
      for (const name of [...names, null]) {
        const around = await estateAround(db, name);
        const credential = name === null ? undefined : whole.estate.credentials[name];
        const used = new Set(credential?.consumers.map((edge) => edge.consumer));
        const { consumerIds, estate, ...revision } = around ?? { consumerIds: new Map(), estate: null };
        expect(estate).toEqual({
          ...whole.estate,
          credentials: name === null || credential === undefined ? {} : { [name]: credential },
          consumers: Object.fromEntries(
            Object.entries(whole.estate.consumers).filter(([one]) => used.has(one)),
          ),
        });
        expect([...consumerIds.keys()].sort()).toEqual([...used].sort());
        expect(revision).toEqual(await currentRevision(db));
      }
    }),
    { numRuns: 8 },
  );
});
