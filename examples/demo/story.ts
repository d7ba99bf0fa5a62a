/** How the demo tells its story: one line for each thing that happens, with the time and what the customers see. */
import { styleText } from "node:util";
import type { TimelineEntry } from "../../workflows/messages.js";
import { achievedPerSecond, type Counts, type Customers } from "./services.js";

/** Prints the story. Colours only on a terminal, and not with NO_COLOR, as `styleText` knows. */
export class Story {
  readonly #begun: number;
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void, now: number) {
    this.#write = write;
    this.#begun = now;
  }

  title(text: string): void {
    this.#write(`\n${styleText("bold", text)}\n`);
  }

  line(now: number, text: string, mark: " " | "✓" | "✗" | "!" = " "): void {
    const seconds = ((now - this.#begun) / 1000).toFixed(1).padStart(6);
    const colour = mark === "✓" ? "green" : mark === "✗" ? "red" : mark === "!" ? "yellow" : "reset";
    this.#write(`${styleText("dim", `${seconds}s`)} ${styleText(colour, mark)} ${text}\n`);
  }

  step({ at, what, sentence }: TimelineEntry, names: ReadonlyMap<string, string>): void {
    const told = [...names].reduce((text, [id, name]) => text.replaceAll(id, name), sentence);
    this.line(at, told, what === "turn" || what === "failed" ? "!" : " ");
  }

  counts(now: number, counts: Counts): void {
    const { requests, failed, failures } = counts;
    const rate = achievedPerSecond(counts).toFixed(0);
    const sound = requests > 0 && failed === 0;
    this.line(now, `${requests} requests (${rate} a second), ${failed} failed`, sound ? "✓" : "✗");
    for (const failure of failures) this.line(now, failure, "✗");
  }
}

/** The difference between two counts: what customers saw in between. */
export function since(customers: Customers, before: Counts): Counts {
  const { requests, failed, failures, tookMs } = customers.counts;
  return {
    tookMs: tookMs - before.tookMs,
    requests: requests - before.requests,
    failed: failed - before.failed,
    failures: failures.slice(before.failed),
  };
}
