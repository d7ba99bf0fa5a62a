/** Uses by whom nobody says, as people and programs are told of them. */
import { type AnonymousUse, anonymousText, byTime } from "../../domain/graph/anonymous.js";
import type { Inventory } from "./inventory.js";

/** A use with the name of the source that tells of it. */
export interface ToldUse extends AnonymousUse {
  /** As people read it. */
  readonly text: string;
}

/** Those of a credential (its id) and of its copies, the latest first. */
export async function anonymousUsesIn(
  inventory: Pick<Inventory, "anonymousUses" | "entries">,
  credential: string,
): Promise<ToldUse[]> {
  const [uses, sources] = await Promise.all([
    inventory.anonymousUses(credential),
    inventory.entries("sources"),
  ]);
  const names = new Map(sources.map(({ id, name }) => [id, name]));
  return uses
    .toSorted(byTime)
    .map((use) => {
      const source = names.get(use.source) ?? use.source;
      return { ...use, source, text: anonymousText(use, source) };
    })
    .reverse();
}
