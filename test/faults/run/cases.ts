/**
 * Cases: which way a rotation goes, in which world, and what goes wrong on the way. A case's id says all of it
 * and is enough to run it again.
 */
import { type Direction, directions } from "../house/estate.js";
import { type Planted, plantedName, readPlanted } from "../seam/points.js";

/** One case. */
export interface Case {
  readonly world: string;
  readonly direction: Direction;
  /** Empty: nothing goes wrong, and all points are recorded. */
  readonly planted: readonly Planted[];
}

/** `postgres-file/forward/issue.issuer.enable.1/after-kill`, more faults follow behind a comma. */
export function caseId({ world, direction, planted }: Case): string {
  return `${world}/${direction}/${planted.map(plantedName).join(",") || "calm"}`;
}

/** Reads what `caseId` wrote. Throws for anything else. */
export function readCase(id: string): Case {
  const [world = "", direction = "", ...rest] = id.split("/");
  const known = directions.find((one) => one === direction);
  const faults = rest.join("/");
  if (known === undefined || faults === "")
    throw new Error(`${id} is no case; expected world/direction/fault, such as postgres-file/back/calm`);
  return { world, direction: known, planted: faults === "calm" ? [] : faults.split(",").map(readPlanted) };
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The list in an order that the seed decides. */
export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const copy = [...list];
  for (let at = copy.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    const [a, b] = [copy[at], copy[other]];
    if (a === undefined || b === undefined) continue;
    copy[at] = b;
    copy[other] = a;
  }
  return copy;
}
