/** The fake passes the same contract, or tests against it would prove nothing. */
import { expect, test } from "vitest";
import { MemoryConsumer } from "../../../adapters/consumers/memory.js";
import type { ObserveRequest } from "../../../adapters/ports.js";
import { calling } from "../../support/engine.js";
import { consumerContract } from "../consumer.js";

const request: ObserveRequest = {
  installation: "test",
  credential: "orders-db",
  consumer: "orders",
  rotation: "r1",
  candidates: [
    { version: "v1", slot: "a" },
    { version: "v2", slot: "b" },
  ],
  confirmations: [],
};

consumerContract("memory", async () => {
  const consumer = new MemoryConsumer({ version: "v1", instances: ["one", "two", "three"] });
  return {
    consumer,
    request: () => request,
    before: "v1",
    after: "v2",
    count: 3,
    canaries: [],
    move: (version) => consumer.deliver({ version }, calling()),
    stay: async () => {
      consumer.behave("refuses", "two");
      return "two";
    },
    silence: async () => {
      consumer.behave("silent", "two");
      return "two";
    },
    idle: async () => {
      consumer.behave("idle", "two");
      return "two";
    },
    unlist: async () => {
      consumer.unlisted = true;
    },
    close: async () => {},
  };
});

test("it flaps between the candidates, and an instance appears between two listings", async () => {
  const consumer = new MemoryConsumer({ version: "v2", instances: ["one"] });
  consumer.behave("flaps");
  const shown = [];
  for (let i = 0; i < 3; i++) shown.push((await consumer.observe(request, calling()))[0]?.version);
  expect(new Set(shown)).toEqual(new Set(["v1", "v2"]));
  consumer.appearing.push("late");
  expect(await consumer.observe(request, calling())).toHaveLength(1);
  expect(await consumer.observe(request, calling())).toHaveLength(2);
});

test("it takes up what its source holds, as a poller would", async () => {
  let stored = "v1";
  const consumer = new MemoryConsumer({ source: () => stored });
  expect((await consumer.observe(request, calling()))[0]?.version).toBe("v1");
  stored = "v2";
  expect((await consumer.observe(request, calling()))[0]?.version).toBe("v2");
});
