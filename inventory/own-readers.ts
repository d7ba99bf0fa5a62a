/**
 * Whom a source takes for the engine itself is no reader: what it told of them by other settings ends, and does not stand in the way
 * of rotations until it has faded.
 */
import type { ReaderThing, Thing } from "../domain/discovery/said.js";
import type { Tx } from "./database.js";
import { endEdgesWithoutEvidence } from "./graph-keep.js";
import { sql } from "./orm.js";

/** Ends what this source told of them, as of `at` (ISO 8601); what others tell of them stays. `idOf` gives the ids of things. */
export async function endOwn(
  tx: Tx,
  source: string,
  own: readonly ReaderThing[],
  { idOf, at }: { readonly idOf: (thing: Thing) => string; readonly at: string },
): Promise<void> {
  if (own.length === 0) return;
  const ids = own.map(idOf);
  await endEdgesWithoutEvidence(
    tx,
    sql`update rekey_inventory.graph_evidence set ended_at = ${at}
      where source = ${source} and seen_from = any(${sql.param(ids)}::text[]) and ended_at is null`,
    at,
  );
}
