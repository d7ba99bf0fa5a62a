/**
 * What was seen at the seam, written by the worker before and after each outside call so that a SIGKILL loses
 * nothing, and read by the harness. It is not one of the engine's records: the engine does not know of it.
 */
import { appendFileSync } from "node:fs";
import { open } from "node:fs/promises";
import type { CallKind } from "./points.js";

/** One line. `late` is a write that takes effect after its call was given up. */
export interface Seen {
  readonly at: number;
  /** Id of the credential that is rotated, or of the source that is read. */
  readonly subject: string;
  readonly point: string;
  /** Tells attempts of activities apart: a call belongs to one execution. */
  readonly execution: string;
  readonly kind: CallKind;
  readonly what: "begin" | "end" | "threw" | "planted" | "late-begin" | "late-end";
  /** Id of the version that a fenced change is about; absent of every other call. */
  readonly version?: string;
  /** What it ended with, by our code; absent where it ended well. */
  readonly code?: string;
}

/** A value as it passed the seam: the oracle's list of everything that was ever made. */
export interface SeenValue {
  /** `enable`: made valid at the issuer; `stage`: put into the store. */
  readonly by: "enable" | "stage" | "restage";
  /** Id of the version that it is the value of. */
  readonly version: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Writes both files, each line at once. */
export class WitnessWriter {
  readonly #file: string;
  readonly #values: string;

  constructor(file: string, values: string) {
    this.#file = file;
    this.#values = values;
  }

  see(seen: Seen): void {
    appendFileSync(this.#file, `${JSON.stringify(seen)}\n`);
  }

  value(value: SeenValue): void {
    appendFileSync(this.#values, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  }
}

/** Reads what was appended to a file of lines since the last call. */
export class LineReader<T> {
  readonly #file: string;
  #from = 0;
  #rest = "";

  constructor(file: string) {
    this.#file = file;
  }

  async read(): Promise<T[]> {
    const handle = await open(this.#file, "a+");
    try {
      const { size } = await handle.stat();
      if (size === this.#from) return [];
      const buffer = Buffer.alloc(size - this.#from);
      await handle.read(buffer, 0, buffer.length, this.#from);
      this.#from = size;
      const lines = (this.#rest + buffer.toString("utf8")).split("\n");
      this.#rest = lines.pop() ?? "";
      return lines.map((line) => JSON.parse(line) as T);
    } finally {
      await handle.close();
    }
  }
}
