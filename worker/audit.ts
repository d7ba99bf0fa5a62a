/** The audit log as the installation's settings name it: its database, its key, and the folder of what stands outside the database. */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Anchor, fileAnchor } from "../audit/anchor.js";
import { fileHighWater } from "../audit/high-water.js";
import { type AuditKeeper, auditKeeper } from "../audit/keeper.js";
import { ensureLog, migrateLog } from "../audit/log.js";
import type { Signer } from "../audit/note.js";
import { fileSpool, type Spool } from "../audit/spool.js";
import { RekeyError } from "../domain/errors.js";
import type { HighWater } from "../domain/restore.js";
import type { Secret } from "../domain/secret.js";
import { auditCheckpointIn } from "../inventory/audit-checkpoint.js";
import { takeEntries, waitingEntries } from "../inventory/audit-outbox.js";
import { type Database, openDatabase } from "../inventory/database.js";
import type { Installation } from "./config.js";
import { resolved } from "./installation.js";

/** The log, opened. Nothing is connected before it is used. */
export interface OpenAudit {
  readonly keeper: AuditKeeper;
  readonly log: Database;
  readonly signer: Signer;
  readonly anchors: readonly Anchor[];
  readonly spool: Spool;
  /** How far the inventory has come, noted beside the anchor. */
  readonly highWater: HighWater;
  close(): Promise<void>;
}

/** What the log is opened with. `installation` is the id that the inventory keeps. */
export interface AuditSurroundings {
  /** The inventory, where entries wait. */
  readonly db: Database;
  readonly installation: string;
  readonly now: () => number;
  readonly warn: (sentence: string) => void;
  /** What stands between the engine and the log's database, if anything does. */
  readonly between?: ((given: Database) => Database) | undefined;
}

/** A log that does not answer must not hold up a change for long; what goes on without it goes on soon (H31). */
const limits = { connectTimeoutMs: 3_000, statementTimeoutMs: 5_000, deadlineMs: 6_000, connectionsMax: 4 };

/** Opens the log. Throws `bad-input` for a key that is none, and what resolving the references throws. */
export async function openAudit(
  settings: Installation,
  { db, installation, now, warn, between }: AuditSurroundings,
): Promise<OpenAudit> {
  const signer = signerFrom(
    await resolved(settings, settings.REKEY_AUDIT_KEY),
    `rekey-audit/${installation}`,
  );
  const direct = await auditDatabaseOf(settings);
  const log = between?.(direct) ?? direct;
  const folder = settings.REKEY_AUDIT_FOLDER ?? join(settings.REKEY_HOME, "audit");
  const anchors = [fileAnchor(join(folder, "checkpoint")), auditCheckpointIn(db)];
  const spool = fileSpool(join(folder, "spool"));
  const highWater = fileHighWater(join(folder, "generation"));
  const prepare = async (): Promise<void> => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await migrateLog(log);
    await ensureLog(log, signer.name);
  };
  const source = {
    place: "outbox",
    waiting: (limit: number) => waitingEntries(db, limit),
    taken: (ids: readonly string[]) => takeEntries(db, ids),
  } as const;
  const keeper = auditKeeper({ prepare, log, source, spool, signer, anchors, now, warn });
  return { keeper, log, signer, anchors, spool, highWater, close: () => log.close() };
}

/** The log's database: the inventory's, unless the settings name another. */
export async function auditDatabaseOf(settings: Installation): Promise<Database> {
  const url = await resolved(settings, settings.REKEY_AUDIT_DATABASE_URL ?? settings.REKEY_DATABASE_URL);
  return openDatabase({ ...limits, url, applicationName: "rekey-audit", what: "The audit store" });
}

function signerFrom(secret: Secret, name: string): Signer {
  const key = parsedKey(secret);
  const { x = "" } = createPublicKey(key).export({ format: "jwk" });
  return {
    name,
    publicKey: Buffer.from(x, "base64url"),
    sign: async (message) => sign(null, message, key),
  };
}

function parsedKey(secret: Secret): KeyObject {
  try {
    const key = createPrivateKey({ key: JSON.parse(secret.reveal()), format: "jwk" });
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // The parser's own words may quote the key; ours follow.
  }
  throw new RekeyError(
    "bad-input",
    "The audit log's key is not an Ed25519 key as a JSON Web Key.",
    "`rekey up` and deploy/make-secrets.sh make one; REKEY_AUDIT_KEY names it.",
  );
}
