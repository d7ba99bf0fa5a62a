/** The way to the database: deadlines, broken connections, lost answers, and errors that quote nothing. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { RekeyError } from "../../domain/errors.js";
import { Secret } from "../../domain/secret.js";
import {
  type Database,
  type DatabaseOptions,
  openDatabase,
  read,
  transact,
} from "../../inventory/database.js";
import { installation } from "../../inventory/estate-tables.js";
import { appendEvent } from "../../inventory/events.js";
import { ensureInstallation, readInstallation } from "../../inventory/installation.js";
import { sql as statement } from "../../inventory/orm.js";
import { loadRotation } from "../../inventory/rotations.js";
import { startPostgres } from "../../worker/dev/postgres.js";
import { emptyDatabase, migratedDatabase, session, waiting } from "./database.js";
import { applySample, openedRotation, t0 } from "./world.js";

const first = { id: "ins_1", createdAt: t0, restoreGeneration: "g1" };

function opened(options: DatabaseOptions) {
  const db = openDatabase(options);
  onTestFinished(() => db.close());
  return db;
}

async function timed<T>(work: () => Promise<T>): Promise<{ outcome: unknown; tookMs: number }> {
  const start = performance.now();
  const outcome = await work().catch((error: unknown) => error);
  return { outcome, tookMs: performance.now() - start };
}

it("I10: a server that accepts and never answers is unreachable within the deadline", async () => {
  const sockets: Socket[] = [];
  const port = await listening(createServer((socket) => void sockets.push(socket)));
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
  const url = new Secret(`postgres://u:p@127.0.0.1:${port}/d`);
  const db = opened({ url, connectTimeoutMs: 200, deadlineMs: 1_000 });
  const { outcome, tookMs } = await timed(() => readInstallation(db));
  expect(outcome).toMatchObject({ code: "unreachable", retry: "safe" });
  expect(tookMs).toBeLessThan(10_000);
});

it("I10: a server that stops answering in the middle is unreachable at the deadline, and its connection is cut", async () => {
  const { url } = await migratedDatabase();
  const proxy = await startProxy(url);
  const db = opened({ url: proxy.url });
  await ensureInstallation(db, first);
  proxy.hang();
  const { outcome, tookMs } = await timed(() => readInstallation({ ...db, deadlineMs: 500 }));
  expect(outcome).toMatchObject({ code: "unreachable", retry: "safe" });
  // Without a deadline it would hang for ever; a busy machine takes longer to notice.
  expect(tookMs).toBeLessThan(10_000);
  await expect.poll(() => proxy.clients()).toBe(0);
});

it("I10: a statement that waits for a lock too long ends on the server too", async () => {
  const { db, url, sql } = await migratedDatabase();
  await ensureInstallation(db, first);
  const holder = await session(url);
  await holder.query("begin; lock table rekey_inventory.installation");
  const hasty = { ...db, statementTimeoutMs: 150 };
  await expect(readInstallation(hasty)).rejects.toMatchObject({ code: "unreachable", retry: "safe" });
  // Where nobody ends it, it is there for as long as the lock.
  await expect.poll(() => waiting(sql)).toEqual([]);
  await holder.query("rollback");
  expect(await readInstallation(db)).toEqual(first);
});

it("I10: a statement that takes too long is ended by the server", async () => {
  const { db, sql } = await migratedDatabase({ statementTimeoutMs: 150 });
  const slow = read(db, (tx) => tx.execute(statement`select pg_sleep(600)`));
  await expect(slow).rejects.toMatchObject({ code: "unreachable", retry: "safe" });
  const running = `select 1 from pg_stat_activity
    where datname = current_database() and state = 'active' and query like 'select pg_sleep%'`;
  // The server says that it gave up before it shows itself idle; sooner than it would have slept.
  await expect.poll(() => sql(running)).toEqual([]);
});

it("I10: connections that were terminated while idle are replaced without an error", async () => {
  const { db, sql } = await migratedDatabase();
  await Promise.all(Array.from({ length: 5 }, () => ensureInstallation(db, first)));
  await sql(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rekey-inventory' and datname = current_database()",
  );
  expect(await readInstallation(db)).toEqual(first);
});

it("I10: a connection that is terminated in the middle of the work is tried again, and the work is done once", async () => {
  const { db, sql } = await migratedDatabase();
  let attempts = 0;
  await transact(db, async (tx) => {
    attempts++;
    await tx.insert(installation).values(first);
    if (attempts === 1) {
      const pid = await tx.execute<{ pid: number }>(statement`select pg_backend_pid() as pid`);
      await sql("select pg_terminate_backend($1)", [pid.rows[0]?.pid]);
    }
    await tx.execute(statement`select 1`);
  });
  expect(attempts).toBe(2);
  expect(await readInstallation(db)).toEqual(first);
});

it("I10: a server that is stopped and started again only delays", async () => {
  const parent = await mkdtemp(join(tmpdir(), "rekey-inventory-"));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  // The server's own user has to get through to its data.
  await chmod(parent, 0o755);
  const folder = join(parent, "data");
  const server = await startPostgres({ folder });
  onTestFinished(() => server.stop());
  const db = opened({ url: server.url() });
  const one = (at: Database = db) => read(at, (tx) => tx.execute(statement`select 1 as one`));
  await one();
  await server.stop();
  const soon = { ...db, deadlineMs: 2_000 };
  await expect(one(soon)).rejects.toMatchObject({ code: "unreachable", retry: "safe" });
  const again = await startPostgres({ folder, port: server.port });
  onTestFinished(() => again.stop());
  expect((await one()).rows).toEqual([{ one: 1 }]);
});

it("I8: a commit whose answer is lost is settled by asking again, and leaves one record", async () => {
  const { db, url, sql } = await migratedDatabase();
  const { orders } = await applySample(db);
  const { rotation } = await openedRotation(db, orders);
  const proxy = await startProxy(url);
  const far = opened({ url: proxy.url });
  proxy.loseNextCommit();
  const event = { type: "held", at: t0, reason: "x" } as const;
  expect(await appendEvent(far, rotation, 1, event)).toEqual({ seq: 1, repeated: true });
  expect(proxy.lost()).toBe(1);
  expect((await loadRotation(db, rotation)).events).toEqual([event]);
  expect(await sql("select 1 from rekey_inventory.rotation_events")).toHaveLength(1);
});

it("I8: a commit whose answer stays lost is an unknown outcome, never a success or a plain failure", async () => {
  const { url, db } = await migratedDatabase();
  const proxy = await startProxy(url);
  const far = opened({ url: proxy.url, connectTimeoutMs: 3_000, deadlineMs: 6_000 });
  proxy.loseNextCommit({ andGoDown: true });
  await expect(ensureInstallation(far, first)).rejects.toMatchObject({
    code: "unknown-outcome",
    retry: "unknown-outcome",
  });
  expect(await readInstallation(db)).toEqual(first);
});

it("keeps nothing of a work that refuses, and the connection is used again", async () => {
  const { db, sql } = await migratedDatabase({ connectionsMax: 1 });
  const refusal = new RekeyError("refused-by-policy", "no");
  const work = transact(db, async (tx) => {
    await tx.insert(installation).values(first);
    throw refusal;
  });
  await expect(work).rejects.toBe(refusal);
  await expect(readInstallation(db)).rejects.toMatchObject({ code: "missing-setup" });
  expect(await sql("select 1 from rekey_inventory.installation")).toEqual([]);
});

it("cannot write where it only reads", async () => {
  const { db } = await migratedDatabase();
  const work = read(db, (tx) => tx.insert(installation).values(first));
  await expect(work).rejects.toMatchObject({
    code: "unreachable",
    message: expect.stringContaining("only allows"),
  });
});

it("tries a deadlock again", async () => {
  const { db, sql } = await migratedDatabase();
  await sql("insert into rekey_inventory.locks (key, epoch) values ('a', 1), ('b', 1)");
  const touch = (keys: readonly string[]) =>
    transact(db, async (tx) => {
      for (const key of keys) {
        await tx.execute(statement`update rekey_inventory.locks set epoch = epoch + 1 where key = ${key}`);
        await tx.execute(statement`select pg_sleep(0.1)`);
      }
    });
  await Promise.all([touch(["a", "b"]), touch(["b", "a"])]);
  expect(await sql("select distinct epoch::int from rekey_inventory.locks")).toEqual([{ epoch: 3 }]);
});

it("names what is wrong with the set-up", async () => {
  const { db, url } = await emptyDatabase();
  await expect(readInstallation(db)).rejects.toMatchObject({ code: "missing-setup" });
  const elsewhere = (change: (address: URL) => void) => {
    const address = new URL(url.reveal());
    change(address);
    return opened({ url: new Secret(address.href) });
  };
  const absent = elsewhere((address) => {
    address.pathname = "/nowhere";
  });
  await expect(readInstallation(absent)).rejects.toMatchObject({ code: "missing-setup" });
  const wrong = elsewhere((address) => {
    address.password = "hunter2-wrong";
  });
  await expect(readInstallation(wrong)).rejects.toMatchObject({ code: "not-permitted" });
  const closed = elsewhere((address) => {
    address.port = "1";
  });
  await expect(readInstallation(closed)).rejects.toMatchObject({ code: "unreachable" });
  for (const text of ["", "mysql://u:p@h/d", "host=localhost password=hunter2"]) {
    expect(() => openDatabase({ url: new Secret(text) })).toThrowError(
      expect.objectContaining({ code: "bad-input" }),
    );
  }
});

it("I6: neither the handle nor an error shows the password, a statement or what was to be kept", async () => {
  const { db, url, sql } = await migratedDatabase();
  const { password } = new URL(url.reveal());
  await read(db, (tx) => tx.execute(statement`select 1`));
  expect(inspect(db, { depth: 10, showHidden: true })).not.toContain(password);
  expect(JSON.stringify(db)).not.toContain(password);
  await sql(
    "insert into rekey_inventory.installation (id, created_at, restore_generation) values ('x', now(), 'g')",
  );
  const canary = "canary-4711";
  const { outcome } = await timed(() =>
    transact(db, (tx) => tx.insert(installation).values({ ...first, id: canary })),
  );
  expect(outcome).toBeInstanceOf(RekeyError);
  const shown = inspect(outcome, { depth: 10, showHidden: true }) + JSON.stringify(outcome);
  expect(shown).not.toContain(canary);
  expect(shown).not.toMatch(/insert into/i);
});

it("keeps the first installation whatever later calls give", async () => {
  const { db } = await migratedDatabase();
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, i) => ensureInstallation(db, { ...first, id: `ins_${i}` })),
  );
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
});

/** A server in between, which can stop answering, or lose the answer to a commit. */
async function startProxy(target: Secret) {
  const { hostname, port, href } = new URL(target.reveal());
  const clients = new Set<Socket>();
  let hanging = false;
  let losing: { andGoDown?: boolean } | null = null;
  let lost = 0;
  const server = createServer((client) => {
    clients.add(client);
    const upstream = connect({ host: hostname, port: Number(port) });
    let dropping = false;
    client.on("data", (chunk) => {
      if (hanging) return;
      if (losing !== null && chunk.includes("commit\0")) dropping = true;
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      if (hanging) return;
      if (!dropping) return void client.write(chunk);
      // The server has committed; its word for it goes no further.
      lost++;
      if (losing?.andGoDown) server.close();
      losing = null;
      client.destroy();
    });
    const end = (): void => {
      clients.delete(client);
      upstream.destroy();
      client.destroy();
    };
    for (const socket of [client, upstream]) socket.on("close", end).on("error", end);
  });
  const own = await listening(server);
  onTestFinished(() => clients.forEach((client) => void client.destroy()));
  const address = new URL(href);
  address.port = String(own);
  return {
    url: new Secret(address.href),
    clients: () => clients.size,
    hang: () => {
      hanging = true;
    },
    loseNextCommit: (how: { andGoDown?: boolean } = {}) => {
      losing = how;
    },
    lost: () => lost,
  };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
