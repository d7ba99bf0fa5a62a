/**
 * The engine's own connections: one for each node, kept open between steps, and checked for being the node
 * that the estate means before the first question (H9, H16). The login is read anew at each connect, so that
 * the engine's own pair can rotate (H26).
 */

import { RekeyError } from "../../domain/errors.js";
import { isSecretRef } from "../../domain/estate/secret-ref.js";
import type { AdapterDeps, Call } from "../ports.js";
import { resolveLogin } from "./login.js";
import { connectPg, type PgEndpoint, type PgSession, placeOf } from "./pg.js";
import { endpointsOf, type ServerConfig } from "./pg-server.js";

/** One server of the issuer. `name` is `host:port`. */
export interface Node {
  readonly name: string;
  readonly role: "primary" | "standby";
  readonly endpoint: PgEndpoint;
}

/** An open connection to a node, with what was learnt when it was opened. */
export interface NodeSession {
  readonly node: Node;
  readonly session: PgSession;
  /** `postgresql/<system identifier>/<marker>/<database>`. */
  readonly identity: string;
  /** The engine's own login of this connection. */
  readonly user: string;
  readonly versionNum: number;
}

type Deps = Pick<AdapterDeps, "resolve" | "installation">;

/** The nodes of one issuer and the connections to them. */
export class Nodes {
  readonly primary: Node;
  readonly standbys: readonly Node[];
  readonly #config: ServerConfig;
  readonly #deps: Deps;
  readonly #open = new Map<Node, Promise<NodeSession>>();

  constructor(config: ServerConfig, deps: Deps) {
    this.#config = config;
    this.#deps = deps;
    const [primary, ...standbys] = endpointsOf(config).map(({ role, endpoint }) => ({
      name: placeOf(endpoint),
      role,
      endpoint,
    }));
    if (!primary) throw new RekeyError("internal", "A PostgreSQL issuer has a primary.");
    this.primary = primary;
    this.standbys = standbys;
  }

  /** Every node, the primary first. */
  get all(): readonly Node[] {
    return [this.primary, ...this.standbys];
  }

  /** The connection to a node, opened when there is none. Throws `wrong-server` where the node is not what it should be. */
  async session(node: Node, call: Call): Promise<NodeSession> {
    const kept = this.#open.get(node);
    const known = await kept?.catch(() => undefined);
    if (known?.session.alive) return known;
    const newer = this.#open.get(node);
    if (newer !== undefined && newer !== kept) return newer;
    const opening = this.#connect(node, call);
    this.#open.set(node, opening);
    return opening;
  }

  /** Lets go of a node's connection; the next question opens another, as whoever the login is then. */
  async forget(node: Node): Promise<void> {
    const known = await this.#open.get(node)?.catch(() => undefined);
    this.#open.delete(node);
    await known?.session.end();
  }

  /** Asks a node a question. A kept connection that turns out to be dead is replaced once. */
  async read<T>(node: Node, call: Call, ask: (on: NodeSession) => Promise<T>): Promise<T> {
    const kept = this.#open.has(node);
    try {
      return await ask(await this.session(node, call));
    } catch (error) {
      const worthwhile = error instanceof RekeyError && error.code === "unreachable";
      if (!kept || !worthwhile || call.signal.aborted) throw error;
      return ask(await this.session(node, call));
    }
  }

  /**
   * The same on a connection of its own, opened for this question: it says where the node's name leads now, which a kept
   * one does not. Throws `wrong-server` where the node is not what it should be.
   */
  async readAnew<T>(node: Node, call: Call, ask: (on: NodeSession) => Promise<T>): Promise<T> {
    const on = await this.#connect(node, call);
    try {
      return await ask(on);
    } finally {
      await on.session.end();
    }
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    await Promise.all(this.all.map((node) => this.forget(node)));
  }

  async #connect(node: Node, call: Call): Promise<NodeSession> {
    const session = await this.#login(node, call);
    try {
      const [row] = await session.query<{
        identity: string;
        standby: boolean;
        user: string;
        version: number;
      }>(
        `SELECT rekey.identity() AS identity, pg_is_in_recovery() AS standby, session_user::text AS user,
                current_setting('server_version_num')::int AS version`,
        [],
        call,
      );
      if (!row) throw new RekeyError("internal", `${node.name} answered nothing.`);
      if (row.standby !== (node.role === "standby")) {
        const found = row.standby ? "standby" : "primary";
        throw new RekeyError("wrong-server", `${node.name} is a ${found}, and the estate says ${node.role}.`);
      }
      return { node, session, identity: row.identity, user: row.user, versionNum: row.version };
    } catch (error) {
      await session.end();
      throw error;
    }
  }

  async #login(node: Node, call: Call): Promise<PgSession> {
    const attempt = async () => {
      const login = await resolveLogin(this.#config.login, this.#deps, call);
      return connectPg(node.endpoint, { ...login, applicationName: "rekey/probe/engine" }, call);
    };
    try {
      return await attempt();
    } catch (error) {
      // Name and password are two references: they may have been read across a change of the engine's own login.
      const mixed = error instanceof RekeyError && error.code === "not-permitted";
      if (!mixed || !isSecretRef(this.#config.login.username)) throw error;
      return attempt();
    }
  }
}
