/** Uses by whom nobody says, as people and programs are told of them. */
import { type AnonymousUse, anonymousText, byTime } from "../../domain/graph/anonymous.js";
import { namedSource, type SourceNames } from "./source-names.js";

/** A use with the name of the source that tells of it. */
export interface ToldUse extends AnonymousUse {
  /** As people read it. */
  readonly text: string;
}

/** These, the latest first. */
export function toldUses(uses: readonly AnonymousUse[], names: SourceNames): ToldUse[] {
  return uses
    .toSorted(byTime)
    .map((use) => {
      const named = namedSource(names, use);
      return { ...named, text: anonymousText(use, named.source) };
    })
    .reverse();
}
