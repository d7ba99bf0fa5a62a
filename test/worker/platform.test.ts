/** What the installation lacks, on the real servers: each thing that is missing is named, and nothing else. */
import { Connection } from "@temporalio/client";
import { expect, onTestFinished, test } from "vitest";
import { Secret } from "../../domain/secret.js";
import { openDatabase } from "../../inventory/database.js";
import { diagnosePlatform, type Platform } from "../../worker/platform.js";
import { migratedDatabase } from "../inventory/database.js";
import { postgresServer, temporalServer } from "../setup/servers.js";

async function platform(more: Partial<Platform> = {}): Promise<Platform> {
  const { db } = await migratedDatabase();
  const { address, namespace } = await temporalServer();
  return {
    db,
    login: { address },
    namespace,
    nodeVersion: process.versions.node,
    limits: "",
    now: Date.now,
    ...more,
  };
}

/** Codes of what is found, by subject. */
async function found(more: Partial<Platform> = {}): Promise<Record<string, string[]>> {
  const all = await diagnosePlatform(await platform(more));
  return Object.fromEntries(all.map(({ subject, findings }) => [subject, findings.map(({ code }) => code)]));
}

test("where all is there nothing is found", async () => {
  expect(await found()).toEqual({
    Temporal: [],
    inventory: [],
    clocks: [],
    "codec keys": [],
    Node: [],
  });
});

test("a namespace that is not there, and one without our search attributes, are named with their mend", async () => {
  expect(await found({ namespace: "nobodys" })).toMatchObject({ Temporal: ["temporal-namespace"] });
  const { address } = await temporalServer();
  const connection = await Connection.connect({ address });
  const namespace = `bare-${Date.now()}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  // The server's own parts learn of a new namespace after a while.
  await expect
    .poll(async () => (await found({ namespace })).Temporal, { timeout: 60_000, interval: 500 })
    .toEqual(["temporal-attribute", "temporal-attribute"]);
  const [temporal] = await diagnosePlatform(await platform({ namespace }));
  expect(temporal?.findings.map(({ sentence }) => sentence)).toEqual([
    "Temporal has no search attribute RekeyPhase of the type Keyword: deploy/temporal-namespace.sh makes it.",
    "Temporal has no search attribute RekeyEmergency of the type Bool: deploy/temporal-namespace.sh makes it.",
  ]);
  await connection.close();
});

test("what does not answer is a finding, and the rest is looked at all the same", async () => {
  const { url } = await migratedDatabase();
  const gone = openDatabase({ url });
  await gone.close();
  const { Temporal, inventory, Node } = await found({ login: { address: "127.0.0.1:9" }, db: gone });
  expect([Temporal, Node]).toEqual([["unreachable"], []]);
  expect(inventory).toEqual(["unreachable"]);
});

test("H38: a worker's clock that is off by ten minutes is named, and on which side", async () => {
  const clocksOf = async (offMs: number) => {
    const all = await diagnosePlatform(await platform({ now: () => Date.now() + offMs }));
    return all.find(({ subject }) => subject === "clocks")?.findings;
  };
  for (const [offMs, side] of [
    [600_000, "ahead of"],
    [-600_000, "behind"],
  ] as const)
    expect(await clocksOf(offMs)).toEqual([
      {
        code: "clock-off",
        severity: "refuse",
        sentence: expect.stringMatching(
          new RegExp(`^This worker's clock is (9|10) min.* ${side} the inventory's\\.$`),
        ),
        hint: expect.stringContaining("NTP"),
      },
    ]);
});

test("whatever refuses or warns says what mends it", async () => {
  const { url } = await migratedDatabase();
  const gone = openDatabase({ url });
  await gone.close();
  const limits = "Max core file size        unlimited            unlimited            bytes";
  const bad = { db: gone, nodeVersion: "20.1.0", limits };
  const all = [
    ...(await diagnosePlatform(await platform(bad))),
    ...(await diagnosePlatform(await platform({ namespace: "nobodys" }))),
  ].flatMap(({ findings }) => findings);
  expect(new Set(all.map(({ code }) => code))).toEqual(
    new Set(["unreachable", "node-version", "core-files", "temporal-namespace"]),
  );
  // Some sentences name the mend themselves, because it is a file or a command of ours.
  const silent = all.filter(
    ({ hint, sentence }) => !(hint ?? "").trim() && !/deploy\/|ulimit/.test(sentence),
  );
  expect(silent).toEqual([]);
});

test("rights that the worker's login lacks in the inventory are named by table", async () => {
  const { name, sql } = await migratedDatabase();
  const { host, port } = await postgresServer();
  await sql("CREATE ROLE rekey_poor LOGIN PASSWORD 'poor'");
  onTestFinished(async () => {
    await sql("DROP OWNED BY rekey_poor");
    await sql("DROP ROLE rekey_poor");
  });
  await sql("GRANT USAGE ON SCHEMA rekey_inventory TO rekey_poor");
  await sql("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA rekey_inventory TO rekey_poor");
  const db = openDatabase({ url: new Secret(`postgres://rekey_poor:poor@${host}:${port}/${name}`) });
  onTestFinished(() => db.close());
  expect(await found({ db })).toMatchObject({ inventory: [] });
  await sql("REVOKE INSERT ON rekey_inventory.intents FROM rekey_poor");
  const [, inventory] = await diagnosePlatform(await platform({ db }));
  expect(inventory?.findings).toEqual([
    {
      code: "inventory-rights",
      severity: "refuse",
      sentence:
        "The worker's login may not select, insert, update and delete in intents of the schema rekey_inventory.",
      hint: expect.stringContaining("grant select, insert, update, delete"),
    },
  ]);
});

test.each([
  ["22.11.9", ["node-version"]],
  ["20.20.0", ["node-version"]],
  ["22.12.0", []],
  ["24.0.0", []],
])("Node %s: %j", async (nodeVersion, codes) => {
  expect(await found({ nodeVersion })).toMatchObject({ Node: codes });
});

test.each([
  ["0                    unlimited", []],
  ["unlimited            unlimited", ["core-files"]],
  ["1024                 0", ["core-files"]],
])("I6: core files of at most %s: %j", async (limit, codes) => {
  const limits = `Limit                     Soft Limit           Hard Limit           Units\nMax core file size        ${limit}            bytes\n`;
  expect(await found({ limits })).toMatchObject({ Node: codes });
});
