/** A real PostgreSQL with the engine's SQL installed, and a fresh account on it for each test. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import type { PostgresAccount, PostgresConfig } from "../../../adapters/issuers/postgres/config.js";
import { postgresGrants } from "../../../adapters/issuers/postgres/grants.js";
import { scramVerifier } from "../../../adapters/issuers/postgres/scram.js";
import { postgres } from "../../../adapters/issuers/postgres.js";
import type { AdapterDeps, Issuer } from "../../../adapters/ports.js";
import { type PostgresServer, startPostgres } from "../../../worker/dev/postgres.js";
import { depsOf } from "../stores/world.js";
import type { IssuerWorld, OpenSession } from "./world.js";

/** The database in which everything happens. */
export const database = "ordersdb";

/** A server with the engine set up. `superuser` is a DBA's own connection. */
export interface PostgresWorld {
  readonly server: PostgresServer;
  readonly superuser: pg.Client;
  readonly engine: { readonly username: string; readonly password: string };
  readonly config: PostgresConfig;
  /** What the adapter is made with; resolves `env:ENGINE` to the engine's password. */
  deps(more?: Partial<AdapterDeps>): AdapterDeps;
  /** A login as estates have them before Rekey, which owns a table with rows, and its pair. */
  account(options?: { logins?: number; pair?: boolean }): Promise<PostgresAccount>;
  issuer(account: PostgresAccount, config?: Partial<PostgresConfig>, deps?: Partial<AdapterDeps>): Issuer;
  /** Logs in as anybody; the caller ends the connection. Throws what the server answers. */
  login(username: string, password: string, more?: pg.ClientConfig): Promise<pg.Client>;
  stop(): Promise<void>;
}

/** A client that does not take the process down when the server ends its session. */
export async function clientOf(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client({ connectionTimeoutMillis: 60_000, ...config });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** Starts a server and installs the SQL of `rekey grants postgres`. `lines` go into its configuration. */
export async function postgresWorld(lines: readonly string[] = []): Promise<PostgresWorld> {
  return worldOn(await startPostgres({ config: lines }));
}

/** Installs the same on a server that runs already. */
export async function worldOn(server: PostgresServer): Promise<PostgresWorld> {
  const at = { host: server.host, port: server.port };
  const root = { ...at, user: server.user, password: server.password.reveal() };
  const first = await clientOf({ ...root, database: "postgres" });
  await first.query(`CREATE DATABASE ${database}`);
  await first.end();
  const superuser = await clientOf({ ...root, database });
  const password = randomBytes(24).toString("base64url");
  const verifier = await scramVerifier(password, randomBytes(16));
  await superuser.query(postgresGrants({ environment: "test", verifier }));
  return worldOf(server, superuser, { username: "rekey_a", password });
}

let accounts = 0;

function worldOf(
  server: PostgresServer,
  superuser: pg.Client,
  engine: { username: string; password: string },
): PostgresWorld {
  const { host, port } = server;
  const config = postgres.config.parse({
    host,
    port,
    database,
    login: { username: engine.username, password: "env:ENGINE" },
  });
  const deps = (more: Partial<AdapterDeps> = {}) => depsOf({ "env:ENGINE": engine.password }, more);
  return {
    server,
    superuser,
    engine,
    config,
    deps,
    account: async ({ logins = 2, pair = true } = {}) => {
      const group = `orders${++accounts}`;
      const names = ["a", "b", "c"].slice(0, logins).map((letter) => `${group}_${letter}`);
      await superuser.query(`CREATE ROLE ${group} LOGIN PASSWORD 'former-${group}';
        CREATE SCHEMA ${group} AUTHORIZATION ${group};
        CREATE TABLE ${group}.items AS SELECT generate_series(1, 3) AS id;
        ALTER TABLE ${group}.items OWNER TO ${group}`);
      if (pair) await superuser.query(postgresGrants({ group, logins: names.join(",") }));
      return postgres.account.parse({ group, logins: names });
    },
    issuer: (account, other = {}, more = {}) => postgres.create({ ...config, ...other }, account, deps(more)),
    login: (user, password, more = {}) => clientOf({ host, port, database, user, password, ...more }),
    stop: async () => {
      await superuser.end().catch(() => undefined);
      await server.stop();
    },
  };
}

/** The account as the contract suite wants it. `clone` is a copy of the server with a marker of its own. */
export function contractWorld(
  world: PostgresWorld,
  account: PostgresAccount,
  clone: () => Promise<Partial<PostgresConfig>>,
): IssuerWorld {
  const [a = "", b = ""] = account.logins;
  return {
    slots: [a, b],
    open: () => world.issuer(account),
    openClone: async () => world.issuer(account, await clone()),
    // Port 1 of this machine: nobody listens there.
    openUnreachable: () => world.issuer(account, { port: 1 }),
    connect: async (username, password) => {
      const client = await world.login(username, password).catch((error: { code?: string }) => {
        if (error.code?.startsWith("28")) return null;
        throw error;
      });
      return client && sessionOf(client, username);
    },
    overwriteTag: async (slot, text) => {
      await world.superuser.query(`COMMENT ON ROLE ${slot} IS '${text}'`);
    },
    exists: async (slot) => {
      const found = await world.superuser.query("SELECT FROM pg_roles WHERE rolname = $1", [slot]);
      return found.rowCount === 1;
    },
    dispose: async () => {},
  };
}

function sessionOf(client: pg.Client, username: string): OpenSession {
  return {
    alive: () =>
      client.query("SELECT 1").then(
        () => true,
        () => false,
      ),
    setOwnValue: async (value) => {
      await client.query("SET ROLE NONE");
      await client.query(`ALTER ROLE ${username} PASSWORD '${value}'`);
    },
    close: () => client.end().catch(() => undefined),
  };
}
