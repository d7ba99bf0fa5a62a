/** Described providers pass the issuers' contract, each shape of description, against a provider of its own process. */
import { afterAll, beforeAll } from "vitest";
import { issuerContract } from "../issuer.js";
import { mintingContract } from "../minting.js";
import { contractWorld, type HttpWorld, httpWorld } from "./http-world.js";

let world: HttpWorld;

beforeAll(async () => {
  world = await httpWorld();
});
afterAll(() => world.close());

issuerContract("http, one key with a label", () => contractWorld(world, "label"));
mintingContract("http, one key with a label", () => contractWorld(world, "label"));
issuerContract("http, another key for each value", () => contractWorld(world, "register"));
mintingContract("http, another key for each value", () => contractWorld(world, "register"));
issuerContract("http, two keys", () => contractWorld(world, "pair"));
mintingContract("http, two keys", () => contractWorld(world, "pair"));
