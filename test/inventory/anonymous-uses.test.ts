/** Uses by whom nobody says: kept by credential, the same in whatever order they are told, and never an edge of the map. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Thing, Use } from "../../domain/discovery/said.js";
import { anonymousUsesOf } from "../../inventory/anonymous-uses.js";
import { entryNamed } from "../../inventory/estate.js";
import { loadMap } from "../../inventory/graph-load.js";
import { metricsAt, usesAt } from "../../inventory/metrics.js";
import { dayMs, house, shapes } from "./findings-house.js";
import { t0 } from "./world.js";

const account: Exclude<Thing, { is: "reader" }> = { is: "account", issuer: "main-db", account: "orders" };
const use = (last: number, more: Partial<Use> = {}): Use => ({
  ...{ record: "report", of: account, seen: { first: last, last, count: 1 }, sentence: `At ${last}.` },
  ...more,
});

it("C21: whoever asks is told when it was used, that it is not said by whom, and by which source", async () => {
  const { db, apply, reading, open } = await house();
  await apply();
  const { id } = await entryNamed(db, "credentials", "orders-db");
  await reading({ uses: [use(t0 + 9 * dayMs)] }, t0 + 10 * dayMs);
  expect(await anonymousUsesOf(db, id)).toMatchObject([
    { last: t0 + 9 * dayMs, sentence: `At ${t0 + 9 * dayMs}.` },
  ]);
  // Nobody is at the other end of it.
  const uses = (await loadMap(db)).edges.filter(({ to, type }) => to === id && type === "uses");
  expect(uses.flatMap(({ evidence }) => evidence.map(({ kind }) => kind))).toEqual(["declared", "declared"]);
  const now = t0 + 11 * dayMs;
  const [found, ...more] = await open(now, "unexplained-use");
  expect(more).toEqual([]);
  expect(found).toMatchObject({
    ...{ severity: "refuse", subject: { name: "orders-db" }, about: { name: "sessions", type: "source" } },
    sentence: expect.stringContaining("by whom is not said (source sessions)"),
  });
  const isIn = async (at: number) =>
    (await usesAt(db, shapes, { leastWindowMs: null, now: at })).find(
      ({ credential }) => credential.id === id,
    )?.is;
  expect(await isIn(now)).toBe("live");
  const explained = (await metricsAt(db, shapes, now)).find(({ name }) => name === "explained");
  expect(explained).toMatchObject({ numerator: (explained?.denominator ?? 0) - 1 });
});

it("a consumer that was seen at that time explains it, and an owner may answer for one that nobody explains", async () => {
  const { apply, reading, open } = await house();
  const at = t0 + 9 * dayMs;
  const seen = { first: at - dayMs, last: at + dayMs, count: 2 };
  await apply();
  await reading({ uses: [use(at)] }, at);
  expect(await open(at + dayMs, "unexplained-use")).toMatchObject([{ state: "open" }]);
  const exception = {
    finding: "unexplained-use",
    owner: "ann",
    reason: "It is known.",
    until: new Date(t0 + 60 * dayMs).toISOString(),
  } as const;
  await apply((estate) => {
    const one = estate.credentials["orders-db"];
    if (one === undefined) throw new Error("the sample has it");
    const excepted = { ...one, exceptions: [{ ...exception, about: "sessions" }] };
    return { ...estate, credentials: { ...estate.credentials, "orders-db": excepted } };
  });
  expect(await open(at + dayMs, "unexplained-use")).toMatchObject([{ state: "excepted" }]);
  const from: Thing = { is: "named", type: "consumer", name: "checkout" };
  const claim = {
    record: "log",
    known: "read",
    from,
    type: "uses",
    to: account,
    seen,
    sentence: "It read it.",
  } as const;
  await reading({ uses: [use(at)], claims: [claim] }, at + 2 * dayMs);
  expect(await open(at + 2 * dayMs, "unexplained-use")).toEqual([]);
});

it("what was seen of an account before the estate knows it is told of its credential afterwards", async () => {
  const { db, apply, reading } = await house();
  await apply((estate) => ({ ...estate, credentials: {} }));
  await reading({ uses: [use(t0)] }, t0);
  await apply();
  const { id } = await entryNamed(db, "credentials", "orders-db");
  expect(await anonymousUsesOf(db, id)).toMatchObject([{ last: t0 }]);
});

it("is the same in whatever order it is told, and however often", { timeout: 60_000 }, async () => {
  const { apply, reading, sql } = await house();
  await apply();
  const told = fc.record({
    at: fc.nat(20),
    lasts: fc.nat(5),
    word: fc.constantFrom("a", "b", "c"),
    record: fc.constantFrom("x", "y"),
  });
  let [round, turn] = [0, 0];
  const kept = async (parts: readonly (readonly Use[])[]) => {
    round += 1;
    const name = `account-${round}`;
    for (const uses of parts) {
      turn += 1;
      const of = { ...account, account: name };
      await reading({ uses: uses.map((one) => ({ ...one, of })) }, t0 + 40 * dayMs + turn, "log");
    }
    return sql(
      `select u.record, u.sentence, u.first_seen, u.last_seen from rekey_inventory.anonymous_uses u
        join rekey_inventory.things t on t.id = u.thing where t.body ->> 'account' = $1 order by u.record`,
      [name],
    );
  };
  await fc.assert(
    fc.asyncProperty(fc.array(told, { minLength: 1, maxLength: 8 }), fc.nat(8), async (list, cut) => {
      const uses = list.map(({ at, lasts, word, record }) => {
        const first = t0 + at * dayMs;
        return use(first, { record, sentence: word, seen: { first, last: first + lasts * dayMs, count: 1 } });
      });
      const plain = await kept([uses]);
      expect(await kept([uses.slice(cut), uses.slice(0, cut)])).toEqual(plain);
      expect(await kept([uses.toReversed(), uses])).toEqual(plain);
    }),
    { numRuns: 15 },
  );
});
