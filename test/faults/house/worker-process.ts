/**
 * A worker as a process that dies and comes back. What it prints goes into a file, because the search for values
 * that got out reads it at the end.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { nodeEnv } from "../../support/node-env.js";
import type { Outage, Planted } from "../seam/points.js";
import type { FromWorker, ToWorker } from "../worker-main.js";

const program = fileURLToPath(new URL("../worker-main.js", import.meta.url));
/** Patience for a machine that has much else to do; nobody waits that long on another. */
const readyMsMax = 240_000;
const answerMsMax = 240_000;

/** Where a worker finds its installation, and where it leaves what it saw. */
export interface WorkerOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly witnessFile: string;
  readonly valuesFile: string;
  readonly logFile: string;
}

/** A worker that is started again whenever a fault kills it. */
export class WorkerProcess {
  readonly #options: WorkerOptions;
  #child: ChildProcess | null = null;
  #starting: Promise<void> | null = null;
  #wanted = true;
  /** Called when the worker is at the point of an outage. */
  onReached: ((outage: Outage, goOn: () => void) => void) | null = null;
  /** Called right before and right after a copy of an earlier call takes effect; it waits for the answer. */
  onCopy: ((point: string) => Promise<void>) | null = null;
  /** Ends that no fault explains; each is a finding. */
  readonly crashes: string[] = [];
  kills = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it; resolves once it polls. */
  async start(): Promise<void> {
    this.#wanted = true;
    this.#starting ??= this.#begin().finally(() => {
      this.#starting = null;
    });
    await this.#starting;
  }

  async #begin(): Promise<void> {
    const { env, witnessFile, valuesFile, logFile } = this.#options;
    const child = fork(program, [witnessFile, valuesFile], {
      ...(await boundByRights()),
      env: { ...nodeEnv(), NODE_ENV: "test", ...env },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    const log = createWriteStream(logFile, { flags: "a", mode: 0o600 });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    this.#child = child;
    const goOn = (): void => {
      if (child.connected) child.send({ say: "go-on" } satisfies ToWorker);
    };
    child.on("message", ({ said, outage, point }: FromWorker) => {
      if (said === "reached" && outage !== undefined) this.onReached?.(outage, goOn);
      if (said === "copy") void Promise.resolve(this.onCopy?.(point ?? "")).finally(goOn);
    });
    child.once("exit", (code, signal) => {
      log.end();
      this.#child = null;
      if (!this.#wanted) return;
      if (signal === "SIGKILL") this.kills += 1;
      else this.crashes.push(`a worker ended with ${signal ?? code}`);
      this.start().catch((error: Error) => this.crashes.push(error.message));
    });
    await said(child, "ready", readyMsMax);
  }

  /** From now on it may end as it likes, and is not started again before somebody does so. */
  abandon(): void {
    this.#wanted = false;
  }

  /** Tells it what is to go wrong in the case that begins now. */
  async plan(planted: readonly Planted[]): Promise<void> {
    await this.#ask({ say: "plan", planted });
  }

  /** Lets everything that is still under way take effect. */
  async finish(): Promise<void> {
    await this.#ask({ say: "finish" });
  }

  async #ask(message: Exclude<ToWorker, { say: "go-on" }>): Promise<void> {
    await this.#starting;
    const child = this.#child;
    if (child === null) return this.start().then(() => this.#ask(message));
    const answered = said(child, message.say, answerMsMax);
    child.send(message);
    await answered;
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.#wanted = false;
    await this.#starting?.catch(() => undefined);
    const child = this.#child;
    if (child === null) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  }
}

/** CAP_DAC_OVERRIDE: who has it writes where rights forbid it, as the superuser does. */
const overriding = 1n << 1n;

/** How a worker is started that no more than any other user may write what is read-only: the harness may be root. */
async function boundByRights(): Promise<{ readonly execPath?: string; readonly execArgv?: string[] }> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  if ((effective & overriding) === 0n) return {};
  return { execPath: "setpriv", execArgv: ["--bounding-set=-dac_override", process.execPath] };
}

async function said(child: ChildProcess, what: FromWorker["said"], msMax: number): Promise<void> {
  const signal = AbortSignal.timeout(msMax);
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  try {
    await Promise.race([
      (async () => {
        for (;;) {
          const [message] = (await once(child, "message", { signal: both })) as [FromWorker];
          if (message.said === what) return;
        }
      })(),
      once(child, "exit", { signal: both }).then(([code, ended]) =>
        Promise.reject(new Error(`the worker ended with ${ended ?? code} before it said ${what}`)),
      ),
    ]);
  } finally {
    over.abort();
  }
}
