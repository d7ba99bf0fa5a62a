/** The guard against restored records, on a real database: what it takes for a restore, and above all what it does not (H32). */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { objectionToRecords } from "../../activities/run-check.js";
import { fileHighWater } from "../../audit/high-water.js";
import { formatTag } from "../../domain/fence.js";
import type { HighWater } from "../../domain/restore.js";
import { type Database, transact } from "../../inventory/database.js";
import { ensureInstallation } from "../../inventory/installation.js";
import { restoreGuard } from "../../inventory/restore-guard.js";
import { acceptRecords, generationOf, haltOf, raiseMark } from "../../inventory/restores.js";
import { testFolder } from "../audit/world.js";
import { type Fresh, migratedDatabase } from "./database.js";
import { newId, t0 } from "./world.js";

const installation = "ins_guarded";

async function installed(): Promise<Fresh> {
  const fresh = await migratedDatabase();
  await ensureInstallation(fresh.db, { id: installation, createdAt: t0, restoreGeneration: "gen_first" });
  return fresh;
}

function guard(db: Database, outside: HighWater = fileHighWater(join(testFolder(), "generation"))) {
  return restoreGuard({ db, installation, outside, now: () => t0, newId });
}

/** As an intent does it. */
const change = (db: Database) => transact(db, raiseMark);

/** As a restore, or a replica that had not yet heard of the last change, leaves it. */
const putBack = ({ sql }: Fresh) => sql("update rekey_inventory.installation set mark = mark - 1");

async function acceptHalt(db: Database, number: number): Promise<void> {
  const halt = (await haltOf(db)) ?? expect.fail("it was noticed");
  const generation = { number, id: newId("gen") };
  const word = { restore: halt.id, by: "rashid", document: "{}", lost: [], standings: {}, at: t0 };
  expect(await acceptRecords(db, { ...word, generation })).toBe(true);
}

it("H32: what another worker changes and notes between two looks is no restore", async () => {
  const { db } = await installed();
  const outside = fileHighWater(join(testFolder(), "generation"));
  const another = guard(db, outside);
  // At the worst moment: whatever was read before this is older than the note, and it is not the records' fault.
  const meanwhile: HighWater = {
    ...outside,
    read: async () => {
      await another.raised(await change(db));
      return outside.read();
    },
  };
  expect(await guard(db, meanwhile).objection()).toBeNull();
  const many = Array.from({ length: 10 }, async () => {
    await another.raised(await change(db));
    expect(await guard(db, outside).objection()).toBeNull();
  });
  await Promise.all(many);
  expect(await haltOf(db)).toBeNull();
  expect(await outside.read()).toEqual({ number: 1, id: "gen_first", mark: (await generationOf(db))?.mark });
});

it("H32: records that were read where they lag behind are asked for once more where they are written", async () => {
  const fresh = await installed();
  const { db } = fresh;
  const outside = fileHighWater(join(testFolder(), "generation"));
  await outside.write({ number: 1, id: "gen_first", mark: 1 });
  let units = 0;
  // The first unit of work sees the records without the change, the second one with it.
  const lagging: Database = {
    ...db,
    connect: async () => {
      units += 1;
      if (units === 2) await change(db);
      return db.connect();
    },
  };
  expect(await guard(lagging, outside).objection()).toBeNull();
  expect(await haltOf(db)).toBeNull();
});

it("H32: a database without the last change that was noted is a restored one, for every worker, until it is accepted", async () => {
  const fresh = await installed();
  const { db } = fresh;
  const [here, there] = [guard(db), guard(db)];
  await here.raised(await change(db));
  await there.raised(await change(db));
  await here.raised(await generationOf(db));
  await putBack(fresh);
  const sentence = "This machine has noted generation 1 and 2 changes; the records have 1.";
  expect(await here.objection()).toMatchObject({
    code: "restored",
    message: expect.stringContaining(sentence),
  });
  expect(await guard(db).objection()).toMatchObject({ code: "restored" });
  expect(await haltOf(db)).toMatchObject({ noticedAt: t0, evidence: [sentence] });
  await acceptHalt(db, 2);
  // Neither the machine that noticed it nor one whose note is of the lost time as well notices it again.
  expect([await here.objection(), await there.objection(), await guard(db).objection()]).toEqual([
    null,
    null,
    null,
  ]);
  expect(await here.noted()).toMatchObject({ number: 2, mark: 1 });
});

it("H32: a machine that is new, and one whose note is lost, go on and note it anew", async () => {
  const { db } = await installed();
  const path = join(testFolder(), "audit", "generation");
  const worker = guard(db, fileHighWater(path));
  await change(db);
  expect(await worker.objection()).toBeNull();
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ number: 1, id: "gen_first", mark: 1 });
  rmSync(path);
  expect(await worker.objection()).toBeNull();
  expect(await worker.noted()).toMatchObject({ mark: 1 });
  expect(readdirSync(join(path, ".."))).toEqual(["generation"]);
});

it("H31 H32: a note that cannot be read or written is no restore and not none: what can wait, waits", async () => {
  const { db } = await installed();
  const path = join(testFolder(), "generation");
  const worker = guard(db, fileHighWater(path));
  writeFileSync(path, '{"number":1,"id":"gen_fi');
  await expect(worker.objection()).rejects.toMatchObject({ code: "audit-down" });
  expect(await objectionToRecords({ restores: worker }, [], false)).toMatchObject({ code: "audit-down" });
  expect(await objectionToRecords({ restores: worker }, [], true)).toBeNull();
  rmSync(path);
  mkdirSync(path);
  await expect(worker.objection()).rejects.toMatchObject({ code: "audit-down" });
  const inFile = join(testFolder(), "file");
  writeFileSync(inFile, "");
  const nowhere: HighWater = { ...fileHighWater(join(inFile, "generation")), read: async () => null };
  await expect(guard(db, nowhere).raised(await change(db))).rejects.toMatchObject({ code: "audit-down" });
  expect(await haltOf(db)).toBeNull();
});

it("H32: a tag that a run remembers and the records do not reach is a restore, also for what may not wait", async () => {
  const { db } = await installed();
  const restores = guard(db);
  const tag = {
    installation,
    rotation: "rot_lost",
    epoch: 1,
    version: "ver_b",
    state: "enabled",
    change: 3,
  } as const;
  const foreign = formatTag({ ...tag, installation: "ins_other" });
  expect(await objectionToRecords({ restores }, ["", foreign], true)).toBeNull();
  const objection = await objectionToRecords({ restores }, ["", formatTag(tag)], true);
  expect(objection).toMatchObject({ code: "restored", message: expect.stringContaining("rot_lost") });
});
