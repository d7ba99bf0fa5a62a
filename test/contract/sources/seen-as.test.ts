/**
 * Accounts of systems whose accounts no kind of issuer knows: the estate says whose they are, and a live session under one is a use
 * of that credential.
 */
import { randomBytes } from "node:crypto";
import { connect as connectAmqp } from "amqplib";
import { createConnection } from "mysql2/promise";
import { expect, onTestFinished, test } from "vitest";
import type { Source } from "../../../adapters/ports.js";
import { kinds } from "../../../adapters/registry.js";
import { mysqlProcesslist } from "../../../adapters/sources/mysql-processlist.js";
import { rabbitmqConnections } from "../../../adapters/sources/rabbitmq-connections.js";
import { parseEstate } from "../../../domain/estate/parse.js";
import { Adjacency } from "../../../domain/graph/reach.js";
import { usersOf } from "../../../domain/graph/use.js";
import { tieOf } from "../../../domain/watched.js";
import { read } from "../../../inventory/database.js";
import { applyEstate, entryNamed } from "../../../inventory/estate.js";
import { loadUsers } from "../../../inventory/graph-load.js";
import { declaredIn } from "../../../inventory/rematch.js";
import { beginScan, endScan, notePart } from "../../../inventory/scans.js";
import { startMariadb } from "../../../worker/dev/mariadb-server.js";
import { startRabbitmq } from "../../../worker/dev/rabbitmq-server.js";
import { migratedDatabase } from "../../inventory/database.js";
import { newId } from "../../inventory/world.js";
import { registeredShapes } from "../../support/shapes.js";
import { scanned } from "../source.js";
import { depsOf } from "../stores/world.js";

const value = randomBytes(18).toString("base64url");
const login = { username: "looks", password: "env:LOOKS" };

/** An estate with a PostgreSQL login that is also an account elsewhere, and with the source that sees it there. */
function estateOf(source: object, seenAs: readonly object[]) {
  const parsed = parseEstate(
    {
      version: 1,
      installation: "test",
      owners: { ada: { kind: "person", email: "ada@example.com", keys: [`ed25519:${"a".repeat(42)}A`] } },
      stores: { files: { kind: "file", directory: "/srv/secrets", stagingDirectory: "/srv/staging" } },
      issuers: {
        shop: {
          ...{ kind: "postgres", host: "db.example.com", database: "shop" },
          login: { username: "rekey", password: "env:ENGINE" },
        },
      },
      sources: { elsewhere: { ...source, owner: "ada" } },
      policies: { calm: {} },
      consumers: {
        "orders-api": {
          owner: "ada",
          observe: [{ kind: "confirmation", who: "the shop team" }],
          match: { applicationName: ["orders-api"] },
        },
      },
      credentials: {
        "orders-db": {
          ...{
            issuer: "shop",
            account: { group: "orders", logins: ["orders_a", "orders_b"] },
            store: "files",
          },
          ...{ place: { path: "orders.json" }, owner: "ada", policy: "calm", class: "service-account" },
          ...{ purpose: "Orders.", consumers: ["orders-api"], seenAs },
        },
      },
    },
    kinds,
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues, null, 2));
  return parsed.estate;
}

/** Reads the source twice: before the estate says whose account it is, and after. Answers with who is on the credential. */
async function usersBeforeAndAfter(settings: object, source: Source, account: string) {
  onTestFinished(() => source.close());
  const { db } = await migratedDatabase();
  const apply = (seenAs: readonly object[], digest: string) =>
    applyEstate(db, {
      ...{ estate: estateOf(settings, seenAs), digest, by: "ada", now: Date.now(), newId },
      shapes: registeredShapes,
    });
  await apply([], "before");
  const { id } = await entryNamed(db, "credentials", "orders-db");
  const { id: of } = await entryNamed(db, "sources", "elsewhere");
  const users = async () =>
    usersOf(new Adjacency(await loadUsers(db, id)), id)
      .filter(({ known }) => known === "session")
      .map(({ node }) => `${node.type} ${node.name}`);
  const ref = { source: of, shows: "now", settings: "s" } as const;
  const begun = await beginScan(db, { ...ref, now: Date.now(), newId: () => newId("scn") });
  const declared = await read(db, (tx) => declaredIn(tx, registeredShapes));
  let cursor = begun.cursorAfter;
  for (const part of await scanned(source)) {
    await notePart(db, { ...ref, id: begun.id }, cursor, part, declared, Date.now());
    cursor = part.cursor;
  }
  await endScan(db, { ...ref, id: begun.id }, Date.now());
  const before = await users();
  await apply(
    [
      { at: "elsewhere", account: "someone-else" },
      { at: "elsewhere", account },
    ],
    "after",
  );
  const { body } = await entryNamed(db, "credentials", "orders-db");
  // The source is one of those that would show its use from then on.
  expect(tieOf({ issuer: "elsewhere" }, body as never)).toBe("tied");
  return [before, await users()];
}

test("C7: a session of MariaDB is a use of the credential that the estate says is seen as its user", async () => {
  const { host, port, password, stop } = await startMariadb();
  onTestFinished(stop);
  const admin = await createConnection({ host, port, user: "admin", password: password.reveal() });
  onTestFinished(() => admin.end());
  for (const user of ["looks", "orders"])
    await admin.query(`CREATE USER ${user}@'%' IDENTIFIED BY '${value}'`);
  await admin.query("GRANT PROCESS ON *.* TO looks@'%'");
  await admin.query("GRANT SELECT ON performance_schema.session_connect_attrs TO looks@'%'");
  for (const program of ["orders-api", "report-job"]) {
    const session = await createConnection({
      ...{ host, port, user: "orders", password: value, connectAttributes: { program_name: program } },
    });
    onTestFinished(() => session.end());
  }
  const settings = { kind: "mysql-processlist", issuer: "elsewhere", nodes: [{ host, port }], login };
  const { kind: _, ...config } = settings;
  const source = mysqlProcesslist.create(
    mysqlProcesslist.config.parse(config),
    depsOf({ "env:LOOKS": value }),
  );
  expect(await usersBeforeAndAfter(settings, source, "orders")).toEqual([
    [],
    ["consumer orders-api", "identity report-job from 127.0.0.1"],
  ]);
}, 120_000);

test("C7: a connection of RabbitMQ is a use of the credential that the estate says is seen as its user", async () => {
  const server = await startRabbitmq();
  onTestFinished(() => server.stop());
  const authorization = `Basic ${Buffer.from(`admin:${server.password.reveal()}`).toString("base64")}`;
  const headers = { authorization, "content-type": "application/json" };
  const api = async (path: string, body?: object) => {
    const sent = body === undefined ? {} : { method: "PUT", body: JSON.stringify(body) };
    const text = await (await fetch(`${server.api}/api/${path}`, { headers, ...sent })).text();
    return text === "" ? null : JSON.parse(text);
  };
  for (const [user, tags] of [
    ["looks", "monitoring"],
    ["orders", ""],
  ]) {
    await api(`users/${user}`, { password: value, tags });
    await api(`permissions/%2F/${user}`, { configure: ".*", write: ".*", read: ".*" });
  }
  const connection = await connectAmqp(
    { hostname: server.host, port: server.port, username: "orders", password: value },
    { clientProperties: { connection_name: "orders-api" } },
  );
  onTestFinished(() => connection.close());
  // The server takes a moment to show it.
  for (let seen: { user?: string }[] = []; seen[0]?.user === undefined; seen = await api("connections"));
  const settings = { kind: "rabbitmq-connections", issuer: "elsewhere", url: server.api, login };
  const { kind: _, ...config } = settings;
  const source = rabbitmqConnections.create(
    rabbitmqConnections.config.parse(config),
    depsOf({ "env:LOOKS": value }),
  );
  expect(await usersBeforeAndAfter(settings, source, "orders")).toEqual([[], ["consumer orders-api"]]);
}, 120_000);
