/**
 * Uses of a credential of which a source says when they were, and not by whom: a cloud knows when a key was used last, and not who
 * did. They are no edges of the map, and the credential is in use all the same.
 */
import { minuteOf } from "../watched.js";
import type { Evidence } from "./types.js";

/** The last use that a source tells of. */
export interface AnonymousUse {
  /** Id of the source. */
  readonly source: string;
  /** What the source knows of it. */
  readonly sentence: string;
  /** In milliseconds since the epoch. */
  readonly last: number;
}

/** For people: when, and that it is not said by whom. `called` is the source's name. */
export function anonymousText(
  { last, sentence }: Pick<AnonymousUse, "last" | "sentence">,
  called: string,
): string {
  return `Used on ${minuteOf(last)}, by whom is not said (source ${called}). ${sentence}`;
}

/** The latest of them, the latest last; of two at one moment always the same. */
export function byTime(one: AnonymousUse, other: AnonymousUse): number {
  return one.last - other.last || (one.source < other.source ? -1 : 1);
}

/** For whoever asks which sources see uses: a source that has told of one does. */
export function asSeen(uses: readonly AnonymousUse[]): Pick<Evidence, "kind" | "source">[] {
  return uses.map(({ source }) => ({ kind: "read", source }));
}
