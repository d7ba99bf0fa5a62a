/**
 * Reads the whole log and says in sentences what is wrong with it (I9). Nothing is believed but the key: texts
 * are hashed anew, the tree is built anew from them, and every checkpoint is compared with what was built.
 */

import { setImmediate as pause } from "node:timers/promises";
import { count } from "../domain/count.js";
import { type Database, read, type Tx } from "../inventory/database.js";
import { sql } from "../inventory/orm.js";
import type { OutsideNote } from "./anchor.js";
import { type Checkpoint, openCheckpoint, unsignedSentence } from "./checkpoint.js";
import { type EntryRow, readRow } from "./columns.js";
import { cutSentence, forkSentence } from "./consistency.js";
import { hashBytes, leafHash } from "./hash.js";
import { headOf, tilesOf } from "./log.js";
import { toldOf } from "./mismatch.js";
import type { Verifier } from "./note.js";
import { openingFindings } from "./openings.js";
import type { Head } from "./proofs.js";
import { Findings, RowJudge } from "./row-findings.js";
import { Edge, tileKey, tilesFor, tileWidth } from "./tiles.js";

/** What was found. An empty `findings` means that the log is whole. */
export interface Verified {
  readonly size: number;
  /** Hash of the whole tree, in base64, as checkpoints have it. */
  readonly root: string;
  /** Checkpoints that were compared, those from outside included. */
  readonly checkpoints: number;
  /** Entries behind the newest checkpoint: nobody has signed those yet. */
  readonly unsigned: number;
  /** Sentences, each about one thing; at most some dozens. */
  readonly findings: readonly string[];
  /** What the log itself tells of texts that were found and are not what was told; it is as whole with them. */
  readonly told: readonly string[];
}

const tilesInRead = 64;
/** Reading a large log takes its time; the picture of the database is one and the same for all of it. */
const verifyMsMax = 30 * 60_000;

/** Verifies the log against its own checkpoints and those from outside. Throws the errors of `read` only. */
export async function verifyLog(
  log: Database,
  verifier: Verifier,
  outside: readonly OutsideNote[],
): Promise<Verified> {
  const patient = { ...log, deadlineMs: verifyMsMax, statementTimeoutMs: verifyMsMax };
  return read(patient, async (tx) => {
    const findings = new Findings();
    const told = new Findings();
    const head = await headOf(tx, "look");
    const signed = await checkpointsOf(tx, verifier, outside, findings);
    for (const { source, size } of signed) {
      const cut = cutSentence(source, size, head.size);
      if (cut !== null) findings.add(cut);
    }
    const edge = await rebuilt(tx, head.size, signed, findings, told);
    if (!edge.root().equals(head.root)) {
      findings.add("The log's head does not tell the hash of its entries.");
    }
    await afterEnd(tx, head, findings);
    await openingFindings(tx, findings);
    return {
      size: head.size,
      root: edge.root().toString("base64"),
      checkpoints: signed.length,
      unsigned: head.size - Math.max(0, ...signed.map(({ size }) => size)),
      findings: findings.sentences(),
      told: told.sentences(),
    };
  });
}

interface Signed extends Checkpoint {
  readonly source: string;
}

/** Every checkpoint that the key signed, smallest first; another one is a finding. */
async function checkpointsOf(
  tx: Tx,
  verifier: Verifier,
  outside: readonly OutsideNote[],
  findings: Findings,
): Promise<Signed[]> {
  const { rows } = await tx.execute<{ size: string; note: string }>(
    sql`select size, note from rekey_audit.checkpoints order by size`,
  );
  const kept = rows.map(({ size, note }) => ({
    source: `the checkpoint of ${count(Number(size), "entry", "entries")}`,
    note,
  }));
  const signed: Signed[] = [];
  for (const { source, note } of [...kept, ...outside]) {
    try {
      signed.push({ ...openCheckpoint(note, verifier), source });
    } catch {
      findings.add(unsignedSentence(source, verifier));
    }
  }
  return signed.sort((a, b) => a.size - b.size);
}

/** Builds the tree anew, comparing rows with tiles and the tree with every checkpoint on the way. */
async function rebuilt(
  tx: Tx,
  size: number,
  signed: readonly Signed[],
  findings: Findings,
  told: Findings,
): Promise<Edge> {
  const edge = new Edge();
  const judge = new RowJudge(findings);
  const left = signed.filter((checkpoint) => checkpoint.size <= size);
  const compare = () => {
    for (; left[0]?.size === edge.size; left.shift()) {
      if (!edge.root().equals(left[0].root)) findings.add(forkSentence(left[0].source, edge.size));
    }
  };
  compare();
  const upper = new Map<string, Buffer>();
  const step = tilesInRead * tileWidth;
  const readFrom = (start: number) => tilesRead(tx, start, Math.min(start + step, size));
  let next: Promise<TileRows[]> = size === 0 ? Promise.resolve([]) : readFrom(0);
  for (let start = 0; start < size; start += step) {
    const chunk = await next;
    if (start + step < size) {
      // The server reads on while we hash: the question only has to be on its way.
      next = readFrom(start + step);
      // A failure is met where it is waited for, and is nobody's surprise before.
      next.catch(() => undefined);
      await pause();
    }
    for (const { number, first, rows, hashes } of chunk) {
      const width = Math.min(tileWidth, size - first);
      for (let at = 0; at < width; at++) {
        const kept = hashes?.subarray(at * hashBytes, (at + 1) * hashBytes);
        const row = rows[at];
        const leaf = row === undefined ? null : leafHash(row.body);
        const sentence = row === undefined ? null : toldOf(first + at, readRow(first + at, row, findings));
        if (sentence !== null) told.add(sentence);
        judge.row(first + at, leaf, kept?.length === hashBytes ? kept : null);
        // The tree is built of what the tiles hold, so that one changed row does not spoil all that follows.
        edge.append(
          kept?.length === hashBytes ? kept : (leaf ?? Buffer.alloc(hashBytes)),
          (level, n, full) => {
            if (level > 0) upper.set(tileKey(level, n), full);
          },
        );
        if (left[0]?.size === edge.size) compare();
      }
      if (hashes === null) findings.add(`A part of the tree is missing: tile 0/${number}.`);
    }
  }
  judge.end();
  for (const { level, number, hashes } of edge.tiles()) {
    if (level > 0) upper.set(tileKey(level, number), hashes);
  }
  await compareUpper(tx, upper, findings);
  return edge;
}

interface TileRows {
  readonly number: number;
  readonly first: number;
  /** Entries by their place in the tile; a hole where one is missing. */
  readonly rows: readonly (EntryRow | undefined)[];
  readonly hashes: Buffer | null;
}

/** Stands where a column has nothing in it; no id, rotation or time is that. */
const nothing = "\u0001";

/** Texts of a tile, each with a line for an entry. */
type Together = { tile: string; entries: number; body: string; id: string; rotation: string; at: string };

/**
 * The entries from `start` to `end` by tile. Texts of a tile come as one, because a row for each would cost more
 * than all the hashing; where their number or a line break in one says that something is wrong, they are read one by one.
 */
async function tilesRead(tx: Tx, start: number, end: number): Promise<TileRows[]> {
  const lines = (text: ReturnType<typeof sql>) => sql`string_agg(${text}, E'\n' order by index)`;
  const { rows } = await tx.execute<Together>(
    sql`select index / ${tileWidth} as tile, count(*)::int as entries, ${lines(sql`body`)} as body,
        ${lines(sql`coalesce(id, ${nothing})`)} as id, ${lines(sql`coalesce(rotation, ${nothing})`)} as rotation,
        ${lines(sql`coalesce(at::text, ${nothing})`)} as at
      from rekey_audit.entries where index >= ${start} and index < ${end} group by 1`,
  );
  const tiles = await tilesOf(tx, tilesFor(leavesOf(start, end)));
  const byTile = new Map(rows.map((row) => [Number(row.tile), row]));
  const found: TileRows[] = [];
  for (let first = start; first < end; first += tileWidth) {
    const number = first / tileWidth;
    const width = Math.min(tileWidth, end - first);
    found.push({
      number,
      first,
      rows: apart(byTile.get(number), width) ?? (await oneByOne(tx, first, width)),
      hashes: tiles.get(tileKey(0, number)) ?? null,
    });
  }
  return found;
}

/** The entries of a tile that has all of them, or null where they cannot be told apart. */
function apart(row: Together | undefined, width: number): EntryRow[] | null {
  if (row?.entries !== width) return null;
  const [bodies, ids, rotations, ats] = [row.body, row.id, row.rotation, row.at].map((text) =>
    text.split("\n"),
  );
  if ([bodies, ids, rotations, ats].some((lines) => lines?.length !== width)) return null;
  const value = (lines: readonly string[] | undefined, n: number) => {
    const line = lines?.[n] ?? nothing;
    return line === nothing ? null : line;
  };
  return (bodies ?? []).map((body, n) => ({
    body,
    columns: { id: value(ids, n), rotation: value(rotations, n), at: value(ats, n) },
  }));
}

function leavesOf(start: number, end: number): { start: number; end: number }[] {
  const found = [];
  for (let at = start; at < end; at += tileWidth) found.push({ start: at, end: at + 1 });
  return found;
}

async function oneByOne(tx: Tx, first: number, width: number): Promise<(EntryRow | undefined)[]> {
  const { rows } = await tx.execute<{ index: string; body: string } & EntryRow["columns"]>(
    sql`select index, body, id, rotation, at::text from rekey_audit.entries
      where index >= ${first} and index < ${first + width}`,
  );
  const found = new Map(
    rows.map(({ index, body, ...columns }) => [Number(index) - first, { body, columns }] as const),
  );
  return Array.from({ length: width }, (_, at) => found.get(at));
}

async function compareUpper(tx: Tx, upper: ReadonlyMap<string, Buffer>, findings: Findings): Promise<void> {
  const { rows } = await tx.execute<{ level: number; number: string; hashes: Buffer }>(
    sql`select level, number, hashes from rekey_audit.tiles where level > 0`,
  );
  const kept = new Map(rows.map(({ level, number, hashes }) => [tileKey(level, Number(number)), hashes]));
  for (const [key, hashes] of upper) {
    if (kept.get(key as `${number}/${number}`)?.equals(hashes) !== true) {
      findings.add(`A part of the tree is not the hash of what is below it: tile ${key}.`);
    }
  }
}

async function afterEnd(tx: Tx, { size }: Head, findings: Findings): Promise<void> {
  const { rows } = await tx.execute<{ after: number }>(
    sql`select count(*)::int as after from rekey_audit.entries where index >= ${size}`,
  );
  const after = rows[0]?.after ?? 0;
  if (after > 0)
    findings.add(
      `${count(after, "entry stands", "entries stand")} behind the end of the log, which has ${size}.`,
    );
}
