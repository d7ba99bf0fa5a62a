/** Who a reader is: claimed by what tells most, by one consumer alone, and never guessed at. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Claimant, claimantsOf, isClaimed as isOneClaimed } from "../../../domain/discovery/claims.js";
import { cameFrom, matchReader, readerName, sessionName } from "../../../domain/discovery/match.js";
import type { Match } from "../../../domain/estate/types.js";
import { isWithin as isReallyWithin } from "../../../inventory/within.js";

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
  const host = claimant("host", { address: ["net of 10.0.0.1"] });
  expect(who({ applicationName: "psql", address: "10.0.0.1" }, host, report).consumer?.name).toBe("host");
  expect(who({ entity: "e-9", address: "10.0.0.1" }, shop, report)).toEqual({
    consumer: null,
    sentence: "No consumer claims the entity e-9.",
  });
});

test("what two claim is nobody's, and both are named", () => {
  const other = claimant("other", { applicationName: ["shop"] });
  const third = claimant("third", { applicationName: ["shop"] });
  const { consumer, sentence } = who({ applicationName: "shop", address: "" }, third, other, batch);
  expect(consumer).toBeNull();
  expect(sentence).toBe("third and other and batch claim the application name shop, so it is nobody's.");
});

test("C7: who claims a name and an address means both, and what lacks one of them is a stranger's", () => {
  expect(who({ applicationName: "shop", address: "10.0.0.1" }, shop).consumer).toBe(shop);
  expect(who({ applicationName: "shop", address: "10.6.6.6" }, shop)).toEqual({
    consumer: null,
    sentence: "shop claims the application name shop, but not the address 10.6.6.6.",
  });
  expect(who({ applicationName: "psql", address: "10.0.0.1" }, shop)).toEqual({
    consumer: null,
    sentence: "shop claims the address 10.0.0.1, but not the application name psql.",
  });
  const jobs = claimant("jobs", { serviceAccount: ["prod shop/jobs"], workload: ["shop/CronJob/jobs"] });
  expect(who({ serviceAccount: "prod shop/jobs", workload: "shop/Pod/debug" }, jobs).consumer).toBeNull();
  expect(who({ serviceAccount: "shop/jobs", workload: "shop/CronJob/jobs" }, jobs).consumer).toBe(jobs);
  // What it does not show, or what is not claimed, speaks against nobody.
  expect(who({ address: "10.0.0.1" }, shop).consumer).toBe(shop);
  expect(who({ entity: "e-1", address: "10.6.6.6" }, report).consumer).toBe(report);
});

test("C7: a name is nobody's proof, so who claims places too has to be seen at one of them", () => {
  const sentence = (traits: Parameters<typeof who>[0], ...consumers: Claimant[]) =>
    who(traits, ...consumers).sentence;
  const local = claimant("local", { applicationName: ["shop"], host: ["local", "*.shop.example"] });
  const both = claimant("both", { ...shop.match, host: ["local"] });
  expect(who({ applicationName: "shop" }, shop).consumer).toBeNull();
  expect(sentence({ applicationName: "shop", address: "" }, shop)).toBe(
    "shop claims the application name shop, but not without one of its addresses.",
  );
  expect(sentence({ applicationName: "shop" }, both)).toBe(
    "both claims the application name shop, but not without one of its addresses or hosts.",
  );
  expect(sentence({ applicationName: "shop", host: "local" }, shop)).toBe(
    "shop claims the application name shop, but not the host local.",
  );
  expect(sentence({ applicationName: "shop", address: "10.0.0.1" }, local)).toBe(
    "local claims the application name shop, but not the address 10.0.0.1.",
  );
  for (const [traits, consumer] of [
    [{ applicationName: "shop", host: "local" }, local],
    [{ applicationName: "shop", host: "web-1.shop.example" }, local],
    [{ applicationName: "shop", host: "local" }, both],
    [{ applicationName: "shop", address: "10.0.0.1" }, both],
    // One of them is enough.
    [{ applicationName: "shop", address: "10.0.0.1", host: "elsewhere" }, both],
    [{ host: "local" }, local],
  ] as const)
    expect(who(traits, consumer).consumer).toBe(consumer);
  expect(sentence({ applicationName: "psql", host: "local" }, local)).toBe(
    "local claims the host local, but not the application name psql.",
  );
  expect(who({ applicationName: "shop", host: "shop.example" }, local).consumer).toBeNull();
});

test("C7: who has proven who they are need not show from where, and is not from elsewhere", () => {
  const proven = { role: ["batch"], address: ["net of 10.0.0.1"], host: ["local"] };
  for (const [by, shown] of [
    ["entity", "e-1"],
    ["role", "batch"],
  ] as const) {
    const job = claimant("job", { ...proven, entity: ["e-1"] });
    const at = (more: object) => who({ [by]: shown, ...more }, job).consumer;
    expect([at({}), at({ address: "10.0.0.1" }), at({ host: "local" })]).toEqual([job, job, job]);
    expect([at({ address: "10.6.6.6" }), at({ host: "elsewhere" })]).toEqual([null, null]);
    const addresses = claimant("addresses", {
      entity: ["e-1"],
      role: ["batch"],
      address: ["net of 10.0.0.1"],
    });
    expect(who({ [by]: shown, host: "elsewhere" }, addresses).consumer).toBe(addresses);
  }
});

test("two of one name are told apart by where they are, and whoever claims no address is everywhere else", () => {
  const east = claimant("east", { applicationName: ["jobs"], address: ["net of 10.1.0.1"] });
  const west = claimant("west", { applicationName: ["jobs"], address: ["net of 10.2.0.1"] });
  const plain = claimant("plain", { applicationName: ["jobs"] });
  const seen = (address: string, ...consumers: Claimant[]) =>
    who({ applicationName: "jobs", address }, ...consumers);
  expect(seen("10.2.0.1", east, west)).toEqual({
    consumer: west,
    sentence: "west claims the application name jobs.",
  });
  expect(seen("10.1.0.1", east, plain)).toEqual({
    consumer: east,
    sentence: "Of east and plain only east claims the application name jobs and the address 10.1.0.1.",
  });
  expect(seen("10.9.9.9", east, plain).consumer).toBe(plain);
  expect(seen("10.9.9.9", east, west).sentence).toBe(
    "east claims the application name jobs, but not the address 10.9.9.9; nor is it any of the others that claim that.",
  );
  expect(seen("10.1.0.1", plain, { ...plain, name: "twin" }).sentence).toBe(
    "plain and twin claim the application name jobs, so it is nobody's.",
  );
});

test("a claim that ends in a star is of whatever begins so, and of nothing else", () => {
  const session = "arn:aws:sts::1:assumed-role/batch/i-0abc";
  expect(who({ role: session }, batch).consumer?.name).toBe("batch");
  expect(who({ role: "arn:aws:sts::1:assumed-role/batches/i-0abc" }, batch).consumer).toBeNull();
  expect(who({ workload: "compose shop/api" }, report).consumer?.name).toBe("report");
});

test("whom nobody claims is told by all that it shows, and who shows nothing matches nothing", () => {
  expect(who({ applicationName: "psql", address: "10.9.9.9" }, shop, report).sentence).toBe(
    "No consumer claims the application name psql or the address 10.9.9.9.",
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
  expect(readerName(sessionName("psql", "local"), { applicationName: "psql", host: "local" })).toBe(
    "psql from a socket of the server's machine",
  );
  expect(readerName(sessionName("", "DB1.example"), cameFrom("DB1.example", false))).toBe(
    "a client without a name from db1.example",
  );
  expect(readerName(sessionName("psql", ""), cameFrom("", false))).toBe("psql from an unknown address");
  expect(readerName("report", { ...cameFrom("10.0.0.9", true), host: "local" })).toBe(
    "report (address 10.0.0.9, host local)",
  );
  // What the name ends with is said of the traits, too; a trait that is of elsewhere is told whole.
  const account = { serviceAccount: "cluster a shop/orders" };
  expect(readerName("service account shop/orders of cluster a", account)).toBe(
    "service account shop/orders of cluster a",
  );
  for (const [name, told] of [
    ["Deployment/api of cluster a", "shop/orders"],
    ["Deployment/api of cluster b", "cluster a shop/orders"],
    ["Deployment/api of cluster", "a shop/orders"],
    ["cluster a", "cluster a shop/orders"],
  ])
    expect(readerName(name ?? "", account)).toBe(`${name} (service account ${told})`);
  // A part of a word is not the word.
  expect(readerName("psql from 10.0.0.90", { address: "10.0.0.9" })).toBe(
    "psql from 10.0.0.90 (address 10.0.0.9)",
  );
});

test("whoever claims something is found as by asking everybody", () => {
  const traits = ["role", "applicationName", "address", "host"] as const;
  const texts = fc.constantFrom("", "a", "ab", "abc", "b", "*", "a*", "ab*");
  const addresses = fc.constantFrom(
    ...[
      "10.0.0.1",
      "10.0.0.2",
      "10.0.0.0/30",
      "10.0.0.1/32",
      "::1",
      "0:0::1",
      "::/64",
      "::ffff:10.0.0.1",
      "a",
    ],
  );
  const hosts = fc.constantFrom("b", "a.b", "c.a.b", "*.b", "*.a.b", "xb", ".b", "*");
  const one = fc.record({
    role: fc.array(texts, { maxLength: 3 }),
    applicationName: fc.array(texts, { maxLength: 3 }),
    address: fc.array(addresses, { maxLength: 3 }),
    host: fc.array(hosts, { maxLength: 3 }),
  });
  const claims = (shown: string, claim: string) =>
    claim.endsWith("*") ? shown.startsWith(claim.slice(0, -1)) : shown === claim;
  const ends = (shown: string, claim: string) =>
    claim.startsWith("*.") ? shown.endsWith(claim.slice(1)) : shown === claim;
  fc.assert(
    fc.property(
      fc.array(one, { maxLength: 5 }),
      fc.constantFrom(...traits),
      texts,
      addresses,
      hosts,
      (all, trait, text, address, host) => {
        const consumers = all.map((match, i) => claimant(String(i), match));
        const shown = { role: text, applicationName: text, address, host }[trait];
        const isClaimed = { role: claims, applicationName: claims, address: isReallyWithin, host: ends }[
          trait
        ];
        const plainly = consumers.filter(({ match }) =>
          match[trait]?.some((claim) => isClaimed(shown, claim)),
        );
        // Twice, because what is made for the first question answers the second.
        for (const _ of [1, 2]) expect(claimantsOf(consumers, trait, shown, isReallyWithin)).toEqual(plainly);
        const each = consumers.filter(({ match }) =>
          isOneClaimed(match[trait] ?? [], trait, shown, isReallyWithin),
        );
        expect(each).toEqual(plainly);
      },
    ),
    { numRuns: 1_000 },
  );
});
