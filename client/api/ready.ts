/** Whether the server can do its work: the inventory and Temporal, each asked with a deadline, and not more often than it helps. */
import { setTimeout } from "node:timers/promises";
import type { Services } from "../cli/deps.js";

/** What was found. */
export interface Readiness {
  readonly ready: boolean;
  readonly inventory: "ok" | "unreachable";
  readonly temporal: "ok" | "unreachable";
}

/** How long each is waited for, and how long an answer is good for, in milliseconds. */
export interface ReadyTimes {
  readonly deadlineMs: number;
  readonly goodForMs: number;
}

/** Asks both. Callers within `goodForMs` share one answer, so that nobody can make the server ask all the time. */
export function readinessOf(
  { inventory, rotations }: Pick<Services, "inventory" | "rotations">,
  now: () => number,
  { deadlineMs, goodForMs }: ReadyTimes = { deadlineMs: 3_000, goodForMs: 1_000 },
): () => Promise<Readiness> {
  let last: { readonly at: number; readonly answer: Promise<Readiness> } | undefined;
  const ask = async (): Promise<Readiness> => {
    const [database, temporal] = await Promise.all([
      answers(() => inventory.revision(), deadlineMs),
      answers(() => rotations.reachable(), deadlineMs),
    ]);
    return { ready: database === "ok" && temporal === "ok", inventory: database, temporal };
  };
  return () => {
    if (last === undefined || now() - last.at >= goodForMs) last = { at: now(), answer: ask() };
    return last.answer;
  };
}

async function answers(question: () => Promise<unknown>, deadlineMs: number): Promise<"ok" | "unreachable"> {
  const over = new AbortController();
  const late = setTimeout(deadlineMs, "unreachable" as const, { signal: over.signal }).catch(
    () => "unreachable" as const,
  );
  // Why it does not answer is no business of whoever asks from outside; `rekey doctor` says it.
  const asked = question().then(
    () => "ok" as const,
    () => "unreachable" as const,
  );
  try {
    return await Promise.race([asked, late]);
  } finally {
    over.abort();
  }
}
