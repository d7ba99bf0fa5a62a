/**
 * Rekey rotates the key that seals its own histories: real workers with a real ring, one of them on another machine that
 * is slow to get the file, and one that comes late. Whoever lacks the key keeps all others from sealing with it.
 */
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keyRing } from "../../adapters/issuers/key-ring.js";
import { kinds } from "../../adapters/registry.js";
import { parseEstate } from "../../domain/estate/parse.js";
import { Secret } from "../../domain/secret.js";
import { type Database, read } from "../../inventory/database.js";
import { applyEstate, entryNamed } from "../../inventory/estate.js";
import { sql } from "../../inventory/orm.js";
import { processes } from "../../inventory/process-tables.js";
import { processesSeen } from "../../inventory/processes.js";
import { sealingCodec, sealingKeyOf } from "../../worker/codec.js";
import { fixedRing } from "../../worker/codec-ring.js";
import type { Installation } from "../../worker/config.js";
import { databaseOf, dataConverterOf, newId } from "../../worker/installation.js";
import { scheduleId } from "../../worker/schedule-agreement.js";
import { type RunningHouse, startHouse } from "../../worker/up.js";
import { type RunningWorker, startWorker } from "../../worker/worker.js";
import { rotationQueue, rotationWorkflowId } from "../../workflows/messages.js";
import { historiesAsText, rowsAsText } from "../e2e/canaries/kept.js";
import { makeTalkative } from "../e2e/canaries/talkative.js";
import { findForms } from "../support/canaries.js";
import { quickPolicy } from "../workflows/real-house.js";
import { ended, stateOf } from "../workflows/watch.js";

const patience = { adoptionTimeout: "10m", drainTimeout: "10m", stallTimeout: "10m" };
const memoryMs = 1_000;

let folder: string;
let house: RunningHouse;
let inventoryData: string;
let db: Database;
let connection: Connection;
const running: RunningWorker[] = [];

const path = (name: string) => join(folder, name);
const idOf = async (text: string) => (await fixedRing([new Secret(text)]).known()).seals;
const sealing = async (): Promise<string> =>
  JSON.parse(await readFile(path("secrets/codec.json"), "utf8")).password;
const ringHas = async (key: string) => (await readFile(path("ring"), "utf8")).split("\n").includes(key);

const inventoryUrl = () => readFile(path("database-url"), "utf8");

/** Where anything was written while the key was rotated, and in which of these places a key was found. */
async function placesWith(keys: readonly string[]): Promise<string[]> {
  const [rows, histories] = await Promise.all([
    rowsAsText(await inventoryUrl()),
    historiesAsText(
      house.settings.REKEY_TEMPORAL_ADDRESS,
      sealingCodec(fixedRing(keys.map((key) => new Secret(key)))),
    ),
  ]);
  const texts = { rows, histories };
  for (const [name, text] of Object.entries(texts)) await writeFile(path(`${name}.txt`), text);
  const printed = [path("postgres.log"), path("temporal.log")];
  const places = [path("rows.txt"), path("histories.txt"), ...printed, inventoryData];
  // Each is the right one: what has to be there is found.
  const certain = ["rekey_inventory", "workflowExecutionStarted", "Temporal Server:"];
  const seen = await findForms(certain, places);
  expect(places.filter((place) => !seen.some(({ file }) => file.startsWith(place)))).toEqual([]);
  return (await findForms(keys, places)).map(({ file }) => file);
}

/** The settings of a machine whose copy of the ring is this file; what seals is at one place for all. */
function settingsWith(ring: string): Installation {
  return {
    ...house.settings,
    REKEY_CODEC_KEYS: [`file:${path("secrets/codec.json")}#password`, `file:${path(ring)}`],
  };
}

async function start(ring: string): Promise<RunningWorker> {
  const worker = await startWorker(settingsWith(ring));
  running.push(worker);
  return worker;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rekey-ring-house-"));
  house = await startHouse({ folder, lasting: false, progress: () => undefined });
  inventoryData = await makeTalkative(await inventoryUrl());
  // It reads its keys elsewhere from now on, and so do those that follow.
  await house.worker.stop();
  db = await databaseOf(house.settings);
  connection = await Connection.connect({ address: house.settings.REKEY_TEMPORAL_ADDRESS });
}, 120_000);

afterAll(async () => {
  await Promise.all(running.map((worker) => worker.stop()));
  await connection?.close();
  await db?.close();
  await house?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The estate whose only credential is the codec's key, which is in the ring and at its place already. */
async function describeRing(old: string): Promise<{ credential: string; yearly: string }> {
  for (const name of ["secrets", "staging", "locks"]) await mkdir(path(name), { mode: 0o700 });
  const keyId = await idOf(old);
  await writeFile(path("secrets/codec.json"), JSON.stringify({ username: keyId, password: old }));
  await writeFile(path("ring"), `${keyRing.grants?.({ ring: "main" })}${old}\n`);
  await copyFile(path("ring"), path("ring-elsewhere"));
  const parsed = parseEstate(
    {
      version: 1,
      installation: "here",
      owners: {
        ada: {
          kind: "person",
          email: "ada@example.com",
          keys: ["ed25519:zxwBDqCO3Auf5oHLUXZfXVRoLQdNSdb3wZeSqc8eiKs"],
        },
      },
      stores: { files: { kind: "file", directory: path("secrets"), stagingDirectory: path("staging") } },
      issuers: { ring: { kind: "key-ring", file: path("ring"), lockFolder: path("locks") } },
      policies: {
        quick: { ...quickPolicy, ...patience, responders: ["ada"] },
        yearly: { interval: "365d", responders: ["ada"] },
      },
      consumers: {
        openers: {
          owner: "ada",
          observe: [{ kind: "rekey-processes", shows: "opening" }],
          maxCacheLife: "1s",
        },
        sealers: {
          owner: "ada",
          observe: [{ kind: "rekey-processes", shows: "sealing" }],
          maxCacheLife: "1s",
        },
      },
      credentials: {
        codec: {
          issuer: "ring",
          account: { memory: `${memoryMs}ms`, existing: { slot: "a", keyId } },
          store: "files",
          place: { path: "codec.json" },
          owner: "ada",
          policy: "quick",
          class: "signing-key",
          purpose: "Seals what Rekey keeps in Temporal.",
          consumers: [
            { consumer: "openers", role: "opener" },
            { consumer: "sealers", role: "sealer" },
          ],
        },
      },
    },
    kinds,
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues, null, 2));
  const now = Date.now() - 86_400_000;
  await applyEstate(db, { estate: parsed.estate, digest: newId("digest"), by: "platform", now, newId });
  return {
    credential: (await entryNamed(db, "credentials", "codec")).id,
    yearly: (await entryNamed(db, "policies", "yearly")).id,
  };
}

/** Id of the key with which what the schedule carries is sealed; `null` while there is none. */
async function keyOfSchedule(namespace: string, policy: string): Promise<string | null> {
  const found = await connection.workflowService
    .describeSchedule({ namespace, scheduleId: scheduleId(policy) })
    .catch(() => null);
  const [payload] = found?.schedule?.action?.startWorkflow?.input?.payloads ?? [];
  return payload ? sealingKeyOf(payload) : null;
}

/** Temporal's retention is over for every run but the one that goes on. */
async function forgetEnded(namespace: string): Promise<void> {
  const query = 'ExecutionStatus != "Running"';
  const { executions } = await connection.workflowService.listWorkflowExecutions({ namespace, query });
  for (const { execution } of executions ?? [])
    if (execution)
      await connection.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: execution });
}

test("H26 H28: the codec's key is rotated by Rekey: who lacks it is waited for, no history is lost, and the old one goes last", {
  timeout: 400_000,
}, async () => {
  const old = (await readFile(path("codec-key"), "utf8")).trim();
  const { credential, yearly } = await describeRing(old);
  const namespace = house.settings.REKEY_TEMPORAL_NAMESPACE;
  const here = await start("ring");
  const elsewhere = await start("ring-elsewhere");
  const patient = { timeout: 120_000, interval: 250 };
  await expect.poll(() => keyOfSchedule(namespace, yearly), patient).toBe(await idOf(old));

  const client = new Client({
    connection,
    namespace,
    dataConverter: await dataConverterOf(settingsWith("ring")),
  });
  const first = await client.workflow.start("rotate", {
    workflowId: rotationWorkflowId(credential),
    taskQueue: rotationQueue,
    args: [{ credential, requestedBy: "eve", reason: "it is time" }],
  });
  const handle = client.workflow.getHandle(first.workflowId);

  // The new key is in the ring, and one of two machines has it: for as long as that is so nobody seals with it.
  const told = async () => (await processesSeen(db)).map(({ opens }) => opens.length).sort();
  await expect.poll(told, patient).toEqual([1, 2]);
  const untilToldAgain = async () => {
    const { rows } = await read(db, (tx) => tx.execute<{ at: Date }>(sql`select clock_timestamp() as at`));
    const least = async () => {
      const seen = await read(db, (tx) => tx.select({ at: processes.seenAt }).from(processes));
      return Math.min(...seen.map(({ at }) => at));
    };
    await expect.poll(least, patient).toBeGreaterThan(new Date(rows[0]?.at ?? 0).getTime());
  };
  // Twice over, which is many times what the walk needs for a step.
  await untilToldAgain();
  await untilToldAgain();
  expect(await told()).toEqual([1, 2]);
  expect(await sealing()).toBe(old);
  expect((await stateOf(handle)).places.main?.toldAt ?? null).toBeNull();

  // It gets the file: then the key is switched. A third worker comes late, and finds it so.
  await copyFile(path("ring"), path("ring-elsewhere"));
  await expect.poll(sealing, patient).not.toBe(old);
  const fresh = await sealing();
  expect(await ringHas(fresh)).toBe(true);
  const late = await start("ring");
  await expect.poll(() => keyOfSchedule(namespace, yearly), patient).toBe(await idOf(fresh));

  // The rotation goes on in a run that the new key alone can read, and waits for what was sealed with the old one.
  await expect.poll(async () => (await handle.describe()).runId, patient).not.toBe(first.firstExecutionRunId);
  await expect
    .poll(async () => {
      const { uses, origin } = await stateOf(handle);
      return uses[origin]?.sessions;
    }, patient)
    .toBeGreaterThan(0);
  expect(await ringHas(old)).toBe(true);
  // What both keys seal is all there now, and neither of them.
  expect(await placesWith([fresh, old])).toEqual([]);
  await expect
    .poll(async () => {
      await forgetEnded(namespace);
      return ringHas(old);
    }, patient)
    .toBe(false);
  await copyFile(path("ring"), path("ring-elsewhere"));
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });

  // Whoever knows the new key alone reads the rotation to its end, from its beginning.
  await Promise.all([here.stop(), elsewhere.stop()]);
  expect((await stateOf(handle)).closed).toBe("rotated");
  expect(await sealing()).toBe(fresh);
  await late.stop();
});
