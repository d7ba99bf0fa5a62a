/** A house for the tests of findings: the sample estate with one source, whose readings say what a test wants. */
import type { Claim, ScanPart, Thing } from "../../domain/discovery/said.js";
import type { Shapes } from "../../domain/estate/shapes.js";
import type { Estate } from "../../domain/estate/types.js";
import { read } from "../../inventory/database.js";
import { applyEstate } from "../../inventory/estate.js";
import { bringFindings } from "../../inventory/finding-keep.js";
import { listFindings } from "../../inventory/findings.js";
import { declaredIn } from "../../inventory/rematch.js";
import { beginScan, endScan, notePart } from "../../inventory/scans.js";
import { settingsDigest } from "../../inventory/source-settings.js";
import type { Body } from "../../inventory/submission.js";
import { migratedDatabase } from "./database.js";
import { newId, sampleEstate, t0 } from "./world.js";

/** A day in milliseconds. */
export const dayMs = 86_400_000;

/** The sample's kinds are made up, and so is what they make of an account. */
export const shapes: Shapes = {
  shownAs: (_, { account }) =>
    Object.values(account).flatMap((value) => (typeof value === "string" ? [value] : [])),
  placeKey: ({ stores }, store, place) => `${stores[store]?.address ?? ""}${place.path}`,
  seesUse: () => true,
  deliveredWithinMs: () => 0,
};

const psql: Thing = { is: "reader", name: "psql from 10.0.0.9", traits: { address: "10.0.0.9" } };
const account: Thing = { is: "account", issuer: "main-db", account: "orders" };
/** A place of a repository. */
export const at = (path: string) => ({ is: "location", scope: "repository shop", path }) as const;
/** Once, when everything begins. */
export const seen = { first: t0, last: t0, count: 1 };

/** Opens it; call it in a test. */
export async function house() {
  const { db, sql, url } = await migratedDatabase();
  let applied = 0;
  const apply = async (change: (estate: Estate) => Estate = (same) => same, now = t0) => {
    applied += 1;
    const source = { kind: "fake", owner: "payments", issuer: "main-db" };
    const estate = change({ ...sampleEstate(), sources: { sessions: source } });
    const { scope } = await applyEstate(db, { estate, digest: `d${applied}`, by: "ann", now, newId, shapes });
    return { estate, scope };
  };
  /** A whole reading of the source, with what it shows. */
  const reading = async (said: Partial<ScanPart>, now: number, shows: "now" | "log" = "now") => {
    const [{ id: source = "", body = {} } = {}] = await sql<{ id: string; body: Body }>(
      "select id, body from rekey_inventory.entries where section = 'sources'",
    );
    const settings = settingsDigest(body);
    const begun = await beginScan(db, { source, shows, settings, now, newId: () => newId("scn") });
    const ref = { id: begun.id, source, shows, settings } as const;
    const none = { records: 1, claims: [], copies: [], listed: [], malformed: [], covered: null, gaps: [] };
    const declared = await read(db, (tx) => declaredIn(tx, shapes));
    await notePart(db, ref, begun.cursorAfter, { ...none, cursor: newId("cur"), ...said }, declared, now);
    await endScan(db, ref, now);
  };
  /** The last reading again, every ten minutes until then: looks that see nobody new. */
  const looking = (until: number) =>
    sql(
      `insert into rekey_inventory.scans
        select (jsonb_populate_record(s, jsonb_build_object('id', 'scn_' || at, 'started_at', at, 'ended_at', at))).*
        from rekey_inventory.scans s,
          generate_series(s.started_at + interval '10 minutes', $1::timestamptz - interval '1 minute', '10 minutes') as at
        where s.id = (select id from rekey_inventory.scans order by started_at desc, id desc limit 1)`,
      [new Date(until)],
    );
  const open = async (now: number, code?: string) => {
    await bringFindings(db, shapes, now);
    const { findings } = await listFindings(db, code === undefined ? {} : { code }, now);
    return findings;
  };
  return { db, sql, url, apply, reading, looking, open };
}

/** Somebody is connected whom no consumer accounts for. */
export const use: Claim = {
  ...({ record: "sessions", known: "session", from: psql, type: "uses", to: account, seen } as const),
  sentence: "It is connected.",
};
