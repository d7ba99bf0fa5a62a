/**
 * The one way to a MySQL or MariaDB server: a connection with deadlines that says who it is, sends no password in the clear,
 * and translates errors before anybody can see the server's text (H33).
 */
import type { Connection, RowDataPacket } from "mysql2/promise";
import { RekeyError } from "../../domain/errors.js";
import type { Secret } from "../../domain/secret.js";
import type { Call } from "../ports.js";
import type { TlsMaterial } from "./http.js";
import { lazily } from "./lazily.js";
import { orWhenOver, within } from "./retry.js";

const mysqlPackage = lazily<typeof import("mysql2/promise")>("mysql2/promise");

/** Milliseconds; well below an activity's time-out. */
const deadlines = { connectMs: 5_000, queryMs: 10_000 };

/** One server. */
export interface MysqlEndpoint {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMaterial | null;
}

/** As whom. `name` is what the server can show as the program's name. */
export interface MysqlLogin {
  readonly username: string;
  readonly password: Secret;
  readonly name: string;
}

/** A connection that is open. */
export class MysqlSession {
  readonly #connection: Connection;
  readonly #where: string;

  constructor(connection: Connection, where: string) {
    this.#connection = connection;
    this.#where = where;
  }

  /** Runs one statement of ours. When the call ends first the connection is cut and `unreachable` is thrown. */
  async query<Row extends object>(sql: string, call: Call): Promise<Row[]> {
    const late = () => {
      this.destroy();
      return new RekeyError("unreachable", `${this.#where} did not answer in time.`);
    };
    try {
      const asked = this.#connection.query<(Row & RowDataPacket)[]>(sql);
      const [rows] = await orWhenOver(asked, within(call, deadlines.queryMs).signal, late);
      return rows;
    } catch (error) {
      throw translateMysql(error, this.#where);
    }
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#connection.destroy();
  }
}

/** Connects or throws: `not-permitted` for a refused login, `unreachable` for no answer in time, `unsupported`. */
export async function connectMysql(
  { host, port, tls }: MysqlEndpoint,
  { username, password, name }: MysqlLogin,
  call: Call,
): Promise<MysqlSession> {
  const where = `${host}:${port}`;
  const late = () => new RekeyError("unreachable", `${where} did not answer in time.`);
  if (call.signal.aborted) throw late();
  const connecting = mysqlPackage().createConnection({
    host,
    port,
    user: username,
    password: password.reveal(),
    connectTimeout: deadlines.connectMs,
    connectAttributes: { program_name: name },
    // The rows of one listing need no compiled reader.
    disableEval: true,
    ...(tls === null ? {} : { ssl: { ...tls, rejectUnauthorized: true, minVersion: "TLSv1.2" } }),
  });
  // One that comes after the call has ended is nobody's.
  connecting.then(
    (connection) => {
      if (call.signal.aborted) connection.destroy();
      // A lost connection is noticed by whoever uses it next.
      connection.on("error", () => undefined);
    },
    () => undefined,
  );
  try {
    const connection = await orWhenOver(connecting, call.signal, late);
    return new MysqlSession(connection, where);
  } catch (error) {
    throw translateMysql(error, where);
  }
}

type Meaning = readonly [code: ConstructorParameters<typeof RekeyError>[0], sentence: string];

const meanings: Readonly<Record<string, Meaning>> = {
  ER_ACCESS_DENIED_ERROR: ["not-permitted", "refuses the login's name or password"],
  ER_ACCESS_DENIED_NO_PASSWORD_ERROR: ["not-permitted", "refuses the login's name or password"],
  ER_ACCOUNT_HAS_BEEN_LOCKED: ["not-permitted", "has locked the login"],
  ER_HOST_NOT_PRIVILEGED: ["not-permitted", "lets nobody in from this address"],
  ER_HOST_IS_BLOCKED: ["not-permitted", "has blocked this address"],
  ER_TABLEACCESS_DENIED_ERROR: ["not-permitted", "does not let the login read a table that this needs"],
  ER_SPECIFIC_ACCESS_DENIED_ERROR: ["not-permitted", "does not give the login a right that this needs"],
  ER_CON_COUNT_ERROR: ["unreachable", "has no free connection"],
  AUTH_SWITCH_PLUGIN_ERROR: ["unsupported", "asks for a way of logging in that this does not know"],
  HANDSHAKE_NO_SSL_SUPPORT: ["unsupported", "does not speak TLS"],
  HANDSHAKE_SSL_ERROR: ["unreachable", "showed a certificate that is not trusted"],
};

/** By the code alone: the text may quote a statement or a login. */
function translateMysql(error: unknown, where: string): RekeyError {
  if (error instanceof RekeyError) return error;
  const code = (error as { code?: unknown } | null)?.code;
  const [ours, sentence] = (typeof code === "string" ? meanings[code] : undefined) ?? [
    "unreachable",
    "could not be reached",
  ];
  return new RekeyError(ours, `${where} ${sentence}.`);
}
