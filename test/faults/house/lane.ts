/**
 * A lane: one installation with one credential, three services that use it, and a worker that may be killed.
 * Lanes run side by side; within a lane the cases follow one another, so that a kill hits nobody else.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { kinds } from "../../../adapters/registry.js";
import { newKey, readKey, type SigningKey } from "../../../client/documents.js";
import { readEstate } from "../../../client/estate/load.js";
import { type RotationClient, rotationClient } from "../../../client/temporal.js";
import { shapesOf } from "../../../domain/estate/shapes.js";
import type { Secret } from "../../../domain/secret.js";
import { type Service, startService } from "../../../examples/demo/services.js";
import { type Database, openDatabase } from "../../../inventory/database.js";
import { applyEstate, entryNamed } from "../../../inventory/estate.js";
import { readInstallation as readKeptInstallation } from "../../../inventory/installation.js";
import { type Installation, readInstallation } from "../../../worker/config.js";
import { dataConverterOf, newId } from "../../../worker/installation.js";
import { LineReader, type Seen, type SeenValue } from "../seam/witness.js";
import { worlds } from "../worlds/index.js";
import type { Backup, RawDocument, World } from "../worlds/world.js";
import type { Direction } from "./directions.js";
import { estateText, signers } from "./estate.js";
import { Gateway } from "./gateway.js";
import { asSuperuser, fill, makeReadOnly } from "./hindered.js";
import { openPager } from "./pager.js";
import { type OwnSource, readAll } from "./readings.js";
import { type Kept, keepRecords, putBackRecords } from "./records.js";
import { namespaceOf, type Servers } from "./servers.js";
import { WorkerProcess } from "./worker-process.js";

/** A lane, ready for a case. */
export interface Lane {
  readonly index: number;
  readonly worldName: string;
  readonly world: World;
  readonly services: readonly Service[];
  readonly worker: WorkerProcess;
  /** A second worker of the same installation, for when the first one is frozen; not running otherwise. */
  readonly spare: WorkerProcess;
  /** Doors to `inventory`, `temporal` and the world's servers; none in a lane that is never cut off. */
  readonly doors: Readonly<Record<string, Gateway>>;
  /** Makes a database refuse to write, or take it up again. */
  readOnly(which: "inventory" | "audit", on: boolean): Promise<void>;
  /** Takes away the room in a database, so that nothing new is kept there, or gives it back. */
  fill(which: "inventory" | "audit", on: boolean): Promise<void>;
  /** Keeps a copy of the inventory, or puts it back in its place. */
  readonly records: Backup;
  /** The same with its audit log, where that has a database of its own. */
  readonly log: Backup;
  readonly rotations: RotationClient;
  readonly temporal: Client;
  readonly db: Database;
  readonly settings: Installation;
  readonly installation: string;
  readonly credential: string;
  readonly keys: Readonly<Record<string, SigningKey>>;
  readonly witness: LineReader<Seen>;
  readonly values: LineReader<SeenValue>;
  /** Every value that this lane ever had, for the search at the end. */
  readonly everyValue: Set<string>;
  /** What its workers print, and what the people whom they tell were told. */
  readonly written: readonly string[];
  /** The sources of its estate. */
  readonly sources: readonly OwnSource[];
  /** Applies the estate for a direction, unless it is in force. */
  direct(direction: Direction): Promise<void>;
  /** The owner takes a reader upon themself, by the name under which the rotation has found them. */
  accept(reader: string): Promise<void>;
  stop(): Promise<void>;
}

/** Opens lane `index` in a world; `doors` puts one between the engine and each server. */
export async function openLane(
  servers: Servers,
  worldName: string,
  index: number,
  withDoors: boolean,
): Promise<Lane> {
  const kind = worlds[worldName];
  if (kind === undefined) throw new Error(`there is no world ${worldName}`);
  const ends: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const folder = join(servers.folder, `lane-${index}`);
    await mkdir(folder, { mode: 0o711 });
    const world = await kind.open(servers, index);
    ends.push(() => world.stop());
    const doors = withDoors ? await openDoors(servers, world) : {};
    for (const door of Object.values(doors)) ends.push(() => door.close());
    const sections = doors.issuer === undefined ? world : { ...world, ...world.through(portsOf(doors)) };
    const env = await settingsOf(servers, folder, index, doors);
    const settings = readInstallation(env);
    const [witnessFile, valuesFile, logFile] = ["witness", "values", "worker.log"].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    const [worker, spare] = [1, 2].map(
      () => new WorkerProcess({ env, witnessFile, valuesFile, logFile }),
    ) as [WorkerProcess, WorkerProcess];
    ends.push(
      () => worker.stop(),
      () => spare.stop(),
    );
    await worker.start();
    const services = await startServices(folder, world, servers.engineJwk);
    for (const service of services) ends.push(() => service.stop());
    const pager = await openPager(folder);
    ends.push(() => pager.stop());
    const newKeys = Object.fromEntries(
      await Promise.all(signers.map(async (person) => [person, await newKey(person)] as const)),
    );
    const db = openDatabase({ url: servers.inventory.url(databaseName(index)) });
    ends.push(() => db.close());
    const dataConverter = await dataConverterOf(settings);
    const login = { address: servers.temporal.address };
    const rotations = rotationClient({
      connection: login,
      namespace: settings.REKEY_TEMPORAL_NAMESPACE,
      dataConverter,
      identity: "faults",
      randomId: newId,
      deadlines: { connectMs: 20_000, callMs: 30_000, answerMs: 60_000 },
    });
    ends.push(() => rotations.close());
    const connection = await Connection.connect(login);
    ends.push(() => connection.close());
    const namespace = settings.REKEY_TEMPORAL_NAMESPACE;
    const accepted = new Set<string>();
    let inForce: Direction | null = null;
    const put = (direction: Direction): Promise<void> =>
      apply(db, estateText(sections, { services, keys: newKeys, pager: pager.section, direction, accepted }));
    const direct = async (direction: Direction): Promise<void> => {
      if (direction === inForce) return;
      await put(direction);
      inForce = direction;
    };
    await direct("forward");
    const named = Object.keys(world.sources ?? {}).map((name) => entryNamed(db, "sources", name));
    const sources = (await Promise.all(named)).map(({ id, name }) => ({ id, name }));
    await readAll(rotations, sources);
    const first = await world.live();
    return {
      ...{
        index,
        worldName,
        world,
        services,
        worker,
        spare,
        doors,
        rotations,
        db,
        settings,
        written: [logFile, pager.file],
        sources,
        direct,
        stop,
      },
      accept: async (reader) => {
        if (accepted.has(reader)) return;
        accepted.add(reader);
        await put(inForce ?? "forward");
      },
      temporal: new Client({ connection, namespace, dataConverter }),
      installation: (await readKeptInstallation(db)).id,
      credential: (await entryNamed(db, "credentials", "orders-db")).id,
      keys: Object.fromEntries(Object.entries(newKeys).map(([name, { jwk }]) => [name, readKey(jwk)])),
      witness: new LineReader(witnessFile),
      values: new LineReader(valuesFile),
      readOnly: (which, on) => makeReadOnly(servers, nameOf(which, index), on),
      records: backupOf(servers.inventory.url(databaseName(index)), "rekey_inventory"),
      log: backupOf(servers.inventory.url(auditName(index)), "rekey_audit"),
      fill: (which, on) => fill(servers, nameOf(which, index), which, on),
      everyValue: new Set(first === null ? [] : secretsOf(world, first)),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function backupOf(url: Secret, schema: Kept): Backup {
  return { keep: () => keepRecords(url, schema), putBack: () => putBackRecords(url, schema) };
}

/** What is searched for of a document: whoever has one of these has the credential. */
export function secretsOf(world: World, document: RawDocument): string[] {
  const { password, rekey_attest_key: attestKey } = document;
  const secrets = world.secretsOf?.(document) ?? [password];
  return [...secrets, attestKey].flatMap((value) => value || []);
}

function databaseName(index: number): string {
  return `inventory_${index}`;
}

function auditName(index: number): string {
  return `audit_${index}`;
}

function nameOf(which: "inventory" | "audit", index: number): string {
  return which === "audit" ? auditName(index) : databaseName(index);
}

async function openDoors(servers: Servers, world: World): Promise<Record<string, Gateway>> {
  const [host = "", port = ""] = servers.temporal.address.split(":");
  const { inventory } = servers;
  const behind = {
    ...world.servers,
    ...{ inventory, audit: inventory },
    temporal: { host, port: Number(port) },
  };
  const doors = Object.entries(behind).map(
    async ([name, at]) => [name, await Gateway.to(at.host, at.port)] as const,
  );
  return Object.fromEntries(await Promise.all(doors));
}

function portsOf(doors: Readonly<Record<string, Gateway>>): Record<string, number> {
  return Object.fromEntries(Object.entries(doors).map(([name, door]) => [name, door.port]));
}

async function settingsOf(
  servers: Servers,
  folder: string,
  index: number,
  doors: Readonly<Record<string, Gateway>>,
): Promise<Record<string, string>> {
  const kept = async (name: string, door: Gateway | undefined): Promise<string> => {
    await asSuperuser(servers, `CREATE DATABASE ${name}`);
    const url = new URL(servers.inventory.url(name).reveal());
    if (door !== undefined) url.port = String(door.port);
    const file = join(folder, `${name}-url`);
    await writeFile(file, url.href, { mode: 0o600 });
    return `file:${file}`;
  };
  return {
    ...servers.settings,
    // A log of its own, where it can be away without the inventory.
    ...(doors.audit === undefined
      ? {}
      : { REKEY_AUDIT_DATABASE_URL: await kept(auditName(index), doors.audit) }),
    ...(doors.temporal === undefined ? {} : { REKEY_TEMPORAL_ADDRESS: `127.0.0.1:${doors.temporal.port}` }),
    REKEY_HOME: folder,
    REKEY_DATABASE_URL: await kept(databaseName(index), doors.inventory),
    REKEY_TEMPORAL_NAMESPACE: namespaceOf(index),
  };
}

async function startServices(folder: string, world: World, engineJwk: string): Promise<Service[]> {
  const env = { POLL_MS: "250", ...world.serviceEnv, CREDENTIAL: "orders-db", ENGINE_JWK: engineJwk };
  const start = async (name: string, style: "poll" | "sighup" | "pool", more: { pidFile?: string } = {}) =>
    startService({
      ...more,
      name,
      program: world.program ?? `${style}-service`,
      env: { ...env, ...(await world.envOf?.(name)), STYLE: style },
    });
  return Promise.all([
    start("checkout", "poll"),
    start("invoices", "sighup", { pidFile: join(folder, "invoices.pid") }),
    start("reports", "pool"),
  ]);
}

async function apply(db: Database, text: string): Promise<void> {
  const read = readEstate(Buffer.from(text), "estate.yaml", kinds);
  if (!read.ok) throw new Error(read.problems.map((problem) => problem.message).join("; "));
  const { estate, digest } = read;
  const shapes = shapesOf(kinds);
  await applyEstate(db, { estate, digest, by: "platform-team", now: Date.now(), newId, shapes });
}
