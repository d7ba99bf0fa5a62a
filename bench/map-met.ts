/**
 * Takes into the inventory what sources meet in the generated estate, as `rekey discover` does, and which values are known of its
 * credentials, as rotations do: copies of values are told from both, whenever somebody asks.
 */
import { kinds } from "../adapters/registry.js";
import { shapesOf } from "../domain/estate/shapes.js";
import { type Database, read } from "../inventory/database.js";
import type { ScanRef } from "../inventory/discovery-keep.js";
import { listEntries } from "../inventory/estate.js";
import { keepFingerprint } from "../inventory/fingerprints.js";
import { keepLive } from "../inventory/live-values.js";
import { declaredIn } from "../inventory/rematch.js";
import { beginScan, endScan, notePart } from "../inventory/scans.js";
import { settingsDigest } from "../inventory/source-settings.js";
import { recordVersions } from "../inventory/versions.js";
import { newId } from "../worker/installation.js";
import type { EstateSize } from "./estate-input.js";
import { type MetBy, markOf, metIn, metParts } from "./met-input.js";

/** How much was met. */
export interface MetCounts {
  /** Values at places. */
  readonly values: number;
  /** Credentials with a copy. */
  readonly credentials: number;
}

/** Of so many credentials whose value was met nowhere it is known of one. */
const knownEach = 5;
/** So many are kept at a time. */
const atOnce = 8;

/** Keeps all of it as of `now`, in milliseconds since the epoch. */
export async function keepMet(db: Database, size: EstateSize, now: number): Promise<MetCounts> {
  const entries = await listEntries(db, "credentials");
  const met = metIn(
    entries.map(({ name }) => name),
    size,
  );
  const known = entries.filter(({ name }, i) => met.has(name) || i % knownEach === 0);
  const work = known.entries();
  const one = async () => {
    for (const [i, { id, name }] of work) await keepValue(db, { id, name, isOurs: i % 2 === 0 }, now);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return { values: await keepReadings(db, met, size, now), credentials: met.size };
}

/** Half of the values were made by a rotation, the others were live when one looked. */
async function keepValue(
  db: Database,
  { id, name, isOurs }: { readonly id: string; readonly name: string; readonly isOurs: boolean },
  now: number,
): Promise<void> {
  const hmac = markOf(name);
  if (!isOurs) return keepLive(db, { credential: id, hmacs: [hmac], at: now });
  const version = newId("ver");
  const standings = [{ id: version, slot: "a", life: "active" }] as const;
  await recordVersions(db, { credential: id, by: null, standings, at: now });
  await keepFingerprint(db, { version, credential: id, hmac, at: now });
}

async function keepReadings(
  db: Database,
  met: ReadonlyMap<string, number>,
  size: EstateSize,
  now: number,
): Promise<number> {
  const declared = await read(db, (tx) => declaredIn(tx, shapesOf(kinds)));
  const sources = new Map((await listEntries(db, "sources")).map((entry) => [entry.name, entry]));
  const open = new Map<MetBy, { readonly ref: ScanRef; cursor: string | null }>();
  let values = 0;
  for (const [by, part] of metParts(met, size, now)) {
    let reading = open.get(by);
    if (reading === undefined) {
      const { id: source = "", body = {} } = sources.get(by) ?? {};
      const how = { source, shows: "now", settings: settingsDigest(body) } as const;
      const { id } = await beginScan(db, { ...how, now, newId: () => newId("scn") });
      reading = { ref: { id, ...how }, cursor: null };
      open.set(by, reading);
    }
    await notePart(db, reading.ref, reading.cursor, part, declared, now);
    reading.cursor = part.cursor;
    values += part.copies.length;
  }
  for (const { ref } of open.values()) await endScan(db, ref, now);
  return values;
}
