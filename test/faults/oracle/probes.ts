/**
 * Continuous probes: every consumer is asked for work as its customers ask it, whatever the engine does at the
 * moment. What a probe saw is who did the work, or why nobody did (I1).
 */
import { request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Service } from "../../../examples/demo/services.js";

/** One piece of work, asked of a consumer. */
export interface Probe {
  readonly service: string;
  readonly begunAt: number;
  readonly endedAt: number;
  /** The account that did the work; null when it was not done. */
  readonly account: string | null;
  /** The service itself said what came of it. */
  readonly answered: boolean;
  readonly why: string;
}

const quickMs = 400;
const steadyMs = 1_000;
/** How long after something happened the probes follow each other quickly. */
const quickForMs = 4_000;
const answerMsMax = 20_000;

/** Asks each service again and again until `stop`. */
export class Probes {
  readonly seen: Probe[] = [];
  readonly #over = new AbortController();
  readonly #loops: Promise<void>[];
  #quickUntil = 0;

  constructor(services: readonly Service[]) {
    this.hurry();
    this.#loops = services.map((service) => this.#loop(service));
  }

  /** Something has happened: looks closely for a while. */
  hurry(): void {
    this.#quickUntil = Date.now() + quickForMs;
  }

  async #loop(service: Service): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      this.seen.push(await probe(service));
      const everyMs = Date.now() < this.#quickUntil ? quickMs : steadyMs;
      await pause(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Every service's latest work was done by another account than this one. */
  allOff(account: string): boolean {
    const latest = new Map(this.seen.map((probe) => [probe.service, probe.account]));
    return [...latest.values()].every((one) => one !== null && one !== account);
  }

  async stop(): Promise<readonly Probe[]> {
    this.#over.abort();
    await Promise.all(this.#loops);
    return this.seen;
  }
}

/**
 * Asks once; again only where nobody answered at all, for a machine that is too slow is no broken consumer. A service
 * that says that it could not work has said so, whatever its reason.
 */
export async function probe(service: Pick<Service, "name" | "attestUrl">): Promise<Probe> {
  const first = await once(service);
  return first.answered ? first : once(service);
}

async function once(service: Pick<Service, "name" | "attestUrl">): Promise<Probe> {
  const begunAt = Date.now();
  const answer = await work(new URL("/work", service.attestUrl)).catch((error: Error) => ({
    account: null,
    answered: false,
    why: error.message,
  }));
  return { service: service.name, begunAt, endedAt: Date.now(), ...answer };
}

function work(url: URL): Promise<Pick<Probe, "account" | "answered" | "why">> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent: false, timeout: answerMsMax }, (incoming) => {
      let body = "";
      incoming.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      incoming.on("end", () => {
        const { login } = JSON.parse(body) as { login?: string };
        resolve({ account: incoming.statusCode === 200 ? (login ?? null) : null, answered: true, why: body });
      });
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer")));
    outgoing.on("error", reject);
    outgoing.end();
  });
}
