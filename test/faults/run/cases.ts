/**
 * Cases: which way a rotation goes, in which world, and what goes wrong on the way. A case's id says all of it
 * and is enough to run it again.
 */
import { createHash } from "node:crypto";
import { type Direction, directions, watchedDirections } from "../house/directions.js";
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
  const known = [...directions, ...watchedDirections].find((one) => one === direction);
  const faults = rest.join("/");
  if (known === undefined || faults === "")
    throw new Error(`${id} is no case; expected world/direction/fault, such as postgres-file/back/calm`);
  return { world, direction: known, planted: faults === "calm" ? [] : faults.split(",").map(readPlanted) };
}

/**
 * The list in an order that only the seed and the names decide: whoever is added or missing moves nobody else, so
 * that a run which saw a call more than another still plays the same cases.
 */
export function mixed<T>(list: readonly T[], nameOf: (one: T) => string, seed: number): T[] {
  const keyed = list.map((one) => {
    const key = createHash("sha256")
      .update(`${seed} ${nameOf(one)}`)
      .digest("hex");
    return { one, key };
  });
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ one }) => one);
}
