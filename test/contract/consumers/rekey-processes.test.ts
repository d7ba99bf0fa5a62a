/** Rekey's own processes pass the consumers' contract: rings that follow real files, told in a real inventory. */
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { rekeyProcesses } from "../../../adapters/consumers/rekey-processes.js";
import type { ObserveRequest } from "../../../adapters/ports.js";
import { Secret } from "../../../domain/secret.js";
import { processesSeen, tellProcess } from "../../../inventory/processes.js";
import { fixedRing, followedRing } from "../../../worker/codec-ring.js";
import { noCodec } from "../../../worker/installation.js";
import { migratedDatabase } from "../../inventory/database.js";
import { calling, testEngine } from "../../support/engine.js";
import { consumerContract } from "../consumer.js";

const keys: Readonly<Record<string, string>> = {
  v1: randomBytes(32).toString("base64"),
  v2: randomBytes(32).toString("base64"),
};
const other = randomBytes(32).toString("base64");
const idOf = async (version: string) => (await fixedRing([new Secret(keys[version] ?? other)]).known()).seals;

/** Three processes, each with a file of keys of its own that it reads at each look. */
async function world(shows: "opening" | "sealing") {
  const folder = await mkdtemp(join(tmpdir(), "rekey-processes-"));
  const { db, sql } = await migratedDatabase();
  const ids = ["one", "two", "three"];
  const fileOf = (id: string) => join(folder, id);
  await Promise.all(ids.map((id) => writeFile(fileOf(id), keys.v1 ?? "")));
  const rings = await Promise.all(
    ids.map(async (id) => {
      const read = async () => [new Secret(await readFile(fileOf(id), "utf8"))];
      return { id, ring: await followedRing({ read, now: Date.now, rereadMs: 0 }) };
    }),
  );
  const staying = new Set<string>();
  const tell = async () => {
    for (const { id, ring } of rings.filter((one) => one.id !== "three" || !staying.has("three")))
      await tellProcess(db, { id, role: "worker", name: `host/${id}`, ...(await ring.known()) });
  };
  const { deps } = await testEngine();
  const codec = { ...noCodec, processes: () => processesSeen(db) };
  const consumer = rekeyProcesses.create({ shows }, { ...deps, codec });
  const request: ObserveRequest = {
    installation: "test",
    credential: "codec",
    consumer: "workers",
    rotation: "r1",
    candidates: [
      { version: "v1", slot: "a", publicName: await idOf("v1") },
      { version: "v2", slot: "b", publicName: await idOf("v2") },
      { version: "v3", slot: "b" },
    ],
    confirmations: [],
  };
  await tell();
  return {
    consumer,
    request,
    tell,
    sql,
    write: async (id: string, ...texts: string[]) => writeFile(fileOf(id), texts.join("\n")),
    move: async (version: string) => {
      for (const id of ids.filter((id) => !staying.has(id))) await writeFile(fileOf(id), keys[version] ?? "");
      await tell();
    },
    stay: async () => {
      staying.add("two");
      return nameOf("two");
    },
    silence: async () => {
      await sql(
        "UPDATE rekey_inventory.processes SET seen_at = now() - interval '40 seconds' WHERE id = 'one'",
      );
      return nameOf("one");
    },
    // It runs, and what tells in it is stuck.
    idle: async () => {
      staying.add("three");
      const old = "seen_at = now() - interval '50 seconds'";
      await sql(`UPDATE rekey_inventory.processes SET ${old} WHERE id = 'three'`);
      return nameOf("three");
    },
    unlist: async () => {
      await sql("DELETE FROM rekey_inventory.processes");
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

const nameOf = (id: string) => `worker host/${id} ${id}`;

for (const shows of ["opening", "sealing"] as const)
  consumerContract(`rekey-processes, ${shows}`, async () => {
    const { consumer, request, move, stay, silence, idle, unlist, close } = await world(shows);
    const more = { move, stay, silence, idle, unlist, close };
    return {
      ...{ consumer, before: "v1", after: "v2", count: 3, canaries: Object.values(keys) },
      request: () => request,
      ...more,
    };
  });

test("H28: one opens with all that it knows and seals with the first, each as it told last", async () => {
  const opening = await world("opening");
  onTestFinished(opening.close);
  await opening.write("one", other, keys.v2 ?? "", keys.v1 ?? "");
  await opening.tell();
  const [one, , two] = await opening.consumer.observe(opening.request, calling());
  expect(one).toMatchObject({ instance: nameOf("one"), accepts: ["v1", "v2"], version: null, working: true });
  expect(two).toMatchObject({ instance: nameOf("two"), accepts: ["v1"] });
  const sealing = await world("sealing");
  onTestFinished(sealing.close);
  await sealing.write("one", other, keys.v1 ?? "");
  await sealing.write("two", keys.v2 ?? "", keys.v1 ?? "");
  await sealing.tell();
  const seen = await sealing.consumer.observe(sealing.request, calling());
  expect(seen.map(({ version }) => version)).toEqual([null, "v1", "v2"]);
  expect(seen.every(({ accepts }) => accepts === undefined)).toBe(true);
});

test("where nobody tells, nothing is rotated", async () => {
  const { consumer, unlist, close } = await world("opening");
  onTestFinished(close);
  expect(await consumer.preflight(calling())).toEqual([]);
  await unlist();
  expect((await consumer.preflight(calling())).map(({ code }) => code)).toEqual(["no-process-tells"]);
});
