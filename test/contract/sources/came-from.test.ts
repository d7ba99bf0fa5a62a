/** Where sessions come from that show no address, on the real servers: a socket is one word everywhere, a name is a host. */
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { connect as connectAmqp } from "amqplib";
import { type ConnectionOptions, createConnection } from "mysql2/promise";
import { expect, onTestFinished, test } from "vitest";
import type { Source } from "../../../adapters/ports.js";
import { mysqlProcesslist } from "../../../adapters/sources/mysql-processlist.js";
import { postgresActivity } from "../../../adapters/sources/postgres-activity.js";
import { rabbitmqConnections } from "../../../adapters/sources/rabbitmq-connections.js";
import { redisClients } from "../../../adapters/sources/redis-clients.js";
import { sessionName } from "../../../domain/discovery/match.js";
import { startMariadb } from "../../../worker/dev/mariadb-server.js";
import { startPostgres } from "../../../worker/dev/postgres.js";
import { startRabbitmq } from "../../../worker/dev/rabbitmq-server.js";
import { startRedis } from "../../../worker/dev/redis-server.js";
import { worldOn } from "../issuers/postgres-world.js";
import { clientOf } from "../issuers/redis-world.js";
import { changeOf, passwordOf, tag } from "../issuers/world.js";
import { scanned } from "../source.js";
import { call, depsOf } from "../stores/world.js";

const value = randomBytes(18).toString("base64url");
const login = { username: "looks", password: "env:LOOKS" };
const deps = depsOf({ "env:LOOKS": value });
const host = "127.0.0.1";

/** What a source says of the sessions of an account: their traits, and what they are called. */
async function seen(source: Source, account: string) {
  const claims = (await scanned(source)).flatMap((part) => part.claims);
  return claims.flatMap(({ from, to }) =>
    from.is === "reader" && to.is === "account" && to.account === account ? [[from.traits, from.name]] : [],
  );
}

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "rekey-socket-"));
  // Servers that do not run as root make their socket in it.
  await chmod(made, 0o777);
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

const bySocket = [
  { applicationName: "orders", host: "local" },
  "orders from a socket of the server's machine",
];

test("C7: PostgreSQL: a socket, by the same name in the look of the issuer that a rotation goes by", async () => {
  const sockets = await folder();
  const server = await startPostgres({
    config: [`unix_socket_directories = '${sockets}'`],
    hba: ["local all all scram-sha-256"],
  });
  const world = await worldOn(server);
  onTestFinished(() => world.stop());
  await world.superuser.query(
    `CREATE ROLE looks LOGIN PASSWORD '${value}'; GRANT pg_read_all_stats TO looks`,
  );
  const account = await world.account();
  const [a = ""] = account.logins;
  const issuer = world.issuer(account);
  onTestFinished(() => issuer.close());
  const document = issuer.generate(a);
  await issuer.enable(changeOf(a, null, tag("v1", 1)), document, call());
  const ways = [sockets, host];
  for (const at of ways) {
    const session = await world.login(a, passwordOf(document), { host: at, application_name: "orders" });
    onTestFinished(() => session.end());
  }
  const source = postgresActivity.create(
    postgresActivity.config.parse({ host, port: server.port, issuer: "shop", login }),
    deps,
  );
  const found = await seen(source, a);
  expect(found).toEqual([[{ applicationName: "orders", address: host }, `orders from ${host}`], bySocket]);
  const { sessions } = await issuer.survey(call());
  expect(sessions.map(({ application, address }) => sessionName(application, address))).toEqual(
    found.map(([, name]) => name),
  );
});

test("C7: MariaDB: a socket, and the name of a host where it looks names up", async () => {
  const server = await startMariadb({ asksNames: true });
  onTestFinished(() => server.stop());
  const at = { host, port: server.port };
  const admin = await createConnection({ ...at, user: "admin", password: server.password.reveal() });
  for (const user of ["looks", "orders"])
    await admin.query(`CREATE USER ${user}@'%' IDENTIFIED BY '${value}'`);
  await admin.query("GRANT PROCESS ON *.* TO looks@'%'");
  await admin.query("GRANT SELECT ON performance_schema.session_connect_attrs TO looks@'%'");
  const [rows] = await admin.query("SELECT @@socket AS path");
  await admin.end();
  const [socket] = rows as { path: string }[];
  const ways: ConnectionOptions[] = [{ socketPath: socket?.path ?? "" }, at];
  for (const way of ways) {
    const session = await createConnection({
      ...{ ...way, user: "orders", password: value },
      connectAttributes: { program_name: "orders" },
    });
    onTestFinished(() => session.end());
  }
  const source = mysqlProcesslist.create(
    mysqlProcesslist.config.parse({ nodes: [at], issuer: "shop", login }),
    deps,
  );
  const found = await seen(source, "orders");
  expect(found).toHaveLength(2);
  expect(found).toContainEqual(bySocket);
  expect(found).toContainEqual([{ applicationName: "orders", host: "localhost" }, "orders from localhost"]);
});

test("C7: Redis: a socket", async () => {
  const path = join(await folder(), "socket");
  const server = await startRedis({ config: [`unixsocket ${path}`] });
  onTestFinished(() => server.stop());
  const admin = await clientOf(server, "admin", server.password.reveal());
  for (const user of ["looks", "orders"])
    await admin.sendCommand(["ACL", "SETUSER", user, "on", `>${value}`, "+@all"]);
  admin.destroy();
  const client = createClient({
    username: "orders",
    password: value,
    name: "orders",
    socket: { path, tls: false },
  });
  await client.connect();
  onTestFinished(() => client.destroy());
  const nodes = [{ host, port: server.port }];
  const source = redisClients.create(redisClients.config.parse({ nodes, issuer: "shop", login }), deps);
  expect(await seen(source, "orders")).toEqual([bySocket]);
});

test("C7: RabbitMQ: the name of a host where it looks names up", { timeout: 120_000 }, async () => {
  const server = await startRabbitmq({ config: ["reverse_dns_lookups = true"] });
  onTestFinished(() => server.stop());
  const password = server.password.reveal();
  const connection = await connectAmqp(
    { hostname: host, port: server.port, username: "admin", password },
    { clientProperties: { connection_name: "orders" } },
  );
  onTestFinished(() => connection.close());
  const source = rabbitmqConnections.create(
    rabbitmqConnections.config.parse({
      ...{ url: server.api, issuer: "shop" },
      login: { username: "admin", password: "env:ADMIN" },
    }),
    depsOf({ "env:ADMIN": password }),
  );
  const named = [[{ applicationName: "orders", host: "localhost" }, "orders from localhost"]];
  await expect.poll(() => seen(source, "admin"), { timeout: 60_000 }).toEqual(named);
});
