/**
 * The installation's clock. Every worker goes by the inventory's, and not by that of its own machine: deadlines,
 * the ages of facts and the times in signed documents are compared with one another across workers, and a machine
 * whose clock is off would revoke too early or ask consumers questions from the future (H38).
 */
import { inventoryTime } from "../inventory/clock.js";
import type { Database } from "../inventory/database.js";

/** Readings of this machine's clocks; the steady one is set by nobody and goes on at its pace. */
export interface MachineClocks {
  readonly wall: () => number;
  readonly steady: () => number;
}

/** Milliseconds since the epoch, as the installation counts them. */
export interface InstallationClock {
  readonly now: () => number;
  /** Asks the inventory again where this machine's clocks have parted (it slept, or was set) or the last answer is old. */
  agree(): Promise<void>;
}

const oldMs = 60_000;
/** Further apart than timers and slewing bring them. */
const partedMs = 500;
/** Differences of this size are the journey to the database and back. */
const journeyMs = 50;

const machine: MachineClocks = { wall: Date.now, steady: () => performance.now() };

/** A clock that agrees with the inventory. Throws `unreachable` while there is none. */
export async function installationClock(
  db: Database,
  { wall, steady }: MachineClocks = machine,
): Promise<InstallationClock> {
  const ask = async () => {
    const before = steady();
    const there = await inventoryTime(db);
    return { base: there - (before + steady()) / 2, wallAt: wall(), steadyAt: steady() };
  };
  let known = await ask();
  return {
    now: () => Math.round(known.base + steady()),
    agree: async () => {
      const passedMs = steady() - known.steadyAt;
      const parted = Math.abs(wall() - known.wallAt - passedMs) > partedMs;
      if (!parted && passedMs < oldMs) return;
      const next = await ask();
      // What only the journey made different does not make the clock jump.
      known = Math.abs(next.base - known.base) < journeyMs ? { ...next, base: known.base } : next;
    },
  };
}

/** The same functions, each of which makes sure of the time before it begins. */
export function timed<T extends object>(activities: T, clock: Pick<InstallationClock, "agree">): T {
  const entries = Object.entries(activities).map(([name, run]) => [
    name,
    async (...args: readonly unknown[]) => {
      await clock.agree();
      return run(...args);
    },
  ]);
  return Object.fromEntries(entries) as T;
}
