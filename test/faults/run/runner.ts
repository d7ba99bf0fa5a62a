/** Runs cases side by side: a lane takes the next case of its world whenever it is at rest. */
import { logFindings } from "../house/audit-log.js";
import { type Lane, openLane } from "../house/lane.js";
import type { Servers } from "../house/servers.js";
import { isOutage } from "../seam/points.js";
import { type Case, caseId } from "./cases.js";
import { type Played, play } from "./drive.js";

/** A case with what came of it. */
export interface Result {
  readonly id: string;
  readonly played: Case;
  readonly result: Played;
}

function hasOutage(planted: Case["planted"]): boolean {
  return planted.some(({ fault }) => isOutage(fault));
}

/** Lanes of a run. A lane on which something did not hold is given up: what it left behind would spoil the next case. */
export class Runner {
  readonly #servers: Servers;
  readonly #lanes = new Set<Lane>();
  readonly #idle = new Map<string, Lane[]>();
  #opened = 0;
  /** Every value that any lane ever had, and what all workers wrote. */
  readonly values = new Set<string>();
  readonly logs: string[] = [];
  /** Cases in which the harness itself could not go on; none of them says anything. */
  readonly broken: string[] = [];
  /** What an auditor found wrong with the log of each lane at its end (I9). */
  readonly audits: string[][] = [];
  kills = 0;

  constructor(servers: Servers) {
    this.#servers = servers;
  }

  /** Plays all cases with so many lanes for each world, and tells of each result. `due` says when to stop beginning new ones. */
  async run(
    cases: readonly Case[],
    lanes: number,
    tell: (result: Result) => void,
    due: () => boolean = () => false,
  ): Promise<void> {
    // Cases with an outage need a lane with doors, through which everything is a little slower.
    const groups = Map.groupBy(cases, ({ world, planted }) => `${world} ${hasOutage(planted)}`);
    await Promise.all(
      [...groups.values()].map(async (group) => {
        const queue = [...group];
        const share = Math.round((lanes * group.length) / cases.length);
        const workers = Math.max(1, Math.min(share, queue.length));
        await Promise.all(Array.from({ length: workers }, () => this.#work(queue, tell, due)));
      }),
    );
  }

  async #work(queue: Case[], tell: (result: Result) => void, due: () => boolean): Promise<void> {
    const [first] = queue;
    if (first === undefined) return;
    const { world } = first;
    const withDoors = hasOutage(first.planted);
    const kept = `${world} ${withDoors}`;
    let lane: Lane | null = null;
    for (let next = queue.shift(); next !== undefined && !due(); next = queue.shift()) {
      try {
        lane ??= this.#idle.get(kept)?.pop() ?? (await this.#open(world, withDoors));
        const result = await play(lane, next);
        tell({ id: caseId(next), played: next, result });
        if (result.verdict.violations.length === 0) continue;
      } catch (error) {
        this.broken.push(`${caseId(next)}: ${error instanceof Error ? error.message : error}`);
      }
      if (lane !== null) await this.#close(lane);
      lane = null;
    }
    if (lane !== null) this.#idle.set(kept, [...(this.#idle.get(kept) ?? []), lane]);
  }

  async #open(world: string, withDoors: boolean): Promise<Lane> {
    const lane = await openLane(this.#servers, world, ++this.#opened, withDoors);
    this.#lanes.add(lane);
    this.logs.push(...lane.written);
    // The first rotation gives the value that the services were set up with its version and its key.
    const { outcome } = await play(lane, { world, direction: "forward", planted: [] });
    // One that goes on would be taken for the first case's.
    if (outcome !== "rotated")
      throw new Error(`the first rotation of lane ${lane.index} ended as ${outcome}`);
    return lane;
  }

  async #close(lane: Lane): Promise<void> {
    this.#lanes.delete(lane);
    try {
      const findings = await logFindings(lane);
      this.audits.push(
        findings.map((finding) => `the audit log of lane ${lane.index} in ${lane.worldName}: ${finding}`),
      );
    } catch (error) {
      this.broken.push(
        `the audit log of lane ${lane.index}: ${error instanceof Error ? error.message : error}`,
      );
    }
    for (const value of lane.everyValue) this.values.add(value);
    this.kills += lane.worker.kills;
    await lane.stop();
  }

  /** Closes every lane that is open, and their values and logs are kept for the search. */
  async leave(): Promise<void> {
    this.#idle.clear();
    await Promise.all([...this.#lanes].map((lane) => this.#close(lane)));
  }
}
