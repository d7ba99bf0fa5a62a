/**
 * Rotations while the audit store is down, in every way in which it can be: what is ordinary waits and does not turn
 * round, what brings back or contains goes on, and the log has all of it in the end (H31, I8, I10).
 */
import { expect, onTestFinished, test } from "vitest";
import { verifyLog } from "../../audit/verify.js";
import { type AuditBody, bodyOf } from "../../domain/audit.js";
import { reportText } from "../../domain/documents.js";
import { auditStore, keptLog, outages, type Store } from "../audit/keeper-world.js";
import { digestOf, type House, openHouse } from "./house.js";
import { signed } from "./people.js";
import { cancel, ended, eventually, expectWorking, recordedEvents, until } from "./watch.js";

async function bodies({ sql }: Store): Promise<AuditBody[]> {
  const rows = await sql<{ body: string }>("select body from rekey_audit.entries order by index");
  return rows.map(({ body }) => bodyOf(body));
}

/** Every change has its intent in the log, each before its outcome, and the log is whole. */
async function expectTold(house: House, store: Store): Promise<AuditBody[]> {
  const { keeper, log, signer } = keptLog(house.fresh.db, store.url);
  await keeper.flush();
  const told = await bodies(store);
  const changes = await house.fresh.sql<{ rotation: string; change: string; outcome: string }>(
    "select rotation, change, outcome from rekey_inventory.intents",
  );
  for (const { rotation, change, outcome } of changes) {
    const mine = told.filter((body) => body.rotation === rotation && String(body.change) === change);
    expect(mine.filter(({ kind }) => kind !== "burned").map((body) => [body.kind, body.outcome])).toEqual([
      ["intent", undefined],
      ["outcome", outcome],
    ]);
  }
  expect((await verifyLog(log, signer, [])).findings).toEqual([]);
  return told;
}

function failedForAudit(house: House): Promise<number> {
  return recordedEvents(house).then(
    (events) => events.filter((event) => event.type === "failed" && event.code === "audit-down").length,
  );
}

test("I8: the intent is in the log while the issuer has not yet heard of the change", async () => {
  const store = await auditStore();
  const house = await openHouse({ auditUrl: store.url });
  const { issuers } = house.world;
  let release = () => {};
  issuers.faults.holdWrite = new Promise<void>((resolve) => {
    release = resolve;
  });
  const handle = await house.start();
  await eventually("the write is under way", () => issuers.calls.includes("enable orders_b"));
  expect(house.world.enabled()).toEqual(["orders_a"]);
  expect(await bodies(store)).toContainEqual(
    expect.objectContaining({ kind: "intent", step: expect.objectContaining({ do: "issue" }) }),
  );
  release();
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  const told = await expectTold(house, store);
  expect(told.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(["opened", "intent", "outcome", "closed"]),
  );
});

test.each(outages)(
  "H31: with the audit store %s nothing is issued, nothing turns round, and it goes on later",
  async (outage) => {
    const store = await auditStore();
    const house = await openHouse({ auditUrl: store.url, policy: { stallTimeoutMs: 100 } });
    // So that there is something to be hung or filled.
    await keptLog(house.fresh.db, store.url).keeper.flush();
    const back = await store.down(outage);
    const handle = await house.start();
    await eventually("it was refused again and again", async () => (await failedForAudit(house)) >= 3);
    expect(house.world.issuers.calls.filter((call) => /^(enable|disable|destroy)/.test(call))).toEqual([]);
    expect(
      await house.fresh.sql("select 1 from rekey_inventory.intents where step ->> 'do' = 'issue'"),
    ).toEqual([]);
    await back();
    expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
    expectWorking(house);
    await expectTold(house, store);
  },
);

test.each(outages)(
  "H31: with the audit store %s a rotation goes back to what works, and destroys nothing meanwhile",
  async (outage) => {
    const store = await auditStore();
    const house = await openHouse({ auditUrl: store.url });
    house.world.consumers.get("reports")?.behave("refuses");
    const handle = await house.start();
    await until(
      handle,
      "adoption",
      ({ gate, standing }) => gate === "delivered and adopted" && standing === "waiting",
    );
    const back = await store.down(outage);
    await cancel(handle);
    await eventually("the new one is off again", () => house.world.enabled().join() === "orders_a");
    expect(house.world.live().password).toBe(house.world.first.password);
    expectWorking(house);
    await eventually("destroying waits", async () => (await failedForAudit(house)) >= 1);
    expect(house.world.issuers.calls.filter((call) => call.startsWith("destroy"))).toEqual([]);
    await back();
    expect(await ended(handle)).toMatchObject({ outcome: "went-back" });
    const told = await expectTold(house, store);
    const gap = told.find(({ kind }) => kind === "gap");
    expect(gap).toMatchObject({
      intact: true,
      torn: false,
      ids: expect.arrayContaining([expect.any(String)]),
    });
  },
);

test("H31: with the audit store down a version that was switched off is enabled again", async () => {
  const store = await auditStore();
  const house = await openHouse({ auditUrl: store.url, policy: { disableSoakMs: 60_000 } });
  const handle = await house.start();
  await eventually("the old one is off", () => house.world.enabled().join() === "orders_b");
  await until(handle, "the soak", ({ standing }) => standing === "waiting");
  const back = await store.down("stopped");
  await cancel(handle);
  await eventually("the old one is on again", () => house.world.enabled().includes("orders_a"));
  await eventually("it is delivered", () => house.world.live().password === house.world.first.password);
  await eventually("the other is off", () => house.world.enabled().join() === "orders_a");
  await until(handle, "its soak", ({ standing }) => standing === "waiting");
  expectWorking(house);
  await back();
  await expectTold(house, store);
});

test.each(outages)("H31: with the audit store %s a leak is contained", async (outage) => {
  const store = await auditStore();
  const house = await openHouse({ auditUrl: store.url });
  await keptLog(house.fresh.db, store.url).keeper.flush();
  const back = await store.down(outage);
  const ordered = {
    reason: "seen in a public repository",
    leaked: ["old"],
    containment: "revoke-now" as const,
  };
  const digest = digestOf(reportText(ordered));
  const documents = await Promise.all(
    (["rashid", "runa"] as const).map((person) =>
      signed(person, { installation: house.installation, says: "emergency", digest }),
    ),
  );
  const handle = await house.start({ emergency: { documents, evidence: null, ...ordered } });
  await eventually("the leaked one is off", () => house.world.enabled().join() === "orders_b");
  expect(house.world.accepts("orders_a", house.world.first.password)).toBe(false);
  await eventually("the new one is delivered", () => {
    const { username, password } = house.world.live();
    return house.world.accepts(username, password);
  });
  await eventually("destroying waits", async () => (await failedForAudit(house)) >= 1);
  expect(house.world.issuers.calls.filter((call) => call.startsWith("destroy"))).toEqual([]);
  await back();
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  const told = await expectTold(house, store);
  expect(told.filter(({ kind }) => ["incident", "gap"].includes(kind)).length).toBeGreaterThanOrEqual(2);
});

test.each(["disable", "destroy"] as const)(
  "H31: an outcome of %s that cannot be written undoes nothing",
  async (step) => {
    const store = await auditStore();
    const house = await openHouse({ auditUrl: store.url });
    // Refused as often as one attempt tries; a sequence counts what a rolled back transaction forgets.
    await house.fresh.sql(`create sequence public.tries;
      create function public.no_outcome() returns trigger language plpgsql as $$ begin
        if new.outcome = 'done' and new.step ->> 'do' = '${step}' and nextval('public.tries') <= 3 then
          raise exception 'no space left' using errcode = 'disk_full';
        end if;
        return new;
      end $$;
      create trigger no_outcome before update on rekey_inventory.intents
        for each row execute function public.no_outcome()`);
    onTestFinished(async () => {
      await house.fresh.sql("drop function public.no_outcome() cascade; drop sequence public.tries");
    });
    const handle = await house.start();
    await eventually("it was done", () => house.world.issuers.calls.includes(`${step} orders_a`));
    expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
    const [tries] = await house.fresh.sql<{ n: string }>("select last_value as n from public.tries");
    expect(Number(tries?.n)).toBeGreaterThanOrEqual(3);
    expect(house.world.issuers.calls.filter((call) => call === "enable orders_a")).toEqual([]);
    expect(house.world.enabled()).toEqual(["orders_b"]);
    expectWorking(house);
    await expectTold(house, store);
  },
);
