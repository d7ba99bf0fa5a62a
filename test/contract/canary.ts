/**
 * I6 of a source: what it says is kept in the records as the worker keeps it, it fails as it can, and everything that came of
 * that is searched: a value may go out in an error or a row as well as in a part.
 */
import { inspect } from "node:util";
import { vi } from "vitest";
import { asRekeyError } from "../../activities/calls.js";
import type { Source } from "../../adapters/ports.js";
import type { Shapes } from "../../domain/estate/shapes.js";
import { read } from "../../inventory/database.js";
import { applyEstate } from "../../inventory/estate.js";
import { declaredIn } from "../../inventory/rematch.js";
import { beginScan, breakOff, endScan, notePart } from "../../inventory/scans.js";
import { rowsAsText } from "../e2e/canaries/kept.js";
import { type Fresh, migratedDatabase } from "../inventory/database.js";
import { newId, sampleEstate } from "../inventory/world.js";
import { formsOf } from "../support/canaries.js";

/** Everything that came of a source, as text. */
export interface CameOut extends Readonly<Record<string, string>> {
  /** What its parts say. */
  readonly said: string;
  /** Every row of every table of an inventory that took the parts and the failures in. */
  readonly kept: string;
  /** Its findings, and its errors with their causes and stacks. */
  readonly failed: string;
  /** What this process printed meanwhile. */
  readonly printed: string;
}

const shapes: Shapes = {
  shownAs: () => [],
  placeKey: (_, __, place) => String(place.path),
  seesUse: () => true,
  deliveredWithinMs: () => 0,
};

/**
 * Reads the source to its end after each of these has been planted, breaks a reading of it off, and asks what it lacks; the same of
 * one that reaches nothing. Closes neither.
 */
export async function cameOutOf(
  open: () => Source,
  unreachable: () => Source,
  plants: readonly (() => Promise<unknown>)[],
): Promise<CameOut> {
  const printing = listen();
  const said: unknown[] = [];
  const failed: unknown[] = [];
  const fresh = await migratedDatabase();
  try {
    await applyEstate(fresh.db, {
      ...{ estate: sampleEstate(), digest: "d", by: "ann", now: Date.now(), newId, shapes },
    });
    const cancelled = AbortSignal.abort(new Error("the worker stops"));
    const inTime = () => AbortSignal.timeout(60_000);
    for (const plant of plants) {
      await plant();
      await readInto(fresh, open(), inTime(), said).catch((error) => failed.push(error));
    }
    for (const [source, signal] of [
      [open(), cancelled],
      [unreachable(), inTime()],
    ] as const) {
      await readInto(fresh, source, signal, said).catch((error) => failed.push(error));
      failed.push(await source.preflight({ signal: inTime() }).catch((error: unknown) => error));
    }
    return {
      said: JSON.stringify(said),
      kept: await rowsAsText(fresh.url.reveal()),
      failed: failed
        .map((one) => inspect(one, { depth: 20, maxStringLength: null, maxArrayLength: null }))
        .join("\n"),
      printed: printing.text(),
    };
  } finally {
    printing.stop();
  }
}

/** As the activity does it, each a source of its own. */
async function readInto({ db }: Fresh, source: Source, signal: AbortSignal, said: unknown[]): Promise<void> {
  const of = { source: newId("src"), shows: "now", settings: "so" } as const;
  const { id } = await beginScan(db, { ...of, now: Date.now(), newId: () => newId("scn") });
  const ref = { ...of, id };
  const declared = await read(db, (tx) => declaredIn(tx, shapes));
  let cursor: string | null = null;
  try {
    for await (const part of source.scan(cursor, { signal })) {
      said.push(part);
      await notePart(db, ref, cursor, part, declared, Date.now());
      cursor = part.cursor;
    }
    await endScan(db, ref, Date.now());
  } catch (error) {
    await breakOff(db, id, asRekeyError(error).message, Date.now());
    throw error;
  }
}

/** Hears what is printed, by whichever way. */
function listen() {
  const heard: string[] = [];
  const hear = (...what: unknown[]) => {
    heard.push(what.map((one) => (typeof one === "string" ? one : inspect(one))).join(" "));
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(hear),
    vi.spyOn(process.stderr, "write").mockImplementation(hear),
    ...(["log", "info", "warn", "error", "debug"] as const).map((way) =>
      vi.spyOn(console, way).mockImplementation(hear),
    ),
  ];
  return {
    text: () => heard.join("\n"),
    stop: () => {
      for (const spy of spies) spy.mockRestore();
    },
  };
}

/** The names of the texts in which a form of any of these values lies. */
export function textsWith(values: readonly string[], out: Readonly<Record<string, string>>): string[] {
  const forms = new Set(values.flatMap(formsOf));
  return Object.entries(out)
    .filter(([, text]) => {
      const bytes = Buffer.from(text).toString("latin1");
      return [...forms].some((form) => bytes.includes(form));
    })
    .map(([name]) => name)
    .sort();
}
