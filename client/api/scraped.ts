/** What scrapers read: computed once for all who ask, and not again before it has paid for itself, however often they ask. */
import type { Inventory } from "../cli/inventory.js";
import { expositionOf } from "./exposition.js";

/** How long an answer is good for, in milliseconds. */
export interface ScrapeTimes {
  readonly goodForMs: number;
  /** A failure is told for so long without asking again. */
  readonly failedForMs: number;
}

/** So many times as long as it took it is good for: what costs the database a minute is computed once in ten. */
const restFactor = 9;

/**
 * The text of the figures. Who asks while it is computed waits for that; who asks while it is good gets it. It is good for
 * `goodForMs` after it was there, or longer where it took long. Nothing is looked at: findings are as they were kept last.
 */
export function scrapedFrom(
  inventory: Pick<Inventory, "metrics" | "findingCounts" | "overview">,
  now: () => number,
  { goodForMs, failedForMs }: ScrapeTimes = { goodForMs: 30_000, failedForMs: 5_000 },
): () => Promise<string> {
  let last: { readonly text: Promise<string>; goodUntil: number } | undefined;
  return () => {
    if (last !== undefined && now() < last.goodUntil) return last.text;
    const began = now();
    const asked = { text: measure(inventory), goodUntil: Number.POSITIVE_INFINITY };
    last = asked;
    asked.text.then(
      () => {
        asked.goodUntil = now() + Math.max(goodForMs, restFactor * (now() - began));
      },
      () => {
        asked.goodUntil = now() + failedForMs;
      },
    );
    return asked.text;
  };
}

async function measure(
  inventory: Pick<Inventory, "metrics" | "findingCounts" | "overview">,
): Promise<string> {
  const { at, figures } = await inventory.metrics();
  const [{ counts, lookedAt }, { open, due, unsignedIncidents, unsentNotices }] = await Promise.all([
    inventory.findingCounts(),
    inventory.overview(),
  ]);
  return expositionOf({
    ...{ at, figures, findings: counts, lookedAt, rotationsOpen: open.length, rotationsDue: due.length },
    ...{ incidentsUnsigned: unsignedIncidents, noticesUnsent: unsentNotices },
  });
}
