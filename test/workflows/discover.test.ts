/**
 * A consumer that nobody declared is seen by a source, and the rotation is refused with its name: on a real PostgreSQL, with
 * the reader long gone by the time of the rotation, so that only the map knows of it.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ScanReport } from "../../domain/discovery/report.js";
import type { Preview } from "../../domain/rotation/work.js";
import { bringFindings } from "../../inventory/finding-keep.js";
import { listFindings } from "../../inventory/findings.js";
import { clientOf, database, postgresWorld } from "../contract/issuers/postgres-world.js";
import { registeredShapes } from "../support/shapes.js";
import { openRealHouse, ordersInFile, quickPolicy } from "./real-house.js";
import { ended } from "./watch.js";

test("C7: a hidden consumer is found, named, and refuses the rotation until somebody explains it", async () => {
  const world = await postgresWorld();
  onTestFinished(() => world.stop());
  const account = await world.account();
  const [first = ""] = account.logins;
  const { host, port } = world.server;
  const password = "a-password-of-before";
  await world.superuser.query(
    `ALTER ROLE ${account.group} NOLOGIN; ALTER ROLE ${first} LOGIN PASSWORD '${password}'; GRANT pg_read_all_stats TO rekey_a`,
  );
  const folder = await mkdtemp(join(tmpdir(), "rekey-discover-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [secrets = "", staging = "", repository = ""] = ["secrets", "staging", "shop"].map((name) =>
    join(folder, name),
  );
  for (const each of [secrets, staging, repository]) await mkdir(each, { mode: 0o700 });
  await writeFile(join(secrets, "orders.json"), JSON.stringify({ username: first, password }), {
    mode: 0o600,
  });

  const said = join(folder, "said");
  const leaks = join(folder, "leaks.json");
  const server = { host, port, database, login: { username: "rekey_a", password: "env:ENGINE" } };
  const raw = (more: object, consumers: object = {}) => ({
    stores: { files: { kind: "file", directory: secrets, stagingDirectory: staging } },
    issuers: { orders: { kind: "postgres", ...server } },
    sources: {
      sessions: { kind: "postgres-activity", ...server, issuer: "orders", owner: "payments" },
      log: { kind: "command", command: ["/bin/cat", said], owner: "payments" },
      history: { kind: "gitleaks", reports: [{ file: leaks, repository: "shop" }], owner: "payments" },
      shop: { kind: "env-files", directory: repository, workload: "host reports", owner: "payments" },
    },
    policies: { quick: quickPolicy },
    consumers: {
      "orders-api": {
        owner: "payments",
        match: { applicationName: ["orders-api"] },
        observe: [{ kind: "postgres-sessions", ...server, applicationName: "orders-api" }],
      },
      ...consumers,
    },
    credentials: {
      "orders-db": {
        ...ordersInFile,
        account,
        consumers: [{ consumer: "orders-api" }],
        ...more,
      },
    },
  });
  const house = await openRealHouse(raw({}), world.deps());
  const connected = async (application_name: string) => {
    const client = await clientOf({ host, port, database, user: first, password, application_name });
    let open = true;
    const end = async () => {
      if (open) await client.end();
      open = false;
    };
    onTestFinished(end);
    return end;
  };
  await connected("orders-api");
  const leave = await connected("nightly-export");
  const report = await house.ask<ScanReport>("discover", ["sessions"]);
  expect(report).toMatchObject({ source: "sessions", failure: null, malformed: 0, gaps: [] });
  await leave();

  const found = async (wanted: string) =>
    (await house.ask<Preview>("preview", [{ credential: house.credential }])).findings.filter(
      ({ code }) => code === wanted,
    );
  const refused = () => found("unmapped-reader");
  expect(await refused()).toMatchObject([
    { severity: "refuse", subject: expect.stringContaining("nightly-export") },
  ]);
  expect(await ended(await house.start())).toMatchObject({
    outcome: "refused",
    reason: expect.stringContaining("nightly-export"),
  });

  const exception = (until: string) => ({
    finding: "unmapped-reader",
    about: "nightly-export from 127.0.0.1",
    owner: "payments",
    reason: "The export is retired this month.",
    until,
  });
  const inTime = new Date(Date.now() + 30 * 86_400_000).toISOString();
  await house.apply(raw({ exceptions: [exception(inTime)] }));
  expect(await refused()).toMatchObject([
    {
      severity: "warn",
      sentence: expect.stringContaining(`payments answers for it until ${inTime.slice(0, 10)}: The export`),
    },
  ]);
  await house.apply(raw({ exceptions: [exception("2999-01-01")] }));
  expect(await refused()).toMatchObject([
    { severity: "refuse", sentence: expect.stringContaining("it lasts longer than 180d (`exceptionMax`)") },
  ]);
  await house.apply(raw({ exceptions: [exception("2020-01-01")] }));
  expect(await refused()).toMatchObject([
    { severity: "refuse", sentence: expect.stringContaining("ended on 2020-01-01") },
  ]);

  // A consumer of the estate claims it: it is no stranger any more, and still not declared to use this one.
  const exporter = {
    owner: "payments",
    match: { applicationName: ["nightly-export"] },
    observe: [{ kind: "postgres-sessions", ...server, applicationName: "nightly-export" }],
  };
  await house.apply(raw({}, { exporter }));
  expect(await refused()).toMatchObject([{ severity: "refuse", subject: "exporter" }]);
  const declared = raw(
    { consumers: ["orders-api", "exporter", "month-end"].map((consumer) => ({ consumer })) },
    {
      exporter,
      "month-end": { ...exporter, match: { applicationName: ["month-end"] } },
    },
  );
  await house.apply(declared);
  expect(await refused()).toEqual([]);

  // A log knows that one of them comes twice a month, and one that has not come for long.
  const dayMs = 86_400_000;
  const now = Date.now();
  const readLog = async (
    applicationName: string,
    firstDaysAgo: number,
    lastDaysAgo: number,
    count: number,
  ) => {
    const claim = {
      ...{ record: "log", known: "read", type: "uses", sentence: "The log has it." },
      from: { is: "reader", name: applicationName, traits: { applicationName } },
      to: { is: "account", issuer: "orders", account: account.group },
      seen: { first: now - firstDaysAgo * dayMs, last: now - lastDaysAgo * dayMs, count },
    };
    await writeFile(said, `${JSON.stringify({ claim })}\n${JSON.stringify({ cursor: applicationName })}\n`);
    const read = await house.ask<ScanReport>("discover", ["log"]);
    expect(read).toMatchObject({ failure: null, claims: 1 });
    // Whoever has it read anew has it counted once.
    const anew = await house.ask<ScanReport>("discover", ["log", true]);
    expect(anew).toMatchObject({ failure: null, claims: 1 });
    expect(anew.scan).not.toBe(read.scan);
  };
  await readLog("month-end", 30, 2, 3);
  // What has shown a use watches, whatever its kind says; neither has for long enough.
  expect((await found("short-watch")).map(({ subject }) => subject)).toEqual(["log", "sessions"]);
  expect(await found("slow-consumer")).toMatchObject([
    { severity: "warn", subject: "month-end", sentence: expect.stringContaining("about every 14 d") },
  ]);
  await readLog("retired", 60, 50, 2);
  expect(await found("past-reader")).toMatchObject([{ severity: "warn", subject: "retired" }]);
  expect(await refused()).toEqual([]);

  // It was used, and nobody says by whom: who was seen by then explains it, and a use of before that nobody does.
  const readUse = async (at: number) => {
    const use = {
      ...{ record: "report", of: { is: "account", issuer: "orders", account: account.group } },
      ...{ seen: { first: at, last: at }, sentence: "For reports." },
    };
    await writeFile(said, `${JSON.stringify({ use })}\n${JSON.stringify({ cursor: String(at) })}\n`);
    expect(await house.ask<ScanReport>("discover", ["log"])).toMatchObject({ failure: null, records: 1 });
  };
  await readUse(now - 31 * dayMs);
  expect(await found("unexplained-use")).toMatchObject([
    {
      ...{ severity: "refuse", subject: "log" },
      sentence: expect.stringContaining("by whom is not said (source log). For reports."),
    },
  ]);
  expect(await ended(await house.start())).toMatchObject({
    outcome: "refused",
    reason: expect.stringContaining("by whom is not said"),
  });
  await readUse(now - 2 * dayMs);
  expect(await found("unexplained-use")).toEqual([]);

  // Somebody has written the password down: whoever reads it there is delivered nothing.
  const env = join(repository, ".env");
  await writeFile(env, `OTHER=1\nDB_PASSWORD=${password}\n`);
  expect(await house.ask<ScanReport>("discover", ["shop"])).toMatchObject({ failure: null, copies: 1 });
  const [copy, ...more] = await found("unmapped-copy");
  expect(more).toEqual([]);
  expect(copy).toMatchObject({
    severity: "refuse",
    subject: "repository shop .env#DB_PASSWORD",
    sentence: expect.stringContaining("host reports will fail when it is revoked"),
  });
  expect(JSON.stringify(copy)).not.toContain(password);
  expect(await ended(await house.start())).toMatchObject({
    outcome: "refused",
    reason: expect.stringContaining(".env#DB_PASSWORD"),
  });
  // Replaced by hand it is not seen to be refused, and who reads the copy is on the credential as before. The records know it, too.
  const mended = "a-password-by-hand";
  await world.superuser.query(`ALTER ROLE ${first} PASSWORD '${mended}'`);
  await writeFile(join(secrets, "orders.json"), JSON.stringify({ username: first, password: mended }));
  expect((await found("unmapped-copy")).map(({ subject }) => subject)).toEqual([copy?.subject]);
  await bringFindings(house.fresh.db, registeredShapes, Date.now());
  const { findings } = await listFindings(house.fresh.db, { code: "unmapped-copy" }, Date.now());
  expect(findings.map(({ about }) => about?.name)).toEqual([copy?.subject]);
  // It was committed once, too: a reason to rotate, and none not to.
  await writeFile(
    leaks,
    JSON.stringify([
      {
        ...{ RuleID: "generic", File: "old.env", StartLine: 1, Secret: password, Commit: "c".repeat(40) },
        ...{ Date: "2026-01-01T00:00:00Z", Fingerprint: "f" },
      },
    ]),
  );
  expect(await house.ask<ScanReport>("discover", ["history"])).toMatchObject({ failure: null, copies: 1 });
  expect(await found("leaked-copy")).toMatchObject([
    { severity: "warn", subject: expect.stringContaining("old.env:generic:1") },
  ]);
  expect(await found("unmapped-copy")).toHaveLength(1);
  await writeFile(env, "DB_PASSWORD=$" + "{DB_PASSWORD}\n");
  await house.ask<ScanReport>("discover", ["shop"]);
  expect(await found("unmapped-copy")).toEqual([]);
}, 240_000);
