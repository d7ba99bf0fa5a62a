/** Processes that tell which codec keys they know, on the real inventory: what one of them lacks is seen by all. */
import { randomBytes } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { codecFindings } from "../../domain/processes.js";
import { Secret } from "../../domain/secret.js";
import { openDatabase } from "../../inventory/database.js";
import { processesSeen } from "../../inventory/processes.js";
import { fixedRing } from "../../worker/codec-ring.js";
import { newId } from "../../worker/installation.js";
import { keepTelling } from "../../worker/tell.js";
import { migratedDatabase } from "../inventory/database.js";

const key = () => randomBytes(32).toString("base64");
const idOf = async (text: string) => (await fixedRing([new Secret(text)]).known()).seals;

async function world() {
  const { db, sql, url } = await migratedDatabase();
  const warnings: string[] = [];
  const start = async (role: "worker" | "server", ...keys: string[]) => {
    const ring = fixedRing(keys.map((text) => new Secret(text)));
    const warn = (sentence: string) => void warnings.push(sentence);
    const stop = await keepTelling({ db, ring, role, id: newId("proc"), warn });
    onTestFinished(stop);
    return stop;
  };
  return { db, sql, url, start, warnings, codes: async () => codecFindings(await processesSeen(db)) };
}

test("a codec key that one process seals with and another cannot open is named, with both of them", async () => {
  const { start, codes, db } = await world();
  const [old, fresh] = [key(), key()];
  await start("worker", old, fresh);
  expect(await codes()).toEqual([]);
  const stop = await start("server", fresh);
  const [oldId, freshId] = [await idOf(old), await idOf(fresh)];
  const seen = await processesSeen(db);
  expect(seen.map(({ opens, seals }) => ({ opens, seals }))).toEqual([
    { opens: [freshId], seals: freshId },
    { opens: [oldId, freshId], seals: oldId },
  ]);
  expect(new Set(seen.map(({ instance }) => instance)).size).toBe(2);
  const [closed, differ, ...more] = await codes();
  expect(more).toEqual([]);
  expect(closed).toMatchObject({ code: "codec-key-unknown", severity: "refuse" });
  expect(closed?.sentence).toMatch(
    new RegExp(`^server .* cannot open what worker .* seals: it does not know the codec key ${oldId}\\.$`),
  );
  expect(differ).toMatchObject({ code: "codec-keys-differ", severity: "warn" });
  await stop();
  expect(await codes()).toEqual([]);
});

test("one that has ended without a word is gone after a while, by the database's clock", async () => {
  const { start, db, sql } = await world();
  await start("worker", key());
  expect(await processesSeen(db)).toHaveLength(1);
  await sql(
    "UPDATE rekey_inventory.processes SET id = 'of another', seen_at = now() - interval '90 seconds'",
  );
  const [stale] = await processesSeen(db);
  expect(stale?.ageMs).toBeGreaterThanOrEqual(90_000);
  await sql(
    "UPDATE rekey_inventory.processes SET seen_at = now() - interval '3 minutes' WHERE id = 'of another'",
  );
  expect((await processesSeen(db)).every(({ ageMs }) => ageMs < 90_000)).toBe(true);
});

test("no key is told, only ids; and an inventory that is away is warned of and stops nothing", async () => {
  const { start, sql, warnings, url } = await world();
  const text = key();
  await start("worker", text);
  expect(JSON.stringify(await sql("SELECT * FROM rekey_inventory.processes"))).not.toContain(text);
  const away = openDatabase({ url });
  await away.close();
  const stop = await keepTelling({
    db: away,
    ring: fixedRing([new Secret(text)]),
    role: "worker",
    id: newId("proc"),
    warn: (sentence) => void warnings.push(sentence),
  });
  await stop();
  const sentence = "Which codec keys are known here could not be told; trying again.";
  expect(warnings).toEqual([sentence, sentence]);
});
