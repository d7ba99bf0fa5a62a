/**
 * The one place that every outside call of a worker under test goes through. It counts the calls, tells the
 * witness, and puts in the planned fault. It lives in the harness's worker only: the product has no such thing.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { Context } from "@temporalio/activity";
import { RekeyError } from "../../../domain/errors.js";
import { type CallKind, isOutage, type Outage, type Planted, pointName } from "./points.js";
import type { WitnessWriter } from "./witness.js";

/** How long a call that "does not answer in time" lasts, and how long a record is late. */
const silenceMs = 250;

/** What may go wrong with a call, as whoever makes it would see it. */
export interface Failing {
  /** Nothing was sent, or nothing came back from a look. */
  readonly unreachable: (fault: Planted["fault"]) => Error;
  /** Something was sent and the answer was lost. */
  readonly lost: (fault: Planted["fault"]) => Error;
  /** Something that nobody translated. */
  readonly foreign: () => Error;
}

/** One call to be passed. `again` makes it once more, or later, with a deadline of its own. */
export interface Passing<T> {
  readonly call: string;
  readonly kind: CallKind;
  readonly make: () => Promise<T>;
  readonly again: () => Promise<T>;
  readonly failing?: Failing;
  /** Id of the version that it changes something of, where it says so. */
  readonly version?: string;
  /** Lets what was sent take effect later, where that is not simply making the call then. */
  readonly late?: () => void;
}

/** Asks the harness to look at the world, right before and right after a copy of an earlier call takes effect. */
export type Looked = (point: string) => Promise<void>;

interface Where {
  readonly activity: string;
  readonly subject: string;
  readonly execution: string;
}

/** What still has to take effect, and in which execution it was begun. */
interface Late {
  readonly begunIn: string;
  readonly run: () => Promise<void>;
}

/** Errors as the ports and the driver promise them. */
const usualFailing: Failing = {
  unreachable: () => new RekeyError("unreachable", "The harness put a fault here: it did not answer."),
  lost: () => new RekeyError("unknown-outcome", "The harness put a fault here: the answer was lost."),
  foreign: () => new TypeError("the harness put a fault here"),
};

const executions = new AsyncLocalStorage<string>();
const sources = new AsyncLocalStorage<string>();
let executionsBegun = 0;

/** Runs an activity's body as one execution, so that the calls in it can be told from another attempt's. */
export function asExecution<T>(body: () => Promise<T>): Promise<T> {
  return executions.run(`${process.pid}/${++executionsBegun}`, body);
}

/** Names the reading of a source by the source, too: several are read at once, and which is first is chance. */
export function asReading<T>(source: string, body: () => Promise<T>): Promise<T> {
  return sources.run(source, body);
}

/** The seam. One a worker. */
export class Seam {
  readonly #witness: WitnessWriter;
  readonly #outside: (outage: Outage) => Promise<void>;
  readonly #looked: Looked;
  #counts = new Map<string, number>();
  #planted: Planted[] = [];
  #late: Late[] = [];
  /** What takes effect once more when the case is over. */
  #last: Late[] = [];

  /** `outside` has the harness bring an outage about, and resolves once the call may go on. */
  constructor(witness: WitnessWriter, outside: (outage: Outage) => Promise<void>, looked: Looked) {
    this.#witness = witness;
    this.#outside = outside;
    this.#looked = looked;
  }

  get witness(): WitnessWriter {
    return this.#witness;
  }

  /** A new case begins: counts start anew. */
  plan(planted: readonly Planted[]): void {
    this.#counts = new Map();
    this.#planted = [...planted];
  }

  /** Whatever is still to take effect does so now. */
  async finish(): Promise<void> {
    for (const late of [...this.#late.splice(0), ...this.#last.splice(0)]) await late.run();
  }

  /** Passes a call through. Outside of an activity nothing is counted and nothing goes wrong. */
  async pass<T>(passing: Passing<T>): Promise<T> {
    const where = whereabouts();
    if (where === null) return passing.make();
    const counted = `${where.activity} ${passing.call}`;
    const nth = (this.#counts.get(counted) ?? 0) + 1;
    this.#counts.set(counted, nth);
    const point = pointName({ activity: where.activity, call: passing.call, nth });
    const at = this.#planted.findIndex(
      (one) => one.activity === where.activity && one.call === passing.call && one.nth === nth,
    );
    const [planted] = at < 0 ? [] : this.#planted.splice(at, 1);
    const see = (what: Parameters<WitnessWriter["see"]>[0]["what"], code?: string) =>
      this.#witness.see({
        at: performance.timeOrigin + performance.now(),
        ...{ subject: where.subject, execution: where.execution },
        ...{ point, kind: passing.kind, what },
        ...(passing.version === undefined ? {} : { version: passing.version }),
        ...(code === undefined ? {} : { code }),
      });
    see("begin");
    try {
      const result = await (planted === undefined
        ? passing.make()
        : this.#faulty(passing, planted, where, see));
      see("end");
      // A notice moves nothing that a late copy could be late for.
      if (passing.kind === "change" && !passing.call.startsWith("notifier."))
        await this.#changed(where.execution);
      return result;
    } catch (error) {
      see("threw", error instanceof RekeyError ? error.code : "foreign");
      throw error;
    }
  }

  async #faulty<T>(
    { make, again, kind, late, failing = usualFailing }: Passing<T>,
    planted: Planted,
    { execution }: Where,
    see: (what: "planted" | "late-begin" | "late-end", code?: string) => void,
  ): Promise<T> {
    const { when, fault } = planted;
    see("planted", `${when}-${fault}`);
    const lost = kind === "ask" || kind === "read" ? failing.unreachable : failing.lost;
    const later: Late = {
      begunIn: execution,
      run: async () => {
        see("late-begin");
        const code = await again().then(
          () => undefined,
          (error: unknown) => (error instanceof RekeyError ? error.code : "foreign"),
        );
        see("late-end", code);
      },
    };
    if (isOutage(fault)) {
      await this.#outside(fault);
      return make();
    }
    switch (`${when}-${fault}`) {
      case "before-kill":
        return die();
      case "after-kill":
        await make();
        return die();
      case "before-error":
        throw failing.unreachable(fault);
      case "after-error":
        await make();
        throw failing.foreign();
      case "before-timeout":
        await pause(silenceMs);
        throw failing.unreachable(fault);
      case "after-timeout":
        await make();
        await pause(silenceMs);
        throw lost(fault);
      case "before-late":
        if (late === undefined) this.#late.push(later);
        else late();
        throw failing.lost(fault);
      case "after-late": {
        const result = await make();
        // Twice: a copy of what was sent turns up behind the next step, and another one when all is over.
        const copy: Late = { ...later, run: () => this.#seenToRun(planted, later) };
        this.#late.push(copy);
        this.#last.push(copy);
        return result;
      }
      case "before-duplicate": {
        const [first] = await Promise.allSettled([make(), again()]);
        if (first.status === "rejected") throw first.reason;
        return first.value;
      }
      case "after-duplicate":
        await make();
        return again();
      default:
        throw new Error(`there is no ${when}-${fault}`);
    }
  }

  /** What was done already is sent again: the harness sees the world before and after it. */
  async #seenToRun(planted: Planted, { run }: Late): Promise<void> {
    await this.#looked(pointName(planted));
    await run();
    await this.#looked(pointName(planted));
  }

  /** The next step has made its change: what an earlier one had left under way takes effect now. */
  async #changed(execution: string): Promise<void> {
    const ripe = this.#late.filter((late) => late.begunIn !== execution);
    this.#late = this.#late.filter((late) => late.begunIn === execution);
    for (const late of ripe) await late.run();
  }
}

/** SIGKILL to ourselves: no handler runs, nothing is flushed, and nothing after this line happens. */
function die(): Promise<never> {
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => undefined);
}

function whereabouts(): Where | null {
  try {
    const { activityType, workflowExecution } = Context.current().info;
    // `rotate/<credential>`, with `/e<epoch>` after a takeover, and the readings that a rotation waits for,
    // `discover/<source>`; other workflows are not under test.
    const [workflow, subject] = (workflowExecution?.workflowId ?? "").split("/");
    if ((workflow !== "rotate" && workflow !== "discover") || subject === undefined) return null;
    const source = sources.getStore();
    const activity = source === undefined ? activityType : `${activityType}_${source}`;
    return { activity, subject, execution: executions.getStore() ?? "" };
  } catch {
    return null;
  }
}
