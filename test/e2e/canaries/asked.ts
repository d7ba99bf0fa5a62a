/**
 * Servers and a program that discovery asks, with a canary wherever somebody who uses them could have left a value: in the name
 * that a session gives itself, in its properties, in its statement, in what a program prints. What they write down themselves is
 * nobody's output.
 */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { connect as connectAmqp } from "amqplib";
import { createConnection } from "mysql2/promise";
import pg from "pg";
import { startMariadb } from "../../../worker/dev/mariadb-server.js";
import { startRabbitmq } from "../../../worker/dev/rabbitmq-server.js";
import { startRedis } from "../../../worker/dev/redis-server.js";
import { postgresServer } from "../../setup/servers.js";
import type { Planted } from "./planted.js";
import { addressWith, type ReadPlaces, webhookWith } from "./sources.js";

/** What is asked, as `placesWithValues` tells what is read. */
export interface Asked extends ReadPlaces {
  stop(): Promise<void>;
}

/** What one of them is asked by, and how it ends. */
interface One {
  readonly source: Readonly<Record<string, unknown>>;
  readonly ends: readonly (() => Promise<unknown>)[];
}

const host = "127.0.0.1";
/** The issuer of the estate whose sessions they are said to be; nobody rotates it while they are asked. */
const issuer = "sound";

/** Starts them, and leaves a session for each name: one to be found, and those that hold values. */
export async function placesToAsk(folder: string, planted: Planted): Promise<Asked> {
  const makers = { postgres, redis, mariadb, rabbitmq, program };
  const made = await Promise.all(
    Object.entries(makers).map(async ([name, make]) => [name, await make(folder, planted)] as const),
  );
  return {
    sources: Object.fromEntries(made.map(([name, { source }]) => [`asked-${name}`, source])),
    shown: Object.fromEntries(made.map(([name]) => [`asked-${name}`, readerOf(name)])),
    stop: async () => {
      await Promise.all(made.map(([, { ends }]) => Promise.all(ends.map((end) => end()))));
    },
  };
}

const readerOf = (name: string) => `${name}-reader`;

/** What sessions of a server call themselves. */
const namesOf = (server: string, planted: Planted) => [
  readerOf(server),
  addressWith(planted, `a session's name at ${server}`),
  webhookWith(planted, `a path in a session's name at ${server}`),
];

async function login(server: string, username: string, planted: Planted) {
  const value = planted.draw(`the engine's login at ${server}`, "plain");
  return { value, of: { username, password: await planted.write(`the login at ${server}`, value) } };
}

async function postgres(_folder: string, planted: Planted): Promise<One> {
  const server = await postgresServer();
  const { user, password, port } = server;
  const { value, of } = await login("postgres", `canary_${process.pid}`, planted);
  const clients = await Promise.all(
    namesOf("postgres", planted).map(async (application_name) => {
      const client = new pg.Client({
        ...{ host, port, user, password: password.reveal(), database: "postgres" },
        application_name,
      });
      await client.connect();
      return client;
    }),
  );
  const [first] = clients;
  const role = pg.escapeIdentifier(of.username);
  await first?.query(`CREATE ROLE ${role} LOGIN PASSWORD '${value}'`);
  await first?.query(`GRANT pg_read_all_stats TO ${role}`);
  // The server shows it to whoever asks what is run.
  await first?.query(`SELECT '${planted.draw("a statement at postgres", "plain")}'`);
  return {
    source: { kind: "postgres-activity", owner: "alice", host, port, issuer, login: of },
    ends: [
      async () => {
        await first?.query(`DROP ROLE ${role}`);
        for (const client of clients) await client.end();
      },
    ],
  };
}

async function redis(_folder: string, planted: Planted): Promise<One> {
  const server = await startRedis();
  const { value, of } = await login("redis", "looks", planted);
  const { port, password } = server;
  const said = async (...lines: readonly string[]) => {
    const socket = connectTcp(port, host);
    socket.write([`AUTH admin ${password.reveal()}`, ...lines, ""].join("\r\n"));
    for (let text = ""; text.split("\r\n").length < lines.length + 2; ) {
      text += String((await once(socket, "data"))[0]);
      if (text.includes("-")) throw new Error("Redis refused what the stage asked of it");
    }
    return socket;
  };
  const sockets = [
    await said(`ACL SETUSER looks reset on >${value} +client|list +info +cluster|nodes`),
    ...(await Promise.all(namesOf("redis", planted).map((name) => said(`CLIENT SETNAME ${name}`)))),
  ];
  return {
    source: { kind: "redis-clients", owner: "alice", nodes: [{ host, port }], issuer, login: of },
    ends: [
      async () => {
        for (const socket of sockets) socket.destroy();
        await server.stop();
      },
    ],
  };
}

async function mariadb(_folder: string, planted: Planted): Promise<One> {
  const server = await startMariadb();
  const { value, of } = await login("mariadb", "looks", planted);
  const { port, password } = server;
  const connections = await Promise.all(
    namesOf("mariadb", planted).map((program_name) =>
      createConnection({
        ...{ host, port, user: "admin", password: password.reveal() },
        connectAttributes: { program_name, note: planted.draw("an attribute at mariadb", "plain") },
      }),
    ),
  );
  const [first] = connections;
  await first?.query(`CREATE USER looks@'%' IDENTIFIED BY '${value}'`);
  await first?.query("GRANT PROCESS ON *.* TO looks@'%'");
  await first?.query("GRANT SELECT ON performance_schema.session_connect_attrs TO looks@'%'");
  return {
    source: { kind: "mysql-processlist", owner: "alice", nodes: [{ host, port }], issuer, login: of },
    ends: [
      async () => {
        for (const connection of connections) connection.destroy();
        await server.stop();
      },
    ],
  };
}

async function rabbitmq(_folder: string, planted: Planted): Promise<One> {
  const server = await startRabbitmq();
  const { value, of } = await login("rabbitmq", "looks", planted);
  const { api, port, password } = server;
  const admin = { username: "admin", password: password.reveal() };
  const authorization = `Basic ${Buffer.from(`${admin.username}:${admin.password}`).toString("base64")}`;
  const ask = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization, "content-type": "application/json" };
    const answer = await fetch(`${api}/api/${path}`, { ...init, headers });
    if (!answer.ok) throw new Error(`RabbitMQ answered ${answer.status} about ${path}`);
    return answer.text();
  };
  await ask("users/looks", { method: "PUT", body: JSON.stringify({ password: value, tags: "monitoring" }) });
  const names = namesOf("rabbitmq", planted);
  const connections = await Promise.all(
    names.map((connection_name) =>
      connectAmqp(
        { hostname: host, port, ...admin },
        {
          clientProperties: {
            ...{ connection_name, product: addressWith(planted, "a product at rabbitmq") },
            information: planted.draw("a property at rabbitmq", "plain"),
          },
        },
      ),
    ),
  );
  // It shows them late.
  for (;;) {
    const seen = await ask("connections");
    if (names.every((name) => seen.includes(name))) break;
  }
  return {
    source: { kind: "rabbitmq-connections", owner: "alice", url: api, issuer, login: of },
    ends: [
      async () => {
        for (const connection of connections) await connection.close();
        await server.stop();
      },
    ],
  };
}

async function program(folder: string, planted: Planted): Promise<One> {
  const seen = { first: Date.now() - 60_000, last: Date.now() - 60_000, count: 1 };
  const said = (text: string) => `${text} of a program's own`;
  const claim = (applicationName: string) => ({
    claim: {
      ...{ record: "wiki", known: "read", seen, sentence: "The wiki says so." },
      from: { is: "reader", name: applicationName, traits: { applicationName } },
      ...{ type: "uses", to: { is: "account", issuer, account: "orders" } },
    },
  });
  const value = planted.draw(said("a copy"));
  const copy = {
    copy: {
      ...{ record: "wiki", at: { is: "location", scope: "wiki", path: "Runbook" }, value, literal: true },
      ...{ seen, sentence: "A line of the page." },
    },
  };
  const lines = [
    claim(readerOf("program")),
    copy,
    claim(addressWith(planted, said("a name"))),
    claim(webhookWith(planted, said("a path in a name"))),
    { claim: planted.draw(said("a line that is none")) },
    { cursor: "end", more: false },
  ];
  const file = join(folder, "says.mjs");
  const out = lines.map((line) => JSON.stringify(line)).join("\n");
  await writeFile(
    file,
    `process.stdin.resume();\nprocess.stderr.write(${JSON.stringify(planted.draw(said("a complaint")))});\nprocess.stdout.write(${JSON.stringify(`${out}\n`)});\n`,
  );
  return { source: { kind: "command", owner: "alice", command: [process.execPath, file] }, ends: [] };
}
