/**
 * Several passwords of one Redis user, their document in a file. An account here is one password of the user, at one
 * node, in force or in the file that a restart would bring back; sessions do not show which password opened them.
 */
import { randomBytes } from "node:crypto";
import { readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { plantedPieces } from "../../../adapters/issuers/redis/grants.js";
import { recordsIn } from "../../../adapters/issuers/redis/records.js";
import {
  connectAs,
  hangUp,
  hashOfPassword,
  isRefused,
  nameOfHash,
  nameOfPassword,
} from "../services/redis-client.js";
import { filePlace } from "./file-place.js";
import type { Account, LoginAnswer, RawDocument, RedisNode, World, WorldKind } from "./world.js";

const program = fileURLToPath(new URL("../services/redis-service.js", import.meta.url)) as `/${string}`;
const slots = 3;

/** The world `redis-file`. */
export const redisFile: WorldKind = {
  servers: ["issuer", "standby"],
  full: ["issuer"],
  isShared: true,
  restored: ["store"],
  readOnly: ["issuer", "store"],
  async open({ folder, redis }, index): Promise<World> {
    const { nodes, engine } = await redis(index);
    const user = `orders_${index}`;
    const password = randomBytes(24).toString("base64url");
    await makeUser(nodes, user, password, `lane-${index}`);
    const { file, readOnly, backup, ...place } = await filePlace(folder, index, {
      username: user,
      password,
      note: "kept by the shop's own people",
    });
    const listed = nodes.map(({ host, port }) => ({ host, port }));
    const issuer = {
      kind: "redis",
      nodes: listed,
      login: { username: engine.username, password: `file:${engine.passwordFile}` },
    };
    const [primary, replica] = nodes;
    if (primary === undefined || replica === undefined) throw new Error("a pair has two nodes");
    return {
      ...place,
      issuer,
      account: { user, slots },
      servers: { issuer: primary, standby: replica },
      through: (ports) => ({
        issuer: { ...issuer, nodes: [behind(primary, ports.issuer), behind(replica, ports.standby)] },
        store: place.store,
      }),
      backups: { store: backup },
      readOnly: { issuer: (on) => letOnlyLook(nodes, engine.username, on), store: readOnly },
      fill: { issuer: (on) => fill(nodes, on) },
      program,
      serviceEnv: {
        STORE_FILE: file,
        REDIS_USER: user,
        REDIS_NODES: listed.map(({ host, port }) => `${host}:${port}`).join(","),
      },
      endsSessionsUnasked: true,
      login: (document) => Promise.all(nodes.map((node) => loginAt(node, document))),
      accounts: () => accountsOf(nodes, user),
      looseSessions: async () => {
        const lists = await Promise.all(nodes.map((node) => sessionsAt(node, user)));
        return lists.flat();
      },
      hold: async (document) => {
        const client = await connectAs(primary, loginOf(document));
        return {
          alive: () =>
            client.sendCommand(["PING"]).then(
              () => true,
              () => false,
            ),
          end: async () => hangUp(client),
        };
      },
      accountOf: (document) => nameOfPassword(document.password ?? ""),
      stop: async () => {
        for (const node of nodes) await node.ask("ACL", "DELUSER", user);
      },
    };
  },
};

/** A node as it is reached through a door; the other one goes on to call it by its own address. */
function behind({ host, port }: RedisNode, door: number | undefined) {
  return { host, port: door, announced: [`${host}:${port}`] };
}

/** The rights without which nobody changes a user. */
const changing = ["acl|setuser", "acl|save"];

/** As somebody does who has given the engine the rights of a program that only watches. */
async function letOnlyLook(nodes: readonly RedisNode[], engine: string, on: boolean): Promise<void> {
  for (const node of nodes)
    await node.ask("ACL", "SETUSER", engine, ...changing.map((right) => `${on ? "-" : "+"}${right}`));
}

/** The file of users cannot be written, as where its disk is full: Redis takes the change, and cannot save it. */
async function fill(nodes: readonly RedisNode[], on: boolean): Promise<void> {
  for (const { usersFile } of nodes) {
    const folder = dirname(usersFile);
    await (on ? rename(folder, `${folder}.away`) : rename(`${folder}.away`, folder));
  }
}

/** As an administrator makes it, and as `rekey grants redis` prepares it: the hash and not the value, for the log's sake. */
async function makeUser(
  nodes: readonly RedisNode[],
  user: string,
  password: string,
  marker: string,
): Promise<void> {
  const rules = ["on", `~${user}:*`, "+@all", "-@admin", "-@dangerous"];
  const hashes = [hashOfPassword(password), ...plantedPieces(slots, marker)].map((piece) => `#${piece}`);
  for (const node of nodes) {
    await node.ask("ACL", "SETUSER", user, ...rules, ...hashes);
    await node.ask("ACL", "SAVE");
  }
}

/** The oracle looks in as if it belonged to one of the consumers. */
function loginOf({ username = "", password = "" }: RawDocument) {
  return { username, password, name: "auditor" };
}

async function loginAt(node: RedisNode, document: RawDocument): Promise<LoginAnswer> {
  const where = `${node.host}:${node.port}`;
  try {
    const client = await connectAs(node, loginOf(document));
    try {
      const me = String(await client.sendCommand(["ACL", "WHOAMI"]));
      if (me !== document.username) throw new Error(`${document.username} was let in as ${me}`);
    } finally {
      hangUp(client);
    }
    return { node: where, answer: "in" };
  } catch (error) {
    if (isRefused(error)) return { node: where, answer: "refused" };
    throw error;
  }
}

/** Every password that is anywhere, at every place: one that is in force at one node and not at another is no sound end. */
async function accountsOf(nodes: readonly RedisNode[], user: string): Promise<Account[]> {
  const places = await Promise.all(
    nodes.map(async (node) => {
      const name = `${node.host}:${node.port}`;
      const saved = await readFile(node.usersFile, "utf8");
      return [
        { where: name, ...recordsIn(await hashesInForce(node, user)) },
        { where: `${name} after a restart`, ...recordsIn(hashesIn(saved, user)) },
      ];
    }),
  );
  const known = [...new Set(places.flat().flatMap(({ values }) => values))].sort();
  return places.flat().flatMap(({ where, values, slots: records }) => [
    ...known.map((hash) => ({
      ...{ where, sessions: 0 },
      name: nameOfHash(hash),
      enabled: values.includes(hash),
      tag: [...records.values()].find((record) => record.hash === hash)?.tag ?? "",
    })),
    ...[...records]
      .filter(([, { hash }]) => hash === null)
      .map(([slot, { tag }]) => ({
        ...{ where, sessions: 0 },
        name: `${user}/${slot}`,
        enabled: false,
        tag,
      })),
  ]);
}

async function hashesInForce(node: RedisNode, user: string): Promise<string[]> {
  const reply = await node.ask("ACL", "GETUSER", user);
  const fields: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const found = fields[fields.indexOf("passwords") + 1];
  return Array.isArray(found) ? found.map(String) : [];
}

/** `user NAME on #HASH #HASH ... ~keys ... +commands`, one a line. */
function hashesIn(text: string, user: string): string[] {
  const line = text.split("\n").find((one) => one.startsWith(`user ${user} `)) ?? "";
  return line.split(" ").flatMap((word) => (/^#[0-9a-f]{64}$/.test(word) ? [word.slice(1)] : []));
}

async function sessionsAt(node: RedisNode, user: string) {
  const text = String(await node.ask("CLIENT", "LIST"));
  const now = Date.now();
  return text.split("\n").flatMap((line) => {
    const field = (name: string) => new RegExp(`(?:^| )${name}=(\\S*)`).exec(line)?.[1] ?? "";
    if (field("user") !== user) return [];
    // Both ends of an age are cut to whole seconds: the session may be up to one younger than it says.
    const ageMs = Math.max(0, Number(field("age")) - 1) * 1_000;
    return [{ where: `${node.host}:${node.port}`, beganAt: now - ageMs }];
  });
}
