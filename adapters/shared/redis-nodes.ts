/**
 * The engine's own connections: one for each node, kept open between steps. Login and certificates are read anew
 * at each connect, so that both can be replaced while the engine runs (H26).
 */

import { lookup } from "node:dns/promises";
import { RekeyError } from "../../domain/errors.js";
import type { AdapterDeps, Call } from "../ports.js";
import { tlsMaterial } from "./http.js";
import { resolveLogin } from "./login.js";
import { connectRedis, fieldsOf, placeOf, type RedisEndpoint, type RedisSession } from "./redis.js";
import { type ListedClient, membersOf, parseClients, peersOf } from "./redis-replies.js";
import type { ServerConfig } from "./redis-server.js";

/** One server. `name` is `host:port`. */
export interface Node {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly announced: readonly string[];
}

/** An open connection to a node, with what was learnt when it was opened. */
export interface NodeSession {
  readonly node: Node;
  readonly session: RedisSession;
  /** The engine's own user of this connection. */
  readonly user: string;
  /** What makes an ACL outlast a restart there; `null` where nothing does (H16). */
  readonly save: readonly string[] | null;
}

/** One listing of a node's clients; `from` is where the engine's own connection in it comes from, `null` where it is not in it (H21). */
export interface Listing {
  readonly at: number;
  readonly from: string | null;
  readonly clients: readonly ListedClient[];
}

/** The nodes of one issuer and the connections to them. */
export class Nodes {
  readonly all: readonly Node[];
  readonly #config: ServerConfig;
  readonly #deps: AdapterDeps;
  readonly #open = new Map<Node, Promise<NodeSession>>();

  constructor(config: ServerConfig, deps: AdapterDeps) {
    this.all = config.nodes.map(({ host, port, announced }) => ({
      name: placeOf({ host, port }),
      host,
      port,
      announced,
    }));
    this.#config = config;
    this.#deps = deps;
  }

  /** Where a node is reached, as consumers reach it. */
  async endpoint({ host, port }: Node, call: Call): Promise<RedisEndpoint> {
    const { tls } = this.#config;
    return { host, port, tls: tls === undefined ? null : await tlsMaterial(tls, this.#deps, call) };
  }

  /** The connection to a node, opened when there is none. */
  async session(node: Node, call: Call): Promise<NodeSession> {
    const kept = this.#open.get(node);
    const known = await kept?.catch(() => undefined);
    if (known?.session.alive) return known;
    // Opened by another question meanwhile: one that took its place would be the only one that is ever closed.
    const newer = this.#open.get(node);
    if (newer !== undefined && newer !== kept) return newer;
    const opening = this.#connect(node, call);
    this.#open.set(node, opening);
    return opening;
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

  /** Everybody who is connected to a node. */
  list(node: Node, call: Call): Promise<Listing> {
    return this.read(node, call, async ({ session }) => {
      const time = await session.send(["TIME"], call);
      const [seconds, micros] = Array.isArray(time) ? time.map(Number) : [];
      const at = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
      const { clients, unread } = parseClients(await session.text(["CLIENT", "LIST"], call), at);
      // Of whoever stands there nobody could say that they are gone.
      if (unread.length > 0)
        throw new RekeyError("unsupported", `${node.name} lists clients in a way that cannot be read.`);
      const own = clients.find(({ id }) => id === session.greeting.id);
      return { at, clients, from: own?.address ?? null };
    });
  }

  /** Addresses of other servers that a node knows of and that are none of ours (H16). */
  async unlisted(node: Node, call: Call): Promise<string[]> {
    const known = await this.read(node, call, async ({ session }) => {
      const replication = await session.text(["INFO", "replication"], call);
      const peers = peersOf(replication);
      if (session.greeting.mode !== "cluster") return peers;
      return [...peers, ...membersOf(await session.text(["CLUSTER", "NODES"], call))];
    });
    const ours = new Set((await Promise.all(this.all.map(addressesOf))).flat());
    return [...new Set(known)].filter((address) => !ours.has(address)).sort();
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const known of await Promise.all(open.map((one) => one.catch(() => undefined))))
      known?.session.destroy();
  }

  async #connect(node: Node, call: Call): Promise<NodeSession> {
    const [login, endpoint] = await Promise.all([
      resolveLogin(this.#config.login, this.#deps, call),
      this.endpoint(node, call),
    ]);
    const session = await connectRedis(endpoint, { ...login, name: "rekey/engine" }, call);
    try {
      const who = await session.text(["ACL", "WHOAMI"], call);
      if (who !== login.username)
        throw new RekeyError("wrong-server", `${node.name} let the engine in as somebody else.`);
      const file = fieldsOf(await session.send(["CONFIG", "GET", "aclfile"], call)).get("aclfile");
      const info = await session.text(["INFO", "server"], call);
      const rewritable = /^config_file:\S/m.test(info);
      const save = file ? ["ACL", "SAVE"] : rewritable ? ["CONFIG", "REWRITE"] : null;
      return { node, session, user: login.username, save };
    } catch (error) {
      session.destroy();
      throw error;
    }
  }
}

/** Every form in which another server may name this one. */
export async function addressesOf({
  name,
  host,
  port,
  announced,
}: Pick<Node, "name" | "host" | "port" | "announced">): Promise<string[]> {
  const resolved = await lookup(host, { all: true }).catch(() => []);
  return [name, ...announced, ...resolved.map(({ address }) => `${address}:${port}`)];
}
