/** A PostgreSQL account of a lane: its group and three logins on the shared server, as a DBA would see them. */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { scramVerifier } from "../../../adapters/issuers/postgres/scram.js";
import { postgres } from "../../../adapters/issuers/postgres.js";
import { blindfold } from "./postgres-blind.js";
import type { Backup, Endpoint, HeldSession, LoginAnswer, RawDocument, ShopServer, World } from "./world.js";

/** The issuer's half of a world, and the first document. */
export type IssuerHalf = Pick<
  World,
  | "issuer"
  | "servers"
  | "account"
  | "login"
  | "accounts"
  | "hold"
  | "accountOf"
  | "lag"
  | "blind"
  | "readOnly"
  | "backups"
> & {
  /** The issuer's section with these ports in place of its servers' own. */
  throughDoors(ports: Readonly<Record<string, number>>): Readonly<Record<string, unknown>>;
  readonly first: RawDocument;
  readonly serviceEnv: Readonly<Record<string, string>>;
  drop(): Promise<void>;
};

const auditor = "auditor";

/** Makes the account with its first login switched on. */
export async function postgresAccount(shop: ShopServer, folder: string, index: number): Promise<IssuerHalf> {
  const group = `orders_${index}`;
  const logins = ["a", "b", "c"].map((letter) => `${group}_${letter}`);
  const [first = ""] = logins;
  const password = randomBytes(24).toString("base64url");
  await shop.query(`CREATE ROLE ${group} NOLOGIN`);
  const grants = postgres.grants?.({
    group,
    logins: logins.join(","),
    engineLogins: "rekey_a,rekey_b",
    environment: "faults",
  });
  await shop.query(grants ?? "");
  // One lane after the other: of two grants on one table at once the server refuses one.
  await shop.query(
    `SELECT pg_advisory_xact_lock(hashtext('grants')); GRANT INSERT, SELECT ON orders TO ${group}; GRANT USAGE ON SEQUENCE orders_id_seq TO ${group}`,
  );
  // The verifier and not the value: the server logs what it is sent, and the log is searched for values.
  await shop.query(`ALTER ROLE ${first} LOGIN PASSWORD '${await scramVerifier(password, randomBytes(16))}'`);
  const engine = await engineOf(shop, folder, index);
  const nodes = [{ host: shop.host, port: shop.port }, ...shop.standbys];
  const issuer = {
    kind: "postgres",
    host: shop.host,
    port: shop.port,
    database: shop.database,
    standbys: shop.standbys,
    login: { username: engine.login, password: `file:${engine.passwordFile}` },
  };
  const [standby] = shop.standbys;
  return {
    first: { username: first, password, note: "kept by the shop's own people" },
    issuer,
    servers: {
      issuer: { host: shop.host, port: shop.port },
      ...(standby === undefined ? {} : { standby }),
    },
    throughDoors: (ports) => ({
      ...issuer,
      port: ports.issuer,
      standbys: shop.standbys.map((each) => ({ ...each, port: ports.standby })),
    }),
    ...(standby === undefined ? {} : { lag: (on) => heldUp(shop, on) }),
    blind: (on) => blindfold(shop, engine.login, on),
    readOnly: { issuer: (on) => letOnlyRead(shop, engine.login, on) },
    backups: { issuer: backupOf(shop, group, [...logins, engine.login]) },
    account: { group, logins },
    serviceEnv: {
      PGPORT: String(shop.port),
      PGDATABASE: shop.database,
      WORK_SQL: "insert into orders (by) values (session_user) returning session_user as login",
    },
    login: (document) => Promise.all(nodes.map((node) => loginAt(shop, node, document, "server"))),
    accounts: async () => {
      const rows = await shop.query(
        `SELECT rolname AS name, rolcanlogin AS enabled, coalesce(shobj_description(oid, 'pg_authid'), '') AS tag
         FROM pg_roles WHERE rolname LIKE $1 ORDER BY rolname`,
        [`${group.replaceAll("_", "\\_")}\\_%`],
      );
      const counts = new Map<string, number>();
      for (const node of nodes.keys()) {
        const sessions = await shop.query(
          "SELECT usename AS name, count(*)::int AS count FROM pg_stat_activity WHERE usename = ANY($1) GROUP BY 1",
          [rows.map((row) => row.name)],
          node,
        );
        for (const { name, count } of sessions)
          counts.set(String(name), (counts.get(String(name)) ?? 0) + Number(count));
      }
      return rows.map(({ name, enabled, tag }) => ({
        name: String(name),
        enabled: enabled === true,
        tag: String(tag),
        sessions: counts.get(String(name)) ?? 0,
      }));
    },
    hold: (document) => heldAt(shop, shop, document),
    accountOf: (document) => document.username ?? "",
    drop: async () => {
      await shop.query("DELETE FROM rekey.managed WHERE grp = $1", [group]);
    },
  };
}

/** The engine's login of this lane alone, so that what is done to it is done to nobody else. */
async function engineOf(shop: ShopServer, folder: string, index: number) {
  const login = `engine_${index}`;
  const password = randomBytes(24).toString("base64url");
  const passwordFile = join(folder, `engine-password-${index}`);
  await writeFile(passwordFile, password, { mode: 0o600 });
  const group = "rekey_engine";
  await shop.query(`
    CREATE ROLE ${login} LOGIN PASSWORD '${await scramVerifier(password, randomBytes(16))}' IN ROLE ${group};
    ALTER ROLE ${login} SET role = '${group}';
    ALTER ROLE ${login} SET log_parameter_max_length = 0;
    ALTER ROLE ${login} SET log_parameter_max_length_on_error = 0`);
  return { login, passwordFile };
}

/** As a server that was switched to reading only, or whose provider has done so because its disk is full, for this login. */
async function letOnlyRead(shop: ShopServer, login: string, on: boolean): Promise<void> {
  await shop.query(`ALTER ROLE ${login} SET default_transaction_read_only = ${on ? "on" : "off"}`);
  await shop.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", [login]);
}

/** Of the account's logins: whether each is on, its verifier and its tag. Whoever is connected is cut off, as by a restart. */
function backupOf(shop: ShopServer, group: string, users: readonly string[]): Backup {
  let statements: string[] = [];
  return {
    keep: async () => {
      const rows = await shop.query(
        `SELECT format('ALTER ROLE %I %s PASSWORD %L; COMMENT ON ROLE %I IS %L', rolname,
           CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END, rolpassword,
           rolname, shobj_description(oid, 'pg_authid')) AS statement
         FROM pg_authid WHERE rolname IN (SELECT login FROM rekey.managed WHERE grp = $1)`,
        [group],
      );
      statements = rows.map(({ statement }) => String(statement));
    },
    putBack: async () => {
      await shop.query(statements.join("; "));
      await shop.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY($1)", [
        users,
      ]);
    },
  };
}

/** A standby that is held up takes logins all the same, as its past has them. */
async function heldUp(shop: ShopServer, on: boolean): Promise<void> {
  await shop.query(`SELECT pg_wal_replay_${on ? "pause" : "resume"}()`, [], 1);
}

function clientFor({ database }: ShopServer, { host, port }: Endpoint, document: RawDocument): pg.Client {
  const client = new pg.Client({
    ...{ host, port, database },
    user: document.username ?? "",
    password: document.password ?? "",
    application_name: auditor,
    connectionTimeoutMillis: 10_000,
  });
  client.on("error", () => undefined);
  return client;
}

/** A connection that is kept, and asks at once: a pooler gives none of the server's to whoever asks for nothing. */
export async function heldAt(shop: ShopServer, at: Endpoint, document: RawDocument): Promise<HeldSession> {
  const client = clientFor(shop, at, document);
  await client.connect();
  const alive = () =>
    client.query("select 1").then(
      () => true,
      () => false,
    );
  await alive();
  return { alive, end: () => client.end().catch(() => undefined) };
}

/** PostgreSQL's own words for "wrong password" and "may not log in"; nothing else passes for a refusal. */
const refusals: ReadonlySet<string> = new Set(["28P01", "28000"]);
/** A pooler has one code for everything, and tells these by its words. */
const poolersRefusal = /^(SASL authentication failed|no such user|password authentication failed)/;

/** Tries to log in at a server, or at a pooler in front of it; leaves no session. */
export async function loginAt(
  shop: ShopServer,
  at: Endpoint,
  document: RawDocument,
  what: "server" | "pooler",
): Promise<LoginAnswer> {
  const node = `${at.host}:${at.port}`;
  const { username = "" } = document;
  const client = clientFor(shop, at, document);
  try {
    await client.connect();
    const { rows } = await client.query("select session_user as me");
    if (rows[0]?.me !== username) throw new Error(`${username} was let in as ${rows[0]?.me}`);
    return { node, answer: "in" };
  } catch (error) {
    const { code = "", message } = error as Error & { code?: string };
    const refused = refusals.has(code) || (what === "pooler" && poolersRefusal.test(message));
    if (refused) return { node, answer: "refused" };
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}
