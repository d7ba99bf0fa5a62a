/** A log that is read again and again while it is being written: what comes out may not depend on where it stood each time. */
import { appendFile } from "node:fs/promises";
import type { Source } from "../../../adapters/ports.js";
import type { ScanPart } from "../../../domain/discovery/said.js";
import { scanned } from "../source.js";

/** Everything that scans say which go on from one another, one at each of these lengths and one at the end. */
export async function scannedWhileGrowing(
  file: string,
  bytes: Buffer,
  cuts: readonly number[],
  open: (file: string) => Source,
): Promise<ScanPart[]> {
  const parts: ScanPart[] = [];
  let [cursor, from]: [string | null, number] = [null, 0];
  for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    await appendFile(file, bytes.subarray(from, cut));
    from = cut;
    const more = await scanned(open(file), cursor);
    cursor = more.at(-1)?.cursor ?? null;
    parts.push(...more);
  }
  return parts;
}
