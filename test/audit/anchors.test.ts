/** What stands outside the log's database, and in the memory of those who saw the log: nothing is signed that does not go on from it (H32, I9). */
import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { fileAnchor } from "../../audit/anchor.js";
import { openCheckpoint } from "../../audit/checkpoint.js";
import { signLog } from "../../audit/checkpoints.js";
import { auditDeskOf } from "../../client/cli/audit-desk.js";
import { tellAudit } from "../../inventory/audit-outbox.js";
import { transact } from "../../inventory/database.js";
import { ensureInstallation } from "../../inventory/installation.js";
import { openAudit } from "../../worker/audit.js";
import { readInstallation } from "../../worker/config.js";
import { migratedDatabase } from "../inventory/database.js";
import { auditStore, keptLog } from "./keeper-world.js";
import { logWorld, rebuild, record, tamper, testFolder } from "./world.js";

const now = 1_772_000_000_000;

/** An installation with a log in a database of its own; entries are told by number. */
async function installed() {
  const inventory = await migratedDatabase();
  await ensureInstallation(inventory.db, { id: "inst", createdAt: now, restoreGeneration: "gen" });
  const store = await auditStore();
  const tell = async (from: number, to: number) => {
    const records = Array.from({ length: to - from }, (_, n) => record(from + n));
    await transact(inventory.db, (tx) => tellAudit(tx, ...records));
  };
  /** Everything from this entry on is gone, and what is left agrees with itself: no key is needed for that. */
  const cutTo = async (size: number, ...more: string[]) => {
    await tamper(
      store,
      `delete from rekey_audit.entries where index >= ${size}`,
      "delete from rekey_audit.openings where entry not in (select id from rekey_audit.entries)",
      ...more,
    );
    await rebuild(store);
  };
  return { ...inventory, store, tell, cutTo };
}

it("I9: entries that nobody has signed yet, and that are cut away under a worker that runs, are missed before anything is signed", async () => {
  const { db, store, tell, cutTo } = await installed();
  const { keeper, anchor } = keptLog(db, store.url);
  await tell(0, 3);
  const note = await keeper.checkpoint();
  await tell(3, 5);
  await keeper.flush();
  await cutTo(3);
  const cut = {
    code: "audit-broken",
    detail: "The log was cut: it has 3 entries, and this process has seen 5.",
  };
  await expect(keeper.checkpoint()).rejects.toMatchObject(cut);
  // It is not forgotten by having been noticed, nor by what comes in elsewhere.
  await expect(keeper.flush()).rejects.toMatchObject(cut);
  await tell(5, 9);
  const other = keptLog(db, store.url);
  await other.keeper.flush();
  const forked = "The log was forked: its first 5 entries are not those that this process has seen.";
  await expect(keeper.checkpoint()).rejects.toMatchObject({ code: "audit-broken", detail: forked });
  expect(await anchor.read()).toBe(note);
});

it("what another worker added, and signed, is gone on from", async () => {
  const { db, store, tell } = await installed();
  const [one, other] = [keptLog(db, store.url), keptLog(db, store.url)];
  for (const round of [0, 300, 600]) {
    await tell(round, round + 150);
    await one.keeper.checkpoint();
    await tell(round + 150, round + 300);
    await other.keeper.checkpoint();
  }
  await one.keeper.flush();
  const { size } = openCheckpoint(await one.keeper.checkpoint(), one.signer);
  expect(size).toBe(900);
});

it("H32 I9: a log that was cut with its checkpoints is not signed by a process with an empty folder, and not found whole", async () => {
  const { db, store, tell, cutTo } = await installed();
  await tell(0, 10);
  await keptLog(db, store.url).keeper.checkpoint();
  await cutTo(6, "delete from rekey_audit.checkpoints");

  const { keeper, anchor, ...fresh } = keptLog(db, store.url);
  const cut = "The log was cut: it has 6 entries, and the inventory's checkpoint was signed for 10.";
  const broken = { code: "audit-broken", detail: cut, hint: expect.stringContaining("docs/audit.md") };
  await expect(keeper.checkpoint()).rejects.toMatchObject(broken);
  const desk = auditDeskOf({ ...fresh, keeper, db, now: async () => now, forgetAfterMs: 1 });
  await expect(desk.pack("rot_1")).rejects.toMatchObject(broken);
  expect((await desk.verify([])).findings).toEqual([cut]);
  expect(await store.sql("select 1 from rekey_audit.checkpoints")).toEqual([]);
  expect(await anchor.read()).toBeNull();

  // As docs/audit.md has it, once somebody has found out and goes on with the log as it is.
  await transact(db, (tx) =>
    tx.execute("update rekey_inventory.installation set audit_size = null, audit_checkpoint = null"),
  );
  const { size } = openCheckpoint(await keeper.checkpoint(), fresh.signer);
  expect(size).toBe(6);
});

it("I9: what settings open has both anchors, the file in its folder and the inventory's", async () => {
  const { db, url, store, tell } = await installed();
  const folder = testFolder();
  const { privateKey } = generateKeyPairSync("ed25519");
  const kept = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return `file:${join(folder, name)}`;
  };
  const settings = readInstallation({
    REKEY_HOME: folder,
    REKEY_DATABASE_URL: kept("inventory", url.reveal()),
    REKEY_AUDIT_DATABASE_URL: kept("log", store.url.reveal()),
    REKEY_AUDIT_KEY: kept("key", JSON.stringify(privateKey.export({ format: "jwk" }))),
    // Nothing of these is read here.
    ...{ REKEY_CODEC_KEYS: "env:NONE", REKEY_FINGERPRINT_KEY: "env:NONE", REKEY_ENGINE_KEY: "env:NONE" },
  });
  const opened = await openAudit(settings, {
    db,
    installation: "inst",
    now: () => now,
    warn: () => undefined,
  });
  try {
    await tell(0, 2);
    const note = await opened.keeper.checkpoint();
    expect(await Promise.all(opened.anchors.map(({ read }) => read()))).toEqual([note, note]);
    expect(readFileSync(join(folder, "audit", "checkpoint"), "utf8")).toBe(note);
  } finally {
    await opened.close();
  }
});

it("H32: the inventory keeps the larger of two checkpoints, and one that another key signed stops signing", async () => {
  const { db, store, tell, sql } = await installed();
  const { keeper, anchors, signer } = keptLog(db, store.url);
  const inventory = anchors[1];
  if (inventory === undefined) throw new Error("the inventory keeps none");
  await tell(0, 2);
  const first = await keeper.checkpoint();
  await tell(2, 4);
  const second = await keeper.checkpoint();
  await inventory.write(first, 2);
  expect(await inventory.read()).toBe(second);
  await sql(
    "update rekey_inventory.installation set audit_checkpoint = replace(audit_checkpoint, E'\\n4\\n', E'\\n3\\n')",
  );
  await tell(4, 5);
  await expect(keeper.checkpoint()).rejects.toMatchObject({
    code: "audit-broken",
    detail: `The inventory's checkpoint was not signed by the key of ${signer.name}.`,
  });
});

it("I9: of two who sign at the same time, the slower one does not put its smaller checkpoint over the larger", async () => {
  const world = await logWorld();
  const anchor = fileAnchor(join(testFolder(), "checkpoint"));
  await world.grow(5);
  let larger = "";
  const slow = {
    ...world.signer,
    sign: async (message: Uint8Array) => {
      await world.grow(3);
      larger = await signLog(world.log, world.signer, [anchor], now);
      return world.signer.sign(message);
    },
  };
  const smaller = await signLog(world.log, slow, [anchor], now);
  expect([smaller, larger].map((note) => openCheckpoint(note, world.signer).size)).toEqual([5, 8]);
  expect(await anchor.read()).toBe(larger);
});

it("two processes with the same id, each in a container of its own, write no draft of the other's", async () => {
  const folder = testFolder();
  const path = join(folder, "checkpoint");
  // Long enough for several writes, so that a draft that is shared is torn.
  const notes = ["a", "b", "c", "d"].map((letter) => letter.repeat(4_000_000));
  await Promise.all(notes.map((note, size) => fileAnchor(path).write(note, size)));
  expect(notes).toContain(readFileSync(path, "utf8"));
  expect(readdirSync(folder)).toEqual(["checkpoint"]);
});
