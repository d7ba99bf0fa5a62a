/** The three services of the demo, each a process of its own, and the customers that keep asking them for work. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { isAbsolute, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

import { projectRoot } from "../../worker/dev/places.js";

/** A service that runs. */
export interface Service {
  readonly name: string;
  readonly attestUrl: string;
  readonly instance: string;
  readonly pidFile: string | null;
  /** Makes it deliberately refuse new versions, or take them up again. */
  refuse(on: boolean): Promise<void>;
  /** Has it do one piece of work now; answers null, or with why it could not. */
  work(): Promise<string | null>;
  stop(): Promise<void>;
}

/** How one is started. */
export interface ServiceOptions {
  readonly name: string;
  /** One of the examples, or the path of another program that serves as they do. */
  readonly program: "poll-service" | "sighup-service" | "pool-service" | `/${string}`;
  /** Its environment besides what the demo's own process has. */
  readonly env: Readonly<Record<string, string>>;
  readonly pidFile?: string;
}

const readyMsMax = 15_000;
const requestMsMax = 15_000;

/** Starts a service and resolves once it listens. */
export async function startService({ name, program, env, pidFile }: ServiceOptions): Promise<Service> {
  const example = () => join(projectRoot(), "dist", "examples", "services", `${program}.js`);
  const script = isAbsolute(program) ? program : example();
  const { NODE_COMPILE_CACHE: compiled } = process.env;
  const child = spawn(process.execPath, [script], {
    env: {
      PATH: process.env.PATH ?? "",
      ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }),
      ...env,
      SERVICE: name,
      ...(pidFile === undefined ? {} : { PID_FILE: pidFile }),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { port, attestUrl, instance } = await readyLine(child, name);
  const ask = (method: string, path: string, body?: string) => call(port, method, path, body);
  return {
    name,
    attestUrl,
    instance,
    pidFile: pidFile ?? null,
    refuse: async (on) => {
      await ask("POST", "/demo/refuse", JSON.stringify({ on }));
    },
    work: () => ask("GET", "/work").then(trouble, (error: Error) => error.message),
    stop: () => stop(child),
  };
}

function trouble({ status, body }: Answer): string | null {
  return status === 200 ? null : body;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function readyLine(
  child: ChildProcess,
  name: string,
): Promise<{ port: number; attestUrl: string; instance: string }> {
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  const signal = AbortSignal.timeout(readyMsMax);
  const line = await Promise.race([
    once(lines, "line", { signal }).then(([text]) => String(text)),
    once(child, "exit", { signal }).then(([code]) => Promise.reject(new Error(`${name} ended with ${code}`))),
  ]);
  return JSON.parse(line);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const late = pause(readyMsMax, "late", { ref: false });
  if ((await Promise.race([exit, late])) === "late") child.kill("SIGKILL");
}

/** A connection for each request: a kept one may be closed by its server in the moment in which it is used again. */
function call(port: number, method: string, path: string, sent?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: "127.0.0.1", port, method, path, agent: false, timeout: requestMsMax },
      (incoming) => {
        let body = "";
        incoming.setEncoding("utf8").on("data", (text: string) => {
          body += text;
        });
        incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, body }));
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer")));
    outgoing.on("error", reject);
    outgoing.end(sent);
  });
}

/** What customers saw. */
export interface Counts {
  readonly requests: number;
  readonly failed: number;
  /** What the failed ones were told: time, service, answer. */
  readonly failures: readonly string[];
  /** How long customers have been asking, in milliseconds. */
  readonly tookMs: number;
}

/** Requests that were answered in a second, all services together. */
export function achievedPerSecond({ requests, tookMs }: Pick<Counts, "requests" | "tookMs">): number {
  return tookMs === 0 ? 0 : (requests * 1000) / tookMs;
}

/** Customers of several services: each asked `perSecond` times a second, whatever the answers, until `stop`. */
export class Customers {
  readonly #services: readonly Service[];
  readonly #timers: NodeJS.Timeout[];
  readonly #pending = new Set<Promise<void>>();
  readonly #begun = performance.now();
  #ended: number | null = null;
  #requests = 0;
  readonly #failures: string[] = [];

  constructor(services: readonly Service[], perSecond: number) {
    this.#services = services;
    const everyMs = 1000 / perSecond;
    this.#timers = services.map((service) => setInterval(() => this.#ask(service), everyMs));
  }

  #ask(service: Service): void {
    const begun = Date.now();
    const asked = service.work().then((why) => {
      this.#requests += 1;
      if (why !== null) this.#failures.push(`${service.name} after ${Date.now() - begun} ms: ${why}`);
    });
    this.#pending.add(asked);
    void asked.finally(() => this.#pending.delete(asked));
  }

  /** What was seen so far. */
  get counts(): Counts {
    return {
      requests: this.#requests,
      failed: this.#failures.length,
      failures: [...this.#failures],
      tookMs: Math.round((this.#ended ?? performance.now()) - this.#begun),
    };
  }

  get services(): readonly Service[] {
    return this.#services;
  }

  /** Asks no more, waits for the answers that are due, and says what was seen. */
  async stop(): Promise<Counts> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#pending);
    this.#ended ??= performance.now();
    return this.counts;
  }
}
