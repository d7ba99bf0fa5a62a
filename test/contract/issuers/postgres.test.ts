/** PostgreSQL passes the issuers' contract on a real server. */
import { afterAll, beforeAll } from "vitest";
import { issuerContract } from "../issuer.js";
import { type CopiedServer, copyOf } from "./postgres-copy.js";
import { contractWorld, database, type PostgresWorld, postgresWorld } from "./postgres-world.js";

let world: PostgresWorld;
let copies: CopiedServer[] = [];

beforeAll(async () => {
  world = await postgresWorld();
});
afterAll(async () => {
  await Promise.all(copies.map((copy) => copy.stop()));
  await world.stop();
});

issuerContract("postgres", async () =>
  contractWorld(world, await world.account(), async () => {
    const copy = await copyOf(world.server, "clone");
    copies = [...copies, copy];
    // What a clone procedure must do before anybody connects (H9).
    const superuser = await copy.superuser(database);
    await superuser.query("UPDATE rekey.marker SET marker = 'staging-' || gen_random_uuid()");
    await superuser.end();
    return { host: copy.server.host, port: copy.server.port };
  }),
);
