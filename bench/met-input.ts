/**
 * What sources meet in a generated estate: most values in no other place, some in the two or three places that a service has beside
 * its store, a few in hundreds, and about as many values as that which are nobody's. The same seed gives the same parts. No value is
 * made: a hash of a name stands for its keyed hash.
 */
import type { Claim, Copy, LocationThing, ReaderThing, ScanPart } from "../domain/discovery/said.js";
import { sha256Hex } from "../inventory/hash.js";
import { consumerOf, type EstateSize, giant, master, type sources } from "./estate-input.js";
import { randomOf } from "./random.js";

/** A source of the generated estate. */
export type MetBy = keyof typeof sources;

/** Of so many credentials one is met somewhere else, and one in hundreds of places. */
const metEach = 8;
const oftenEach = 1_000;
/** So many places at most: those of `giant`. */
const placesMax = 500;
/** As much as a source says at once. */
const itemsMax = 2_000;

/** What stands for the keyed hash of a value that is named so. */
export function markOf(name: string): string {
  return sha256Hex(`the value of ${name}`);
}

/** A value at a place of a source, and the number of the consumer that reads it there; null: nobody is known to. */
interface Place {
  readonly by: MetBy;
  readonly value: string;
  readonly number: number;
  readonly reader: number | null;
}

/** In how many other places the value of a credential is; of these there are hundreds. */
function placesOf(name: string, random: () => number): number {
  if (name === giant) return placesMax;
  if (name === master) return 3;
  const chance = random();
  if (chance < 1 / oftenEach) return 100 + Math.floor(random() * (placesMax - 100));
  return chance < 1 / metEach ? 2 + Math.floor(random() * 2) : 0;
}

/** Whose values were met somewhere else, of these names, and in how many places. */
export function metIn(names: readonly string[], { seed }: EstateSize): Map<string, number> {
  const random = randomOf(seed + 3);
  const counts = names.map((name) => [name, placesOf(name, random)] as const);
  return new Map(counts.filter(([, count]) => count > 0));
}

/** What each source says in a whole reading: what stands on hosts, in a cluster, and in a history, where nobody reads it. */
export function* metParts(
  met: ReadonlyMap<string, number>,
  { consumers, seed }: EstateSize,
  at: number,
): Generator<readonly [MetBy, ScanPart]> {
  const random = randomOf(seed + 4);
  const said: Record<MetBy, Place[]> = { hosts: [], cluster: [], history: [] };
  const add = (value: string) => {
    const chance = random();
    const by = chance < 0.5 ? "hosts" : chance < 0.9 ? "cluster" : "history";
    const reader = by === "history" || random() < 0.1 ? null : Math.floor(random() * consumers);
    said[by].push({ by, value, number: said[by].length, reader });
  };
  for (const [name, count] of met) {
    for (let i = 0; i < count; i++) add(name);
    // Who keeps a value in a file keeps others there that nobody has told of.
    add(`nobody's ${name}`);
    add(`nobody's ${name}, either`);
  }
  for (const by of Object.keys(said) as MetBy[])
    for (let from = 0; from < said[by].length; from += itemsMax / 4)
      yield [by, partOf(said[by].slice(from, from + itemsMax / 4), at)];
}

/** Settings of one file. */
const settingsEach = 4;

function partOf(places: readonly Place[], at: number): ScanPart {
  const seen = { first: at, last: at, count: 1 };
  const copies: Copy[] = [];
  const claims: Claim[] = [];
  for (const { by, value, number, reader } of places) {
    const record = fileOf(by, number);
    const scope = by === "cluster" ? "cluster prod" : by === "hosts" ? "repository hosts" : "repository shop";
    const place: LocationThing = { is: "location", scope, path: `${record}#KEY_${number % settingsEach}` };
    const whole: LocationThing = { is: "location", scope, path: record };
    const sentence = `a password at ${place.path}`;
    const [known, past] = ["declared", by === "history"] as const;
    copies.push({
      ...{ record, at: place, mark: markOf(value), literal: by !== "cluster" },
      past,
      seen,
      sentence,
    });
    claims.push({ ...{ record, known, from: place, type: "stored-in", to: whole, seen, sentence } });
    if (reader === null) continue;
    const name = consumerOf(reader);
    const from: ReaderThing = { is: "reader", name, traits: { applicationName: name } };
    claims.push({
      record,
      known,
      from,
      type: "uses",
      to: place,
      seen,
      sentence: `${name} reads ${place.path}`,
    });
  }
  const cursor = `${places[0]?.by} ${places[0]?.number}`;
  const none = { listed: [], malformed: [], gaps: [], covered: null };
  return { ...none, records: places.length, claims, copies, cursor };
}

function fileOf(by: MetBy, number: number): string {
  const file = Math.floor(number / settingsEach);
  if (by === "cluster") return `shop/secret-${file}`;
  return by === "hosts" ? `apps/${file}/.env` : `${sha256Hex(String(file)).slice(0, 12)}:.env`;
}
