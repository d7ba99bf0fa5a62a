/**
 * Everything that Rekey needs for development, begun and ended together: PostgreSQL, Temporal and a worker, with
 * their state kept in one folder over a restart. It leaves its settings where the other commands look for them.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { exportJWK, generateKeyPair } from "jose";
import { type Installation, readInstallation, upFileName } from "./config.js";
import { findBinary } from "./dev/binaries.js";
import { temporalPin } from "./dev/pins.js";
import { startPostgres } from "./dev/postgres.js";
import type { Progress } from "./dev/progress.js";
import { startTemporal } from "./dev/temporal-server.js";
import { type RunningWorker, startWorker } from "./worker.js";

/** What `rekey up` started. `stop` ends all of it in the reverse order. */
export interface RunningHouse {
  readonly settings: Installation;
  readonly worker: RunningWorker;
  /** Resolves with the name of a server that ended without being told to; the rest is of no use without it. */
  readonly lost: Promise<string>;
  stop(): Promise<void>;
}

/** How it is started. */
export interface UpOptions {
  /**
   * Folder for data, keys, settings, and what the servers print since their latest start; made when it is missing.
   * What is secret in it only its owner can read.
   */
  readonly folder: string;
  /** Keeps the databases in the folder over a restart; otherwise they are gone when it stops. */
  readonly lasting: boolean;
  readonly progress: Progress;
}

/** Starts everything and resolves once the worker polls. What was started is ended again when something fails. */
export async function startHouse({ folder: given, lasting, progress }: UpOptions): Promise<RunningHouse> {
  const folder = resolve(given);
  // Passable for others, as PostgreSQL started by root runs as somebody else; every file has its own permissions.
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    progress("starting PostgreSQL for the inventory");
    const postgres = await startPostgres({
      logFile: join(folder, "postgres.log"),
      ...(lasting ? { folder: join(folder, "postgres") } : {}),
    });
    stops.push(() => postgres.stop());
    progress("starting Temporal's development server");
    const temporal = await startTemporal({
      program: await findBinary(temporalPin, { progress }),
      logFile: join(folder, "temporal.log"),
      ...(lasting ? { dbFile: join(folder, "temporal.db") } : {}),
    });
    stops.push(() => temporal.stop());
    const [file, url] = [join(folder, upFileName), join(folder, "database-url")];
    stops.push(async () => {
      for (const path of [file, url]) await rm(path, { force: true });
    });
    await writePrivately(url, postgres.url().reveal());
    await writePrivately(file, await settingsText(folder, url, temporal.address));
    const settings = readInstallation({ REKEY_HOME: folder });
    progress("starting the worker");
    const worker = await startWorker(settings);
    stops.push(() => worker.stop());
    const lost = Promise.race([
      postgres.ended.then(() => "PostgreSQL"),
      temporal.ended.then(() => "Temporal's development server"),
    ]);
    return { settings, worker, lost, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function settingsText(folder: string, urlFile: string, temporalAddress: string): Promise<string> {
  const secret = async (name: string, make: () => string | Promise<string>): Promise<string> => {
    const path = join(folder, name);
    if (!existsSync(path)) await writePrivately(path, await make());
    return `file:${path}`;
  };
  return [
    "# Written by `rekey up`, and gone when it stops.",
    `REKEY_DATABASE_URL=file:${urlFile}`,
    `REKEY_TEMPORAL_ADDRESS=${temporalAddress}`,
    `REKEY_CODEC_KEYS=${await secret("codec-key", () => randomBytes(32).toString("base64"))}`,
    `REKEY_ENGINE_KEY=${await secret("engine-key.json", ed25519Key)}`,
    `REKEY_AUDIT_KEY=${await secret("audit-key.json", ed25519Key)}`,
    `REKEY_FINGERPRINT_KEY=${await secret("fingerprint-key", () => randomBytes(32).toString("base64"))}`,
    "",
  ].join("\n");
}

async function ed25519Key(): Promise<string> {
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  return JSON.stringify(await exportJWK(privateKey));
}

/** Whole or not at all, and never readable by others, not even for a moment. */
async function writePrivately(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  await writeFile(temporary, text, { mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}
