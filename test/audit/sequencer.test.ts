/** Sequencing: an index for every entry and one entry for every index, whoever writes and wherever it dies. */
import { expect, it } from "vitest";
import { leafHash } from "../../audit/hash.js";
import { ensureLog, headOf, migrateLog } from "../../audit/log.js";
import { sequence } from "../../audit/sequencer.js";
import { verifyLog } from "../../audit/verify.js";
import { tellAudit, waitingCount } from "../../inventory/audit-outbox.js";
import { read, transact } from "../../inventory/database.js";
import { naiveRoot } from "./naive.js";
import { logWorld, outboxOf, record } from "./world.js";

async function bodies(sql: Awaited<ReturnType<typeof logWorld>>["sql"]): Promise<string[]> {
  const rows = await sql<{ index: string; body: string }>(
    "select index, body from rekey_audit.entries order by index",
  );
  expect(rows.map(({ index }) => Number(index))).toEqual(rows.map((_, i) => i));
  return rows.map(({ body }) => body);
}

it("gives entries indexes without a gap and the tree's root, and takes them from where they waited", async () => {
  const { db, log, sql, source, tell } = await logWorld();
  const told = await tell(700);
  expect(await sequence(log, source, { limit: 300 })).toMatchObject({ seen: 300, added: 300 });
  expect(await sequence(log, source, { limit: 300 })).toMatchObject({ seen: 300, added: 300 });
  const { head } = await sequence(log, source, { limit: 300 });
  expect(await bodies(sql)).toEqual(told.map(({ body }) => body));
  expect(head.size).toBe(700);
  expect(Buffer.from(head.root).equals(naiveRoot(told.map(({ body }) => body)))).toBe(true);
  expect(await waitingCount(db)).toBe(0);
  expect(await sequence(log, source)).toMatchObject({ seen: 0, added: 0 });
});

it("I9: concurrent writers and sequencers leave no gap, lose nothing and double nothing", async () => {
  const { another, db, sql, log, signer } = await logWorld();
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    const mine = another({ connectionsMax: 1 });
    const ids: string[] = [];
    for (let i = 0; i < 30; i++) {
      const told = await transact(mine, (tx) => tellAudit(tx, record(writer * 1_000 + i), record(i)));
      ids.push(...told.map(({ id }) => id));
    }
    return ids;
  });
  let writing = true;
  const sequencers = Array.from({ length: 4 }, async () => {
    const mine = another({ connectionsMax: 2 });
    while (writing) await sequence(mine, outboxOf(mine), { limit: 25 });
  });
  const ids = (await Promise.all(writers)).flat();
  writing = false;
  await Promise.all(sequencers);
  while ((await sequence(log, outboxOf(db))).seen > 0) {}
  const found = (await bodies(sql)).map((body) => JSON.parse(body).id as string);
  expect([...found].sort()).toEqual([...ids].sort());
  expect((await verifyLog(log, signer, [])).findings).toEqual([]);
});

it("what one transaction has told stands in its order, and before what was told after its end", async () => {
  const { db, log, sql, source } = await logWorld();
  const first = await transact(db, (tx) => tellAudit(tx, record(1), record(2)));
  const second = await transact(db, (tx) => tellAudit(tx, record(3)));
  await sequence(log, source);
  expect((await bodies(sql)).map((body) => JSON.parse(body).id)).toEqual(
    [...first, ...second].map(({ id }) => id),
  );
});

it("an entry is there if and only if that which it tells of is", async () => {
  const { db, log, source, sql } = await logWorld();
  const refusal = new Error("it was not to be");
  const failing = transact(db, async (tx) => {
    await tellAudit(tx, record(1));
    throw refusal;
  });
  await expect(failing).rejects.toBe(refusal);
  expect(await sequence(log, source)).toMatchObject({ seen: 0 });
  expect(await sql("select 1 from rekey_audit.entries")).toEqual([]);
});

it("dying after the log has the entries, and before they are taken away, doubles nothing", async () => {
  const { log, source, tell, sql, signer } = await logWorld();
  await tell(3);
  const dies = { ...source, taken: async () => Promise.reject(new Error("killed")) };
  await expect(sequence(log, dies)).rejects.toThrow("killed");
  await tell(2);
  expect(await sequence(log, source)).toMatchObject({ seen: 5, added: 2 });
  expect(await bodies(sql)).toHaveLength(5);
  expect((await verifyLog(log, signer, [])).findings).toEqual([]);
});

it("dying before the log's commit loses nothing: the entries wait as before", async () => {
  const { log, source, tell, sql, db } = await logWorld();
  await tell(3);
  await sql(`create function rekey_audit.die() returns trigger language plpgsql as
    $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
    create constraint trigger dies after insert on rekey_audit.entries deferrable initially deferred
      for each row execute function rekey_audit.die()`);
  await expect(sequence(log, source)).rejects.toMatchObject({
    code: expect.stringMatching(/unreachable|unknown/),
  });
  expect([await waitingCount(db), await sql("select 1 from rekey_audit.entries")]).toEqual([3, []]);
  await sql("drop trigger dies on rekey_audit.entries");
  expect(await sequence(log, source)).toMatchObject({ seen: 3, added: 3 });
});

it("a tree that does not have its head's root is not gone on with", async () => {
  const { log, source, grow, tell, sql, db } = await logWorld();
  await grow(5);
  await sql("update rekey_audit.tiles set hashes = substr(hashes, 1, 128) || substr(hashes, 1, 32)");
  await tell(1);
  await expect(sequence(log, source)).rejects.toMatchObject({ code: "audit-broken" });
  expect(await waitingCount(db)).toBe(1);
});

it("another installation's log is not written to", async () => {
  const { log, signer } = await logWorld();
  await ensureLog(log, signer.name);
  await expect(ensureLog(log, "rekey-audit/other")).rejects.toMatchObject({ code: "foreign-installation" });
});

it("the database refuses to change or forget what was logged, and to make the log shorter", async () => {
  const { sql, grow, log } = await logWorld();
  await grow(3);
  expect((await migrateLog(log)).applied).toEqual([]);
  const refused = (statement: string) => expect(sql(statement)).rejects.toThrow(/only ever added|only grows/);
  await refused("update rekey_audit.entries set body = '{}' where index = 1");
  await refused("delete from rekey_audit.entries");
  await refused("truncate rekey_audit.entries");
  await refused("update rekey_audit.openings set value = 'somebody else'");
  await refused("update rekey_audit.head set size = 2");
  await refused("delete from rekey_audit.head");
  await refused("update rekey_inventory.audit_outbox set body = '{}'");
  expect(await read(log, (tx) => headOf(tx, "look"))).toMatchObject({ size: 3 });
});

it("H40: an entry has nobody's name in its text, and its hash stays when the name is forgotten", async () => {
  const { grow, sql, log, signer } = await logWorld();
  await grow(2, { personal: { person: "ann", reason: "because Bob left" } });
  const [before] = await bodies(sql);
  expect(before).not.toMatch(/ann|Bob/);
  await sql("delete from rekey_audit.openings where field = 'reason'");
  const [after] = await bodies(sql);
  expect(leafHash(after ?? "")).toEqual(leafHash(before ?? ""));
  expect((await verifyLog(log, signer, [])).findings).toEqual([]);
});
