/** The contract of the sources with a real PostgreSQL, and what it shows to whom. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { postgresActivity } from "../../../adapters/sources/postgres-activity.js";
import { type PostgresServer, startPostgres } from "../../../worker/dev/postgres.js";
import { edgeText, leakedAddress, oddName, scanned, sourceContract } from "../source.js";
import { call, depsOf } from "../stores/world.js";

const value = randomBytes(18).toString("base64url");

/** Of this file's own: who comes and goes at a shared one meanwhile would be in one look and not in the next. */
let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

/** Roles of their own on that server: a login that looks, with or without the right to see, and one that works. */
async function activityWorld({ sees = true } = {}) {
  const { host, port, user, password } = server;
  const id = randomBytes(4).toString("hex");
  const looks = `looks_${id}`;
  const orders = `orders_${id}`;
  const root = new pg.Client({ host, port, user, password: password.reveal(), database: "postgres" });
  await root.connect();
  await root.query(
    `CREATE ROLE ${looks} LOGIN PASSWORD '${value}'; CREATE ROLE ${orders} LOGIN PASSWORD '${value}'`,
  );
  if (sees) await root.query(`GRANT pg_read_all_stats TO ${looks}`);
  const open: pg.Client[] = [];
  const roles = [looks, orders];
  const close = async (client: pg.Client) => {
    const [row] = (await client.query("SELECT pg_backend_pid() AS pid")).rows;
    await client.end();
    // The server takes a moment to let the session go.
    while ((await root.query("SELECT FROM pg_stat_activity WHERE pid = $1", [row.pid])).rowCount !== 0);
  };
  return {
    orders,
    looks,
    source: (more: object = {}) =>
      postgresActivity.create(
        postgresActivity.config.parse({
          host,
          port,
          issuer: "orders-pg",
          login: { username: looks, password: "env:LOOKS" },
          ...more,
        }),
        depsOf({ "env:LOOKS": value }),
      ),
    connect: async (application_name: string) => {
      const client = new pg.Client({
        host,
        port,
        user: orders,
        password: value,
        database: "postgres",
        application_name,
      });
      client.on("error", () => undefined);
      await client.connect();
      open.push(client);
      return client;
    },
    connectOdd: async () => {
      const odd = `${oddName.slice(0, 9)}${id}`;
      await root.query(`CREATE ROLE ${pg.escapeIdentifier(odd)} LOGIN PASSWORD '${value}'`);
      roles.push(odd);
      const client = new pg.Client({ host, port, user: odd, password: value, database: "postgres" });
      client.on("error", () => undefined);
      await client.connect();
      open.push(client);
    },
    disconnect: async (client: pg.Client) => {
      open.splice(open.indexOf(client), 1);
      await close(client);
    },
    end: async () => {
      for (const client of open.splice(0)) await close(client);
      for (const role of roles) await root.query(`DROP ROLE ${pg.escapeIdentifier(role)}`);
      await root.end();
    },
  };
}

sourceContract("postgres-activity", async () => {
  const world = await activityWorld();
  await world.connect("orders-api");
  const edge = (application: string) =>
    `reader(address=127.0.0.1 applicationName=${application}) uses account(orders-pg ${world.orders}) session`;
  let planted: pg.Client | undefined;
  return {
    shows: "now",
    open: () => world.source(),
    openUnreachable: () => world.source({ port: 1 }),
    shown: [edge("orders-api")],
    // The administrator of the tests is connected, too.
    whole: false,
    plant: async () => {
      planted = await world.connect("report-job");
      return edge("report-job");
    },
    unplant: async () => {
      if (planted !== undefined) await world.disconnect(planted);
    },
    // The server writes down what is no plain text in a program's name; a role's name it keeps.
    odd: async () => {
      await world.connect(oddName.replace("\0", ""));
      await world.connectOdd();
      await world.connect("behind");
      return edge("behind");
    },
    leak: () => world.connect(leakedAddress),
    spoil: {
      cannot:
        "In PostgreSQL's protocol a row has the columns that were asked for, in their types, or the connection is lost as a whole.",
    },
    large: {
      cannot:
        "A server takes a hundred sessions and starts a process for each: what it shows is cut up as that of `redis-clients` is.",
    },
    values: [value],
    close: world.end,
  };
});

describe("sessions at PostgreSQL", () => {
  let world: Awaited<ReturnType<typeof activityWorld>>;
  const start = async (options: { sees?: boolean } = {}) => {
    world = await activityWorld(options);
  };
  afterEach(() => world.end());
  const mine = (parts: Awaited<ReturnType<typeof scanned>>) =>
    parts
      .flatMap(({ claims }) => claims)
      .filter(({ to }) => to.is === "account" && (to.account === world.orders || to.account === world.looks));

  describe("of a login that sees them", () => {
    beforeEach(() => start());

    it("are counted together by login, name and address, from the first of them on", async () => {
      const before = Date.now();
      for (let each = 0; each < 3; each++) await world.connect("orders-api");
      await world.connect("");
      const found = mine(await scanned(world.source()));
      expect(found.map((claim) => [edgeText(claim), claim.seen.count])).toEqual([
        [`reader(address=127.0.0.1) uses account(orders-pg ${world.orders}) session`, 1],
        [
          `reader(address=127.0.0.1 applicationName=orders-api) uses account(orders-pg ${world.orders}) session`,
          3,
        ],
      ]);
      expect(found.map(({ to }) => to.is === "account" && to.class)).toEqual([
        "service-account",
        "service-account",
      ]);
      for (const { seen } of found) {
        expect(seen.first).toBeGreaterThanOrEqual(before - 1_000);
        expect(seen.first).toBeLessThanOrEqual(seen.last);
      }
    });

    it("leave out the engine's own", async () => {
      await world.connect("rekey/probe/engine");
      expect(mine(await scanned(world.source()))).toEqual([]);
    });

    it("have no gaps, and show nothing of what is run", async () => {
      const client = await world.connect("orders-api");
      await client.query(`SELECT '${value}'`);
      const parts = await scanned(world.source());
      expect(parts.flatMap(({ gaps }) => gaps)).toEqual([]);
      expect(JSON.stringify(parts)).not.toContain(value);
      expect(await world.source().preflight(call())).toEqual([]);
    });

    it("of a second node that is away are a gap beside those of the first", async () => {
      await world.connect("orders-api");
      const parts = await scanned(world.source({ standbys: [{ host: "127.0.0.1", port: 1 }] }));
      expect(mine(parts)).toHaveLength(1);
      expect(parts.flatMap(({ gaps }) => gaps)).toEqual([
        expect.stringMatching(/^127\.0\.0\.1:1 was not seen: /),
      ]);
    });

    it("of a first node that is away are a gap in the part behind which the scan goes on", async () => {
      const { host, port } = server;
      const parts = await scanned(world.source({ port: 1, standbys: [{ host, port }] }));
      expect(parts.map(({ gaps }) => gaps)).toEqual([
        [expect.stringMatching(/^127\.0\.0\.1:1 was not seen: /)],
      ]);
      expect(await scanned(world.source({ port: 1, standbys: [{ host, port }] }), parts[0]?.cursor)).toEqual(
        [],
      );
    });

    it("are not shown to a password that is wrong", async () => {
      const source = world.source({ login: { username: world.orders, password: "env:LOOKS" } });
      await scanned(source);
      const wrong = world.source({ login: { username: `no_${world.orders}`, password: "env:LOOKS" } });
      await expect(scanned(wrong)).rejects.toMatchObject({ code: "not-permitted" });
    });
  });

  it("of a login that does not see them are shown as far as they are, with a gap: hidden is not absent (H21)", async () => {
    await start({ sees: false });
    await world.connect("orders-api");
    await world.connect("rekey/probe/engine");
    const parts = await scanned(world.source());
    // Whoever calls itself ours cannot be told from us by its address, so it is shown.
    expect(mine(parts).map(edgeText)).toEqual([
      `reader(applicationName=orders-api) uses account(orders-pg ${world.orders}) session`,
      `reader(applicationName=rekey/probe/engine) uses account(orders-pg ${world.orders}) session`,
    ]);
    expect(parts.flatMap(({ gaps }) => gaps)).toEqual([expect.stringContaining("lacks pg_read_all_stats")]);
    expect(await world.source().preflight(call())).toEqual([
      expect.objectContaining({ code: "postgres-stats-unreadable", severity: "warn" }),
    ]);
  });
});
