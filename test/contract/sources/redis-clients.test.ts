/** The contract of the sources with real Redis servers, and what they tell of each other. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redisClients } from "../../../adapters/sources/redis-clients.js";
import { type RedisServer, startRedis } from "../../../worker/dev/redis-server.js";
import { clientOf, hashOf, type RedisClient } from "../issuers/redis-world.js";
import {
  edgeText,
  largeCount,
  leakedAddress,
  oddName,
  type SourceWorld,
  scanned,
  sourceContract,
} from "../source.js";
import { call, depsOf } from "../stores/world.js";
import { type Front, tcpFront } from "./front.js";

const value = randomBytes(18).toString("base64url");

let server: RedisServer;
let replica: RedisServer;
let admin: RedisClient;
let admins: RedisClient[];

/** What `rekey grants` prints for the one who looks, with the hash of a password in it. */
function granted(): string[] {
  const [line = ""] = (redisClients.grants?.({}) ?? "")
    .split("\n")
    .filter((text) => text.startsWith("ACL SETUSER"));
  return line.replace("#<sha256 of its password>", `#${hashOf(value)}`).split(" ");
}

beforeAll(async () => {
  server = await startRedis();
  replica = await startRedis();
  admins = [];
  for (const one of [server, replica]) {
    const client = await clientOf(one, "admin", one.password.reveal(), "rekey/admin");
    admins.push(client);
    await client.sendCommand(granted());
    await client.sendCommand(["ACL", "SETUSER", "orders", "reset", "on", `>${value}`, "~*", "+@all"]);
  }
  admin = admins[0] as RedisClient;
});
afterAll(async () => {
  for (const client of admins ?? []) client.destroy();
  await Promise.all([server?.stop(), replica?.stop()]);
});

function sourceOf(more: object = {}) {
  const { host, port } = server;
  return redisClients.create(
    redisClients.config.parse({
      nodes: [{ host, port }],
      issuer: "cache",
      login: { username: "rekey_discovery", password: "env:LOOKS" },
      ...more,
    }),
    depsOf({ "env:LOOKS": value }),
  );
}

const nodesOf = (...servers: { host: string; port: number }[]) => ({
  nodes: servers.map(({ host, port }) => ({ host, port })),
});

const edge = (name: string) =>
  `reader(address=127.0.0.1 applicationName=${name}) uses account(cache orders) session`;

/** Ends a client and waits until the server has let it go. */
async function leave(client: RedisClient): Promise<void> {
  const id = String(await client.sendCommand(["CLIENT", "ID"]));
  client.destroy();
  while (String(await admin.sendCommand(["CLIENT", "LIST", "ID", id])).trim() !== "");
}

const crowds: Socket[] = [];

/** So many clients with names of their own, who say no more than they must. */
async function crowd({ host, port }: RedisServer, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let from = 0; from < count; from += 200) {
    const some = Array.from({ length: Math.min(200, count - from) }, async (_, index) => {
      const socket = connectTcp(port, host);
      sockets.push(socket);
      socket.write(`AUTH orders ${value}\r\nCLIENT SETNAME many${from + index}\r\n`);
      for (let said = ""; said !== "+OK\r\n+OK\r\n"; ) said += String((await once(socket, "data"))[0]);
    });
    await Promise.all(some);
  }
  return sockets;
}

sourceContract("redis-clients", async (): Promise<SourceWorld> => {
  const first = await clientOf(server, "orders", value, "orders-api");
  let planted: RedisClient | undefined;
  const later: RedisClient[] = [];
  const fronts: Front[] = [];
  let nodes: object = {};
  return {
    shows: "now",
    open: () => sourceOf(nodes),
    openUnreachable: () => sourceOf(nodesOf({ host: "127.0.0.1", port: 1 })),
    shown: [edge("orders-api")],
    whole: true,
    plant: async () => {
      planted = await clientOf(server, "orders", value, "report-job");
      return edge("report-job");
    },
    unplant: async () => {
      if (planted !== undefined) await leave(planted);
      planted = undefined;
    },
    // A client's name has to be plain text; a user's has not.
    odd: async () => {
      const user = oddName.replace(/[\n\0]/g, "");
      await admin.sendCommand(["ACL", "SETUSER", user, "reset", "on", `>${value}`, "~*", "+@all"]);
      later.push(
        await clientOf(server, user, value, "odd"),
        await clientOf(server, "orders", value, "behind"),
      );
      return edge("behind");
    },
    leak: async () => {
      later.push(await clientOf(server, "orders", value, leakedAddress));
    },
    // The line of one of them loses its id on the way.
    spoil: async () => {
      later.push(
        await clientOf(server, "orders", value, "in-front"),
        await clientOf(server, "orders", value, "behind"),
      );
      const front = await tcpFront(server.port);
      fronts.push(front);
      front.change = (piece) =>
        Buffer.from(piece.toString("latin1").replace(/\bid=(\d+ .* name=in-front )/, "no=$1"), "latin1");
      nodes = nodesOf({ host: server.host, port: front.port });
      return edge("behind");
    },
    // More nodes than are asked at once, and at the first of them more clients than a part may have.
    large: async () => {
      const sockets = await crowd(server, largeCount);
      for (let each = 0; each < 8; each++) fronts.push(await tcpFront(replica.port));
      nodes = nodesOf(server, ...fronts.map(({ port }) => ({ host: server.host, port })));
      crowds.push(...sockets);
      return {
        edges: largeCount,
        late: async () => {
          later.push(await clientOf(replica, "orders", value, "late"));
          return edge("late");
        },
      };
    },
    asksAgain: true,
    values: [value],
    close: async () => {
      for (const front of fronts) await front.close();
      for (const socket of crowds.splice(0)) socket.destroy();
      while (String(await admin.sendCommand(["CLIENT", "LIST"])).includes("name=many"));
      await leave(first);
      for (const client of later.splice(0)) await leave(client);
      if (planted !== undefined) await leave(planted);
    },
  };
});

describe("clients of Redis", () => {
  it("are counted together by user, name and address", async () => {
    const clients = [];
    for (let each = 0; each < 3; each++) clients.push(await clientOf(server, "orders", value, null));
    const claims = (await scanned(sourceOf())).flatMap((part) => part.claims);
    expect(claims.map((claim) => [edgeText(claim), claim.seen.count])).toEqual([
      ["reader(address=127.0.0.1) uses account(cache orders) session", 3],
    ]);
    for (const client of clients) await leave(client);
  });

  it("are seen at every node, and a node that nobody listed is a gap", async () => {
    const [, other] = admins;
    const { host, port } = server;
    await other?.sendCommand(["CONFIG", "SET", "masteruser", "admin"]);
    await other?.sendCommand(["CONFIG", "SET", "masterauth", server.password.reveal()]);
    await other?.sendCommand(["REPLICAOF", host, String(port)]);
    while (!/master_link_status:up/.test(String(await other?.sendCommand(["INFO", "replication"]))));
    const there = await clientOf(replica, "orders", value, "reads-there");
    try {
      const alone = await scanned(sourceOf());
      expect(alone.flatMap(({ gaps }) => gaps)).toEqual([
        expect.stringContaining(`127.0.0.1:${replica.port} that is not in \`nodes\``),
      ]);
      expect(await sourceOf().preflight(call())).toEqual([
        expect.objectContaining({ code: "redis-clients-incomplete", subject: `127.0.0.1:${port}` }),
      ]);
      const both = await scanned(sourceOf(nodesOf(server, replica)));
      expect(both.flatMap(({ gaps }) => gaps)).toEqual([]);
      const edges = both.flatMap(({ claims }) => claims.map(edgeText));
      expect(edges).toContain(edge("reads-there"));
      // The replica's own link to the primary is a use of the user that it logs in as; the other direction is nobody's.
      expect(edges).toContain("reader(address=127.0.0.1) uses account(cache admin) session");
      expect(edges.join()).not.toContain("superuser");
      const away = await scanned(sourceOf(nodesOf(server, replica, { host, port: 1 })));
      expect(away.flatMap(({ gaps }) => gaps)).toEqual([
        expect.stringMatching(/^127\.0\.0\.1:1 was not seen: /),
      ]);
    } finally {
      there.destroy();
      await other?.sendCommand(["REPLICAOF", "NO", "ONE"]);
    }
  });

  it("are seen by a user that may list them and nothing else, with a gap about other servers", async () => {
    await admin.sendCommand(["ACL", "SETUSER", "rekey_narrow", "reset", "on", `>${value}`, "+client|list"]);
    const narrow = sourceOf({ login: { username: "rekey_narrow", password: "env:LOOKS" } });
    const parts = await scanned(narrow);
    expect(parts.flatMap(({ gaps }) => gaps)).toEqual([
      expect.stringContaining("lacks info or cluster|nodes"),
    ]);
    await admin.sendCommand(["ACL", "SETUSER", "rekey_none", "reset", "on", `>${value}`]);
    const none = sourceOf({ login: { username: "rekey_none", password: "env:LOOKS" } });
    await expect(scanned(none)).rejects.toMatchObject({ code: "not-permitted" });
  });
});
