/** The canary suite's issuers and store, each made to write down as much as it can: a log of every statement, an audit device. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import pg from "pg";
import { scramVerifier } from "../../../adapters/issuers/postgres/scram.js";
import { postgres as postgresKind } from "../../../adapters/issuers/postgres.js";
import { findBinary } from "../../../worker/dev/binaries.js";
import { vaultPin } from "../../../worker/dev/pins.js";
import { startPostgres } from "../../../worker/dev/postgres.js";
import { startRedis } from "../../../worker/dev/redis-server.js";
import { startVault } from "../../../worker/dev/vault-server.js";
import type { Planted } from "./planted.js";
import { talkative } from "./talkative.js";

/** What the servers write down, and how the test gets around in them. */
export interface Servers {
  readonly postgresPort: number;
  readonly postgresLog: string;
  readonly enginePassword: string;
  readonly redisPort: number;
  readonly redisLog: string;
  readonly vaultAddress: string;
  readonly vaultToken: string;
  readonly vaultAudit: string;
  /** The live document of `orders-db`. */
  live(): Promise<Readonly<Record<string, string>>>;
  stop(): Promise<void>;
}

/** Starts all of them. Passwords are set by their verifiers, so that what is found in a log is not the test's own doing. */
export async function startServers(folder: string, planted: Planted): Promise<Servers> {
  const [postgresLog, vaultAudit] = [join(folder, "postgres.log"), join(folder, "vault-audit.log")];
  const target = await startPostgres({ config: talkative, logFile: postgresLog });
  const redis = await startRedis({ config: ["loglevel debug", "slowlog-log-slower-than 0"] });
  const vault = await startVault(await findBinary(vaultPin));
  planted.know("the store's root token", vault.token.reveal());
  planted.know("the DBA's password", target.password.reveal());
  planted.know("the Redis administrator's password", redis.password.reveal());
  const [enginePassword, firstPassword] = [
    planted.draw("the engine's login at the issuer"),
    planted.draw("the first password"),
  ];
  const ask = async (path: string, init: RequestInit = {}) => {
    const headers = { "x-vault-token": vault.token.reveal(), "content-type": "application/json" };
    const answer = await fetch(`${vault.address}/v1/${path}`, { ...init, headers });
    if (!answer.ok) throw new Error(`the store answered ${answer.status} about ${path}`);
    return answer.status === 204 ? {} : ((await answer.json()) as Record<string, unknown>);
  };
  const put = (path: string, body: object) => ask(path, { method: "PUT", body: JSON.stringify(body) });
  await put("sys/audit/file", { type: "file", options: { file_path: vaultAudit } });
  await put("secret/data/services/orders-db", {
    data: { username: "orders_a", password: firstPassword, note: "kept by the shop's own people" },
  });
  await setUp(target.url(), target.url("orders"), enginePassword, firstPassword);
  return {
    postgresPort: target.port,
    postgresLog,
    enginePassword,
    redisPort: redis.port,
    redisLog: redis.logPath,
    vaultAddress: vault.address,
    vaultToken: vault.token.reveal(),
    vaultAudit,
    live: async () => {
      const { data } = (await ask("secret/data/services/orders-db")) as {
        data: { data: Record<string, string> };
      };
      return data.data;
    },
    stop: async () => {
      await Promise.all([target.stop(), redis.stop(), vault.stop()]);
    },
  };
}

async function setUp(
  admin: { reveal(): string },
  orders: { reveal(): string },
  engine: string,
  first: string,
): Promise<void> {
  const grants = postgresKind.grants?.({
    group: "orders",
    logins: "orders_a,orders_b,orders_c",
    engineLogins: "rekey_a,rekey_b",
    environment: "test",
  });
  await asDba(admin, ["CREATE ROLE orders NOLOGIN", "CREATE DATABASE orders OWNER orders"]);
  const login = async (name: string, password: string) =>
    `ALTER ROLE ${name} LOGIN PASSWORD '${await scramVerifier(password, randomBytes(16))}'`;
  await asDba(orders, [grants ?? "", await login("rekey_a", engine), await login("orders_a", first)]);
}

async function asDba(url: { reveal(): string }, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url.reveal() });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
