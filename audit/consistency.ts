/** Whether the log still begins with what was signed of it once: not cut, and not another one (I9). */
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
export function cutSentence(source: string, signed: number, size: number): string | null {
  if (size >= signed) return null;
  return `The log was cut: it has ${size} entries, and ${source} was signed for ${signed}.`;
}

/** The sentence for a log that does not begin with what was signed. */
export function forkSentence(source: string, signed: number): string {
  return `The log was forked: its first ${signed} entries are not those that ${source} was signed for.`;
}

/** What is wrong with the log as against a checkpoint that was verified, in a sentence, or null. `source` names it. */
export async function objectionToLog(
  tx: Tx,
  log: Head,
  checkpoint: Head,
  source: string,
): Promise<string | null> {
  const cut = cutSentence(source, checkpoint.size, log.size);
  if (cut !== null) return cut;
  try {
    const proof = await consistencyProof(tx, checkpoint.size, log.size);
    if (beginsWith(checkpoint, log, proof)) return null;
  } catch (error) {
    if (!(error instanceof TileMissing)) throw error;
  }
  return forkSentence(source, checkpoint.size);
}
