/** The program on a machine whose clock is wrong: what it keeps and decides goes by the inventory's (H38). */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { kinds } from "../../adapters/registry.js";
import { starterEstate } from "../../client/cli/starter.js";
import { loadEstate } from "../../client/estate/load.js";
import { read } from "../../inventory/database.js";
import { applyEstate, changesSince, entryNamed } from "../../inventory/estate.js";
import { ensureInstallation } from "../../inventory/installation.js";
import { sql } from "../../inventory/orm.js";
import { migratedDatabase } from "../inventory/database.js";
import { newId } from "../inventory/world.js";
import { rekeyIn } from "../support/rekey.js";
import { emptyWorld, now, runIn } from "./fakes.js";
import { signer } from "./signer.js";
import { plan, rotating, stateOf } from "./worlds.js";

const dayMs = 86_400_000;
const alice = signer();

/** Has Node begin with a clock that is off by so many milliseconds; timers go on at their pace. */
const clockOff = (ms: number) => {
  const shift = `const real = Date.now; Date.now = () => real() + ${ms};`;
  return `--import=data:text/javascript,${encodeURIComponent(shift)}`;
};

test.each([-2 * dayMs, 2 * dayMs])(
  "H37 H38: whoever changes the rules is a recent editor, though their clock is off by %i ms",
  async (offMs) => {
    const { db, url } = await migratedDatabase();
    await ensureInstallation(db, { id: "inst", createdAt: 0, restoreGeneration: "one" });
    const folder = await mkdtemp(join(tmpdir(), "rekey-clock-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const { run } = rekeyIn(folder, {
      NODE_OPTIONS: clockOff(offMs),
      ...{ DATABASE: url.reveal(), REKEY_DATABASE_URL: "env:DATABASE" },
      ...{ CODEC: Buffer.alloc(32, 7).toString("base64"), REKEY_CODEC_KEYS: "env:CODEC" },
      // Not there, and not missed.
      ...{ REKEY_ENGINE_KEY: "env:NONE", REKEY_FINGERPRINT_KEY: "env:NONE", REKEY_AUDIT_KEY: "env:NONE" },
    });
    const apply = async (estate: string, by: string) => {
      await writeFile(join(folder, "estate.yaml"), estate);
      const { code, stdout, stderr } = await run("apply", "--yes", "--as", by);
      expect([code, stderr, stdout]).toEqual([0, "", expect.stringContaining("Applied as revision")]);
    };
    const text = starterEstate.replace("keys: []", `keys: [ed25519:${"a".repeat(42)}A]`);
    // Of long ago: whoever applies next is never earlier than the last, whatever their clock says.
    await writeFile(join(folder, "estate.yaml"), text);
    const first = await loadEstate(join(folder, "estate.yaml"), kinds);
    if (!first.ok) throw new Error("it is sound");
    await applyEstate(db, { ...first, by: "ann", now: Date.now() - 10 * dayMs, newId });
    await apply(text.replace("quietPeriod: 1h", "quietPeriod: 1m"), "mallory");
    const { id } = await entryNamed(db, "credentials", "orders-db");
    const [change, ...more] = await changesSince(db, id, Date.now() - dayMs);
    expect([change?.by, more]).toEqual(["mallory", []]);
    expect(change?.at).toBeLessThanOrEqual(Date.now());
    const { rows } = await read(db, (tx) =>
      tx.execute<{ times: number }>(sql`
        select count(*)::int as times from rekey_inventory.entries where changed_at > now() or since > now()`),
    );
    expect(rows).toEqual([{ times: 0 }]);
  },
);

test("H38: what is signed at the installation has its time, and not the machine's", async () => {
  const answers = { decide: () => ({ accepted: true, sentence: "alice: approve." }) };
  const world = rotating(stateOf(), {}, { answers });
  const around = { env: { REKEY_KEY: alice.key() }, machineOffMs: -2 * dayMs };
  expect((await runIn(world, ["approve", "orders-db", "--yes"], around)).code).toBe(0);
  const [, , document] = world.calls.find(([method]) => method === "decide") ?? [];
  expect(await alice.verified(String(document))).toMatchObject({ digest: plan.digest, issuedAt: now });
});

test("H38: an exception is judged by the installation's time, and not the machine's", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rekey-clock-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const until = new Date(now + 181 * dayMs).toISOString();
  const excepting = starterEstate
    .replace("keys: []", `keys: [ed25519:${"a".repeat(42)}A]`)
    .replace(
      "  orders-db:\n",
      `  orders-db:\n    exceptions: [{ finding: no-expiry, owner: alice, reason: Not yet., until: "${until}" }]\n`,
    );
  await writeFile(join(folder, "estate.yaml"), excepting);
  const argv = ["apply", "-f", join(folder, "estate.yaml"), "--yes"];
  const { code, stderr } = await runIn(emptyWorld(), argv, { machineOffMs: 2 * dayMs, deps: { kinds } });
  expect([code, stderr]).toEqual([2, expect.stringContaining("is longer than 180d")]);
});
