/** Whoever is about to log in when a server is asked: nobody can say yet as whom, and a moment later everybody can. */
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { createConnection } from "mysql2/promise";
import pg from "pg";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import type { Source } from "../../../adapters/ports.js";
import { mysqlProcesslist } from "../../../adapters/sources/mysql-processlist.js";
import { postgresActivity } from "../../../adapters/sources/postgres-activity.js";
import { redisClients } from "../../../adapters/sources/redis-clients.js";
import { startMariadb } from "../../../worker/dev/mariadb-server.js";
import { oldPostgres } from "../../../worker/dev/old-postgres.js";
import { startPostgres } from "../../../worker/dev/postgres.js";
import { startRedis } from "../../../worker/dev/redis-server.js";
import { clientOf } from "../issuers/redis-world.js";
import { edgeText, scanned } from "../source.js";
import { depsOf } from "../stores/world.js";
import { tcpFront } from "./front.js";
import { slowWay } from "./slow-login.js";

const value = randomBytes(18).toString("base64url");
const deps = depsOf({ "env:LOOKS": value });

/** A server with a login `looks` that may see everybody, and `orders`, who comes in under the name `late`. */
interface World {
  readonly port: number;
  /** Asks the server, by another port of 127.0.0.1 where one is given. */
  source(at?: number): Source;
  /** Logs in as `orders` at that port of 127.0.0.1; ends with the test. */
  logIn(port: number): Promise<unknown>;
  /** How many messages a client sends before it is asked for a password. */
  readonly chunks: number;
}

const running = new Map<string, Promise<World>>();
const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops) await stop();
});

const login = { username: "looks", password: "env:LOOKS" };
const host = "127.0.0.1";

async function postgresWorld(release?: "17.0"): Promise<World> {
  const programs = release === undefined ? {} : { programs: (await oldPostgres())[release] };
  // A worker of autovacuum that just starts has no row either.
  const server = await startPostgres({ ...programs, config: ["autovacuum = off"] });
  stops.push(() => server.stop());
  const { port, user, password } = server;
  const root = new pg.Client({ host, port, user, password: password.reveal(), database: "postgres" });
  await root.connect();
  await root.query(
    `CREATE ROLE looks LOGIN PASSWORD '${value}'; GRANT pg_read_all_stats TO looks; CREATE ROLE orders LOGIN PASSWORD '${value}'`,
  );
  await root.end();
  return {
    port,
    source: (at = port) =>
      postgresActivity.create(postgresActivity.config.parse({ host, port: at, issuer: "shop", login }), deps),
    logIn: async (at) => {
      const settings = { host, port: at, user: "orders", password: value, database: "postgres" };
      const client = new pg.Client({ ...settings, application_name: "late" });
      client.on("error", () => undefined);
      onTestFinished(() => client.end().catch(() => undefined));
      await client.connect();
    },
    chunks: 1,
  };
}

async function mariadbWorld(): Promise<World> {
  const server = await startMariadb();
  stops.push(() => server.stop());
  const { port } = server;
  const admin = await createConnection({ host, port, user: "admin", password: server.password.reveal() });
  for (const user of ["looks", "orders"])
    await admin.query(`CREATE USER ${user}@'%' IDENTIFIED BY '${value}'`);
  await admin.query("GRANT PROCESS ON *.* TO looks@'%'");
  await admin.query("GRANT SELECT ON performance_schema.session_connect_attrs TO looks@'%'");
  await admin.end();
  return {
    port,
    source: (at = port) =>
      mysqlProcesslist.create(
        mysqlProcesslist.config.parse({ nodes: [{ host, port: at }], issuer: "shop", login }),
        deps,
      ),
    logIn: async (at) => {
      const settings = { host, port: at, user: "orders", password: value };
      const client = await createConnection({ ...settings, connectAttributes: { program_name: "late" } });
      client.on("error", () => undefined);
      onTestFinished(() => client.destroy());
    },
    chunks: 0,
  };
}

/** `open`: whoever connects is the default user. */
async function redisWorld({ open = false } = {}): Promise<World> {
  const server = await startRedis();
  stops.push(() => server.stop());
  const { port } = server;
  const admin = await clientOf(server, "admin", server.password.reveal());
  const rules = [`>${value}`, "+@all"];
  await admin.sendCommand(["ACL", "SETUSER", "looks", "on", ...rules]);
  await admin.sendCommand(["ACL", "SETUSER", "orders", "on", ...rules]);
  if (!open) await admin.sendCommand(["ACL", "SETUSER", "default", "off"]);
  admin.destroy();
  return {
    port,
    source: (at = port) =>
      redisClients.create(
        redisClients.config.parse({ nodes: [{ host, port: at }], issuer: "shop", login }),
        deps,
      ),
    logIn: async (at) => {
      const client = await clientOf({ host, port: at }, "orders", value, "late");
      onTestFinished(() => client.destroy());
    },
    chunks: 0,
  };
}

const kinds: Record<string, () => Promise<World>> = {
  "postgres-activity at 18": () => postgresWorld(),
  // It has no row for whoever logs in.
  "postgres-activity at 17": () => postgresWorld("17.0"),
  "mysql-processlist": () => mariadbWorld(),
  "redis-clients": () => redisWorld(),
};

/** Somebody stops halfway. */
async function half({ port, chunks, logIn }: World) {
  const way = await slowWay(port, chunks);
  // Whoever goes no further is cut off when the test ends.
  const coming = logIn(way.port).catch(() => undefined);
  await way.stopped;
  return { coming, goOn: way.goOn };
}

async function seen(source: Source) {
  const parts = await scanned(source);
  return {
    edges: parts.flatMap(({ claims }) => claims.map(edgeText)),
    gaps: parts.flatMap(({ gaps }) => gaps),
  };
}

const late = `reader(address=${host} applicationName=late) uses account(shop orders) session`;
const gap = expect.stringMatching(/^At \S+ 1 sessions had not said yet as whom they log in\.$/);

describe.each(Object.keys(kinds))("H21: %s", (kind) => {
  const world = () => {
    const known = running.get(kind) ?? (kinds[kind] as () => Promise<World>)();
    running.set(kind, known);
    return known;
  };

  test("sees who logs in while the server is asked, as whom they are", { timeout: 60_000 }, async () => {
    const at = await world();
    const first = await half(at);
    const front = await tcpFront(at.port);
    onTestFinished(() => front.close());
    const reached = new Promise<void>((done) => {
      front.change = (piece) => {
        done();
        return piece;
      };
    });
    const asked = seen(at.source(front.port));
    await reached;
    // It has looked once, and looks again for more than a second. A busy server has the next one under way by then.
    await pause(700);
    await half(at);
    first.goOn();
    expect(await asked).toEqual({ edges: [late], gaps: [] });
  });

  test("has a gap for who was there at first and never says who they are", { timeout: 60_000 }, async () => {
    const at = await world();
    await half(at);
    expect(await seen(at.source())).toEqual({ edges: [], gaps: [gap] });
  });

  test("stops looking when the call ends", { timeout: 60_000 }, async () => {
    const at = await world();
    await half(at);
    const began = Date.now();
    const asked = at
      .source()
      .scan(null, { signal: AbortSignal.timeout(300) })
      [Symbol.asyncIterator]()
      .next();
    await expect(asked).rejects.toMatchObject({ code: "unreachable" });
    // It would look for two seconds.
    expect(Date.now() - began).toBeLessThan(1_950);
  });
});

test("who says nothing to a Redis that asks nobody for a login is its default user, and no gap", async () => {
  const at = await redisWorld({ open: true });
  await half(at);
  expect(await seen(at.source())).toEqual({
    edges: [`reader(address=${host}) uses account(shop default) session`],
    gaps: [],
  });
});
