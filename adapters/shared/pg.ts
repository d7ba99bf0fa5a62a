/**
 * The one way to a PostgreSQL server: every connection has deadlines on both ends, says who it is, sends no
 * password in the clear, and translates errors before anybody can see the server's text (H3, H9, H33).
 */
import { readFile } from "node:fs/promises";
import { isIP, type Socket } from "node:net";
import { type ConnectionOptions, checkServerIdentity } from "node:tls";
import pg from "pg";
import { RekeyError } from "../../domain/errors.js";
import type { Secret } from "../../domain/secret.js";
import type { Call } from "../ports.js";
import { behindPooler, routineOf, sqlState, translatePg } from "./pg-errors.js";

/** Milliseconds. All lie below an activity's time-out, so that a statement never outlives the step that sent it (H3). */
const deadlines = { connectMs: 5_000, statementMs: 10_000, lockMs: 3_000, idleInTransactionMs: 10_000 };

/** A pooler lets a login wait until it has tried the server again (`server_login_retry`, 15 s), in milliseconds. */
const poolerConnectMs = 20_000;

/** How a server proves itself. `ca` is a file in PEM; `serverName` stands in for the host where the certificate names another. */
export interface PgTls {
  readonly mode: "verify-full" | "verify-ca" | "require";
  readonly ca?: string | undefined;
  readonly serverName?: string | undefined;
}

/** One database of one server. */
export interface PgEndpoint {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly tls?: PgTls | undefined;
  /** Where to connect, whatever `host` leads to by now; the certificate is still held against `host`. */
  readonly address?: string | undefined;
  /** A pooler answers there: it takes no settings at the login, and what it says of a login has no SQLSTATE of its own. */
  readonly pooler?: boolean;
}

/** As whom, and under which name other sessions see it (`rekey/<rotation>/<epoch>/<step>`, `rekey/probe/...`). */
export interface PgLogin {
  readonly username: string;
  readonly password: Secret;
  readonly applicationName: string;
}

/**
 * What a login attempt came to. `why` of a refusal: `value` (unknown name, wrong or no password), `switched-off`
 * (right value, NOLOGIN; facts 8), `rules` (pg_hba has no line that lets this address in: says nothing about the value),
 * `behind` (a pooler took it, and the server behind it does not).
 */
export type LoginResult =
  | { readonly in: true; readonly session: PgSession }
  | { readonly in: false; readonly why: Refusal };

/** Why a login was refused. */
export type Refusal = "value" | "switched-off" | "rules" | "behind";

/** `host:port`, the name that a node goes by in views, proofs and errors. */
export function placeOf(endpoint: Pick<PgEndpoint, "host" | "port">): string {
  return `${endpoint.host}:${endpoint.port}`;
}

/** A connection that is open. Statements are sent one after the other; a call that ends takes the connection with it. */
export class PgSession {
  readonly where: string;
  readonly #client: pg.Client;
  #alive = true;
  #last: Promise<unknown> = Promise.resolve();

  constructor(client: pg.Client, where: string) {
    this.#client = client;
    this.where = where;
    client.on("error", () => {
      this.#alive = false;
    });
    client.on("end", () => {
      this.#alive = false;
    });
  }

  /** False once the connection was lost or ended; a statement that was under way then may still take effect (H3). */
  get alive(): boolean {
    return this.#alive;
  }

  /**
   * Runs one statement with bind parameters and returns its rows. When the call ends first the socket is
   * destroyed and `unreachable` is thrown; the server may go on, so who sent a change settles it afterwards.
   */
  async query<Row extends object>(text: string, values: readonly unknown[], call: Call): Promise<Row[]> {
    // Always the extended protocol: one statement a call, whatever the text contains.
    const statement = { text, values: [...values], queryMode: "extended" };
    return this.#inTurn(call, async () => (await this.#client.query<Row>(statement)).rows);
  }

  /** Asks a pooler's console, which knows the simple protocol only; `command` is ours and takes no parameters. */
  async show<Row extends object>(command: string, call: Call): Promise<Row[]> {
    return this.#inTurn(call, async () => (await this.#client.query<Row>(command)).rows);
  }

  /** Runs a script of several statements, for a DBA's SQL; it takes no parameters and returns nothing. */
  async script(text: string, call: Call): Promise<void> {
    await this.#inTurn(call, () => this.#client.query(text));
  }

  /** Statements of several callers go out one after the other; the call that ends first cuts the connection for all. */
  async #inTurn<T>(call: Call, send: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const mine = before.then(async () => {
      if (call.signal.aborted || !this.#alive) throw this.#notAsked();
      const cut = () => this.destroy();
      call.signal.addEventListener("abort", cut, { once: true });
      try {
        return await send();
      } catch (error) {
        if (endsConnection(error)) this.destroy();
        throw translatePg(error, this.where);
      } finally {
        call.signal.removeEventListener("abort", cut);
      }
    });
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  #notAsked(): RekeyError {
    return new RekeyError(
      "unreachable",
      `${this.where} was not asked: the connection or the call had ended.`,
    );
  }

  /** The address that the server's name led to; `undefined` once the connection is gone. */
  get address(): string | undefined {
    return (this.#client.connection.stream as Partial<Socket>).remoteAddress;
  }

  /** Cuts the connection without a word to the server. */
  destroy(): void {
    this.#alive = false;
    this.#client.connection.stream.destroy();
  }

  /** Says goodbye; never fails and never waits longer than a second. */
  async end(): Promise<void> {
    if (!this.#alive) return;
    this.#alive = false;
    const timer = setTimeout(() => this.#client.connection.stream.destroy(), 1_000);
    await this.#client.end().catch(() => undefined);
    clearTimeout(timer);
  }
}

/**
 * Connects or throws `RekeyError`: `not-permitted` for a refused login, `unreachable` for no answer within 5 s
 * or the call's end, `unsupported` where the server asks for the password in the clear.
 */
export async function connectPg(endpoint: PgEndpoint, login: PgLogin, call: Call): Promise<PgSession> {
  const result = await attemptLogin(endpoint, login, call);
  if (result.in) return result.session;
  const reason = {
    value: "its name or password is not accepted",
    "switched-off": "it is not permitted to log in",
    rules: "the server's pg_hba.conf does not let it in from this address",
    behind: "the server behind the pooler does not let it in",
  }[result.why];
  throw new RekeyError(
    "not-permitted",
    `${placeOf(endpoint)} refuses the login ${login.username}: ${reason}.`,
  );
}

/** Tries to log in once. A refusal is a result; anything that is not an answer to the login is an error (H9). */
export async function attemptLogin(endpoint: PgEndpoint, login: PgLogin, call: Call): Promise<LoginResult> {
  const where = placeOf(endpoint);
  if (call.signal.aborted) throw new RekeyError("unreachable", `${where} was not asked: the call had ended.`);
  const ssl = endpoint.tls === undefined ? false : await tlsOptions(endpoint.host, endpoint.tls);
  let clearText = false;
  const client = new pg.Client({
    host: endpoint.address ?? endpoint.host,
    port: endpoint.port,
    database: endpoint.database,
    user: login.username,
    // A function, so that the client holds no value before the server asked, and none where it asks in the clear.
    password: () => {
      if (clearText) throw new ClearTextAsked();
      return login.password.reveal();
    },
    ssl,
    application_name: login.applicationName.slice(0, 63),
    keepAlive: true,
    ...(endpoint.pooler ? { connectionTimeoutMillis: poolerConnectMs } : serverSettings),
  });
  if (endpoint.pooler) withoutOptions(client);
  client.connection.prependListener("authenticationCleartextPassword", () => {
    clearText = true;
  });
  const session = new PgSession(client, where);
  const cut = () => session.destroy();
  call.signal.addEventListener("abort", cut, { once: true });
  try {
    await client.connect();
    return { in: true, session };
  } catch (error) {
    session.destroy();
    if (clearText) {
      throw new RekeyError("unsupported", `${where} asks for the password in the clear; use scram-sha-256.`);
    }
    const why = refusal(error);
    if (why === undefined) throw translatePg(error, where);
    return { in: false, why };
  } finally {
    call.signal.removeEventListener("abort", cut);
    forgetPassword(client);
  }
}

const serverSettings = {
  connectionTimeoutMillis: deadlines.connectMs,
  statement_timeout: deadlines.statementMs,
  lock_timeout: deadlines.lockMs,
  idle_in_transaction_session_timeout: deadlines.idleInTransactionMs,
  // Given always, or the environment's PGOPTIONS would apply. A snapshot older than the lock would defeat the fence.
  options: "-c default_transaction_isolation=read\\ committed -c synchronous_commit=on",
};

/** The client takes PGOPTIONS of the environment where it is given none, and a pooler refuses a login that sends any. */
function withoutOptions(client: pg.Client): void {
  const { connectionParameters } = client as { connectionParameters?: { options?: unknown } };
  if (connectionParameters) connectionParameters.options = undefined;
}

/** No server's error, or one after which the server hangs up. */
function endsConnection(error: unknown): boolean {
  if (sqlState(error) === undefined) return true;
  const { severity } = error as { severity?: unknown };
  return severity === "FATAL" || severity === "PANIC";
}

class ClearTextAsked extends Error {}

/** 28000 is also what a missing line of pg_hba.conf answers; the server's own routine tells them apart. */
function refusal(error: unknown): Refusal | undefined {
  const state = sqlState(error);
  if (state === "28P01") return "value";
  if (state === "08P01") return behindPooler(error);
  if (state !== "28000") return undefined;
  return routineOf(error) === "InitializeSessionUserId" ? "switched-off" : "rules";
}

/** The client keeps what the function gave it on two objects of its own. */
function forgetPassword(client: pg.Client): void {
  const holder = client as { password?: unknown; connectionParameters?: { password?: unknown } };
  holder.password = null;
  if (holder.connectionParameters) holder.connectionParameters.password = null;
}

/** Read at each connect, so that a renewed CA counts. The name is checked by hand because the client sets its own `servername`. */
async function tlsOptions(host: string, tls: PgTls): Promise<ConnectionOptions> {
  const options: ConnectionOptions = { rejectUnauthorized: tls.mode !== "require", minVersion: "TLSv1.2" };
  if (tls.ca !== undefined) {
    try {
      options.ca = await readFile(tls.ca, "utf8");
    } catch {
      throw new RekeyError("missing-setup", `The CA file ${tls.ca} of ${host} cannot be read.`);
    }
  }
  // The client names the server by itself, but not where it is given an address.
  if (isIP(host) === 0) options.servername = host;
  options.checkServerIdentity = (_, certificate) =>
    tls.mode === "verify-full" ? checkServerIdentity(tls.serverName ?? host, certificate) : undefined;
  return options;
}
