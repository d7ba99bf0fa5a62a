/**
 * A pooler that has the login: services log in at the pooler and never see the credential. It is written into the
 * pooler's configuration, the pooler reads that anew, and nobody behind it notices.
 */
import { chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startPgBouncer } from "../../worker/dev/pgbouncer.js";
import { projectRoot } from "../../worker/dev/places.js";
import { postgresUser } from "../../worker/dev/postgres-binaries.js";
import { clientOf, database, postgresWorld } from "../contract/issuers/postgres-world.js";
import { PooledShop } from "./pooled-shop.js";
import { openRealHouse, quickPolicy } from "./real-house.js";
import { ended, eventually } from "./watch.js";

/** What the services behind the pooler log in with there. */
const service = { username: "shop", password: "a-password-of-the-shop" };

test("H21: a pooler with a login of its own is moved as one consumer, and no request of the services behind it fails", async () => {
  const world = await postgresWorld();
  onTestFinished(() => world.stop());
  const account = await world.account();
  const [first = "", second = ""] = account.logins;
  const { host, port } = world.server;

  // As it is before Rekey: the login stands in the pooler's configuration and in the store, as somebody wrote it.
  const old = "a-password-of-before";
  await world.superuser.query(
    `ALTER ROLE ${account.group} NOLOGIN; ALTER ROLE ${first} LOGIN PASSWORD '${old}'`,
  );
  const folder = await mkdtemp(join(tmpdir(), "rekey-pooler-login-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [secrets, staging, etc] = ["secrets", "staging", "etc"].map((name) => join(folder, name));
  for (const each of [secrets, staging, etc]) await mkdir(each ?? "", { mode: 0o700 });
  const live = join(secrets ?? "", "orders-pool");
  await mkdir(live, { mode: 0o755 });
  for (const [name, text] of Object.entries({ username: first, password: old }))
    await writeFile(join(live, name), text, { mode: 0o600 });
  const line = `${database} = host=${host} port=${port} dbname=${database}`;
  const [included, pidFile] = [join(etc ?? "", "orders.ini"), join(etc ?? "", "pid")];
  await writeFile(included, `${line} user=${first} password=${old}\n`, { mode: 0o600 });
  const user = await postgresUser();
  if (user !== undefined) {
    // It runs as somebody else then, who has to get there, to read the one file and to write the other.
    await Promise.all([folder, etc ?? "", included].map((path) => chown(path, user.uid, user.gid)));
  }
  const pooler = await startPgBouncer({
    databases: [`%include ${included}`],
    users: { [service.username]: service.password },
    settings: ["pool_mode = transaction", `pidfile = ${pidFile}`],
  });
  onTestFinished(() => pooler.stop());

  const server = { host, port, database, login: { username: "rekey_a", password: "env:ENGINE" } };
  const house = await openRealHouse(
    {
      stores: { files: { kind: "folder", directory: secrets, stagingDirectory: staging } },
      issuers: { orders: { kind: "postgres", ...server } },
      policies: { quick: quickPolicy },
      consumers: {
        "orders-pool": {
          owner: "payments",
          match: { address: [host] },
          observe: [{ kind: "postgres-sessions", ...server, addresses: [host] }],
          deliver: {
            kind: "command",
            command: [
              join(projectRoot(), "examples/commands/pgbouncer-login.sh"),
              ...[live, included, line, pidFile],
            ],
          },
        },
      },
      credentials: {
        "orders-pool": {
          issuer: "orders",
          account,
          store: "files",
          place: { path: "orders-pool" },
          owner: "payments",
          policy: "quick",
          class: "service-account",
          purpose: "The pooler of the orders logs in with it.",
          consumers: [{ consumer: "orders-pool" }],
        },
      },
    },
    world.deps(),
  );
  // Their connections to the pooler stay open throughout, and no request is made a second time.
  const shops = ["checkout", "reports"].map((name) => new PooledShop(name, pooler, () => service));
  onTestFinished(async () => {
    await Promise.all(shops.map((shop) => shop.stop()));
  });
  const counts = () => shops.map((shop) => shop.counts());
  await eventually("both services work", () => counts().every(({ served }) => served > 20));

  expect(await ended(await house.start())).toMatchObject({ outcome: "rotated" });
  const served = counts().map((count) => count.served);
  await eventually("both go on", () => counts().every((count, i) => count.served > (served[i] ?? 0) + 20));
  process.stdout.write(`    requests: ${JSON.stringify(counts())}\n`);
  for (const { failed, logins } of counts()) {
    expect(failed).toBe(0);
    expect(logins).toEqual([first, second]);
  }
  const at = { host, port, database, user: first, password: old };
  await expect(clientOf(at)).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
  const left = await world.superuser.query("SELECT FROM pg_stat_activity WHERE usename = $1", [first]);
  expect(left.rowCount).toBe(0);
}, 120_000);
