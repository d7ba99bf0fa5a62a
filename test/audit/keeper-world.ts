/** A keeper as a worker has it, on a log that can be stopped, hung, filled or made read-only while everything else works. */
import { onTestFinished } from "vitest";
import { type Anchor, fileAnchor } from "../../audit/anchor.js";
import { type AuditKeeper, auditKeeper } from "../../audit/keeper.js";
import { ensureLog, migrateLog } from "../../audit/log.js";
import { fileSpool, type Spool } from "../../audit/spool.js";
import type { Secret } from "../../domain/secret.js";
import { auditCheckpointIn } from "../../inventory/audit-checkpoint.js";
import { type Database, openDatabase } from "../../inventory/database.js";
import { emptyDatabase, type Fresh, session } from "../inventory/database.js";
import { postgresServer } from "../setup/servers.js";
import { outboxOf, testFolder, testSigner } from "./world.js";

/** One key for all logs of a test file, as a database may be used by several tests. */
const signer = testSigner();

/** A keeper and what it is made of. */
export interface KeptLog {
  readonly keeper: AuditKeeper;
  readonly log: Database;
  readonly signer: typeof signer;
  readonly spool: Spool;
  /** The one in a file. */
  readonly anchor: Anchor;
  readonly anchors: readonly Anchor[];
  readonly folder: string;
  /** What it said to whoever watches the process. */
  readonly warned: string[];
  close(): Promise<void>;
}

/** A keeper of the log at `url`, for the entries that wait in `db`. Its folder is gone when the test has finished, unless one is given. */
export function keptLog(
  db: Database,
  url: Secret,
  more: { readonly spoolMax?: number; readonly folder?: string } = {},
): KeptLog {
  const folder = more.folder ?? testFolder();
  const log = openDatabase({
    url,
    what: "The audit store",
    connectionsMax: 3,
    // Long enough for a slow machine, and short enough to wait for a store that hangs.
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 2_000,
    deadlineMs: 10_000,
  });
  const warned: string[] = [];
  const spool = fileSpool(`${folder}/spool`, more.spoolMax);
  const anchor = fileAnchor(`${folder}/checkpoint`);
  const anchors = [anchor, auditCheckpointIn(db)];
  const prepare = async (): Promise<void> => {
    await migrateLog(log);
    await ensureLog(log, signer.name);
  };
  const warn = (sentence: string) => void warned.push(sentence);
  const source = outboxOf(db);
  const keeper = auditKeeper({ prepare, log, source, spool, signer, anchors, now: Date.now, warn });
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= log.close();
    return closing;
  };
  onTestFinished(close);
  return { keeper, log, signer, spool, anchor, anchors, folder, warned, close };
}

/** Ways in which an audit store can be down. */
export const outages = ["stopped", "read-only", "hung", "full"] as const;
/** One of them. */
export type Outage = (typeof outages)[number];

/** A database for a log of its own. */
export interface Store extends Fresh {
  /** Takes the store down in this way; the answer brings it back. */
  down(outage: Outage): Promise<() => Promise<void>>;
}

/** Makes a store; it is gone when the test has finished. */
export async function auditStore(): Promise<Store> {
  const fresh = await emptyDatabase();
  const { name, sql, url } = fresh;
  // A database cannot be closed from within itself.
  const admin = await session((await postgresServer()).url());
  const others = `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = '${name}' and pid <> pg_backend_pid() and application_name = 'rekey-inventory'`;
  const down: Store["down"] = async (outage) => {
    switch (outage) {
      case "stopped":
        await admin.query(`alter database ${name} with allow_connections false`);
        await sql(others);
        return async () => void (await admin.query(`alter database ${name} with allow_connections true`));
      case "read-only":
        await sql(`alter database ${name} set default_transaction_read_only = on`);
        await sql(others);
        return async () => {
          await sql("set default_transaction_read_only = off");
          await sql(`alter database ${name} reset default_transaction_read_only`);
          await sql(others);
        };
      case "hung": {
        const holder = await session(url);
        await holder.query("begin; lock table rekey_audit.head in access exclusive mode");
        return async () => void (await holder.query("rollback"));
      }
      case "full":
        await sql(`create function public.no_space() returns trigger language plpgsql as
          $$ begin raise exception 'no space left' using errcode = 'disk_full'; end $$;
          create trigger no_space before insert on rekey_audit.entries for each statement execute function public.no_space()`);
        return async () =>
          void (await sql("drop trigger no_space on rekey_audit.entries; drop function public.no_space()"));
    }
  };
  return { ...fresh, down };
}
