/** A person's word is a fact with a time: the newest counts, an old one does not, and silence says who has to speak. */
import { expect, test } from "vitest";
import { confirmation } from "../../../adapters/consumers/confirmation.js";
import type { Confirmation, ObserveRequest } from "../../../adapters/ports.js";
import { calling, testEngine } from "../../support/engine.js";
import { consumerContract } from "../consumer.js";

const base: ObserveRequest = {
  installation: "test",
  credential: "vendor-key",
  consumer: "portal",
  rotation: "r1",
  candidates: [
    { version: "v1", slot: "a" },
    { version: "v2", slot: "b" },
  ],
  confirmations: [],
};
const who = "the network team";

async function made(settings: object = {}, now = () => 10_000) {
  const { deps } = await testEngine();
  return confirmation.create(confirmation.config.parse({ who, ...settings }), { ...deps, now });
}

function word(version: string, at: number, consumer = "portal"): Confirmation {
  return { consumer, version, person: "p1", at };
}

consumerContract("confirmation", async () => {
  const confirmations: Confirmation[] = [];
  return {
    consumer: await made(),
    request: () => ({ ...base, confirmations }),
    before: "v1",
    after: "v2",
    count: 1,
    canaries: [],
    move: async (version) => void confirmations.push(word(version, confirmations.length)),
    close: async () => {},
  };
});

test("H39: silence has no version, says who has to confirm, and does not count as failing before it was asked", async () => {
  const [seen] = await (await made()).observe(base, calling());
  expect(seen).toEqual({
    instance: "person",
    version: null,
    working: true,
    sentence: "the network team has to confirm which version is in use.",
  });
});

test("the newest word counts, whatever its place in the list, and only words about this consumer", async () => {
  const confirmations = [word("v2", 9_000), word("v1", 8_000), word("v1", 9_500, "another")];
  const [seen] = await (await made()).observe({ ...base, confirmations }, calling());
  expect(seen).toMatchObject({ version: "v2", working: true });
});

test("H10: a word is worth nothing once it is older than the settings allow", async () => {
  const consumer = await made({ maxAge: "5s" });
  const at = async (age: number) =>
    (await consumer.observe({ ...base, confirmations: [word("v2", 10_000 - age)] }, calling()))[0];
  expect(await at(5_000)).toMatchObject({ version: "v2" });
  expect(await at(5_001)).toMatchObject({ version: null, sentence: expect.stringContaining("too old") });
});
