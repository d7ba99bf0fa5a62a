/**
 * A consumer that nobody declared is seen by a source, and the rotation is refused with its name: on a real PostgreSQL, with
 * the reader long gone by the time of the rotation, so that only the map knows of it.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { kinds } from "../../adapters/registry.js";
import type { ScanReport } from "../../domain/discovery/report.js";
import { parseEstate } from "../../domain/estate/parse.js";
import type { Preview } from "../../domain/rotation/work.js";
import { applyEstate } from "../../inventory/estate.js";
import { currentEstate } from "../../inventory/estate-load.js";
import { newId } from "../../worker/installation.js";
import { clientOf, database, postgresWorld } from "../contract/issuers/postgres-world.js";
import { registeredShapes } from "../support/shapes.js";
import { people } from "./people.js";
import { openRealHouse, ownersText, quickPolicy } from "./real-house.js";
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
  const [secrets = "", staging = ""] = ["secrets", "staging"].map((name) => join(folder, name));
  for (const each of [secrets, staging]) await mkdir(each, { mode: 0o700 });
  await writeFile(join(secrets, "orders.json"), JSON.stringify({ username: first, password }), {
    mode: 0o600,
  });

  const server = { host, port, database, login: { username: "rekey_a", password: "env:ENGINE" } };
  const raw = (more: object, consumers: object = {}) => ({
    stores: { files: { kind: "file", directory: secrets, stagingDirectory: staging } },
    issuers: { orders: { kind: "postgres", ...server } },
    sources: { sessions: { kind: "postgres-activity", ...server, issuer: "orders", owner: "payments" } },
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
        issuer: "orders",
        account,
        store: "files",
        place: { path: "orders.json" },
        owner: "payments",
        policy: "quick",
        class: "service-account",
        purpose: "The orders service logs in with it.",
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
  const [report] = await house.ask<ScanReport[]>("discover", [null]);
  expect(report).toMatchObject({ source: "sessions", failure: null, malformed: 0, gaps: [] });
  await leave();

  const refused = async () =>
    (await house.ask<Preview>("preview", [{ credential: house.credential }])).findings.filter(
      ({ code }) => code === "unmapped-reader",
    );
  expect(await refused()).toMatchObject([
    { severity: "refuse", subject: expect.stringContaining("nightly-export") },
  ]);
  expect(await ended(await house.start())).toMatchObject({
    outcome: "refused",
    reason: expect.stringContaining("nightly-export"),
  });

  /** The estate anew, with the owners that the house has. */
  const change = async (next: ReturnType<typeof raw>) => {
    const estate = (await currentEstate(house.fresh.db))?.estate;
    if (estate === undefined) throw new Error("nothing is applied");
    const owners = ownersText((await people()).owners);
    const parsed = parseEstate({ version: 1, installation: estate.installation, owners, ...next }, kinds);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues, null, 2));
    await applyEstate(house.fresh.db, {
      estate: { ...parsed.estate, owners: estate.owners },
      digest: newId("digest"),
      by: "platform",
      now: Date.now(),
      newId,
      shapes: registeredShapes,
    });
  };
  const exception = (until: string) => ({
    finding: "unmapped-reader",
    owner: "payments",
    reason: "The export is retired this month.",
    until,
  });
  await change(raw({ exceptions: [exception("2999-01-01")] }));
  expect(await refused()).toMatchObject([
    { severity: "warn", sentence: expect.stringContaining("payments answers for it until 2999-01-01") },
  ]);
  await change(raw({ exceptions: [exception("2020-01-01")] }));
  expect(await refused()).toMatchObject([
    { severity: "refuse", sentence: expect.stringContaining("ended on 2020-01-01") },
  ]);

  // A consumer of the estate claims it: it is no stranger any more, and still not declared to use this one.
  const exporter = {
    owner: "payments",
    match: { applicationName: ["nightly-export"] },
    observe: [{ kind: "postgres-sessions", ...server, applicationName: "nightly-export" }],
  };
  await change(raw({}, { exporter }));
  expect(await refused()).toMatchObject([{ severity: "refuse", subject: "exporter" }]);
  await change(raw({ consumers: [{ consumer: "orders-api" }, { consumer: "exporter" }] }, { exporter }));
  expect(await refused()).toEqual([]);
}, 120_000);
