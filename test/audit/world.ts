/** A log with a key, in a database of its own or beside the inventory, and entries for it. */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { leafHash } from "../../audit/hash.js";
import { ensureLog, migrateLog } from "../../audit/log.js";
import type { Signer } from "../../audit/note.js";
import { type Source, sequence } from "../../audit/sequencer.js";
import { Edge } from "../../audit/tiles.js";
import type { AuditEntry, AuditRecord } from "../../domain/audit.js";
import { takeEntries, tellAudit, waitingEntries } from "../../inventory/audit-outbox.js";
import { type Database, transact } from "../../inventory/database.js";
import { migrate } from "../../inventory/migrate.js";
import { emptyDatabase, type Fresh } from "../inventory/database.js";

/** A signer with a key of this test. */
export function testSigner(name = "rekey-audit/test"): Signer {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  return {
    name,
    publicKey: Buffer.from(x, "base64url"),
    sign: async (message) => sign(null, message, privateKey),
  };
}

/** An empty folder that is gone when the test has finished. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "rekey-audit-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A log, its outbox and its key. */
export interface LogWorld extends Fresh {
  /** A handle of the log's own, as the engine has. */
  readonly log: Database;
  readonly signer: Signer;
  readonly source: Source;
  /** Tells this many entries in one transaction, of rotation `rot_<n>` where n is its number. */
  tell(count: number, more?: Partial<AuditRecord>): Promise<AuditEntry[]>;
  /** The same, and takes them in. */
  grow(count: number, more?: Partial<AuditRecord>): Promise<void>;
}

/** The entries that wait in an inventory. */
export function outboxOf(db: Database): Source {
  return {
    place: "outbox",
    waiting: (limit) => waitingEntries(db, limit),
    taken: (ids) => takeEntries(db, ids),
  };
}

/** A record with facts and a person, as most are. */
export function record(n: number, more: Partial<AuditRecord> = {}): AuditRecord {
  return {
    kind: "outcome",
    at: 1_772_000_000_000 + n,
    rotation: `rot_${n % 7}`,
    facts: { change: n, outcome: "done" },
    personal: { person: `person-${n % 3}` },
    ...more,
  };
}

/** A database with inventory and log, both empty. */
export async function logWorld(): Promise<LogWorld> {
  const fresh = await emptyDatabase();
  await migrate(fresh.db);
  const log = fresh.another();
  await migrateLog(log);
  const signer = testSigner(`rekey-audit/${randomBytes(4).toString("hex")}`);
  await ensureLog(log, signer.name);
  const source = outboxOf(fresh.db);
  let told = 0;
  const tell: LogWorld["tell"] = (count, more) => {
    const records = Array.from({ length: count }, () => record(told++, more));
    return transact(fresh.db, (tx) => tellAudit(tx, ...records));
  };
  return {
    ...fresh,
    log,
    signer,
    source,
    tell,
    grow: async (count, more) => {
      await tell(count, more);
      while ((await sequence(log, source)).seen > 0) {}
    },
  };
}

/** Changes rows past the triggers, as an owner of the schema can. */
export async function tamper({ sql }: Pick<Fresh, "sql">, ...statements: string[]): Promise<void> {
  const text = ["set local session_replication_role = replica", ...statements].join("; ");
  await sql(`begin; ${text}; commit`);
}

/** Makes tiles and head agree with the rows as they are now: what somebody does who knows how the log is built. */
export async function rebuild(world: Pick<Fresh, "sql">): Promise<void> {
  const rows = await world.sql<{ body: string }>("select body from rekey_audit.entries order by index");
  const edge = new Edge();
  const tiles: string[] = [];
  const tile = (level: number, number: number, hashes: Buffer) =>
    tiles.push(`insert into rekey_audit.tiles values (${level}, ${number}, '\\x${hashes.toString("hex")}')`);
  for (const { body } of rows) edge.append(leafHash(body), tile);
  for (const { level, number, hashes } of edge.tiles()) tile(level, number, hashes);
  const root = edge.root().toString("hex");
  await tamper(
    world,
    "delete from rekey_audit.tiles",
    ...tiles,
    `update rekey_audit.head set size = ${rows.length}, root = '\\x${root}'`,
  );
}
