/** A whole rotation of a real PostgreSQL pair behind two PgBouncers, one that shares connections and one that does not. */
import { expect, onTestFinished, test } from "vitest";
import type { Systems } from "../../activities/deps.js";
import { type PgBouncer, startPgBouncer } from "../../worker/dev/pgbouncer.js";
import { askerSql } from "../contract/issuers/pgbouncer-world.js";
import { clientOf, database, postgresWorld } from "../contract/issuers/postgres-world.js";
import { openHouse } from "./house.js";
import { PooledShop } from "./pooled-shop.js";
import { ended } from "./watch.js";

test("H34 H16: a login is rotated behind poolers under load, no request fails, and the old one is refused through each", async () => {
  const world = await postgresWorld();
  onTestFinished(() => world.stop());
  const account = await world.account();
  const [first = "", second = ""] = account.logins;
  await world.superuser.query(askerSql);
  const { host, port } = world.server;
  const start = async (mode: string): Promise<PgBouncer> => {
    const pooler = await startPgBouncer({
      databases: [`${database} = host=${host} port=${port} dbname=${database}`],
      users: { asker: "asker" },
      settings: [
        `pool_mode = ${mode}`,
        "auth_user = asker",
        "auth_query = SELECT uname, secret FROM public.login_of($1)",
        // What the old login leaves in the pool counts as its use until it is closed.
        "server_idle_timeout = 1",
      ],
    });
    onTestFinished(() => pooler.stop());
    return pooler;
  };
  const sharing = await start("transaction");
  const lending = await start("session");

  // Patient in everything: the machine that runs the tests may be slow, and nothing here is about time.
  const patient = {
    adoptionTimeoutMs: 120_000,
    drainTimeoutMs: 120_000,
    stallTimeoutMs: 60_000,
    quietPeriodMs: 200,
  };
  const shops = new Map<string, PooledShop>();
  let refit = (systems: Systems): Systems => systems;
  const house = await openHouse({
    consumers: ["checkout", "reports"],
    firstSlot: first,
    policy: patient,
    refit: (systems) => refit(systems),
  });
  const through = [sharing, lending].map((pooler) => ({ host: pooler.host, port: pooler.port }));
  const real = world.issuer(account, { through }, { installation: house.installation });
  onTestFinished(() => real.close());
  refit = (systems) => ({
    ...systems,
    issuer: real,
    consumers: systems.consumers.map((consumer) => ({
      ...consumer,
      match: { applicationName: [consumer.name], address: [] },
      observe: [shops.get(consumer.name) ?? consumer.observe[0]].filter((way) => way !== undefined),
    })),
  });

  // As an adoption leaves it: the first login of the pair has a password that is in the store.
  const { password: old, version } = house.world.first;
  await world.superuser.query(
    `ALTER ROLE ${account.group} NOLOGIN; ALTER ROLE ${first} LOGIN PASSWORD '${old}'`,
  );
  const place = house.world.stores.place("orders");
  place.raw = { username: first, password: old, rekey_version: version };
  const live = () => place.raw as Record<string, string>;
  shops.set("checkout", new PooledShop("checkout", sharing, live));
  shops.set("reports", new PooledShop("reports", lending, live));
  onTestFinished(async () => {
    await Promise.all([...shops.values()].map((shop) => shop.stop()));
  });

  const result = await ended(await house.start());
  const counts = [...shops.values()].map((shop) => shop.counts());
  process.stdout.write(`    requests: ${JSON.stringify(counts)}\n`);
  expect(result).toMatchObject({ outcome: "rotated" });

  const now = live();
  expect(now.username).toBe(second);
  for (const at of [world.server, sharing, lending]) {
    const as = (user: string, password = "") =>
      clientOf({ host: at.host, port: at.port, database, user, password });
    await expect(as(first, old)).rejects.toThrow();
    const client = await as(second, now.password);
    expect((await client.query("SELECT current_user::text AS acting")).rows).toEqual([
      { acting: account.group },
    ]);
    await client.end();
  }
  for (const { served, failed, logins } of counts) {
    expect(served).toBeGreaterThan(20);
    expect(failed).toBe(0);
    expect(logins).toEqual([first, second]);
  }
});
