/**
 * How fast sessions are ended (H35). Ended all at once, their owners all come back in the same instant: a herd of
 * handshakes that an ordinary rotation has no reason to make. A leak is another matter.
 */

/** One round of ending sessions: how many at most on a node, and how long to pause before the next. */
export interface Pace {
  readonly perRoundMax: number;
  /** Milliseconds; drawn anew for each round. */
  readonly pauseMs: () => number;
}

/** Ordinary: ten in a round, and 100 to 300 ms between rounds, so at most 100 a second on a node, 50 on average. */
const ordinary = { perRoundMax: 10, pauseMs: { min: 100, max: 300 } } as const;

/** In an emergency: a hundred in a round, and 50 ms between rounds, so that 2,000 sessions take about a second of pauses. */
const urgent = { perRoundMax: 100, pauseMs: 50 } as const;

/** The pace of an ordinary disable, or of an emergency's. `random` gives bytes; an emergency draws none. */
export function paceOf(isUrgent: boolean, random: (bytes: number) => Uint8Array): Pace {
  if (isUrgent) return { perRoundMax: urgent.perRoundMax, pauseMs: () => urgent.pauseMs };
  const { min, max } = ordinary.pauseMs;
  const jitter = () => (random(1)[0] ?? 0) / 255;
  return { perRoundMax: ordinary.perRoundMax, pauseMs: () => min + jitter() * (max - min) };
}
