/** Files that are read while they are being written: what comes out may not depend on where they stood each time. */
import { appendFile, open } from "node:fs/promises";
import type { Source } from "../../../adapters/ports.js";
import type { ScanPart } from "../../../domain/discovery/said.js";
import { scanned } from "../source.js";

/** Writes one text over the last of another of the same length, while somebody reads the file from its beginning. */
export async function overwritten(path: string, text: string, by: string): Promise<void> {
  const handle = await open(path, "r+");
  try {
    const at = (await handle.readFile()).lastIndexOf(text);
    const bytes = Buffer.from(by);
    if (at < 0 || bytes.length !== Buffer.byteLength(text))
      throw new Error(`${by} does not fit into ${path}`);
    await handle.write(bytes, 0, bytes.length, at);
  } finally {
    await handle.close();
  }
}

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
