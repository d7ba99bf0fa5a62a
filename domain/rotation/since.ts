/**
 * What has to have lasted before a step: that nobody uses a version, that a consumer works on the target. A time that has
 * passed cannot be looked at, so its beginning is taken from the records and never from a workflow alone (H7).
 */
import type { Since } from "./events.js";
import { others } from "./moves.js";
import type { RotationState } from "./state.js";

/** Something that holds since a moment, or does not hold: `unused` of a version, `working` of a consumer on `target`. */
export interface Holding {
  readonly what: "unused" | "working";
  readonly subject: string;
  /** Empty for `unused`. */
  readonly target: string;
  readonly since: number | null;
}

/** What of a state has to be kept. A version that nobody was ever given, and the target, have no quiet time to keep. */
export function holdings(state: RotationState): Holding[] {
  const { target } = state;
  const unused = others(state)
    .filter(({ delivered }) => delivered)
    .map(({ id }): Holding => {
      return { what: "unused", subject: id, target: "", since: state.uses[id]?.quietSince ?? null };
    });
  const working = Object.entries(state.consumers).map(([subject, { since }]): Holding => {
    return { what: "working", subject, target, since };
  });
  return [...unused, ...working];
}

/** The state with no time longer than the records bear out; what they do not know of has not begun. */
export function bounded(state: RotationState, { unused, working }: Since): RotationState {
  const kept = new Set(holdings(state).map(({ what, subject }) => `${what} ${subject}`));
  const uses = Object.entries(state.uses).map(([id, use]) => {
    const quietSince = later(use.quietSince, unused[id]);
    return [id, kept.has(`unused ${id}`) ? { ...use, quietSince } : use];
  });
  const consumers = Object.entries(state.consumers).map(([id, consumer]) => {
    return [id, { ...consumer, since: later(consumer.since, working[id]) }];
  });
  return { ...state, uses: Object.fromEntries(uses), consumers: Object.fromEntries(consumers) };
}

function later(claimed: number | null, recorded: number | undefined): number | null {
  return claimed === null || recorded === undefined ? null : Math.max(claimed, recorded);
}
