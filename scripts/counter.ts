/**
 * Counts tests by suite while Vitest runs, and decides what a failure is; apart from the runner so that the
 * counting itself is tested.
 */

import type { Reporter, TestModule } from "vitest/node";
import { suiteOf } from "./suites.js";

/** Numbers of one suite or of all. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  seconds: number;
}

/** The last line of a run. Skipped tests appear only when there are any. */
export function summary(counts: Counts): string {
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  return `tests: ${counts.passed} passed, ${counts.failed} failed${skipped}`;
}

/**
 * A Vitest reporter that prints each failure as it happens and keeps one tally per suite. `finish` prints the
 * tallies, counting a suite without any test as a failed one, and returns their sum.
 */
export class SuiteCounter implements Reporter {
  readonly #tallies: Map<string, Tally>;
  readonly #say: (line: string) => void;
  #outside = 0;

  constructor(names: readonly string[], say: (line: string) => void) {
    this.#tallies = new Map(names.map((name) => [name, { passed: 0, failed: 0, skipped: 0, seconds: 0 }]));
    this.#say = say;
  }

  onTestModuleEnd(module: TestModule): void {
    const tally = this.#tallies.get(suiteOf(module.project.name));
    if (tally === undefined) return;
    tally.seconds += module.diagnostic().duration / 1000;
    const before = tally.failed;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === "passed") tally.passed++;
      else if (result.state === "failed") tally.failed++;
      else tally.skipped++;
      if (result.state === "failed")
        this.#failure(`${module.relativeModuleId} > ${test.fullName}`, result.errors);
    }
    // A file that did not load, or whose hook failed, has errors of its own and perhaps no failed test.
    const suiteErrors = [
      ...module.errors(),
      ...[...module.children.allSuites()].flatMap((suite) => suite.errors()),
    ];
    if (suiteErrors.length > 0) {
      if (tally.failed === before) tally.failed++;
      this.#failure(module.relativeModuleId, suiteErrors);
    } else if (module.state() === "failed" && tally.failed === before) {
      tally.failed++;
      this.#failure(module.relativeModuleId, []);
    }
    const mark = tally.failed > before ? "FAIL" : "ok";
    this.#say(`  ${mark} ${module.relativeModuleId} (${(module.diagnostic().duration / 1000).toFixed(1)} s)`);
  }

  onTestRunEnd(
    _modules: readonly TestModule[],
    errors: readonly { message?: string; stack?: string }[],
  ): void {
    for (const error of errors) {
      this.#outside++;
      this.#failure("outside any test", [error]);
    }
  }

  /** True once anything has failed. */
  anyFailed(): boolean {
    return this.#outside > 0 || [...this.#tallies.values()].some((tally) => tally.failed > 0);
  }

  /** Prints a line per suite and returns the sum over all of them. */
  finish(): Counts {
    const sum = { passed: 0, failed: this.#outside, skipped: 0 };
    for (const [name, tally] of this.#tallies) {
      if (tally.passed + tally.failed + tally.skipped === 0) {
        tally.failed++;
        this.#say(`error: the suite ${name} has no test (hint: test/${name} exists; remove it or fill it)`);
      }
      this.#say(
        `suite ${name.padEnd(10)} ${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped (${tally.seconds.toFixed(1)} s)`,
      );
      sum.passed += tally.passed;
      sum.failed += tally.failed;
      sum.skipped += tally.skipped;
    }
    return sum;
  }

  #failure(where: string, errors: readonly { message?: string; stack?: string; diff?: string }[]): void {
    this.#say(`FAILED ${where}`);
    for (const error of errors) {
      const lines = [error.message ?? "", error.diff ?? "", error.stack ?? ""].join("\n").split("\n");
      for (const line of lines.filter((text) => text.trim() !== "")) this.#say(`    ${line}`);
    }
  }
}
