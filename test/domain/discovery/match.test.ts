/** Who a reader is: claimed by what tells most, by one consumer alone, and never guessed at. */
import { expect, test } from "vitest";
import { type Claimant, matchReader, readerName } from "../../../domain/discovery/match.js";
import type { Match } from "../../../domain/estate/types.js";

const claimant = (name: string, match: Partial<Match>): Claimant => ({
  id: `con_${name}`,
  name,
  match: { applicationName: [], address: [], ...match },
});

const isWithin = (address: string, range: string) => range === `net of ${address}`;

const shop = claimant("shop", { applicationName: ["shop"], address: ["net of 10.0.0.1"] });
const report = claimant("report", { entity: ["e-1"], workload: ["compose shop/*"] });
const batch = claimant("batch", { applicationName: ["shop"], role: ["arn:aws:sts::1:assumed-role/batch/*"] });

const who = (traits: Parameters<typeof matchReader>[0], ...consumers: Claimant[]) =>
  matchReader(traits, consumers, isWithin);

test("whoever claims the most telling trait is it, whatever others say of the rest", () => {
  const { consumer, sentence } = who({ entity: "e-1", address: "10.0.0.1" }, shop, report);
  expect(consumer?.name).toBe("report");
  expect(sentence).toBe("report claims the entity e-1.");
});

test("a name that nobody claims says nothing, and the next trait is asked; an identity that nobody claims is a stranger's", () => {
  expect(who({ applicationName: "psql", address: "10.0.0.1" }, shop, report).consumer?.name).toBe("shop");
  expect(who({ entity: "e-9", address: "10.0.0.1" }, shop, report)).toEqual({
    consumer: null,
    sentence: "No consumer claims the entity e-9.",
  });
});

test("what two claim is nobody's, and both are named", () => {
  const { consumer, sentence } = who({ applicationName: "shop", address: "10.0.0.1" }, shop, batch);
  expect(consumer).toBeNull();
  expect(sentence).toBe("shop and batch claim the application name shop, so it is nobody's.");
});

test("a claim that ends in a star is of whatever begins so, and of nothing else", () => {
  const session = "arn:aws:sts::1:assumed-role/batch/i-0abc";
  expect(who({ role: session }, batch).consumer?.name).toBe("batch");
  expect(who({ role: "arn:aws:sts::1:assumed-role/batches/i-0abc" }, batch).consumer).toBeNull();
  expect(who({ workload: "compose shop/api" }, report).consumer?.name).toBe("report");
});

test("whom nobody claims is told by all that it shows, and who shows nothing matches nothing", () => {
  expect(who({ applicationName: "psql", address: "10.9.9.9" }, shop, report).sentence).toBe(
    "No consumer claims application name psql or address 10.9.9.9.",
  );
  expect(who({}, shop, report)).toEqual({ consumer: null, sentence: "It shows nothing of itself." });
  expect(who({ applicationName: "" }, claimant("empty", { applicationName: [""] })).consumer).toBeNull();
});

test("a stranger's name says all that it shows, so that two strangers are never called the same", () => {
  expect(readerName("psql from 10.0.0.9", { applicationName: "psql", address: "10.0.0.9" })).toBe(
    "psql from 10.0.0.9",
  );
  expect(readerName("approle", { entity: "e-1", address: "10.0.0.9" })).toBe(
    "approle (entity e-1, address 10.0.0.9)",
  );
  expect(readerName("approle", { entity: "e-2", address: "" })).toBe("approle (entity e-2)");
  // A part of a word is not the word.
  expect(readerName("psql from 10.0.0.90", { address: "10.0.0.9" })).toBe(
    "psql from 10.0.0.90 (address 10.0.0.9)",
  );
});
