/** The contract of the sources with a real MariaDB, and what it shows to whom. */
import { randomBytes } from "node:crypto";
import { type Connection, createConnection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { mysqlProcesslist } from "../../../adapters/sources/mysql-processlist.js";
import { type MariadbServer, startMariadb } from "../../../worker/dev/mariadb-server.js";
import { edgeText, leakedAddress, oddName, scanned, sourceContract } from "../source.js";
import { call, depsOf } from "../stores/world.js";

const value = randomBytes(18).toString("base64url");

let server: MariadbServer;
let admin: Connection;
const open: Connection[] = [];

beforeAll(async () => {
  server = await startMariadb();
  const { host, port, password } = server;
  admin = await createConnection({ host, port, user: "admin", password: password.reveal() });
  const granted = (mysqlProcesslist.grants?.({}) ?? "")
    .split("\n")
    .filter((line) => /^(CREATE|GRANT)/.test(line));
  for (const line of granted) await admin.query(line.replace("<password>", value));
  for (const user of ["orders", "narrow"])
    await admin.query(`CREATE USER ${user}@'%' IDENTIFIED BY '${value}'`);
});
afterAll(async () => {
  await admin?.end();
  await server?.stop();
});

function sourceOf(more: object = {}) {
  const { host, port } = server;
  return mysqlProcesslist.create(
    mysqlProcesslist.config.parse({
      nodes: [{ host, port }],
      issuer: "shop-db",
      login: { username: "rekey_discovery", password: "env:LOOKS" },
      ...more,
    }),
    depsOf({ "env:LOOKS": value }),
  );
}

async function connect(program: string, user = "orders"): Promise<Connection> {
  const { host, port } = server;
  const connection = await createConnection({
    host,
    port,
    user,
    password: value,
    connectAttributes: program === "" ? {} : { program_name: program },
  });
  open.push(connection);
  return connection;
}

/** Ends a session and waits until the server has let it go. */
async function leave(connection: Connection): Promise<void> {
  open.splice(open.indexOf(connection), 1);
  const id = connection.threadId;
  await connection.end();
  for (;;) {
    const [rows] = await admin.query(`SELECT ID FROM information_schema.PROCESSLIST WHERE ID = ${id}`);
    if ((rows as unknown[]).length === 0) return;
  }
}

async function leaveAll(): Promise<void> {
  for (const connection of [...open]) await leave(connection);
}

const edge = (program: string) =>
  `reader(address=127.0.0.1 applicationName=${program}) uses account(shop-db orders) session`;
/** The administrator of the tests, whom the source sees too. */
const ofAdmin = /account\(shop-db admin\)/;

sourceContract("mysql-processlist", async () => {
  await connect("orders-api");
  let planted: Connection | undefined;
  return {
    shows: "now",
    open: () => sourceOf(),
    openUnreachable: () => sourceOf({ nodes: [{ host: "127.0.0.1", port: 1 }] }),
    shown: [edge("orders-api")],
    whole: false,
    plant: async () => {
      planted = await connect("report-job");
      return edge("report-job");
    },
    unplant: async () => {
      if (planted !== undefined) await leave(planted);
    },
    odd: async () => {
      await connect(oddName);
      await connect("behind");
      return edge("behind");
    },
    leak: () => connect(leakedAddress),
    spoil: {
      cannot:
        "In MySQL's protocol a row has the columns that were asked for, in their types, or the connection is lost as a whole.",
    },
    large: {
      cannot:
        "A server takes a hundred and fifty sessions, with a thread for each: what it shows is cut up as that of `redis-clients` is.",
    },
    values: [value],
    close: leaveAll,
  };
});

describe("sessions at MariaDB", () => {
  afterEach(leaveAll);
  const said = async (source = sourceOf()) => {
    const parts = await scanned(source);
    const claims = parts.flatMap((part) => part.claims).filter((claim) => !ofAdmin.test(edgeText(claim)));
    return {
      claims: claims.map((claim) => [edgeText(claim), claim.seen.count]),
      gaps: parts.flatMap(({ gaps }) => gaps),
    };
  };

  it("are counted together by user, program and address, and the engine's own are left out", async () => {
    for (let each = 0; each < 3; each++) await connect("orders-api");
    await connect("engine", "rekey_discovery");
    expect(await said()).toEqual({ claims: [[edge("orders-api"), 3]], gaps: [] });
    expect(await sourceOf().preflight(call())).toEqual([]);
  });

  it("show nothing of what is run", async () => {
    const connection = await connect("orders-api");
    await connection.query(`SELECT '${value}'`);
    expect(JSON.stringify(await scanned(sourceOf()))).not.toContain(value);
  });

  it("are hidden from a login without the right, which is a gap and not nothing (H21)", async () => {
    await connect("orders-api");
    const narrow = sourceOf({ login: { username: "narrow", password: "env:LOOKS" } });
    const { claims, gaps } = await said(narrow);
    expect(claims).toEqual([]);
    expect(gaps).toContainEqual(expect.stringContaining("lacks the right PROCESS"));
    expect(await narrow.preflight(call())).toContainEqual(
      expect.objectContaining({ code: "mysql-sessions-incomplete", severity: "warn" }),
    );
  });

  it("are not shown to a login that is refused", async () => {
    const wrong = sourceOf({ login: { username: "nobody", password: "env:LOOKS" } });
    await expect(scanned(wrong)).rejects.toMatchObject({ code: "not-permitted" });
  });

  it("of a server that is away are a gap beside those of another", async () => {
    await connect("orders-api");
    const { host, port } = server;
    const both = {
      nodes: [
        { host, port: 1 },
        { host, port },
      ],
    };
    expect(await said(sourceOf(both))).toEqual({
      claims: [[edge("orders-api"), 1]],
      gaps: [expect.stringMatching(/^127\.0\.0\.1:1 was not seen: /)],
    });
  });
});
