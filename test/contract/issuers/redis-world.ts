/** Real Redis servers with the engine's user on them, and a fresh account for each test. */
import { createHash, randomBytes } from "node:crypto";
import { RedisClient as PackagedClient } from "@redis/client";
import type { RedisAccount, RedisConfig } from "../../../adapters/issuers/redis/config.js";
import { plantedPieces, redisGrants } from "../../../adapters/issuers/redis/grants.js";
import { markerPiece, piecesOf, recordsIn } from "../../../adapters/issuers/redis/records.js";
import { redis } from "../../../adapters/issuers/redis.js";
import type { AdapterDeps, Issuer } from "../../../adapters/ports.js";
import { type RedisOptions, type RedisServer, startRedis } from "../../../worker/dev/redis-server.js";
import { depsOf } from "../stores/world.js";
import type { IssuerWorld, OpenSession } from "./world.js";

/** A connection as anybody has it. */
export type RedisClient = Awaited<ReturnType<typeof clientOf>>;

/** A server with the engine's user. `admin` is an administrator, who connects anew after a restart. */
export interface RedisWorld {
  readonly server: RedisServer;
  readonly admin: { sendCommand(args: readonly string[]): Promise<unknown> };
  readonly engine: { readonly username: string; readonly password: string };
  stop(): Promise<void>;
}

/** What is done at several servers at once, as the estate's issuer sees them. */
export interface RedisSet {
  readonly worlds: readonly RedisWorld[];
  readonly config: RedisConfig;
  /** A user that may read and write, without a password, prepared at every server. */
  account(slots?: number): Promise<RedisAccount>;
  issuer(account: RedisAccount, config?: Partial<RedisConfig>, deps?: Partial<AdapterDeps>): Issuer;
  stop(): Promise<void>;
}

const protocol = { RESP: 2 } as const;
/** Once: `createClient` builds a class of all commands for each login that is not the one of the call before. */
const clientWith = PackagedClient.factory(protocol);
const engine = { username: "rekey_engine", password: randomBytes(24).toString("base64url") };

/** Connects and logs in as somebody; throws what the server answers. */
export async function clientOf(
  { host, port }: Pick<RedisServer, "host" | "port">,
  username: string,
  password: string,
  name: string | null = "orders",
) {
  const client = clientWith({
    ...protocol,
    username,
    password,
    ...(name === null ? {} : { name }),
    disableClientInfo: true,
    disableOfflineQueue: true,
    socket: { host, port, reconnectStrategy: false },
  });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** The hash that Redis keeps of a password. */
export function hashOf(password: string): string {
  return createHash("sha256").update(password).digest("hex");
}

/** Starts a server and runs on it what `rekey grants redis` prints for the engine's user. */
export async function redisWorld(options: RedisOptions = {}): Promise<RedisWorld> {
  const server = await startRedis(options);
  let client: RedisClient | null = null;
  const admin: RedisWorld["admin"] = {
    sendCommand: async (args) => {
      if (!client?.isReady) client = await clientOf(server, "admin", server.password.reveal(), "admin");
      return client.sendCommand([...args]);
    },
  };
  const [line = ""] = redisGrants({})
    .split("\n")
    .filter((text) => text.startsWith("ACL SETUSER"));
  const command = line.replace("#<sha256 of its password>", `#${hashOf(engine.password)}`);
  await admin.sendCommand(command.split(" "));
  return {
    server,
    admin,
    engine,
    stop: async () => {
      if (client?.isOpen) client.destroy();
      await server.stop();
    },
  };
}

let accounts = 0;

/** Those servers as one issuer. */
export function redisSet(...worlds: readonly RedisWorld[]): RedisSet {
  const config = redis.config.parse({
    nodes: worlds.map(({ server: { host, port } }) => ({ host, port })),
    login: { username: engine.username, password: "env:ENGINE" },
  });
  return {
    worlds,
    config,
    account: async (slots = 2) => {
      const user = `orders${++accounts}`;
      const planted = plantedPieces(slots, `m${accounts}-${randomBytes(6).toString("hex")}`).map(
        (piece) => `#${piece}`,
      );
      for (const { admin } of worlds) {
        const rules = ["on", "~*", "&*", "+@all", "-@admin", "-@dangerous", "-acl|setuser"];
        await admin.sendCommand(["ACL", "SETUSER", user, ...rules, ...planted]);
      }
      return redis.account.parse({ user, slots });
    },
    issuer: (account, other = {}, more = {}) =>
      redis.create({ ...config, ...other }, account, depsOf({ "env:ENGINE": engine.password }, more)),
    stop: async () => {
      await Promise.all(worlds.map((world) => world.stop()));
    },
  };
}

/** The user's password hashes at a server. */
export async function hashesOf({ admin }: RedisWorld, user: string): Promise<string[]> {
  const reply = await admin.sendCommand(["ACL", "GETUSER", user]);
  const fields: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const found = fields[fields.indexOf("passwords") + 1];
  return Array.isArray(found) ? found.map(String) : [];
}

/** The account as the contract suite wants it. `clone` is another server that was copied from the first. */
export function contractWorld(set: RedisSet, account: RedisAccount, clone: RedisWorld): IssuerWorld {
  const [world] = set.worlds;
  if (!world) throw new Error("no server");
  const { user } = account;
  return {
    slots: [`${user}/1`, `${user}/2`],
    open: () => set.issuer(account),
    openClone: async () => {
      // Copied with its users, and then given a marker of its own, as a clone procedure must (H9).
      const hashes = await hashesOf(world, user);
      const { marker } = recordsIn(hashes);
      const kept = hashes.filter((hash) => hash !== markerPiece(marker ?? ""));
      const rules = [...kept, markerPiece("clone")].map((hash) => `#${hash}`);
      await clone.admin.sendCommand([
        "ACL",
        "SETUSER",
        user,
        "reset",
        "on",
        "~*",
        "+@all",
        "-@admin",
        ...rules,
      ]);
      return redisSet(clone).issuer(account);
    },
    // Port 1 of this machine: nobody listens there.
    openUnreachable: () => set.issuer(account, { nodes: [{ host: "127.0.0.1", port: 1, announced: [] }] }),
    connect: async (username, password) => {
      const client = await clientOf(world.server, username, password).catch((error: Error) => {
        if (error.message.startsWith("WRONGPASS")) return null;
        throw error;
      });
      return client && sessionOf(client, world, username);
    },
    overwriteTag: async (slot, text) => {
      const number = Number(slot.split("/")[1]);
      const record = recordsIn(await hashesOf(world, user)).slots.get(number);
      if (!record) throw new Error(`no record of ${slot}`);
      const gone = piecesOf(number, record).map((piece) => `!${piece}`);
      const come = piecesOf(number, { ...record, number: record.number + 1, tag: text }).map(
        (piece) => `#${piece}`,
      );
      await world.admin.sendCommand(["ACL", "SETUSER", user, ...gone, ...come]);
    },
    exists: async () => (await hashesOf(world, user)).length > 0,
    dispose: async () => {},
  };
}

function sessionOf(client: RedisClient, world: RedisWorld, username: string): OpenSession {
  return {
    alive: () =>
      client.sendCommand(["PING"]).then(
        () => true,
        () => false,
      ),
    // The holder may not; somebody who may change users does it in their stead.
    setOwnValue: async (value) => {
      await world.admin.sendCommand(["ACL", "SETUSER", username, `>${value}`]);
    },
    close: async () => {
      if (client.isOpen) client.destroy();
    },
  };
}
