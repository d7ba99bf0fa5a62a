/**
 * What waits was written anew: in the spool, by somebody who has nothing but the disk, or in the outbox, by its owner. What was
 * told stands in the log all the same, and so does what was found in its place (I8, I9).
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { verifyLog } from "../../audit/verify.js";
import { type AuditBody, type AuditEntry, bodyOf } from "../../domain/audit.js";
import { canonical } from "../../domain/plan.js";
import { tellAudit, waitingCount } from "../../inventory/audit-outbox.js";
import { transact } from "../../inventory/database.js";
import { diagnoseAudit } from "../../worker/audit-diagnosis.js";
import { migratedDatabase } from "../inventory/database.js";
import { auditStore, type KeptLog, keptLog } from "./keeper-world.js";
import { record, tamper } from "./world.js";

/** A log that is down, with the intents of so many changes in the spool, and the way back. */
async function spooledWorld(count: number) {
  const inventory = await migratedDatabase();
  const store = await auditStore();
  const kept = keptLog(inventory.db, store.url);
  await kept.keeper.flush();
  const back = await store.down("full");
  const told = await transact(inventory.db, (tx) =>
    tellAudit(tx, ...Array.from({ length: count }, (_, n) => record(n, { kind: "intent" }))),
  );
  for (const entry of told) expect(await kept.keeper.secure(entry, true)).toBeNull();
  return {
    ...{ ...kept, inventory, db: inventory.db, told },
    /** The worker again, started anew: it has the disk, and nothing in hand. */
    restarted: () => keptLog(inventory.db, store.url, { folder: kept.folder }),
    back,
    logged: async (): Promise<string[]> => {
      const rows = await store.sql<{ body: string }>("select body from rekey_audit.entries order by index");
      return rows.map(({ body }) => body);
    },
  };
}

/** Writes the spool's file anew with these entries, each line bound to the one before: that needs no key. */
function rewritten({ folder }: Pick<KeptLog, "folder">, change: (entries: AuditEntry[]) => unknown[]): void {
  const spool = join(folder, "spool");
  const [name = ""] = readdirSync(spool);
  const lines = readFileSync(join(spool, name), "utf8").trimEnd().split("\n");
  const entries = change(lines.map((line) => JSON.parse(line).entry));
  let prev = "";
  const forged = entries.map((entry, n) => {
    const line = { seq: n + 1, at: 1_772_000_000_000 + n, prev, entry };
    prev = createHash("sha256").update(canonical(line)).digest("hex");
    return canonical({ ...line, hash: prev });
  });
  writeFileSync(join(spool, name), `${forged.join("\n")}\n`);
}

/** The entry with another change in its text. */
function forged(entry: AuditEntry): AuditEntry {
  return { ...entry, body: entry.body.replace('"change":', '"change":9') };
}

function kindsIn(bodies: readonly string[]): string[] {
  return bodies.map((body) => bodyOf(body).kind);
}

it("I9 H31: a spool that was written anew with hashes that fit changes nothing of what was told, and the log says what stood there", async () => {
  const { folder, told, back, restarted, logged } = await spooledWorld(2);
  const [first, second] = told;
  if (first === undefined || second === undefined) throw new Error("nothing was told");
  rewritten({ folder }, (entries) => entries.map((entry) => (entry.id === first.id ? forged(entry) : entry)));
  await back();
  const { keeper, log, signer, spool, warned } = restarted();
  expect(await keeper.secure(first, false)).toBeNull();

  const bodies = await logged();
  expect(bodies.slice(0, 2)).toEqual([first.body, second.body]);
  expect(kindsIn(bodies)).toEqual(["intent", "intent", "mismatch", "gap"]);
  expect(bodyOf(bodies[2] ?? "")).toMatchObject({
    place: "spool",
    entry: first.id,
    rotation: bodyOf(first.body).rotation,
  });
  expect(warned[0]).toContain("1 text in a worker's spool is not what was told");
  expect(await spool.pending()).toEqual([]);

  // Verifying names it, and the log is whole; so does the doctor.
  const sentence = `Entry 2 tells of another text under the id of entry ${first.id}, found in a worker's spool.`;
  expect(await verifyLog(log, signer, [])).toMatchObject({ findings: [], told: [sentence] });
  const { findings } = await diagnoseAudit({ keeper, spool, log, now: Date.now });
  expect(findings).toMatchObject([{ code: "audit-mismatch", severity: "warn", sentence }]);
  expect(
    (await diagnoseAudit({ keeper, spool, log, now: () => Date.now() + 31 * 86_400_000 })).findings,
  ).toEqual([]);
});

it("nothing of a text that was found is lost: it is a personal field of the entry that tells of it, and told once", async () => {
  const { folder, told, back, restarted, logged, inventory } = await spooledWorld(1);
  const [entry] = told;
  if (entry === undefined) throw new Error("nothing was told");
  rewritten({ folder }, () => [forged(entry), forged(entry)]);
  await back();
  const { keeper, log } = restarted();
  await keeper.flush();
  // The same text once more, in the outbox.
  await transact(inventory.db, (tx) => tellAudit(tx, record(7)));
  await tamper(
    inventory,
    `update rekey_inventory.audit_outbox set id = '${entry.id}', body = '${forged(entry).body}', openings = '${JSON.stringify(entry.openings)}'`,
  );
  await keeper.flush();
  const bodies = await logged();
  expect(kindsIn(bodies)).toEqual(["intent", "mismatch", "gap"]);
  expect(bodyOf(bodies[1] ?? "").place).toBe("spool");
  const { rows } = await transact(log, (tx) =>
    tx.execute<{ value: string }>("select value from rekey_audit.openings where field = 'text'"),
  );
  expect(rows.map(({ value }) => JSON.parse(value))).toEqual([forged(entry)]);
});

it("I8: with the outbox emptied and the spool written anew the worker that told it has it in hand", async () => {
  const { keeper, folder, told, back, logged, inventory, warned } = await spooledWorld(1);
  const [entry] = told;
  if (entry === undefined) throw new Error("nothing was told");
  rewritten({ folder }, (entries) => entries.map(forged));
  await inventory.sql("delete from rekey_inventory.audit_outbox");
  await back();
  await keeper.flush();
  const bodies = await logged();
  expect([bodies[0], kindsIn(bodies)]).toEqual([entry.body, ["intent", "mismatch", "gap"]]);
  expect(warned.join("\n")).toContain(`took intent ${entry.id} out of the inventory's outbox`);
});

it("I9: an entry that stands in the spool alone, because nobody told it, is in the log as that", async () => {
  const { folder, told, back, restarted, logged } = await spooledWorld(1);
  const invented = { id: "aud_ff", body: canonical({ id: "aud_ff", at: 1, kind: "closed" }), openings: {} };
  rewritten({ folder }, (entries) => [...entries, invented]);
  await back();
  const { keeper, log, signer, warned } = restarted();
  await keeper.flush();
  const bodies = await logged();
  expect(bodies.slice(0, 2)).toEqual([told[0]?.body, invented.body]);
  expect(bodyOf(bodies[2] ?? "")).toMatchObject({ kind: "gap", entries: 2, alone: [invented.id] });
  expect(warned[0]).toContain("1 entry stood in the spool alone");
  const sentence = "Entry 2 tells that 1 of the entries from a worker's spool stood nowhere else.";
  expect(await verifyLog(log, signer, [])).toMatchObject({ findings: [], told: [sentence] });
});

it("H31: lines that are no entries, and entries that stand there twice, do not hold the log up, and are counted", async () => {
  const { folder, told, back, restarted, logged } = await spooledWorld(3);
  const [first] = told;
  if (first === undefined) throw new Error("nothing was told");
  const spoiled: unknown[] = [
    { ...first, id: "aud_00" },
    { ...first, body: "no JSON" },
    { id: 7, body: null },
    { id: "aud_01", body: canonical({ id: "aud_01", at: "yesterday" }), openings: {} },
    {
      id: "aud_02",
      body: canonical({ id: "aud_02", at: 1 }),
      openings: { person: { salt: "\0", value: 1 } },
    },
    { id: "gap_00", body: canonical({ id: "gap_00", at: 1 }), openings: {} },
    { id: "aud_03", body: canonical({ id: "aud_03", at: 1, note: "\0" }), openings: {} },
    { id: "aud_04", body: `{"at":1,"at":2,"id":"aud_04"}`, openings: {} },
  ];
  rewritten({ folder }, (entries) => [...entries, ...entries, ...spoiled]);
  await back();
  const { keeper, log, signer, spool } = restarted();
  expect(await keeper.objection()).toBeNull();
  const bodies = await logged();
  expect(bodies.slice(0, 3)).toEqual(told.map(({ body }) => body));
  expect(kindsIn(bodies.slice(3))).toEqual([...spoiled.map(() => "mismatch"), "gap"]);
  expect(bodyOf(bodies.at(-1) ?? "")).toMatchObject({ entries: 6, aside: spoiled.length, intact: true });
  expect(await spool.pending()).toEqual([]);
  const { findings, told: tellings } = await verifyLog(log, signer, []);
  expect([findings, tellings.length]).toEqual([[], spoiled.length]);
});

it("I8: a row of the outbox whose text has another id is put aside, and the intent is in the log from the worker's hand", async () => {
  const { keeper, told, back, logged, inventory, db } = await spooledWorld(2);
  const [first, second] = told;
  if (first === undefined || second === undefined) throw new Error("nothing was told");
  await tamper(
    inventory,
    `update rekey_inventory.audit_outbox set body = '${second.body}' where id = '${first.id}'`,
  );
  await back();
  expect(await keeper.secure(first, false)).toBeNull();
  const bodies = await logged();
  expect(bodies).toEqual(expect.arrayContaining([first.body, second.body]));
  expect(kindsIn(bodies)).toEqual(["intent", "mismatch", "intent", "gap"]);
  const odd: AuditBody = bodyOf(bodies[1] ?? "");
  expect(odd).toMatchObject({ place: "outbox", entry: null });
  expect(await waitingCount(db)).toBe(0);
});
