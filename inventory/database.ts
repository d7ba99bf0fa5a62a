/**
 * The one way to the inventory database. Every unit of work is a transaction with a deadline on both sides, a
 * bounded retry, and errors in our own words; the handle is closures only, so that printing it shows no
 * password.
 */
import { setTimeout as sleep } from "node:timers/promises";
import pg, { type PoolClient } from "pg";
import { RekeyError } from "../domain/errors.js";
import type { Secret } from "../domain/secret.js";
import { failureOf, lostCommit, unreachable } from "./failure.js";
import { DrizzleQueryError, drizzle, type NodePgDatabase } from "./orm.js";

/** How to reach the database, and how long anything may take. */
export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database?sslmode=…` */
  readonly url: Secret;
  /** Shown by the server among its sessions. */
  readonly applicationName?: string;
  /** How sentences name it; by default the inventory database. */
  readonly what?: string;
  readonly connectionsMax?: number;
  readonly connectTimeoutMs?: number;
  /** For one statement, its waiting for locks included; enforced by the server. */
  readonly statementTimeoutMs?: number;
  /** For one unit of work, its retries included; enforced here, also against a server that never answers. */
  readonly deadlineMs?: number;
}

/** A session inside a transaction. Never keep it beyond the work that it was given to. */
export type Tx = NodePgDatabase;

/** The handle that every repository function takes first. */
export interface Database {
  /** A connection of the pool, or the driver's error. For `transact` and `read` only. */
  readonly connect: () => Promise<PoolClient>;
  /** How sentences name it. */
  readonly what: string;
  readonly deadlineMs: number;
  readonly statementTimeoutMs: number;
  /** Ends all connections; the handle cannot be used afterwards. */
  readonly close: () => Promise<void>;
}

/** The handle for work that may take longer than usual: so many milliseconds, if it had less. */
export function patient(db: Database, ms: number): Database {
  return {
    ...db,
    deadlineMs: Math.max(db.deadlineMs, ms),
    statementTimeoutMs: Math.max(db.statementTimeoutMs, ms),
  };
}

const attemptsMax = 3;
const pauseMs = 30;

/** Makes the handle; nothing is connected yet. Throws `bad-input` for what is no PostgreSQL URL. */
export function openDatabase(options: DatabaseOptions): Database {
  const url = options.url.reveal();
  const what = options.what ?? "The inventory database";
  if (!/^postgres(ql)?:$/.test(URL.canParse(url) ? new URL(url).protocol : "")) {
    const hint = "It has the form postgres://user@host:5432/database.";
    throw new RekeyError("bad-input", `${what}'s URL is not one of PostgreSQL.`, hint);
  }
  const pool = new pg.Pool({
    connectionString: url,
    application_name: options.applicationName ?? "rekey-inventory",
    max: options.connectionsMax ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    keepAlive: true,
  });
  // An idle connection that breaks is dropped by the pool; without a listener it would end the process.
  pool.on("error", () => undefined);
  return {
    connect: () => pool.connect(),
    what,
    deadlineMs: options.deadlineMs ?? 20_000,
    statementTimeoutMs: options.statementTimeoutMs ?? 10_000,
    close: () => pool.end(),
  };
}

/**
 * Runs `work` in one transaction: all of it is kept or nothing. A broken connection or a clash with another
 * writer is tried again, so `work` must be repeatable: it touches nothing but `tx`, and where its record is
 * found to be there already it answers as the first time. What `work` throws of its own passes unchanged;
 * otherwise throws `unreachable`, `conflict`, or `unknown-outcome` when it may have been kept and the
 * database no longer says.
 */
export async function transact<T>(db: Database, work: (tx: Tx) => Promise<T>): Promise<T> {
  return attempts(db, "read committed", work);
}

/** Runs `work` on one consistent picture of the database, which it cannot change. Errors as for `transact`. */
export async function read<T>(db: Database, work: (tx: Tx) => Promise<T>): Promise<T> {
  return attempts(db, "repeatable read, read only", work);
}

async function attempts<T>(db: Database, mode: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  const over = AbortSignal.timeout(db.deadlineMs);
  const doubt = { commitLost: false };
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(db, mode, work, over, doubt);
    } catch (caught) {
      if (caught instanceof Refused) throw caught.refusal;
      const failure = failureOf(caught, db.what);
      if (failure.again && attempt < attemptsMax && !over.aborted) {
        await sleep(pauseMs * attempt * (1 + Math.random()));
        continue;
      }
      throw doubt.commitLost ? lostCommit(db.what) : failure.error;
    }
  }
}

async function once<T>(
  db: Database,
  mode: string,
  work: (tx: Tx) => Promise<T>,
  over: AbortSignal,
  doubt: { commitLost: boolean },
): Promise<T> {
  const client = await beforeEnd(db, db.connect(), over, (late) => late.release());
  // A connection that breaks between two statements reports it here; the next statement will say so.
  const ignore = (): void => undefined;
  client.on("error", ignore);
  let sound = false;
  try {
    const result = await beforeEnd(db, run(client, opening(db, mode), work, doubt), over);
    sound = true;
    return result;
  } catch (error) {
    sound = error instanceof Refused;
    throw error;
  } finally {
    // Anything but a clean end leaves the connection in a state that nobody knows: it is cut.
    client.release(!sound);
    client.off("error", ignore);
  }
}

/** What the work itself threw, after its transaction was rolled back in good order. It is not ours to translate. */
class Refused extends Error {
  constructor(readonly refusal: unknown) {
    super();
  }
}

async function run<T>(
  client: PoolClient,
  begin: string,
  work: (tx: Tx) => Promise<T>,
  doubt: { commitLost: boolean },
): Promise<T> {
  await client.query(begin);
  let result: T;
  try {
    result = await work(drizzle(client));
  } catch (error) {
    if (error instanceof DrizzleQueryError) throw error;
    await client.query("rollback");
    throw new Refused(error);
  }
  doubt.commitLost = true;
  const committed = await client.query("commit");
  doubt.commitLost = false;
  // The server answers a commit of what had failed before with a rollback and no error.
  if (committed.command !== "COMMIT") throw new RekeyError("internal", "A failed record was to be kept.");
  return result;
}

function opening(db: Database, mode: string): string {
  const limit = Math.max(1, Math.round(db.statementTimeoutMs));
  return [
    `begin isolation level ${mode}`,
    `set local statement_timeout = ${limit}`,
    `set local idle_in_transaction_session_timeout = ${Math.max(limit, Math.round(db.deadlineMs))}`,
    // Most questions are answered in less time than it takes to start somebody to help.
    "set local max_parallel_workers_per_gather = 0",
    "set local datestyle = 'ISO'",
    "set local timezone = 'UTC'",
  ].join("; ");
}

/** The promise's outcome, or `unreachable` once the deadline has passed; `late` gets a result that nobody waits for. */
async function beforeEnd<T>(
  { what }: Pick<Database, "what">,
  promise: Promise<T>,
  over: AbortSignal,
  late: (result: T) => void = () => undefined,
): Promise<T> {
  let end = (): void => undefined;
  const ended = new Promise<never>((_, reject) => {
    end = () => {
      promise.then(late, () => undefined);
      reject(unreachable(what));
    };
  });
  if (over.aborted) end();
  over.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([promise, ended]);
  } finally {
    over.removeEventListener("abort", end);
  }
}
