/** Whether the log still begins with what was signed of it once: not cut, and not another one (I9). */
import { count } from "../domain/count.js";
import type { Tx } from "../inventory/database.js";
import { tilesOf } from "./log.js";
import { beginsWith, type Head } from "./proofs.js";
import { rangeHash, TileMissing, tilesFor } from "./tiles.js";
import { consistencyRanges, inclusionRanges } from "./tree.js";

/** The hashes that prove that the tree of `size` entries begins with that of `former` entries. Throws `TileMissing`. */
export async function consistencyProof(tx: Tx, former: number, size: number): Promise<Buffer[]> {
  const ranges = consistencyRanges(former, size);
  const tiles = await tilesOf(tx, tilesFor(ranges));
  return ranges.map((range) => rangeHash(tiles, range));
}

/** The hashes that prove each of these entries in the tree of `size` entries. Throws `TileMissing`. */
export async function inclusionProofs(tx: Tx, indexes: readonly number[], size: number): Promise<Buffer[][]> {
  const ranges = indexes.map((index) => inclusionRanges(index, size));
  const tiles = await tilesOf(tx, tilesFor(ranges.flat()));
  return ranges.map((path) => path.map((range) => rangeHash(tiles, range)));
}

/** What is wrong with a log of this size, if a checkpoint of `signed` entries was signed; null where it may be right. */
export function cutSentence(source: string, signed: number, size: number, means = signedFor): string | null {
  if (size >= signed) return null;
  return `The log was cut: it has ${count(size, "entry", "entries")}, and ${source} ${means} ${signed}.`;
}

/** The sentence for a log that does not begin with what was signed. */
export function forkSentence(source: string, signed: number, means = signedFor): string {
  return `The log was forked: its first ${count(signed, "entry is not the one", "entries are not those")} that ${source} ${means}.`;
}

/** How sentences say what a checkpoint has to do with entries. */
const signedFor = "was signed for";

/**
 * What is wrong with the log as against what is known of it, a checkpoint that was verified or a head that was seen,
 * in a sentence, or null. `source` names it, and `means` says what it has to do with the entries.
 */
export async function objectionToLog(
  tx: Tx,
  log: Head,
  known: Head,
  { source, means }: { readonly source: string; readonly means?: string },
): Promise<string | null> {
  const cut = cutSentence(source, known.size, log.size, means);
  if (cut !== null) return cut;
  try {
    const proof = await consistencyProof(tx, known.size, log.size);
    if (beginsWith(known, log, proof)) return null;
  } catch (error) {
    if (!(error instanceof TileMissing)) throw error;
  }
  return forkSentence(source, known.size, means);
}
