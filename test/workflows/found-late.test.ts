/** A source finds a reader that nobody declared while a rotation is under way: before the issue, after it, and before what is old is destroyed. */
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { Systems } from "../../activities/deps.js";
import type { Credential, Estate } from "../../domain/estate/types.js";
import { read } from "../../inventory/database.js";
import { entryNamed } from "../../inventory/estate.js";
import { declaredIn } from "../../inventory/rematch.js";
import { beginScan, endScan, notePart } from "../../inventory/scans.js";
import { settingsDigest } from "../../inventory/source-settings.js";
import { newId } from "../../worker/installation.js";
import { registeredShapes } from "../support/shapes.js";
import { type House, type HouseOptions, openHouse } from "./house.js";
import { paper } from "./people.js";
import {
  decide,
  ended,
  eventually,
  expectWorking,
  stateOf,
  until,
  untilAsked,
  untilDelivered,
} from "./watch.js";

/** In the world from the beginning; in the estate once somebody has declared it. */
const late = "nightly-export";

/** A house whose estate has a log, and knows nothing of the one that the log will show. */
async function house(
  policy: NonNullable<HouseOptions["policy"]> = {},
): Promise<House & { readonly moreLooks: (count: number) => Promise<unknown> }> {
  let looks = 0;
  const declaredOnly = (systems: Systems): Systems => {
    looks += 1;
    const { consumers = [] } = systems.estate.credentials[systems.name] ?? {};
    const names = new Set(consumers.map(({ consumer }) => consumer));
    return { ...systems, consumers: systems.consumers.filter(({ name }) => names.has(name)) };
  };
  const opened = await openHouse({
    ...{ quorum: 1, policy, consumers: ["checkout", "reports", late], refit: declaredOnly },
  });
  await opened.apply((estate) => ({
    ...changed(estate, (edges) => edges.filter(({ consumer }) => consumer !== late)),
    sources: { log: { kind: "command", owner: "ann", command: ["/bin/true"] } },
  }));
  const moreLooks = (count: number) => {
    const enough = looks + count;
    return eventually(`${count} more looks`, () => looks >= enough);
  };
  return { ...opened, moreLooks };
}

function changed(estate: Estate, edges: (of: Credential["consumers"]) => Credential["consumers"]): Estate {
  const credentials = Object.entries(estate.credentials).map(([name, credential]) => [
    name,
    { ...credential, consumers: edges(credential.consumers) },
  ]);
  return { ...estate, credentials: Object.fromEntries(credentials) };
}

/** The log is read, and somebody has used the credential. */
async function found({ fresh, credential }: House): Promise<void> {
  const { db } = fresh;
  const { id: source, body } = await entryNamed(db, "sources", "log");
  const now = Date.now();
  const ref = { source, shows: "log", settings: settingsDigest(body) } as const;
  const begun = await beginScan(db, { ...ref, now, newId: () => newId("scan") });
  const { name } = (
    await fresh.sql<{ name: string }>("select name from rekey_inventory.entries where id = $1", [credential])
  )[0] ?? { name: "" };
  const part = {
    ...{
      records: 1,
      copies: [],
      listed: [],
      malformed: [],
      covered: null,
      gaps: [],
      cursor: newId("cursor"),
    },
    claims: [
      {
        ...({ record: "log", known: "read", type: "uses", sentence: "The log has it." } as const),
        from: { is: "reader", name: late, traits: { applicationName: late } } as const,
        to: { is: "named", type: "credential", name } as const,
        seen: { first: now, last: now, count: 1 },
      },
    ],
  };
  const declared = await read(db, (tx) => declaredIn(tx, registeredShapes));
  await notePart(db, { ...ref, id: begun.id }, begun.cursorAfter, part, declared, now);
  await endScan(db, { ...ref, id: begun.id }, now);
}

/** From now on the log is read every moment: before a version is taken away the sources have to be. */
function readOn(home: House): void {
  let isOver = false;
  const reading = (async () => {
    while (!isOver) {
      await found(home);
      await pause(300);
    }
  })();
  onTestFinished(async () => {
    isOver = true;
    await reading;
  });
}

/** Its owner is found, and it is declared with what it shows of itself. */
function declare({ apply }: House, owner: string): Promise<void> {
  return apply((estate) => {
    const consumer = estate.consumers[late];
    if (consumer === undefined) throw new Error("no such consumer");
    const claimed = { ...consumer, owner, match: { ...consumer.match, applicationName: [late] } };
    const edges = changed(estate, (of) => [...of, { consumer: late, isolation: "shared" }]);
    return { ...edges, consumers: { ...estate.consumers, [late]: claimed } };
  });
}

const disables = ({ world }: House) => world.issuers.calls.filter((call) => call.startsWith("disable"));

test("C7: a reader that is found while an approval waits ends it with its name; once declared, it is another plan", async () => {
  const home = await house();
  const handle = await home.start();
  const before = await untilAsked(handle);
  await found(home);
  await decide(handle, await paper(home, before, "ann"));
  expect(await ended(handle)).toMatchObject({ outcome: "refused", reason: expect.stringContaining(late) });
  expect(home.world.enabled()).toEqual(["orders_a"]);

  await declare(home, "ann");
  const next = await home.start();
  const asked = await untilAsked(next);
  expect(asked.plan?.digest).not.toBe(before.plan?.digest);
  const { id } = await entryNamed(home.fresh.db, "consumers", late);
  expect(asked.plan?.consumers.map((planned) => planned.id)).toContain(id);
  await decide(next, await paper(home, asked, "ann"));
  readOn(home);
  expect(await ended(next)).toMatchObject({ outcome: "rotated" });
  expectWorking(home);
}, 120_000);

test("C7: one that is found after the issue holds it with both versions valid; once declared, its owner is asked alone", async () => {
  const home = await house();
  const reports = home.world.consumers.get("reports");
  reports?.behave("refuses");
  const handle = await home.start();
  await decide(handle, await paper(home, await untilAsked(handle), "ann"));
  await untilDelivered(handle);
  await found(home);
  reports?.behave("moves");
  await home.moreLooks(6);
  expect([home.world.enabled(), disables(home)]).toEqual([["orders_a", "orders_b"], []]);

  await declare(home, "cleo");
  await until(handle, "asked again", (p) => p.gate === "approved" && p.standing === "waiting");
  const state = await stateOf(handle);
  const [amendment] = state.amendments;
  expect(amendment?.approvers).toEqual(["cleo"]);
  expect([home.world.enabled(), disables(home)]).toEqual([["orders_a", "orders_b"], []]);
  await decide(handle, await paper(home, state, "cleo", { digest: amendment?.digest ?? "" }));
  readOn(home);
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expectWorking(home);
}, 120_000);

test.each([
  [
    "an exception about it",
    (estate: Estate): Estate => ({
      ...estate,
      credentials: Object.fromEntries(
        Object.entries(estate.credentials).map(([name, credential]) => [
          name,
          {
            ...credential,
            exceptions: [
              {
                ...({
                  finding: "unmapped-reader",
                  about: late,
                  owner: "ann",
                  reason: "It is ours.",
                } as const),
                until: new Date(Date.now() + 86_400_000).toISOString(),
              },
            ],
          },
        ]),
      ),
    }),
  ],
  [
    "a claim of another consumer to it",
    (estate: Estate): Estate => {
      const { checkout, [late]: other } = estate.consumers;
      if (checkout === undefined || other === undefined) throw new Error("no such consumer");
      const match = { ...checkout.match, applicationName: [...checkout.match.applicationName, late] };
      const silent = { ...other, match: { applicationName: [], address: [] } };
      return {
        ...estate,
        consumers: { ...estate.consumers, checkout: { ...checkout, match }, [late]: silent },
      };
    },
  ],
])(
  "H17 H37: %s lets one that was found after the issue pass once the owners have signed for that, too",
  async (_what, allowing) => {
    const home = await house();
    const reports = home.world.consumers.get("reports");
    reports?.behave("refuses");
    const handle = await home.start();
    const asked = await untilAsked(handle);
    await decide(handle, await paper(home, asked, "ann"));
    await untilDelivered(handle);
    await found(home);
    reports?.behave("moves");
    await home.moreLooks(6);
    await home.apply(allowing);
    await until(handle, "asked again", (p) => p.gate === "approved" && p.standing === "waiting");
    const state = await stateOf(handle);
    const [amendment] = state.amendments;
    expect(amendment?.approvers).toEqual(asked.plan?.approvers);
    expect(amendment?.consumers).toEqual(asked.plan?.consumers);
    readOn(home);
    await pause(1_000);
    expect([home.world.enabled(), disables(home)]).toEqual([["orders_a", "orders_b"], []]);
    await decide(handle, await paper(home, state, "ann", { digest: amendment?.digest ?? "" }));
    expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  },
  120_000,
);

/** Long enough for a scan while it passes on a machine that is busy, and short enough to be waited for. */
const passingMs = 12_000;

test("C7: one that is found when nobody seemed to use the old version any more holds what would revoke it", async () => {
  const home = await house({ quietPeriodMs: passingMs });
  const handle = await home.start();
  await decide(handle, await paper(home, await untilAsked(handle), "ann"));
  const { until: quietAt } = await until(
    handle,
    "the quiet time",
    (p) => p.gate === "drained" && p.standing === "waiting",
  );
  await found(home);
  await eventually("the quiet time is over", () => Date.now() > (quietAt ?? 0));
  await home.moreLooks(3);
  expect([home.world.enabled(), disables(home)]).toEqual([["orders_a", "orders_b"], []]);
}, 120_000);

test("C7: one that is found when the old version is disabled holds what would destroy it", async () => {
  const home = await house({ disableSoakMs: passingMs });
  const handle = await home.start();
  await decide(handle, await paper(home, await untilAsked(handle), "ann"));
  const { until: soakedAt } = await until(
    handle,
    "the soak",
    (p) => p.gate === "disabled" && p.standing === "waiting",
  );
  await found(home);
  await eventually("the soak is over", () => Date.now() > (soakedAt ?? 0));
  await home.moreLooks(3);
  expect(home.world.issuers.calls.filter((call) => call.startsWith("destroy"))).toEqual([]);
  expect(home.world.stores.place("orders").copies.has(home.world.first.version)).toBe(true);
}, 120_000);
