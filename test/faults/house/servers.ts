/**
 * One long-lived set of servers for a whole run: starting them costs seconds, a case costs one. The lanes share
 * them and are kept apart by databases, logins, namespaces and paths of their own.
 */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Client, Connection, WorkflowNotFoundError } from "@temporalio/client";
import { exportJWK, generateKeyPair } from "jose";
import pg from "pg";
import { postgres } from "../../../adapters/issuers/postgres.js";
import { findBinary } from "../../../worker/dev/binaries.js";
import { temporalPin, vaultPin } from "../../../worker/dev/pins.js";
import { type PostgresServer, startPostgres } from "../../../worker/dev/postgres.js";
import { startTemporal, type TemporalServer } from "../../../worker/dev/temporal-server.js";
import { copyOf } from "../../contract/issuers/postgres-copy.js";
import type { Shared, ShopServer } from "../worlds/world.js";
import { type OwnAwsAccount, startAwsAccount } from "./aws.js";
import { type OwnProvider, startProvider } from "./provider.js";
import { startRedisPair } from "./redis-pair.js";
import { startSealableVault } from "./vault.js";

/** The servers of a run. */
export interface Servers extends Shared {
  readonly temporal: TemporalServer;
  readonly inventory: PostgresServer;
  /** Settings that all installations of the run share: keys, and where Temporal is. */
  readonly settings: Readonly<Record<string, string>>;
  /** The engine's public key, as services want it. */
  readonly engineJwk: string;
  /** Files in which the servers keep what they log or store, for the search for values. */
  readonly traces: readonly string[];
  stop(): Promise<void>;
}

const connectionsMax = 600;
const namespacesMsMax = 120_000;
const database = "shop";

/** Name of a lane's namespace at Temporal. */
export function namespaceOf(index: number): string {
  return `lane-${index}`;
}

/** Starts everything that `lanes` lanes need. What was started is ended again when something fails. */
export async function startServers(lanes: number, progress: (line: string) => void): Promise<Servers> {
  const folder = await mkdtemp(join(tmpdir(), "rekey-faults-"));
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const shopLog = join(folder, "shop.log");
    const temporalFile = join(folder, "temporal.db");
    const [shopServer, inventory, temporal] = await Promise.all([
      startPostgres({
        config: [`max_connections = ${connectionsMax}`, "log_statement = ddl"],
        logFile: shopLog,
      }),
      startPostgres({ config: [`max_connections = ${connectionsMax}`] }),
      startTemporal({
        program: await findBinary(temporalPin, { progress }),
        dbFile: temporalFile,
        namespaces: Array.from({ length: lanes }, (_, index) => namespaceOf(index + 1)),
      }),
    ]);
    ends.push(
      () => temporal.stop(),
      () => inventory.stop(),
      () => shopServer.stop(),
    );
    await namespacesAnswer(temporal.address, lanes);
    const shop = await openShop([shopServer]);
    ends.push(shop.close);
    let pair: Promise<ShopServer> | null = null;
    const replicated = () => {
      pair ??= openReplicated(ends);
      return pair;
    };
    const vault = async (lane: number) => {
      const own = await startSealableVault(
        await findBinary(vaultPin, { progress }),
        join(folder, `vault-${lane}`),
      );
      ends.push(() => own.stop());
      return own;
    };
    const { settings, engineJwk } = await keys(folder, temporal.address);
    const traces = [shopLog, inventory.dataDir, temporalFile, `${temporalFile}-wal`];
    const redis = async (lane: number) => {
      const place = join(folder, `redis-${lane}`);
      await mkdir(place, { mode: 0o700 });
      const own = await startRedisPair(place);
      ends.push(() => own.stop());
      traces.push(...own.traces);
      return own;
    };
    let ownProvider: Promise<OwnProvider> | null = null;
    const provider = () => {
      ownProvider ??= startProvider(folder).then((own) => {
        traces.push(...own.traces);
        return own;
      });
      return ownProvider;
    };
    ends.push(async () => (await ownProvider)?.stop());
    let ownAws: Promise<OwnAwsAccount> | null = null;
    const aws = () => {
      ownAws ??= startAwsAccount(progress);
      return ownAws;
    };
    ends.push(async () => (await ownAws)?.stop());
    return {
      folder,
      shop,
      replicated,
      vault,
      redis,
      provider,
      aws,
      temporal,
      inventory,
      settings,
      engineJwk,
      traces,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Every service of the server learns of a namespace by itself, some of them seconds after the first one. */
async function namespacesAnswer(address: string, lanes: number): Promise<void> {
  const connection = await Connection.connect({ address });
  const until = Date.now() + namespacesMsMax;
  try {
    for (let index = 1; index <= lanes; index++) {
      const client = new Client({ connection, namespace: namespaceOf(index) });
      const known = () =>
        client.workflow
          .getHandle("nobody")
          .describe()
          .catch((error: unknown) => error instanceof WorkflowNotFoundError);
      while ((await known()) !== true) {
        if (Date.now() > until) throw new Error(`Temporal does not know ${namespaceOf(index)}`);
        await pause(100);
      }
    }
  } finally {
    await connection.close();
  }
}

/** A primary with a standby that takes logins. What was started is ended with the run. */
async function openReplicated(ends: (() => Promise<unknown>)[]): Promise<ShopServer> {
  const config = [`max_connections = ${connectionsMax}`];
  const primary = await startPostgres({ config });
  ends.push(() => primary.stop());
  const standby = await copyOf(primary, "standby", config);
  ends.push(() => standby.stop());
  const shop = await openShop([primary, standby.server]);
  ends.push(shop.close);
  return shop;
}

async function openShop([server, ...standbys]: readonly [PostgresServer, ...PostgresServer[]]): Promise<
  ShopServer & { close(): Promise<void> }
> {
  const admin = new pg.Client({ connectionString: server.url().reveal() });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${database}`);
  await admin.end();
  const pools = [server, ...standbys].map((each) => {
    const pool = new pg.Pool({ connectionString: each.url(database).reveal(), max: 8 });
    pool.on("error", () => undefined);
    return pool;
  });
  const query: ShopServer["query"] = async (text, values = [], node = 0) => {
    const pool = pools[node];
    if (pool === undefined) throw new Error(`there is no node ${node}`);
    return (await (values.length === 0 ? pool.query(text) : pool.query(text, [...values]))).rows ?? [];
  };
  await query(
    "CREATE TABLE orders (id bigserial PRIMARY KEY, by text NOT NULL, at timestamptz NOT NULL DEFAULT now())",
  );
  await query(postgres.grants?.({ environment: "faults" }) ?? "");
  const { host, port } = server;
  return {
    ...{ host, port, database, query },
    standbys: standbys.map((each) => ({ host: each.host, port: each.port })),
    close: async () => {
      await Promise.all(pools.map((pool) => pool.end()));
    },
  };
}

async function keys(
  folder: string,
  temporalAddress: string,
): Promise<{ settings: Record<string, string>; engineJwk: string }> {
  const place = join(folder, "keys");
  await mkdir(place, { mode: 0o700 });
  const kept = async (name: string, text: string): Promise<string> => {
    await writeFile(join(place, name), text, { mode: 0o600 });
    return `file:${join(place, name)}`;
  };
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const audit = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const jwk = await exportJWK(privateKey);
  return {
    settings: {
      REKEY_TEMPORAL_ADDRESS: temporalAddress,
      REKEY_CODEC_KEYS: await kept("codec", randomBytes(32).toString("base64")),
      REKEY_FINGERPRINT_KEY: await kept("fingerprint", randomBytes(32).toString("base64")),
      REKEY_AUDIT_KEY: await kept("audit.json", JSON.stringify(await exportJWK(audit.privateKey))),
      REKEY_ENGINE_KEY: await kept("engine.json", JSON.stringify(jwk)),
    },
    engineJwk: JSON.stringify({ kty: jwk.kty, crv: jwk.crv, x: jwk.x }),
  };
}
