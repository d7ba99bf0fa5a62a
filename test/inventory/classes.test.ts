/** What sources take things for is on the map, the same in whatever order they are read, and the estate's word outweighs it. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { type ClassSaid, classOf, laterWord } from "../../domain/discovery/classes.js";
import type { Claim, ReaderThing, ScanPart, Thing } from "../../domain/discovery/said.js";
import { type CredentialClass, credentialClasses } from "../../domain/estate/classes.js";
import type { Shapes } from "../../domain/estate/shapes.js";
import { type Database, read } from "../../inventory/database.js";
import { applyEstate } from "../../inventory/estate.js";
import { loadMap } from "../../inventory/graph-load.js";
import { declaredIn } from "../../inventory/rematch.js";
import { beginScan, endScan, notePart } from "../../inventory/scans.js";
import { migratedDatabase } from "./database.js";
import { newId, sampleEstate, t0 } from "./world.js";

const shapes: Shapes = {
  shownAs: (_, { account }) => Object.values(account).map(String),
  placeKey: (_, __, place) => String(place.path),
  seesUse: () => true,
  deliveredWithinMs: () => 0,
};

interface Reading {
  readonly source: string;
  readonly words: readonly { readonly class: CredentialClass | undefined; readonly last: number }[];
}

const job = (name: string): ReaderThing => ({ is: "reader", name, traits: { workload: name } });
const account = (name: string): Thing => ({ is: "account", issuer: "main-db", account: name });
const of = (thing: Thing, kind: CredentialClass | undefined): Thing =>
  kind === undefined ? thing : ({ ...thing, class: kind } as Thing);

async function house() {
  const { db } = await migratedDatabase();
  let now = t0;
  const apply = async (estate = sampleEstate()) => {
    now += 1;
    await applyEstate(db, { estate, digest: `d${now}`, by: "ann", now, newId, shapes });
  };
  await apply();
  return { db, apply };
}

/** When the last reading began: no two are at one time. */
let at = t0;

/** Keeps a reading, one word a part: that `name` uses an account of the same name. */
async function keep(db: Database, name: string, { source, words }: Reading): Promise<void> {
  at += 2;
  const begun = await beginScan(db, {
    ...{ source, shows: "log", settings: "s", now: at, newId: () => newId("scn") },
  });
  const ref = { id: begun.id, source, shows: "log", settings: "s" } as const;
  const declared = await read(db, (tx) => declaredIn(tx, shapes));
  let cursor = begun.cursorAfter;
  for (const { class: kind, last } of words) {
    const next = `${cursor ?? ""}.`;
    const claim: Claim = {
      ...({ record: "log", known: "read", type: "uses", sentence: "It read." } as const),
      ...{ from: of(job(name), kind), to: of(account(name), kind) },
      seen: { first: t0 + last, last: t0 + last, count: 1 },
    };
    const part: ScanPart = {
      ...{ records: 1, claims: [claim], copies: [], listed: [], malformed: [], covered: null, gaps: [] },
      cursor: next,
    };
    await notePart(db, ref, cursor, part, declared, t0 + last);
    cursor = next;
  }
  await endScan(db, ref, at + 1);
}

/** The classes of the nodes whose names begin so, by their types. */
async function classesIn(db: Database, name: string): Promise<Record<string, string | undefined>> {
  const nodes = [...(await loadMap(db)).nodes.values()].filter((node) => node.name.split(" ")[0] === name);
  return Object.fromEntries(nodes.map((node) => [node.type, node.class]));
}

const reading = fc.record({
  source: fc.constantFrom("src_1", "src_2", "src_3"),
  words: fc.array(
    fc.record({
      class: fc.option(fc.constantFrom(...credentialClasses), { nil: undefined }),
      last: fc.nat(3),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

it("says the same of each thing in whatever order sources are read, and however often", {
  timeout: 120_000,
}, async () => {
  const { db } = await house();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(reading, { minLength: 1, maxLength: 4 }), fc.nat(), async (readings, cut) => {
      const bySource = new Map<string, ClassSaid>();
      for (const { source, words } of readings) {
        for (const { class: kind, last } of words) {
          if (kind === undefined) continue;
          const word = { class: kind, first: last, last };
          bySource.set(source, laterWord(word, bySource.get(source) ?? word));
        }
      }
      const wanted = classOf([...bySource.values()]) ?? undefined;
      const turned = [...readings.slice(cut % readings.length), ...readings.slice(0, cut % readings.length)];
      run += 1;
      for (const [name, order] of [
        [`forth${run}`, readings],
        [`back${run}`, [...turned].reverse()],
        [`twice${run}`, [...readings, ...turned]],
      ] as const) {
        for (const one of order) await keep(db, name, one);
        expect(await classesIn(db, name)).toEqual({ identity: wanted, credential: wanted });
      }
    }),
    { numRuns: 15 },
  );
});

it("believes a source that has mended its word, and of two the one that tells more", async () => {
  const { db } = await house();
  const says = (source: string, kind: CredentialClass, last: number) =>
    keep(db, "bot", { source, words: [{ class: kind, last }] });
  await says("src_1", "agent", 1);
  await says("src_1", "token", 2);
  expect(await classesIn(db, "bot")).toEqual({ identity: "token", credential: "token" });
  await says("src_2", "service-account", 9);
  expect(await classesIn(db, "bot")).toEqual({ identity: "token", credential: "token" });
});

it("leaves a declared credential what its owner says that it is, also when it was seen before", async () => {
  const { db, apply } = await house();
  const { "orders-db": left, ...credentials } = sampleEstate().credentials;
  expect(left?.class).toBe("service-account");
  await keep(db, "orders", { source: "src_1", words: [{ class: "agent", last: 1 }] });
  const declared = async () =>
    [...(await loadMap(db)).nodes.values()].find(({ name }) => name === "orders-db")?.class;
  expect(await declared()).toBe("service-account");
  // When the estate has it no more, it is the account that a source sees, and what that takes it for.
  await apply({ ...sampleEstate(), credentials });
  expect(await classesIn(db, "orders")).toEqual({ identity: "agent", credential: "agent" });
  await apply();
  expect(await declared()).toBe("service-account");
});

/** An estate in which the first consumer claims workloads of these names besides its own. */
function claiming(...workload: string[]) {
  const estate = sampleEstate();
  const [name = ""] = Object.keys(estate.consumers);
  const consumer = estate.consumers[name];
  if (consumer === undefined) throw new Error("the sample has no consumer");
  const match = { ...consumer.match, workload };
  return { name, estate: { ...estate, consumers: { ...estate.consumers, [name]: { ...consumer, match } } } };
}

it("gives a consumer what its readers are, where they agree, in whatever order they are read", {
  timeout: 120_000,
}, async () => {
  const { db, apply } = await house();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom("one", "two", "three"), reading), { minLength: 1, maxLength: 4 }),
      async (readings) => {
        const seen: (string | undefined)[] = [];
        for (const order of [readings, [...readings].reverse()]) {
          run += 1;
          const { name, estate } = claiming(...["one", "two", "three"].map((one) => `${one}${run}`));
          await apply(estate);
          for (const [who, one] of order) await keep(db, `${who}${run}`, one);
          seen.push((await classesIn(db, name)).consumer);
        }
        const words = new Map<string, Map<string, ClassSaid>>();
        for (const [who, { source, words: said }] of readings)
          for (const { class: kind, last } of said) {
            if (kind === undefined) continue;
            const bySource = words.get(who) ?? new Map();
            const word = { class: kind, first: last, last };
            words.set(who, bySource.set(source, laterWord(word, bySource.get(source) ?? word)));
          }
        const kinds = new Set([...words.values()].map((bySource) => classOf([...bySource.values()])));
        const wanted = kinds.size === 1 ? ([...kinds][0] ?? undefined) : undefined;
        expect(seen).toEqual([wanted, wanted]);
      },
    ),
    { numRuns: 15 },
  );
});

it("tells a consumer's class anew when it claims others, and keeps it when its entry changes otherwise", async () => {
  const { db, apply } = await house();
  await keep(db, "bot", { source: "src_1", words: [{ class: "agent", last: 1 }] });
  await keep(db, "job", { source: "src_2", words: [{ class: "token", last: 1 }] });
  const { name, estate } = claiming("bot");
  const kind = async () => (await classesIn(db, name)).consumer;
  expect(await kind()).toBeUndefined();
  await apply(estate);
  expect(await kind()).toBe("agent");
  const consumer = estate.consumers[name];
  if (consumer === undefined) throw new Error("the sample has no consumer");
  const changed = { ...consumer, cadenceMs: (consumer.cadenceMs ?? 0) + 3_600_000 };
  await apply({ ...estate, consumers: { ...estate.consumers, [name]: changed } });
  expect(await kind()).toBe("agent");
  await apply(claiming("bot", "job").estate);
  expect(await kind()).toBeUndefined();
  await apply(claiming("job").estate);
  expect(await kind()).toBe("token");
  expect((await classesIn(db, "bot")).identity).toBe("agent");
  await apply();
  expect([await kind(), (await classesIn(db, "job")).identity]).toEqual([undefined, "token"]);
});
