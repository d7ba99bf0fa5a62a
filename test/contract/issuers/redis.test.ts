/** Redis passes the issuers' contract on real servers: one, and a primary with a replica. */
import { afterAll, beforeAll } from "vitest";
import { issuerContract } from "../issuer.js";
import { contractWorld, type RedisSet, type RedisWorld, redisSet, redisWorld } from "./redis-world.js";

let set: RedisSet;
let clone: RedisWorld;

beforeAll(async () => {
  const primary = await redisWorld();
  const { host, port, password } = primary.server;
  const replica = await redisWorld({
    config: [`replicaof ${host} ${port}`, "masteruser admin", `masterauth ${password.reveal()}`],
  });
  set = redisSet(primary, replica);
  clone = await redisWorld();
});
afterAll(async () => {
  await set.stop();
  await clone.stop();
});

issuerContract("redis", async () => contractWorld(set, await set.account(), clone));
