/** The Redis that accepts a lane's credential: a primary and its replica, with the engine's user on both. */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { redisGrants } from "../../../adapters/issuers/redis/grants.js";
import { type RedisServer, startRedis } from "../../../worker/dev/redis-server.js";
import { connectAs, hangUp, hashOfPassword, type RedisClient } from "../services/redis-client.js";
import type { RedisNode, RedisPair } from "../worlds/world.js";

/** The pair as the house has it: with the files in which it keeps what it logs or stores. */
export type OwnRedisPair = RedisPair & { readonly traces: readonly string[]; stop(): Promise<void> };

const username = "rekey_engine";

/** Starts both, with these lines in their configuration, and gives the engine its user. */
export async function startRedisPair(folder: string, config: readonly string[] = []): Promise<OwnRedisPair> {
  const primary = await startRedis({ config });
  const servers = [primary];
  const nodes: (RedisNode & { close(): void })[] = [];
  const stop = async (): Promise<void> => {
    for (const node of nodes) node.close();
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    const follow = `replicaof ${primary.host} ${primary.port}`;
    const link = ["masteruser admin", `masterauth ${primary.password.reveal()}`];
    servers.push(await startRedis({ config: [...config, follow, ...link] }));
    nodes.push(...servers.map(nodeOf));
    const password = randomBytes(24).toString("base64url");
    const passwordFile = join(folder, "redis-engine-password");
    await writeFile(passwordFile, password, { mode: 0o600 });
    const [command = ""] = redisGrants({ engine: username })
      .split("\n")
      .filter((line) => line.startsWith("ACL SETUSER"));
    for (const node of nodes) {
      await node.ask(
        ...command.replace("#<sha256 of its password>", `#${hashOfPassword(password)}`).split(" "),
      );
      await node.ask("ACL", "SAVE");
    }
    const traces = servers.flatMap(({ logPath, aclPath }) => [logPath, aclPath ?? logPath]);
    return { nodes, engine: { username, passwordFile }, traces, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function nodeOf({ host, port, password, aclPath }: RedisServer): RedisNode & { close(): void } {
  let client: RedisClient | null = null;
  return {
    ...{ host, port, usersFile: aclPath ?? "" },
    ask: async (...command) => {
      if (!client?.isReady)
        client = await connectAs(
          { host, port },
          { username: "admin", password: password.reveal(), name: "house" },
        );
      return client.sendCommand([...command]);
    },
    close: () => {
      if (client) hangUp(client);
    },
  };
}
