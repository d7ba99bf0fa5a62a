/** The estate's target in the demo: a PostgreSQL server with a shop's database, whose one login three services share. */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { postgres as postgresKind } from "../../adapters/issuers/postgres.js";
import { Secret } from "../../domain/secret.js";
import { type PostgresServer, startPostgres } from "../../worker/dev/postgres.js";

/** The shop as it is before the first rotation. */
export interface Shop {
  readonly server: PostgresServer;
  readonly database: string;
  /** The login that the services use at first, and its password. */
  readonly login: string;
  readonly password: Secret;
  /** File with the engine's own password. */
  readonly enginePasswordFile: string;
  /** Runs a statement as the superuser, for the demo's own eyes. */
  query(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
}

const engineLogin = "rekey_a";
const group = "orders";
const logins = ["orders_a", "orders_b", "orders_c"];
const connectionsMax = 300;

/** Starts the server and sets it up the way a DBA would: with the SQL that `rekey grants postgres` prints. */
export async function openShop(folder: string): Promise<Shop> {
  const server = await startPostgres({ config: [`max_connections = ${connectionsMax}`] });
  const admin = new pg.Client({ connectionString: server.url().reveal() });
  const shop = new pg.Client({ connectionString: server.url("shop").reveal() });
  try {
    await admin.connect();
    await admin.query(`CREATE ROLE ${group} NOLOGIN`);
    await admin.query(`CREATE DATABASE shop OWNER ${group}`);
    await shop.connect();
    await shop.query(grantsSql());
    await shop.query(
      `SET ROLE ${group}; CREATE TABLE orders (id bigserial PRIMARY KEY, by text NOT NULL, at timestamptz NOT NULL DEFAULT now()); RESET ROLE`,
    );
    const password = freshPassword();
    const enginePassword = freshPassword();
    await setPassword(admin, logins[0] ?? "", password);
    await setPassword(admin, engineLogin, enginePassword);
    const enginePasswordFile = join(folder, "engine-password");
    await writeFile(enginePasswordFile, enginePassword.reveal(), { mode: 0o600 });
    return {
      server,
      database: "shop",
      login: logins[0] ?? "",
      password,
      enginePasswordFile,
      query: async (text, values) => (await shop.query(text, [...(values ?? [])])).rows,
      stop: async () => {
        await Promise.allSettled([admin.end(), shop.end()]);
        await server.stop();
      },
    };
  } catch (error) {
    await Promise.allSettled([admin.end(), shop.end()]);
    await server.stop();
    throw error;
  }
}

function grantsSql(): string {
  const print = postgresKind.grants;
  if (!print) throw new Error("this kind of issuer has no grants");
  return print({
    group,
    logins: logins.join(","),
    engineLogins: `${engineLogin},rekey_b`,
    environment: "demo",
  });
}

function freshPassword(): Secret {
  return new Secret(randomBytes(24).toString("base64url"));
}

async function setPassword(admin: pg.Client, login: string, password: Secret): Promise<void> {
  const literal = admin.escapeLiteral(password.reveal());
  await admin.query(`ALTER ROLE ${login} LOGIN PASSWORD ${literal}`);
}

/** The account of the shop, as the estate writes it down. */
export const shopAccount = { group, logins };

/** The engine's login at the shop's server. */
export const shopEngineLogin = engineLogin;
