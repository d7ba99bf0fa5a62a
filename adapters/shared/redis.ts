/**
 * The one way to a Redis server: every connection has a deadline, says who it is, logs in by one command whose
 * answer is checked, and translates errors before anybody can see the server's text (H9, H33).
 */
import { RekeyError } from "../../domain/errors.js";
import type { Secret } from "../../domain/secret.js";
import type { Call } from "../ports.js";
import type { TlsMaterial } from "./http.js";
import { redisPackage, replyCode, translateRedis } from "./redis-errors.js";
import { orWhenOver, within } from "./retry.js";

/** Milliseconds; well below an activity's time-out, so that a command never outlives the step that sent it (H3). */
const deadlines = { connectMs: 5_000, commandMs: 8_000 };

/** One server. */
export interface RedisEndpoint {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMaterial | null;
}

/** As whom. Other sessions see the connection under `name`. */
export interface RedisLogin {
  readonly username: string;
  readonly password: Secret;
  readonly name: string;
}

/** What a login attempt came to: a refusal is a result, and means that name or value is not accepted. */
export type LoginResult = { readonly in: true; readonly session: RedisSession } | { readonly in: false };

/** What the server says of itself and of the connection when it lets somebody in. */
interface Greeting {
  readonly id: string;
  readonly version: string;
  readonly mode: string;
}

type Client = ReturnType<typeof clientTo>;

/** `host:port`, the name that a node goes by in views, proofs and errors. */
export function placeOf({ host, port }: Pick<RedisEndpoint, "host" | "port">): string {
  return `${host}:${port}`;
}

/** A connection that is open and logged in. */
export class RedisSession {
  readonly where: string;
  readonly greeting: Greeting;
  readonly #client: Client;

  constructor(client: Client, where: string, greeting: Greeting) {
    this.#client = client;
    this.where = where;
    this.greeting = greeting;
  }

  /** False once the connection was lost or ended; a command that was under way then may still take effect (H3). */
  get alive(): boolean {
    return this.#client.isReady;
  }

  /**
   * Sends one command and returns its reply. When the call ends first the connection is cut and `unreachable` is
   * thrown; the server may go on, so who sent a change settles it afterwards. With `raw`, errors of the server are
   * thrown as they are, to be looked at and never to be passed on.
   */
  async send(args: readonly string[], call: Call, raw = false): Promise<unknown> {
    const frame = within(call, deadlines.commandMs);
    const late = () => {
      this.destroy();
      return new RekeyError("unreachable", `${this.where} did not answer in time.`);
    };
    if (!this.alive) throw new RekeyError("unreachable", `${this.where} has closed the connection.`);
    try {
      return await orWhenOver(this.#client.sendCommand([...args]), frame.signal, late);
    } catch (error) {
      throw raw && replyCode(error) !== undefined ? error : translateRedis(error, this.where);
    }
  }

  /** The same for a command that answers with text. */
  async text(args: readonly string[], call: Call): Promise<string> {
    return String(await this.send(args, call));
  }

  /** Cuts the connection without a word to the server. */
  destroy(): void {
    if (this.#client.isOpen) this.#client.destroy();
  }
}

/** Connects as the engine or throws: `not-permitted` for a refused login, `unreachable` for no answer in time. */
export async function connectRedis(
  endpoint: RedisEndpoint,
  login: RedisLogin,
  call: Call,
): Promise<RedisSession> {
  const result = await attemptLogin(endpoint, login, call);
  if (result.in) return result.session;
  throw new RekeyError("not-permitted", `${placeOf(endpoint)} refuses the user ${login.username}.`);
}

/**
 * Tries to log in once, by HELLO with AUTH: one command, so that nobody goes on as the default user after a refusal
 * (H9), and one that no rule of a user forbids.
 */
export async function attemptLogin(
  endpoint: RedisEndpoint,
  login: RedisLogin,
  call: Call,
): Promise<LoginResult> {
  const where = placeOf(endpoint);
  const over = () => new RekeyError("unreachable", `${where} did not answer in time.`);
  if (call.signal.aborted) throw over();
  const client = clientTo(endpoint);
  const frame = within(call, deadlines.connectMs);
  try {
    await orWhenOver(client.connect(), frame.signal, over);
    const { username, password, name } = login;
    const hello = ["HELLO", "2", "AUTH", username, password.reveal(), "SETNAME", name];
    const reply = await orWhenOver(client.sendCommand(hello), frame.signal, over);
    return { in: true, session: new RedisSession(client, where, greetingOf(reply, where)) };
  } catch (error) {
    if (client.isOpen) client.destroy();
    if (replyCode(error) === "WRONGPASS") return { in: false };
    throw translateRedis(error, where);
  }
}

/** Whether the server lets nobody in who has not logged in. Throws `unreachable` for no answer in time. */
export async function asksForLogin(endpoint: RedisEndpoint, call: Call): Promise<boolean> {
  const where = placeOf(endpoint);
  const over = () => new RekeyError("unreachable", `${where} did not answer in time.`);
  const client = clientTo(endpoint);
  const frame = within(call, deadlines.connectMs);
  try {
    await orWhenOver(client.connect(), frame.signal, over);
    await orWhenOver(client.sendCommand(["HELLO", "2"]), frame.signal, over);
    return false;
  } catch (error) {
    if (replyCode(error) === "NOAUTH") return true;
    throw translateRedis(error, where);
  } finally {
    if (client.isOpen) client.destroy();
  }
}

const protocol = { RESP: 2 } as const;
let made: ReturnType<typeof factory> | undefined;

/**
 * The package's own `createClient` builds a class of all commands for each server that is not the one of the call
 * before: 20 ms of computing for each connection to a set of nodes.
 */
function factory() {
  return redisPackage().RedisClient.factory(protocol);
}

function clientTo({ host, port, tls }: RedisEndpoint) {
  const common = { host, port, connectTimeout: deadlines.connectMs, reconnectStrategy: false as const };
  made ??= factory();
  const client = made({
    ...protocol,
    // Nothing is said before our own HELLO; the client never holds the password.
    disableClientInfo: true,
    disableOfflineQueue: true,
    maintNotifications: "disabled",
    socket:
      tls === null
        ? common
        : { ...common, ...tls, tls: true, rejectUnauthorized: true, minVersion: "TLSv1.2" },
  });
  // A lost connection is noticed by whoever uses it next.
  client.on("error", () => undefined);
  return client;
}

function greetingOf(reply: unknown, where: string): Greeting {
  const fields = fieldsOf(reply);
  const text = (name: string) => String(fields.get(name) ?? "");
  if (text("id") === "") throw new RekeyError("unsupported", `${where} does not greet as Redis does.`);
  return { id: text("id"), version: text("version"), mode: text("mode") };
}

/** A reply that alternates names and values. */
export function fieldsOf(reply: unknown): ReadonlyMap<string, unknown> {
  const list: readonly unknown[] = Array.isArray(reply) ? reply : [];
  return new Map(list.flatMap((name, index) => (index % 2 === 0 ? [[String(name), list[index + 1]]] : [])));
}
