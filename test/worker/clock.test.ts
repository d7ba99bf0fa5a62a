/** The installation's clock against a real database: what happens to a machine's own clock does not move it. */
import { expect, test } from "vitest";
import { Secret } from "../../domain/secret.js";
import { openDatabase } from "../../inventory/database.js";
import { installationClock, timed } from "../../worker/clock.js";
import { migratedDatabase } from "../inventory/database.js";

const hourMs = 3_600_000;
/** The database is on this machine, so their clocks are one; what is left is how long an answer takes. */
const toleranceMs = 10_000;

/** A machine whose clocks a test sets. */
function machine(wallOffMs: number) {
  const state = { wallOffMs, sleptMs: 0 };
  const clocks = {
    wall: () => Date.now() + state.wallOffMs,
    steady: () => performance.now() - state.sleptMs,
  };
  return { state, clocks };
}

test("H38: goes by the inventory's clock, whatever the machine's own says", async () => {
  const { db } = await migratedDatabase();
  const { clocks, state } = machine(-10 * hourMs);
  const clock = await installationClock(db, clocks);
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(toleranceMs);
  state.wallOffMs = 10 * hourMs;
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(toleranceMs);
  await clock.agree();
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(toleranceMs);
});

test("H38: a machine that slept asks again before the next activity", async () => {
  const { db } = await migratedDatabase();
  const { clocks, state } = machine(0);
  const clock = await installationClock(db, clocks);
  state.sleptMs = hourMs;
  expect(Date.now() - clock.now()).toBeGreaterThan(hourMs - toleranceMs);
  const seen: number[] = [];
  const { look } = timed(
    {
      look: async (what: string) => {
        seen.push(clock.now());
        return what;
      },
    },
    clock,
  );
  expect(await look("around")).toBe("around");
  expect(Math.abs((seen[0] ?? 0) - Date.now())).toBeLessThan(toleranceMs);
});

test("does not jump by what the journey to the database takes, and asks only now and then", async () => {
  const { db } = await migratedDatabase();
  let asked = 0;
  const counting = {
    ...db,
    connect: () => {
      asked += 1;
      return db.connect();
    },
  };
  const steady = { ms: 0 };
  const clock = await installationClock(counting, { wall: () => steady.ms, steady: () => steady.ms });
  const before = clock.now();
  await clock.agree();
  expect([asked, clock.now()]).toEqual([1, before]);
});

test("without an inventory there is no time", async () => {
  // Port 1 of this machine: nobody listens there.
  const away = openDatabase({ url: new Secret("postgres://nobody@127.0.0.1:1/none"), connectTimeoutMs: 500 });
  await expect(installationClock(away)).rejects.toMatchObject({ code: "unreachable" });
  await away.close();
});
