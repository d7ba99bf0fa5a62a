/** Values of one key are not looked for by another: that is refused, and where a key is lost, what it has met counts no more. */
import { expect, it } from "vitest";
import { keepFingerprintKey, refuseAnotherKey } from "../../inventory/fingerprint-key.js";
import { ensureInstallation } from "../../inventory/installation.js";
import { beginScan } from "../../inventory/scans.js";
import { at, dayMs, house, seen } from "./findings-house.js";
import { newId, t0 } from "./world.js";

const [first, second] = ["a".repeat(64), "b".repeat(64)];

it("keeps the first key, takes it again, and refuses every other one", async () => {
  const { db } = await house();
  await ensureInstallation(db, { id: "inst", createdAt: t0, restoreGeneration: "one" });
  await refuseAnotherKey(db, second);
  expect(await keepFingerprintKey(db, { digest: first, now: t0 })).toBe(false);
  expect(await keepFingerprintKey(db, { digest: first, now: t0, replaces: "x" })).toBe(false);
  await refuseAnotherKey(db, first);
  const refusal = { code: "missing-setup", hint: expect.stringContaining(`REPLACES=${"a".repeat(12)}`) };
  await expect(refuseAnotherKey(db, second)).rejects.toMatchObject(refusal);
  for (const replaces of [undefined, "", "b".repeat(12), "a".repeat(11)])
    await expect(keepFingerprintKey(db, { digest: second, now: t0, replaces })).rejects.toMatchObject(
      refusal,
    );
  await refuseAnotherKey(db, first);
});

it("where a key is replaced, what was met by it has ended and every source is read from its beginning", async () => {
  const { db, sql, apply, reading, open } = await house();
  await apply();
  await ensureInstallation(db, { id: "inst", createdAt: t0, restoreGeneration: "one" });
  await keepFingerprintKey(db, { digest: first, now: t0 });
  const copy = { record: "log", at: at(".env"), mark: "m", literal: true, seen, sentence: "It is there." };
  await reading({ copies: [copy], covered: { from: t0 - dayMs, until: t0 } }, t0, "log");
  expect(await open(t0, "literal")).toHaveLength(1);
  expect(await open(t0, "stale-evidence")).toEqual([]);
  const change = { digest: second, replaces: "a".repeat(12), now: t0 + 1 };
  expect(await keepFingerprintKey(db, change)).toBe(true);
  expect(await keepFingerprintKey(db, change)).toBe(false);
  await refuseAnotherKey(db, second);
  expect(await open(t0 + 2, "literal")).toEqual([]);
  expect(await open(t0 + 2, "stale-evidence")).toMatchObject([
    { sentence: "The source sessions was never read to its end." },
  ]);
  const [{ source = "", settings = "" } = {}] = await sql<{ source: string; settings: string }>(
    "select source, replace(settings, ' by a key of before', '') as settings from rekey_inventory.scans",
  );
  const begun = await beginScan(db, {
    source,
    shows: "log",
    settings,
    now: t0 + 3,
    newId: () => newId("scn"),
  });
  expect(begun.cursorBefore).toBeNull();
});
