/** On the way of somebody new, before any rotation: what the doctor refuses for, and that a source fails, is in the records that are read next. */
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ScanReport } from "../../domain/discovery/report.js";
import type { Diagnosis } from "../../domain/rotation/work.js";
import { bringFindings } from "../../inventory/finding-keep.js";
import { listFindings } from "../../inventory/findings.js";
import { database, postgresWorld } from "../contract/issuers/postgres-world.js";
import { registeredShapes } from "../support/shapes.js";
import { openRealHouse, quickPolicy } from "./real-house.js";

test("a copy of the live value that the doctor names is a finding, before the first rotation, and no value is kept", async () => {
  const world = await postgresWorld();
  onTestFinished(() => world.stop());
  const account = await world.account();
  const [username = ""] = account.logins;
  const { host, port } = world.server;
  const password = "a-password-of-before";
  await world.superuser.query(
    `ALTER ROLE ${account.group} NOLOGIN; ALTER ROLE ${username} LOGIN PASSWORD '${password}'`,
  );
  const folder = await mkdtemp(join(tmpdir(), "rekey-copy-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [secrets, staging, shop] = [join(folder, "secrets"), join(folder, "staging"), join(folder, "shop")];
  for (const each of [secrets, staging, shop]) await mkdir(each, { mode: 0o700 });
  await writeFile(join(secrets, "orders.json"), JSON.stringify({ username, password }), { mode: 0o600 });
  await writeFile(join(shop, ".env"), `DB_PASSWORD=${password}\n`);
  // The same again in a file that stands in a Secret, as a Deployment has it mounted.
  await mkdir(join(folder, "cluster"), { mode: 0o700 });
  await writeFile(
    join(folder, "cluster", "legacy.yaml"),
    JSON.stringify({
      ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "legacy-env", namespace: "shop" } },
      stringData: { ".env": `DB_HOST=${host}\nDB_PASSWORD=${password}\n` },
    }),
  );

  const server = { host, port, database, login: { username: "rekey_a", password: "env:ENGINE" } };
  const observe = [{ kind: "postgres-sessions", ...server, applicationName: "orders-api" }];
  const orders = {
    ...{ issuer: "orders", account, store: "files", place: { path: "orders.json" }, policy: "quick" },
    ...{ owner: "payments", class: "service-account", purpose: "The orders service logs in with it." },
    consumers: [{ consumer: "orders-api" }],
  };
  const house = await openRealHouse(
    {
      stores: { files: { kind: "file", directory: secrets, stagingDirectory: staging } },
      issuers: { orders: { kind: "postgres", ...server } },
      sources: {
        shop: { kind: "env-files", directory: shop, workload: "host reports", owner: "payments" },
        manifests: {
          ...{ kind: "kubernetes-manifests", directory: join(folder, "cluster") },
          ...{ cluster: "prod", owner: "payments" },
        },
      },
      policies: { quick: quickPolicy },
      consumers: { "orders-api": { owner: "payments", observe } },
      credentials: { "orders-db": orders },
    },
    world.deps(),
  );
  const { db, sql } = house.fresh;
  const kept = async () => {
    await bringFindings(db, registeredShapes, Date.now());
    return (await listFindings(db, { code: "unmapped-copy" }, Date.now())).findings;
  };
  expect(await house.ask<ScanReport>("discover", ["shop"])).toMatchObject({ failure: null, copies: 1 });
  expect(await house.ask<ScanReport>("discover", ["manifests"])).toMatchObject({ failure: null });
  // Nobody has seen yet what is live.
  expect(await kept()).toEqual([]);

  const diagnoses = await house.ask<Diagnosis[]>("doctor", []);
  const said = diagnoses
    .find(({ subject }) => subject === "orders-db")
    ?.findings.filter(({ code }) => code === "unmapped-copy");
  const places = ["kubernetes prod shop/legacy-env#.env", "repository shop .env#DB_PASSWORD"];
  expect(said?.map(({ severity, subject }) => [severity, subject]).sort()).toEqual(
    places.map((place) => ["refuse", place]),
  );
  const found = await kept();
  expect(found.map(({ about }) => about?.name).sort()).toEqual(places);
  for (const one of found) expect(one).toMatchObject({ severity: "refuse", credential: house.credential });
  const values = await sql<{ hmac: string }>("select hmac from rekey_inventory.live_values");
  expect(values.length).toBeGreaterThan(0);
  expect(JSON.stringify(values)).not.toContain(password);
  expect(await sql("select from rekey_inventory.rotations")).toEqual([]);

  // The folder is taken away: whoever looks at the records knows at once, and no more when it was read again.
  const failing = async () =>
    (await listFindings(db, { code: "source-failing" }, Date.now())).findings.map(({ sentence }) => sentence);
  await rename(shop, `${shop}-away`);
  const { failure } = await house.ask<ScanReport>("discover", ["shop"]);
  expect(failure).toContain(shop);
  expect(await failing()).toEqual([
    expect.stringMatching(
      /^The last reading of the source shop failed: .+ It was read to its end on .+ last\.$/,
    ),
  ]);
  await rename(`${shop}-away`, shop);
  expect(await house.ask<ScanReport>("discover", ["shop"])).toMatchObject({ failure: null });
  expect(await failing()).toEqual([]);
}, 120_000);
