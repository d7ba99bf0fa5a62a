/**
 * What the audit log costs: taking entries in, proving one among many, reading all of them. Entries are told and
 * taken in as the engine does it; only the tree of ten million is written in bulk, and says so.
 */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { signLog } from "../audit/checkpoints.js";
import { inclusionProofs } from "../audit/consistency.js";
import { leafHash } from "../audit/hash.js";
import { ensureLog, migrateLog, writeTiles } from "../audit/log.js";
import type { Signer } from "../audit/note.js";
import { includes } from "../audit/proofs.js";
import { batchMax, type Source, sequence } from "../audit/sequencer.js";
import { Edge } from "../audit/tiles.js";
import { verifyLog } from "../audit/verify.js";
import { takeEntries, tellAudit, waitingEntries } from "../inventory/audit-outbox.js";
import { type Database, openDatabase, read, transact } from "../inventory/database.js";
import { migrate } from "../inventory/migrate.js";
import { startPostgres } from "../worker/dev/postgres.js";
import { median, type Table } from "./tables.js";

/** What was measured. */
export interface AuditFigures {
  readonly entries: number;
  readonly tellPerSecond: number;
  readonly appendPerSecond: number;
  /** Single entries by concurrent writers, from the first that is told to the last that is in the log. */
  readonly singlePerSecond: number;
  readonly verifyMs: number;
  /** The same, counted up or down to a million entries. */
  readonly verifyMillionMs: number;
  readonly proofAmong: number;
  readonly proofMs: { readonly median: number; readonly p99: number };
}

/** How much is measured. */
export interface AuditSize {
  readonly entries: number;
  readonly proofAmong: number;
  /** Entries that are told one by one. */
  readonly single: number;
}

/** Little enough to run with everything else. */
export const smallAudit: AuditSize = { entries: 20_000, proofAmong: 100_000, single: 2_000 };
/** As the goals have it: minutes. */
export const fullAudit: AuditSize = { entries: 1_000_000, proofAmong: 10_000_000, single: 20_000 };

const proofs = 500;
/** Who tell at the same time, each one entry a transaction, as the engine does. */
const writers = 8;
const tellBatch = 1_000;
/** Tiles of a tree that is made in bulk, in one statement. */
const tilesInWrite = 512;

/** Measures on a PostgreSQL of its own, with its settings for durability as they come. */
export async function measureAudit(size: AuditSize, progress: (line: string) => void): Promise<AuditFigures> {
  const postgres = await startPostgres({});
  const url = postgres.url();
  const [db, log] = [
    openDatabase({ url }),
    openDatabase({ url, what: "The audit store", deadlineMs: 60_000 }),
  ];
  try {
    await migrate(db);
    await migrateLog(log);
    const signer = benchSigner();
    await ensureLog(log, signer.name);
    progress(`telling and taking in ${size.entries} entries`);
    const appended = await appending(db, log, size.entries);
    progress(`${writers} writers of single entries`);
    const singlePerSecond = await singly(db, log, size.single);
    await signLog(log, signer, [], Date.now());
    progress("verifying all of them");
    const begun = performance.now();
    const { findings } = await verifyLog(log, signer, []);
    const verifyMs = performance.now() - begun;
    if (findings.length > 0) throw new Error(`the log is not whole: ${findings[0]}`);
    progress(`writing the tree of ${size.proofAmong} entries in bulk`);
    const proofMs = await proving(log, size.proofAmong);
    return {
      entries: size.entries,
      ...appended,
      singlePerSecond,
      verifyMs,
      verifyMillionMs: (verifyMs * 1_000_000) / (size.entries + size.single),
      proofAmong: size.proofAmong,
      proofMs,
    };
  } finally {
    await Promise.all([db.close(), log.close()]);
    await postgres.stop();
  }
}

/** Tells in transactions of a thousand, and takes in as fast as it goes; the two are timed apart. */
async function appending(
  db: Database,
  log: Database,
  entries: number,
): Promise<Pick<AuditFigures, "tellPerSecond" | "appendPerSecond">> {
  const source = outboxOf(db);
  const spent = { tellMs: 0, appendMs: 0 };
  const round = 10 * batchMax;
  for (let at = 0; at < entries; at += round) {
    const count = Math.min(round, entries - at);
    let begun = performance.now();
    for (let told = 0; told < count; told += tellBatch) {
      const records = Array.from({ length: Math.min(tellBatch, count - told) }, (_, i) =>
        record(at + told + i),
      );
      await transact(db, (tx) => tellAudit(tx, ...records));
    }
    spent.tellMs += performance.now() - begun;
    begun = performance.now();
    while ((await sequence(log, source)).seen > 0) {}
    spent.appendMs += performance.now() - begun;
  }
  const perSecond = (ms: number) => (entries * 1_000) / ms;
  return { tellPerSecond: perSecond(spent.tellMs), appendPerSecond: perSecond(spent.appendMs) };
}

/** Writers tell while the log takes in, until it has everything. */
async function singly(db: Database, log: Database, entries: number): Promise<number> {
  const source = outboxOf(db);
  const begun = performance.now();
  let [next, writing] = [0, true];
  const write = async () => {
    while (next < entries) await transact(db, (tx) => tellAudit(tx, record(entries + next++)));
  };
  const takeIn = async () => {
    for (;;) {
      // Asked before it looks: what was told until then is in that look or a later one.
      const last = !writing;
      if ((await sequence(log, source)).seen === 0 && last) return;
    }
  };
  const written = Promise.all(Array.from({ length: writers }, write)).finally(() => {
    writing = false;
  });
  await Promise.all([written, takeIn()]);
  return (entries * 1_000) / (performance.now() - begun);
}

function outboxOf(db: Database): Source {
  return {
    place: "outbox",
    waiting: (limit) => waitingEntries(db, limit),
    taken: (ids) => takeEntries(db, ids),
  };
}

function record(n: number) {
  const step = { do: "issue", version: `ver_${n}`, slot: "orders_b" };
  const facts = { epoch: 1, change: n, step, expects: { orders_b: `rekey/1 rotation=rot_${n}` } };
  return { kind: "intent" as const, at: 1_772_000_000_000 + n, rotation: `rot_${Math.floor(n / 10)}`, facts };
}

/**
 * Proofs in a tree whose tiles alone are written, behind a head that says so: the texts of ten million entries
 * would take many minutes to write, and a proof reads none of them.
 */
async function proving(log: Database, size: number): Promise<AuditFigures["proofMs"]> {
  const edge = new Edge();
  let filled: { level: number; number: number; hashes: Buffer }[] = [];
  const write = async () => {
    const tiles = filled;
    filled = [];
    await transact(log, (tx) => writeTiles(tx, tiles));
  };
  for (let n = 0; n < size; n++) {
    edge.append(syntheticLeaf(n), (level, number, hashes) => filled.push({ level, number, hashes }));
    if (filled.length >= tilesInWrite) await write();
  }
  filled.push(...edge.tiles());
  await write();
  const root = edge.root();
  const times: number[] = [];
  for (let i = 0; i < proofs; i++) {
    const index = Number(randomBytes(6).readUIntBE(0, 6) % size);
    const begun = performance.now();
    const [proof = []] = await read(log, (tx) => inclusionProofs(tx, [index], size));
    times.push(performance.now() - begun);
    if (!includes({ index, size, root }, syntheticLeaf(index), proof))
      throw new Error("a proof does not hold");
  }
  const sorted = [...times].sort((a, b) => a - b);
  return { median: median(times), p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN };
}

function syntheticLeaf(n: number): Buffer {
  return leafHash(String(n));
}

function benchSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  return {
    name: "rekey-audit/bench",
    publicKey: Buffer.from(x, "base64url"),
    sign: async (message) => sign(null, message, privateKey),
  };
}

/** The figures as a table. */
export function auditTable(figures: AuditFigures): Table {
  const { entries, tellPerSecond, appendPerSecond, verifyMs, verifyMillionMs, proofAmong, proofMs } = figures;
  return {
    title: `The audit log, ${entries} entries`,
    rows: [
      { what: "told by writers, 1000 a transaction", value: tellPerSecond, unit: "/s" },
      { what: `taken in, ${batchMax} a batch`, value: appendPerSecond, unit: "/s", atLeast: 5_000 },
      {
        what: `told by ${writers} writers at once, one a transaction, and taken in meanwhile`,
        value: figures.singlePerSecond,
        unit: "/s",
      },
      { what: "verified, all of it", value: verifyMs, unit: "ms" },
      { what: "  for a million", value: verifyMillionMs, unit: "ms", atMost: 5_000 },
      {
        what: `inclusion proof among ${proofAmong}, median`,
        value: proofMs.median,
        unit: "ms",
        digits: 1,
        atMost: 5,
        note: "that tree is written in bulk, without texts",
      },
      { what: "  99 of 100 within", value: proofMs.p99, unit: "ms", digits: 1 },
    ],
  };
}
