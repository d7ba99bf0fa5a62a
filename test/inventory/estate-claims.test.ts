/** Whoever changes whom a credential's consumers claim does not sign for it, whichever way it is changed (H37). */
import { expect, it } from "vitest";
import type { Estate, Match } from "../../domain/estate/types.js";
import { applyEstate, changesSince, entryNamed } from "../../inventory/estate.js";
import { migratedDatabase } from "./database.js";
import { newId, sampleEstate, t0 } from "./world.js";

type Db = Awaited<ReturnType<typeof migratedDatabase>>["db"];

let applied = 0;
const apply = (db: Db, estate: Estate, more: { by?: string; now?: number } = {}) =>
  applyEstate(db, { estate, digest: `digest-${++applied}`, by: "ann", now: t0 + applied, newId, ...more });

type Matches = Readonly<Record<string, Partial<Match>>>;

/** The sample with these claims, where `orders-db` is used by these consumers; whoever claims nothing and is used by nobody is no part. */
function claiming(match: Matches, users: readonly string[] = ["checkout", "reports"]): Estate {
  const { consumers, credentials, ...rest } = sampleEstate();
  const [{ checkout }, { "orders-db": orders, "billing-db": billing }] = [consumers, credentials];
  if (!checkout || !orders || !billing) throw new Error("the sample has them");
  const names = new Set(["checkout", "reports", ...users, ...Object.keys(match)]);
  const named = [...names].map((name) => {
    const claims = { applicationName: [], address: [], ...match[name] };
    return [name, { ...checkout, match: claims }] as const;
  });
  const edges = users.map((consumer) => ({ consumer, isolation: "shared" as const }));
  return {
    ...rest,
    consumers: Object.fromEntries(named),
    credentials: { "billing-db": billing, "orders-db": { ...orders, consumers: edges } },
  };
}

const ruled = { what: "policy", previously: "standard" };

it.each<{ readonly why: string; readonly before: Estate; readonly after: Estate; readonly billing: number }>([
  {
    why: "claims more",
    before: claiming({ checkout: { applicationName: ["checkout"] } }),
    after: claiming({ checkout: { applicationName: ["checkout", "psql"] } }),
    billing: 1,
  },
  {
    why: "no longer claims an address, whose reader is left to another",
    before: claiming({ checkout: { address: ["10.0.0.0/8"] }, reports: { applicationName: ["psql"] } }),
    after: claiming({ reports: { applicationName: ["psql"] } }),
    billing: 1,
  },
  {
    why: "is new, with claims, and attached",
    before: claiming({}),
    after: claiming({ mine: { host: ["local"] } }, ["checkout", "reports", "mine"]),
    billing: 0,
  },
  {
    why: "was there, with claims, and is attached",
    before: claiming({ mine: { host: ["local"] } }),
    after: claiming({ mine: { host: ["local"] } }, ["checkout", "reports", "mine"]),
    billing: 0,
  },
  {
    why: "is attached and given claims at once",
    before: claiming({ mine: {} }),
    after: claiming({ mine: { host: ["local"] } }, ["checkout", "reports", "mine"]),
    billing: 0,
  },
  {
    why: "is detached with its claims",
    before: claiming({ mine: { host: ["local"] } }, ["checkout", "reports", "mine"]),
    after: claiming({ mine: { host: ["local"] } }),
    billing: 0,
  },
])("H37: whoever changes whom a credential's consumers claim does not sign for it: one $why", async (one) => {
  const { db } = await migratedDatabase();
  await apply(db, one.before);
  const { id } = await entryNamed(db, "credentials", "orders-db");
  const billing = await entryNamed(db, "credentials", "billing-db");
  await apply(db, one.after, { by: "eve", now: t0 + 1_000 });
  expect(await changesSince(db, id, 0)).toEqual([{ ...ruled, by: "eve", at: t0 + 1_000 }]);
  expect(await changesSince(db, billing.id, 0)).toHaveLength(one.billing);
});

it("H37: a consumer that was left out and is back with wider claims counts, and so does one that a credential left out named", async () => {
  const { db } = await migratedDatabase();
  const all = ["checkout", "reports", "mine"];
  const narrow = claiming({ mine: { address: ["10.0.0.1"] } }, all);
  const wide = claiming({ mine: { address: ["0.0.0.0/0"] } }, all);
  await apply(db, narrow);
  const { id } = await entryNamed(db, "credentials", "orders-db");
  await apply(db, claiming({}), { by: "leaves", now: t0 + 1_000 });
  await apply(db, wide, { by: "widens", now: t0 + 2_000 });
  const without = ({ credentials, ...rest }: Estate, ...names: string[]): Estate => ({
    ...rest,
    credentials: Object.fromEntries(Object.entries(credentials).filter(([name]) => !names.includes(name))),
  });
  // Nobody takes a credential away to change in the meantime what it says when it is back.
  await apply(db, without(wide, "orders-db"), { by: "ends", now: t0 + 3_000 });
  await apply(db, without(narrow, "orders-db"), { by: "meanwhile", now: t0 + 4_000 });
  await apply(db, narrow, { by: "back", now: t0 + 5_000 });
  // Both at once, and back both with other claims.
  await apply(db, without(claiming({}), "orders-db"), { by: "both", now: t0 + 6_000 });
  await apply(db, wide, { by: "returns", now: t0 + 7_000 });
  // What it named before it last said anything is nothing of it.
  await apply(db, claiming({ mine: { address: ["0.0.0.0/0"] } }), { by: "detaches", now: t0 + 8_000 });
  await apply(db, without(wide, "orders-db"), { by: "ends", now: t0 + 9_000 });
  await apply(db, without(narrow, "orders-db"), { by: "elsewhere", now: t0 + 10_000 });
  expect((await changesSince(db, id, 0)).map(({ by, what }) => `${by} ${what}`)).toEqual([
    "leaves policy",
    "widens policy",
    "meanwhile policy",
    "returns policy",
    "detaches policy",
  ]);
});

it("H37: a change of claims and of where a credential is seen counts once; consumers without claims, other fields and order do not", async () => {
  const { db } = await migratedDatabase();
  const claims = { checkout: { applicationName: ["checkout", "psql"] } };
  const first = claiming(claims);
  await apply(db, first);
  const { id } = await entryNamed(db, "credentials", "orders-db");
  const billing = await entryNamed(db, "credentials", "billing-db");
  await apply(db, first, { by: "again" });
  const bare = claiming({ ...claims, mine: { host: [] } }, ["mine", "reports", "checkout"]);
  const { checkout } = bare.consumers;
  const { "orders-db": orders } = bare.credentials;
  if (checkout === undefined || orders === undefined) throw new Error("it has them");
  await apply(db, bare, { by: "attaches" });
  // What it is given as it goes is nothing that the credential had or has.
  const bye = { mine: { host: ["local"] }, checkout: { applicationName: ["psql", "checkout"] } };
  await apply(db, claiming(bye), { by: "detaches" });
  await apply(db, claiming({ ...bye, mine: {} }), { by: "elsewhere" });
  const other = { ...checkout, owner: "bob", reversible: false };
  await apply(db, { ...bare, consumers: { ...bare.consumers, checkout: other } }, { by: "otherwise" });
  const fresh = {
    ...bare.credentials,
    fresh: { ...orders, place: { path: "fresh" }, account: { login: "fresh" } },
  };
  await apply(db, { ...bare, credentials: fresh }, { by: "creates" });
  expect(await changesSince(db, id, 0)).toEqual([]);
  expect(await changesSince(db, (await entryNamed(db, "credentials", "fresh")).id, 0)).toEqual([]);
  const wider = claiming({ checkout: { applicationName: ["psql"] }, reports: { address: ["10.0.0.0/8"] } });
  const seen = { ...orders, seenAs: [{ account: "orders_ro" }] };
  const both = { ...wider, credentials: { ...wider.credentials, "orders-db": seen } };
  await apply(
    db,
    { ...both, consumers: { ...both.consumers, mine: checkout } },
    { by: "eve", now: t0 + 1_000 },
  );
  const change = { ...ruled, by: "eve", at: t0 + 1_000 };
  expect(await changesSince(db, id, 0)).toEqual([change]);
  expect(await changesSince(db, billing.id, 0)).toEqual([change]);
});
