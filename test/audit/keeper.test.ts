/** The keeper: an intent is durably told before its change, whatever the log does; what cannot wait goes into the spool (H31, I8). */
import { expect, it, test } from "vitest";
import { auditKeeper } from "../../audit/keeper.js";
import { bodiesIn, headOf } from "../../audit/log.js";
import { sequence } from "../../audit/sequencer.js";
import { verifyLog } from "../../audit/verify.js";
import { type AuditBody, bodyOf } from "../../domain/audit.js";
import { tellAudit, waitingCount } from "../../inventory/audit-outbox.js";
import { read, transact } from "../../inventory/database.js";
import { diagnoseAudit } from "../../worker/audit-diagnosis.js";
import { migratedDatabase } from "../inventory/database.js";
import { auditStore, keptLog, outages } from "./keeper-world.js";
import { outboxOf, record, tamper } from "./world.js";

async function world(more?: Parameters<typeof keptLog>[2]) {
  const inventory = await migratedDatabase();
  const store = await auditStore();
  const kept = keptLog(inventory.db, store.url, more);
  const tell = async (n: number) => {
    const [entry] = await transact(inventory.db, (tx) => tellAudit(tx, record(n, { kind: "intent" })));
    if (entry === undefined) throw new Error("nothing was told");
    return entry;
  };
  const logged = async (): Promise<AuditBody[]> => {
    const rows = await store.sql<{ body: string }>("select body from rekey_audit.entries order by index");
    return rows.map(({ body }) => bodyOf(body));
  };
  return { ...kept, inventory, db: inventory.db, store, tell, logged };
}

it("I8: what is secured is in the log, with the log in a database of its own that did not exist before", async () => {
  const { keeper, tell, logged, spool, db } = await world();
  const entry = await tell(1);
  expect(await keeper.secure(entry, false)).toBeNull();
  expect((await logged()).map(({ id }) => id)).toEqual([entry.id]);
  expect([await keeper.objection(), await spool.pending(), await waitingCount(db)]).toEqual([null, [], 0]);
});

it("I8: an intent that somebody took out of the outbox is in the log all the same", async () => {
  const { keeper, tell, logged, log, signer, warned, db, inventory } = await world();
  const taken = await tell(1);
  await inventory.sql(`delete from rekey_inventory.audit_outbox where id = '${taken.id}'`);
  expect(await keeper.secure(taken, false)).toBeNull();
  expect(await waitingCount(db)).toBe(0);
  expect((await logged()).map(({ id }) => id)).toEqual([taken.id]);
  expect(warned).toEqual([expect.stringContaining(`took intent ${taken.id} out of the inventory's outbox`)]);
  // It is there once, however often it is secured, and with what it committed to.
  expect(await keeper.secure(taken, false)).toBeNull();
  expect((await verifyLog(log, signer, [])).findings).toEqual([]);
  expect(await logged()).toHaveLength(1);
  expect(warned).toHaveLength(1);
});

it("I8: an intent that somebody changed in the outbox is refused, and spooled where it may not wait", async () => {
  const { keeper, tell, spool, inventory } = await world();
  const changed = await tell(1);
  const rewrite = `replace(body, '"change":1', '"change":9')`;
  await tamper(inventory, `update rekey_inventory.audit_outbox set body = ${rewrite}`);
  expect(await keeper.secure(changed, false)).toMatchObject({ code: "audit-broken", retry: "never" });
  expect(await spool.pending()).toEqual([]);
  expect(await keeper.secure(changed, true)).toBeNull();
  expect((await spool.pending())[0]?.entries.map(({ entry }) => entry)).toEqual([changed]);
});

it("many at once share the log's turns, and each is told when it is answered", async () => {
  const { keeper, tell, logged, log } = await world();
  const told = await Promise.all(Array.from({ length: 40 }, (_, n) => tell(n)));
  const sizes: number[] = [];
  await Promise.all(
    told.map(async (entry) => {
      expect(await keeper.secure(entry, false)).toBeNull();
      const head = await read(log, (tx) => headOf(tx, "look"));
      const told = await read(log, (tx) => bodiesIn(tx, [entry.id]));
      sizes.push(head.size);
      expect(told.get(entry.id)).toBe(entry.body);
    }),
  );
  expect(await logged()).toHaveLength(40);
  // Far fewer turns than entries: that is what sharing is for.
  expect(new Set(sizes).size).toBeLessThan(20);
});

test.each(outages)(
  "H31: with the audit store %s the doctor says so, and what stands in the spool until it is back",
  async (outage) => {
    const { keeper, tell, spool, store, log } = await world();
    const asked = { keeper, spool, log, now: Date.now };
    expect(await diagnoseAudit(asked)).toEqual({ subject: "audit log", findings: [] });
    const back = await store.down(outage);
    expect(await keeper.secure(await tell(1), true)).toBeNull();
    const { findings } = await diagnoseAudit(asked);
    expect(findings.map(({ code, severity }) => [code, severity])).toEqual([
      ["audit-down", "refuse"],
      ["audit-spooled", "warn"],
    ]);
    await back();
    expect((await diagnoseAudit(asked)).findings).toEqual([]);
  },
);

test.each(outages)(
  "H31: with the audit store %s an ordinary change is refused, and one that may not wait goes into the spool",
  async (outage) => {
    const { keeper, tell, logged, spool, warned, store, log, signer } = await world();
    await keeper.secure(await tell(0), false);
    const back = await store.down(outage);
    const ordinary = await tell(1);
    expect(await keeper.secure(ordinary, false)).toMatchObject({ code: "audit-down", retry: "safe" });
    expect(await keeper.objection()).toMatchObject({ code: "audit-down" });
    expect(await spool.pending()).toEqual([]);
    const urgent = await tell(2);
    expect(await keeper.secure(urgent, true)).toBeNull();
    expect((await spool.pending())[0]?.entries.map(({ entry }) => entry)).toEqual([urgent]);
    expect(warned).toEqual([expect.stringContaining(`its intent ${urgent.id} is in the audit spool`)]);

    await back();
    expect(await keeper.objection()).toBeNull();
    expect(await spool.pending()).toEqual([]);
    const bodies = await logged();
    expect(bodies.slice(1).map(({ id, kind }) => (kind === "gap" ? kind : id))).toEqual([
      ordinary.id,
      urgent.id,
      "gap",
    ]);
    expect(bodies[3]).toMatchObject({ kind: "gap", ids: [urgent.id], intact: true });
    expect(warned[1]).toContain("1 entry was merged from the spool");
    expect((await verifyLog(log, signer, [])).findings).toEqual([]);
  },
);

it("H31: a worker that starts while the audit store is down refuses what can wait, and does what cannot", async () => {
  const { keeper, tell, store, logged } = await world();
  const back = await store.down("stopped");
  expect(await keeper.objection()).toMatchObject({ code: "audit-down" });
  const urgent = await tell(1);
  expect(await keeper.secure(urgent, true)).toBeNull();
  await back();
  await keeper.flush();
  expect((await logged()).map(({ kind }) => kind)).toEqual(["intent", "gap"]);
});

it("H31: with log and spool both gone nothing is done, because nothing would tell of it (I8)", async () => {
  const { keeper, tell, store } = await world({ spoolMax: 1 });
  await keeper.flush();
  await store.down("full");
  expect(await keeper.secure(await tell(1), true)).toBeNull();
  expect(await keeper.secure(await tell(2), true)).toMatchObject({
    code: "audit-down",
    detail: expect.stringContaining("The audit spool is full"),
  });
});

it("H32: a log that was put back to an earlier time is not gone on with, and contains no leak's end", async () => {
  const first = await world();
  for (const n of [1, 2, 3]) await first.tell(n);
  const note = await first.keeper.checkpoint();
  await tamper(
    first.store,
    "delete from rekey_audit.entries",
    "delete from rekey_audit.tiles",
    "delete from rekey_audit.openings",
    "delete from rekey_audit.checkpoints",
    "update rekey_audit.head set size = 0, root = sha256('')",
  );
  // Another worker, with the same folder outside the database.
  const again = keptLog(first.db, first.store.url);
  await again.anchor.write(note, 3);
  const cut = "The log was cut: it has 0 entries, and the anchor's checkpoint was signed for 3.";
  const entry = await first.tell(4);
  expect(await again.keeper.secure(entry, false)).toMatchObject({ code: "audit-broken", detail: cut });
  expect(await again.keeper.secure(entry, true)).toBeNull();
  await expect(again.keeper.checkpoint()).rejects.toMatchObject({ code: "audit-broken" });
  expect(await again.anchor.read()).toBe(note);
  expect(await waitingCount(first.db)).toBe(1);
});

it("H32: a log that was put back while a worker runs is not gone on with once it was away", async () => {
  const { keeper, tell, store } = await world();
  for (const n of [1, 2]) expect(await keeper.secure(await tell(n), false)).toBeNull();
  await keeper.checkpoint();
  const back = await store.down("stopped");
  expect(await keeper.secure(await tell(3), false)).toMatchObject({ code: "audit-down" });
  await back();
  await tamper(
    store,
    ...["entries", "tiles", "openings", "checkpoints"].map((table) => `delete from rekey_audit.${table}`),
    "update rekey_audit.head set size = 0, root = sha256('')",
  );
  const cut = "The log was cut: it has 0 entries, and the anchor's checkpoint was signed for 2.";
  expect(await keeper.secure(await tell(4), false)).toMatchObject({ code: "audit-broken", detail: cut });
});

it("H31: a failure that nobody foresaw is a log that is down, and quotes nothing", async () => {
  const { spool, tell, store, db, log, signer } = await world();
  const prepare = () => Promise.reject(new TypeError("password hunter2"));
  const source = outboxOf(db);
  const parts = { prepare, log, source, spool, signer, anchors: [], now: Date.now, warn: () => undefined };
  const keeper = auditKeeper(parts);
  const entry = await tell(1);
  expect(await keeper.secure(entry, false)).toMatchObject({
    code: "audit-down",
    detail: "The audit log failed in an unexpected way (TypeError).",
  });
  expect(await keeper.secure(entry, true)).toBeNull();
  expect(await store.sql("select to_regclass('rekey_audit.head') as there")).toEqual([{ there: null }]);
});

it("the inventory being away is the log's outage too: nothing is taken, and nothing is lost", async () => {
  const { log, tell, db, keeper } = await world();
  await keeper.flush();
  await tell(1);
  const gone = { ...outboxOf(db), waiting: async () => Promise.reject(new Error("gone")) };
  await expect(sequence(log, gone)).rejects.toThrow("gone");
  expect(await waitingCount(db)).toBe(1);
});
