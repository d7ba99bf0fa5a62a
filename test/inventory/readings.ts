/** Readings of a source as they are kept: a house with an estate, and one whole reading at a time. */
import type { Claim, ScanPart, Thing } from "../../domain/discovery/said.js";
import type { Shapes } from "../../domain/estate/shapes.js";
import { type Database, read } from "../../inventory/database.js";
import { applyEstate } from "../../inventory/estate.js";
import { declaredIn } from "../../inventory/rematch.js";
import { beginScan, endScan, notePart } from "../../inventory/scans.js";
import { settingsDigest } from "../../inventory/source-settings.js";
import { migratedDatabase } from "./database.js";
import { newId, sampleEstate } from "./world.js";

/** When the tests' readings begin, in milliseconds since the epoch. */
export const t0 = 1_700_000_000_000;
/** In milliseconds. */
export const day = 24 * 60 * 60_000;
/** Shapes of kinds that the tests make up. */
export const shapes: Shapes = {
  shownAs: () => [],
  placeKey: (_, __, place) => String(place.path),
  seesUse: () => true,
  deliveredWithinMs: () => 0,
};
const account: Thing = { is: "account", issuer: "orders", account: "someone" };

/** Somebody who is connected. */
export function use(name: string, last: number, more: Partial<Claim> = {}): Claim {
  return {
    ...{ record: "sessions", known: "session", type: "uses", sentence: "It is connected.", to: account },
    from: { is: "reader", name, traits: { applicationName: name } },
    seen: { first: last, last, count: 1 },
    ...more,
  };
}

/** The settings by which sources are read here, unless others are given. */
export const fake = { kind: "fake" };
/** A source as it is asked about. */
export const asked = (id: string, body: object = fake, isBusy = true) => ({ id, body: { ...body }, isBusy });

/** An inventory with an estate in it. */
export async function house() {
  const { db } = await migratedDatabase();
  await applyEstate(db, { estate: sampleEstate(), digest: "d", by: "ann", now: t0 - day, newId, shapes });
  return db;
}

interface Reading {
  readonly at: number;
  readonly source?: string;
  readonly shows?: "now" | "log";
  readonly settings?: string;
  readonly more?: Partial<ScanPart>;
  readonly anew?: string;
}

/** One whole reading; answers with the cursor from which it began. */
export async function look(
  db: Database,
  claims: readonly Claim[],
  { at, source = "src_1", shows = "now", settings = settingsDigest(fake), more, anew }: Reading,
) {
  const how = { source, shows, settings, anew, now: at };
  const begun = await beginScan(db, { ...how, newId: () => newId("scn") });
  const ref = { id: begun.id, source, shows, settings };
  const declared = await read(db, (tx) => declaredIn(tx, shapes));
  const said = { records: claims.length, copies: [], listed: [], malformed: [], covered: null, gaps: [] };
  // Without a pause, unless the test says where records lay.
  const covered = more?.covered ?? null;
  const stretches = covered === null ? [] : [[covered.from, covered.until] as const];
  const part = { ...said, claims, cursor: `${at}`, stretches, ...more };
  await notePart(db, ref, begun.cursorAfter, part, declared, at);
  await endScan(db, ref, at);
  return begun.cursorAfter;
}
