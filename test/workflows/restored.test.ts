/**
 * The inventory is put back to an earlier time, on a real PostgreSQL, while the world has gone on: it is noticed
 * before anything acts, by a note outside or by tags alone; nothing is changed until a person has signed (H32).
 */
import { join } from "node:path";
import type { WorkflowHandle } from "@temporalio/client";
import { expect, test } from "vitest";
import { RekeyError } from "../../domain/errors.js";
import { orphansOf, type StockTaking } from "../../domain/reconcile.js";
import { restoreDigest } from "../../domain/restore.js";
import type { Diagnosis } from "../../domain/rotation/work.js";
import { ensureInstallation } from "../../inventory/installation.js";
import { generationOf, haltOf } from "../../inventory/restores.js";
import { listRotations } from "../../inventory/rotations.js";
import type { Receipt } from "../../workflows/messages.js";
import { testFolder } from "../audit/world.js";
import { type House, type HouseOptions, openHouse } from "./house.js";
import { type PersonName, signed } from "./people.js";
import { cancel, ended, eventually, expectWorking } from "./watch.js";

/** Each takes a restore, several rotations and two workers. */
const timeoutMs = 180_000;

/** A house with an installation of its own, and what puts its records back to how they are now. */
async function houseWithBackup(options: HouseOptions = {}) {
  const house = await openHouse(options);
  const installed = { id: house.installation, createdAt: 0, restoreGeneration: "gen_first" };
  await ensureInstallation(house.fresh.db, installed);
  const { sql } = house.fresh;
  const tables = await sql<{ name: string }>(
    `select quote_ident(table_name) as name from information_schema.tables
      where table_schema = 'rekey_inventory' and table_name <> 'migrations' order by 1`,
  );
  const backup = async () => {
    const copies = tables.map(({ name }) => `create table backup.${name} as table rekey_inventory.${name}`);
    // One picture of the database, also while a worker writes.
    const begin = "begin isolation level repeatable read";
    const anew = "drop schema if exists backup cascade; create schema backup";
    await sql([begin, anew, ...copies, "commit"].join("; "));
  };
  let { worker } = house;
  await backup();
  /** Nobody is at work meanwhile; another worker follows, with a note of its own unless the house's share one. */
  const restore = async () => {
    await worker.stop();
    const back = tables.map(
      ({ name }) =>
        `delete from rekey_inventory.${name};
         insert into rekey_inventory.${name} overriding system value select * from backup.${name}`,
    );
    // As a restore does it: no trigger, no check of an order.
    await sql(`begin; set local session_replication_role = replica; ${back.join("; ")}; commit`);
    worker = await house.startWorker();
  };
  const restart = async () => {
    await worker.stop();
    worker = await house.startWorker();
  };
  return { house, backup, restore, restart };
}

function run<T>({ client, taskQueue, credential }: House, type: string, ...args: unknown[]): Promise<T> {
  const workflowId = `${type}/${credential}/${Math.random()}`;
  return client.workflow.execute(type, { workflowId, taskQueue, args });
}

async function look(house: House): Promise<StockTaking> {
  const [taking] = await run<StockTaking[]>(house, "reconcile", null);
  return taking ?? expect.fail("there is a credential");
}

/** Signs that the records are gone on with. */
async function accept(house: House, person: PersonName = "rashid", more: object = {}): Promise<Receipt> {
  const halt = await haltOf(house.fresh.db);
  const digest = halt === null ? "none" : restoreDigest(halt);
  const word = { installation: house.installation, credential: "all", says: "restored", digest } as const;
  return run<Receipt>(house, "acceptRestored", await signed(person, { ...word, ...more }));
}

/** Everything outside. */
function outside({ world }: House): string {
  const place = world.stores.place("orders");
  return JSON.stringify([[...world.issuers.server().logins], place.raw, place.revision, [...place.copies]]);
}

async function expectRefused(handle: WorkflowHandle): Promise<void> {
  await expect(handle.result()).rejects.toMatchObject({ cause: { cause: { type: "restored" } } });
}

test.each(["the note that this machine keeps", "tags outside alone"])(
  "H32: records from before a rotation are noticed by %s, nothing is changed, and a signature begins a new generation",
  async (by) => {
    const highWater = join(testFolder(), "generation");
    const byNote = by.startsWith("the note");
    const { house, restore, restart } = await houseWithBackup(byNote ? { highWater } : {});
    expect(await ended(await house.start())).toMatchObject({ outcome: "rotated" });
    await restore();
    const before = outside(house);
    await expectRefused(await house.start());
    const halt = await haltOf(house.fresh.db);
    expect(halt?.evidence[0]).toMatch(
      byNote ? /^This machine has noted/ : /^A tag outside is of rotation rot_/,
    );
    expect(await listRotations(house.fresh.db, {})).toEqual([]);
    const diagnoses = await run<Diagnosis[]>(house, "doctor");
    expect(diagnoses.find(({ subject }) => subject === "records")?.findings).toMatchObject([
      {
        code: "restored",
        severity: "refuse",
        sentence: expect.any(String),
        hint: expect.stringContaining("reconcile --restored"),
      },
    ]);
    // Nothing is taken away on records that nobody has accepted.
    const { drifts } = await look(house);
    expect(drifts.map(({ code }) => code)).toContain("live-unknown");
    expect(orphansOf(drifts)).toEqual([]);
    expect(outside(house)).toBe(before);

    expect(await accept(house, "ann")).toMatchObject({
      accepted: false,
      sentence: expect.stringMatching(/no responder/),
    });
    expect(await accept(house, "rashid", { digest: "restored/rst_other" })).toMatchObject({
      accepted: false,
    });
    expect(await accept(house, "rashid", { issuedAt: 1 })).toMatchObject({ accepted: false });
    await expectRefused(await house.start());
    expect(await accept(house)).toMatchObject({
      accepted: true,
      sentence: expect.stringContaining("rashid"),
    });
    expect(await accept(house)).toMatchObject({ accepted: false });
    expect(await generationOf(house.fresh.db)).toMatchObject({ number: 2, halt: null });
    expect(outside(house)).toBe(before);
    expect((await look(house)).drifts).toEqual([]);
    // What is live is known again, and the world goes on from there; another worker notices nothing.
    await restart();
    expect(await ended(await house.start())).toMatchObject({ outcome: "rotated" });
    expectWorking(house);
  },
  timeoutMs,
);

test(
  "H32: restored in the middle of a rotation: its run changes nothing any more, and what it left is taken away behind the gates",
  async () => {
    const { house, restore } = await houseWithBackup();
    house.world.consumers.get("reports")?.behave("refuses");
    const handle = await house.start();
    await eventually("it is delivered", () => house.world.live().username === "orders_b");
    await restore();
    const before = outside(house);
    // Everybody moves: it would go on, and takes nothing away, because its records are gone.
    house.world.consumers.get("reports")?.behave("moves");
    const another = await house.start({}, `another/${house.credential}`);
    await expectRefused(another);
    expect(outside(house)).toBe(before);
    expect(house.world.enabled()).toEqual(["orders_a", "orders_b"]);
    expect(await accept(house)).toMatchObject({ accepted: true });
    expect(await ended(handle)).toMatchObject({ outcome: "taken-over" });
    expect(outside(house)).toBe(before);
    const { drifts } = await look(house);
    expect(drifts).toMatchObject([{ code: "left-over", where: "orders_a" }]);
    const sweep = await house.start({ remove: orphansOf(drifts) });
    expect(await ended(sweep)).toMatchObject({ outcome: "went-back" });
    expect(house.world.enabled()).toEqual(["orders_b"]);
    expectWorking(house);
    expect(await ended(await house.start())).toMatchObject({ outcome: "rotated" });
    expectWorking(house);
  },
  timeoutMs,
);

test(
  "H32: going back does not go on with restored records either, and does once they are accepted",
  async () => {
    const { house, backup, restore } = await houseWithBackup({
      policy: { stallTimeoutMs: 600_000, adoptionTimeoutMs: 600_000 },
    });
    const { world } = house;
    world.consumers.get("reports")?.behave("refuses");
    // So that nothing is under way when the records are put back.
    world.issuers.faults.fail.set("disable", new RekeyError("unreachable", "It does not answer."));
    const handle = await house.start();
    await eventually("it is delivered", () => world.live().username === "orders_b");
    await backup();
    expect(await cancel(handle)).toMatchObject({ accepted: true });
    await eventually("it tries to take the new one away", () =>
      world.issuers.calls.includes("disable orders_b"),
    );
    expect(world.live().username).toBe("orders_a");
    await restore();
    const before = outside(house);
    await eventually("its run has noticed", async () => (await haltOf(house.fresh.db)) !== null);
    world.issuers.faults.fail.clear();
    await expectRefused(await house.start({}, `another/${house.credential}`));
    expect(outside(house)).toBe(before);
    // The order to go back is lost with the records: it is adopted where they have it, and everybody moves now.
    world.consumers.get("reports")?.behave("moves");
    expect(await accept(house)).toMatchObject({ accepted: true });
    expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
    expect(world.enabled()).toEqual(["orders_b"]);
    expectWorking(house);
  },
  timeoutMs,
);
