/** Counts what was asked and what did not hold, and says how to see a failing case again. */
import { findForms } from "../../support/canaries.js";
import { type Invariant, invariants } from "../oracle/judge.js";
import type { Result } from "./runner.js";

/** The figures of a run, for the page. */
export interface Figures {
  readonly cases: number;
  readonly matrix: number;
  /** Faults at kinds of calls in directions, each world's counted; and how many of them were met. */
  readonly strata: number;
  readonly strataMet: number;
  readonly missed: number;
  readonly violations: number;
  readonly orders: number;
  readonly kills: number;
  readonly seed: number;
  readonly minutes: string;
  readonly worlds: readonly (readonly [string, number])[];
  readonly invariants: readonly { readonly name: string; readonly asked: number; readonly failed: number }[];
  readonly faults: readonly (readonly [string, number])[];
  readonly outcomes: readonly (readonly [string, number])[];
}

/** The figures of a run, as they grow. */
export class Tally {
  readonly #seed: number;
  readonly #say: (line: string) => void;
  readonly #verbose: boolean;
  readonly #asked = new Map<Invariant, number>();
  readonly #failed = new Map<Invariant, number>();
  readonly #outcomes = new Map<string, number>();
  readonly #faults = new Map<string, number>();
  readonly #ids = new Set<string>();
  readonly #worlds = new Map<string, number>();
  readonly #begunAt = Date.now();
  #missed = 0;
  #violations = 0;
  #orders = 0;

  constructor(seed: number, say: (line: string) => void, verbose: boolean) {
    this.#seed = seed;
    this.#say = say;
    this.#verbose = verbose;
  }

  get sound(): boolean {
    return this.#violations === 0 && this.#ids.size > 0;
  }

  /** How many distinct cases were played so far. */
  get cases(): number {
    return this.#ids.size;
  }

  take({ id, played, result }: Result): void {
    const { verdict, met, outcome, tookMs, orders } = result;
    for (const [invariant, count] of Object.entries(verdict.asked))
      add(this.#asked, invariant as Invariant, count);
    if (met && !this.#ids.has(id)) add(this.#worlds, played.world, 1);
    if (met) this.#ids.add(id);
    else this.#missed += 1;
    add(this.#outcomes, `${played.direction}: ${outcome.split(":")[0]}`, 1);
    this.#orders += orders.length;
    for (const sentence of orders) this.#say(`operator called in ${id}: ${sentence}`);
    for (const { when, fault } of played.planted) add(this.#faults, `${fault}, ${when}`, 1);
    if (this.#verbose || !met)
      this.#say(`${met ? "played" : "not met"} ${id}: ${outcome}, ${(tookMs / 1000).toFixed(1)} s`);
    for (const { invariant, sentence } of verdict.violations) this.#violated(invariant, `${id}: ${sentence}`);
    if (verdict.violations.length > 0) this.#say(`  again: make faults CASE=${id} SEED=${this.#seed}`);
  }

  #violated(invariant: Invariant, sentence: string): void {
    this.#violations += 1;
    add(this.#failed, invariant, 1);
    this.#say(`VIOLATION of ${invariant}: ${sentence}`);
  }

  /** Looks for every value, in every form, in the files; answers with the files in which one was found (I6). */
  async search(values: ReadonlySet<string>, files: readonly string[]): Promise<string[]> {
    add(this.#asked, "I6", values.size * files.length);
    const found = await findForms(values, files);
    return [...new Set(found.map(({ file }) => file))];
  }

  searched(found: readonly string[]): void {
    for (const file of found) this.#violated("I6", `a value was found in ${file}`);
  }

  /** What an auditor found in the logs of the lanes, each lane's by itself (I9). */
  audited(lanes: readonly (readonly string[])[]): void {
    add(this.#asked, "I9", lanes.length);
    for (const sentence of lanes.flat()) this.#violated("I9", sentence);
  }

  /** The figures; `more` are those that others counted. */
  figures(more: Pick<Figures, "matrix" | "strata" | "strataMet" | "kills">): Figures {
    return {
      ...more,
      cases: this.#ids.size,
      missed: this.#missed,
      violations: this.#violations,
      orders: this.#orders,
      seed: this.#seed,
      minutes: ((Date.now() - this.#begunAt) / 60_000).toFixed(1),
      worlds: sorted(this.#worlds),
      invariants: invariants
        .filter((name) => this.#asked.has(name))
        .map((name) => ({ name, asked: this.#asked.get(name) ?? 0, failed: this.#failed.get(name) ?? 0 })),
      faults: sorted(this.#faults),
      outcomes: sorted(this.#outcomes),
    };
  }

  /** The figures, as text. */
  summary({ cases, missed, violations, orders, seed, minutes, ...figures }: Figures): string {
    const rows = figures.invariants.map(
      ({ name, asked, failed }) =>
        `  ${name.padEnd(4)} ${String(asked).padStart(9)} times asked, ${failed} did not hold`,
    );
    const listed = (entries: Figures["faults"]) =>
      entries.map(([name, count]) => `${name} ${count}`).join("; ");
    return [
      `${cases} distinct cases, ${missed} whose point was not reached, ${violations} violations, seed ${seed}, ${minutes} minutes`,
      ...rows,
      `  an operator was called ${orders} times; ${figures.kills} workers were killed`,
      `  faults: ${listed(figures.faults)}`,
      `  outcomes: ${listed(figures.outcomes)}`,
    ].join("\n");
  }
}

function add<K>(map: Map<K, number>, key: K, count: number): void {
  map.set(key, (map.get(key) ?? 0) + count);
}

function sorted(map: ReadonlyMap<string, number>): [string, number][] {
  return [...map].sort(([a], [b]) => a.localeCompare(b));
}
