/** An adoption is done when its owners have signed it, as they signed it, and not otherwise; on a real server. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Adopter } from "../../adapters/ports.js";
import type { AdoptionProgress } from "../../domain/adopt-plan.js";
import { RekeyError } from "../../domain/errors.js";
import { intendStep, stepsOf } from "../../inventory/adoption-steps.js";
import { adoptionWith } from "../../inventory/adoptions.js";
import { documentsOf } from "../../inventory/decisions.js";
import { applyEstate } from "../../inventory/estate.js";
import { openRotation } from "../../inventory/open.js";
import { type PostgresWorld, postgresWorld } from "../contract/issuers/postgres-world.js";
import { changeOf, codeOf, tag } from "../contract/issuers/world.js";
import { newId, openRequest } from "../inventory/world.js";
import { openAdoptingDesk } from "./adopting.js";

let world: PostgresWorld;
beforeAll(async () => {
  world = await postgresWorld();
});
afterAll(() => world.stop());

const before = ["logins", "settings", "membership", "act-as-group", "register"];
const what = (happened: readonly AdoptionProgress[]) => happened.map((progress) => progress.what);
const days = 24 * 3_600_000;

/** Roles of the account that exist. */
async function roles(group: string): Promise<string[]> {
  const { rows } = await world.superuser.query<{ rolname: string }>(
    "SELECT rolname::text FROM pg_roles WHERE rolname = $1 OR rolname LIKE $1 || E'\\\\_%' ORDER BY 1",
    [group],
  );
  return rows.map(({ rolname }) => rolname);
}

it("H7: no step is taken before the owners have signed this very plan, and what they signed is used up with the first", async () => {
  const desk = await openAdoptingDesk(world);
  const record = await desk.ask();
  expect(record?.plan).toMatchObject({
    direction: "adopt",
    approval: { quorum: 1, approvers: ["payments"] },
  });
  expect(record?.plan.identity).toMatch(/^postgresql\/\d+\/.+\/ordersdb$/);
  expect(record?.plan.steps[0]?.run).toContain("CREATE ROLE");
  expect(await codeOf(desk.run())).toBe("decision-refused");
  expect(await stepsOf(desk.fresh.db, record?.id ?? "")).toEqual([]);
  expect(await roles(desk.account.group)).toEqual([desk.account.group]);
  expect(await desk.say("ann", { digest: "another plan" })).toMatchObject({ accepted: false });
  expect(await desk.say("ann", { nonce: "another run" })).toMatchObject({ accepted: false });
  expect(await desk.say("ann", { installation: "elsewhere" })).toMatchObject({ accepted: false });
  expect(await desk.say("ann", { credential: "billing-db" })).toMatchObject({ accepted: false });
  expect(await codeOf(desk.run())).toBe("decision-refused");
  expect(await desk.say("ann")).toEqual({ accepted: true, sentence: "ann: approve." });
  expect(what(await desk.run())).toEqual([...before.map(() => "done"), "rests"]);
  expect(await stepsOf(desk.fresh.db, record?.id ?? "")).toEqual(
    before.map((step, index) => ({ number: index + 1, step, way: "run", outcome: "done" })),
  );
  const [document] = await documentsOf(desk.fresh.db, record?.id ?? "");
  expect(document).toMatchObject({ burnedByRotation: record?.id, burnedByChange: 1 });
  // Asked again it is the same request; nothing is taken twice.
  expect((await desk.ask())?.id).toBe(record?.id);
  expect(what(await desk.run())).toEqual(["rests"]);
});

it("H37: whoever asked, has just changed the rules, or answers for nothing does not count; persons do, once each", async () => {
  const desk = await openAdoptingDesk(world, { quorum: 2 });
  await desk.ask({ requestedBy: "bob" });
  expect((await desk.say("bob")).sentence).toContain("whoever asked");
  expect(await desk.say("eve")).toMatchObject({ accepted: false });
  expect(await desk.say("ann")).toMatchObject({ accepted: true });
  expect(await desk.say("ann")).toMatchObject({ accepted: true });
  expect(await codeOf(desk.run())).toBe("decision-refused");
  // A delegate is another person, and speaks for the same owner.
  expect(await desk.say("dora")).toMatchObject({ accepted: true });
  const body = {
    ...desk.credential.estate,
    policies: { standard: { ...desk.credential.policy, quietPeriodMs: 1 } },
  };
  await applyEstate(desk.fresh.db, { estate: body, digest: "d2", by: "dora", now: desk.clock.now, newId });
  // Authority is a matter of the time of use: dora has changed the rules since she signed.
  expect(await codeOf(desk.run())).toBe("decision-refused");
  desk.clock.now += 2 * days;
  expect(await codeOf(desk.run())).toBe("decision-refused");
});

it("H37: a signature with a key that was taken from its person since does not count", async () => {
  const desk = await openAdoptingDesk(world);
  await desk.ask();
  await desk.say("ann");
  const { ann } = desk.credential.estate.owners;
  desk.credential.estate = {
    ...desk.credential.estate,
    owners: { ...desk.credential.estate.owners, ann: { ...ann, keys: [] } as never },
  };
  expect(await codeOf(desk.run())).toBe("decision-refused");
});

it("H38: a rejection before the first step ends the request; after it only the way back is left", async () => {
  const desk = await openAdoptingDesk(world);
  const first = await desk.ask();
  await desk.say("ann");
  expect(await desk.say("bob", { says: "reject" })).toMatchObject({ accepted: true });
  expect(await adoptionWith(desk.fresh.db, first?.id ?? "")).toMatchObject({ outcome: "refused" });
  const second = await desk.ask();
  expect(second?.id).not.toBe(first?.id);
  await desk.say("ann");
  await desk.run();
  await desk.say("bob", { says: "reject" });
  const { issuer } = await moved(desk);
  expect(await codeOf(desk.run())).toBe("decision-refused");
  await issuer.disable(
    changeOf(desk.account.logins[0] ?? "", tag("v1", 1), tag("v1", 2, { state: "disabled" })),
    { signal: AbortSignal.timeout(20_000) },
  );
  await issuer.close();
  // What ann signed covers going back, and bob wants it back.
  await desk.ask({ direction: "undo", requestedBy: "ann" });
  expect(what(await desk.run()).at(-1)).toBe("closed");
  expect(await roles(desk.account.group)).toEqual([desk.account.group]);
});

/** A login of the pair is switched on, as the rotation in the middle does. */
async function moved(desk: Awaited<ReturnType<typeof openAdoptingDesk>>) {
  const [a = ""] = desk.account.logins;
  const issuer = world.issuer(desk.account);
  const document = issuer.generate(a);
  await issuer.enable(changeOf(a, null, tag("v1", 1)), document, { signal: AbortSignal.timeout(20_000) });
  return { issuer, document };
}

it("H38: signatures that ran out are asked for anew, before the first step with a new plan, after it with the same", async () => {
  const desk = await openAdoptingDesk(world);
  const first = await desk.ask();
  desk.clock.now += 4 * days;
  const second = await desk.ask();
  expect(second?.id).not.toBe(first?.id);
  expect(await adoptionWith(desk.fresh.db, first?.id ?? "")).toMatchObject({ outcome: "refused" });
  await desk.say("ann", { expiresAt: desk.clock.now + 30 * days });
  await desk.run();
  const { issuer } = await moved(desk);
  await issuer.close();
  // Longer than the policy lets a signature count, whatever the signer wrote into it.
  desk.clock.now += 15 * days;
  expect(await codeOf(desk.run())).toBe("decision-refused");
  expect(await desk.ask()).toMatchObject({ id: second?.id, askedAt: desk.clock.now });
  await desk.say("bob");
  expect(what(await desk.run())).toEqual(["done", "closed"]);
  expect(await adoptionWith(desk.fresh.db, second?.id ?? "")).toMatchObject({ outcome: "adopted" });
});

it("a policy that asks nobody needs no signature", async () => {
  const desk = await openAdoptingDesk(world, { quorum: 0 });
  await desk.ask();
  expect(what(await desk.run()).at(-1)).toBe("rests");
});

it("going back is covered while the signatures hold, and asks by a plan of its own when they do not", async () => {
  const desk = await openAdoptingDesk(world);
  await desk.ask();
  await desk.say("ann");
  await desk.run();
  desk.clock.now += 15 * days;
  const back = await desk.ask({ direction: "undo" });
  expect(back?.cover?.digest).toBeDefined();
  expect(back?.plan.direction).toBe("undo");
  expect(await codeOf(desk.run())).toBe("decision-refused");
  expect((await roles(desk.account.group)).length).toBe(3);
  await desk.say("bob");
  const happened = await desk.run();
  expect(what(happened)).toEqual([...before.map(() => "done"), "closed"]);
  expect(happened.at(-1)).toMatchObject({ outcome: "taken-back" });
  expect(await roles(desk.account.group)).toEqual([desk.account.group]);
  expect(await desk.ask({ direction: "undo" })).toBeNull();
});

it("a request is withdrawn without anybody's leave while nothing was done", async () => {
  const desk = await openAdoptingDesk(world);
  await desk.ask();
  expect(await desk.ask({ direction: "undo" })).toMatchObject({ outcome: "withdrawn" });
  expect(await desk.ask({ direction: "undo" })).toBeNull();
});

it("H7: another issuer, or other statements than the signed ones, are not touched", async () => {
  const desk = await openAdoptingDesk(world);
  const record = await desk.ask();
  await desk.say("ann");
  const { adopter } = await desk.adopter();
  const elsewhere: Adopter = {
    ...adopter,
    read: async (frame) => ({ ...(await adopter.read(frame)), identity: "postgresql/1/other/ordersdb" }),
  };
  expect(await codeOf(desk.run(elsewhere))).toBe("wrong-server");
  const edited: Adopter = {
    ...adopter,
    read: async (frame) => {
      const view = await adopter.read(frame);
      return { ...view, steps: view.steps.map((step) => ({ ...step, run: `${step.run} -- and more` })) };
    },
  };
  expect(await codeOf(desk.run(edited))).toBe("refused-by-policy");
  expect(await stepsOf(desk.fresh.db, record?.id ?? "")).toEqual([]);
});

const interruptions = before.flatMap((step, index) =>
  (["before", "after"] as const).flatMap((when) =>
    (["on", "back"] as const).map((then) => [when, step, then, index] as const),
  ),
);

it.each(interruptions)(
  "H3: interrupted right %s the statements of %s it goes %s truthfully",
  async (when, step, then, index) => {
    const desk = await openAdoptingDesk(world);
    const record = await desk.ask();
    await desk.say("ann");
    const { adopter, session } = await desk.adopter();
    let runs = 0;
    const dying: Adopter = {
      ...adopter,
      run: async (statements, frame) => {
        runs += 1;
        if (runs <= index) return adopter.run(statements, frame);
        if (when === "after") await adopter.run(statements, frame);
        // The process is gone: neither the answer nor another question gets through.
        session.destroy();
        throw new RekeyError("unreachable", "gone");
      },
    };
    expect(await codeOf(desk.run(dying))).toBe("unreachable");
    const kept = await stepsOf(desk.fresh.db, record?.id ?? "");
    expect(kept.map(({ outcome }) => outcome)).toEqual([...before.slice(0, index).map(() => "done"), null]);
    expect(kept.at(-1)?.step).toBe(step);
    await free(desk.account.group);
    if (then === "on") {
      expect(what(await desk.run())).toEqual([
        ...(when === "after" ? ["found"] : []),
        ...before.slice(index + (when === "after" ? 1 : 0)).map(() => "done"),
        "rests",
      ]);
      const all = await stepsOf(desk.fresh.db, record?.id ?? "");
      expect(all.every(({ outcome }) => outcome === "done")).toBe(true);
      return;
    }
    await desk.ask({ direction: "undo", requestedBy: "ann" });
    expect(await adoptionWith(desk.fresh.db, record?.id ?? "")).toMatchObject({ outcome: "turned" });
    // Nobody has looked whether the last one was done: the record does not say that it was, or was not.
    expect((await stepsOf(desk.fresh.db, record?.id ?? "")).at(-1)).toMatchObject({ outcome: "unknown" });
    expect(what(await desk.run()).at(-1)).toBe("closed");
    expect(await roles(desk.account.group)).toEqual([desk.account.group]);
  },
);

/** Waits until the server has noticed that a session is gone. */
async function free(group: string): Promise<void> {
  await expect
    .poll(
      async () => {
        const { rows } = await world.superuser.query(
          "SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AND pg_advisory_unlock(hashtextextended($1, 0)) AS free",
          [`rekey/adopt/${group}`],
        );
        return rows[0]?.free;
      },
      { timeout: 30_000 },
    )
    .toBe(true);
}

it("H3: two runs at once are one: the second is told so, and a run that was taken over writes nothing more", async () => {
  const desk = await openAdoptingDesk(world);
  const record = await desk.ask();
  await desk.say("ann");
  const { adopter } = await desk.adopter();
  let second = "";
  const slow: Adopter = {
    ...adopter,
    run: async (statements, frame) => {
      second ||= await codeOf(desk.run());
      return adopter.run(statements, frame);
    },
  };
  expect(what(await desk.run(slow)).at(-1)).toBe("rests");
  expect(second).toBe("conflict");
  const open = await desk.open();
  const intent = {
    record: open,
    steps: ["former-off"],
    way: "run",
    lockKeys: [],
    speaksFor: () => ["payments"],
    coverSpeaksFor: () => [],
    at: desk.clock.now,
  } as const;
  const epoch = await intendStep(desk.fresh.db, { ...intent, epoch: null });
  await intendStep(desk.fresh.db, { ...intent, epoch: null });
  expect(await codeOf(intendStep(desk.fresh.db, { ...intent, epoch }))).toBe("superseded");
  expect(record?.id).toBe(open.id);
});

it("H8: a rotation and an adoption of one credential exclude one another, and share its locks", async () => {
  const desk = await openAdoptingDesk(world);
  const { db } = desk.fresh;
  await desk.ask();
  await desk.say("ann");
  // While people are asked nothing is held: an emergency must not wait for them.
  const rotation = openRequest(desk.credential.id, { lockKeys: desk.credential.lockKeys });
  const opened = await openRotation(db, rotation);
  expect(await codeOf(desk.run())).toBe("rotation-open");
  expect(await stepsOf(db, (await desk.open()).id)).toEqual([]);
  await desk.fresh.sql(`update rekey_inventory.locks set rotation = null`);
  await desk.fresh.sql(
    `update rekey_inventory.rotations set closed_at = now(), outcome = 'refused' where id = '${opened.rotation}'`,
  );
  const { adopter } = await desk.adopter();
  let meanwhile = "";
  const watched: Adopter = {
    ...adopter,
    run: async (statements, frame) => {
      const request = openRequest(desk.credential.id, { lockKeys: [] });
      meanwhile ||= await codeOf(openRotation(db, request));
      return adopter.run(statements, frame);
    },
  };
  expect(what(await desk.run(watched)).at(-1)).toBe("rests");
  expect(meanwhile).toBe("rotation-open");
  // At rest the lock is free: the step in the middle is a rotation.
  const middle = await openRotation(db, openRequest(desk.credential.id));
  expect(middle.epoch).toBeGreaterThan(opened.epoch);
  expect(await codeOf(desk.ask({ direction: "undo" }))).toBe("rotation-open");
});

it("handed to somebody: the signed statements, noticed once they were run, by whomever", async () => {
  const desk = await openAdoptingDesk(world);
  const record = await desk.ask();
  const { adopter } = await desk.adopter(false);
  expect(await codeOf(desk.run(adopter))).toBe("decision-refused");
  await desk.say("ann");
  const happened = await desk.run(adopter);
  expect(what(happened)).toEqual(["handed"]);
  const handed = happened[0]?.what === "handed" ? happened[0].steps : [];
  expect(handed.map(({ id }) => id)).toEqual(before);
  const signed = record?.plan.steps.map(({ run }) => run) ?? [];
  expect(handed.map(({ run }) => run)).toEqual(signed.slice(0, before.length));
  const [document] = await documentsOf(desk.fresh.db, record?.id ?? "");
  expect(document).toMatchObject({ burnedByRotation: record?.id });
  for (const { run } of handed.slice(0, 2)) await world.superuser.query(run);
  const again = await desk.run(adopter);
  expect(what(again)).toEqual(["found", "found", "handed"]);
  for (const { run } of handed.slice(2)) await world.superuser.query(run);
  expect(what(await desk.run(adopter))).toEqual(["found", "found", "found", "rests"]);
  expect(await stepsOf(desk.fresh.db, record?.id ?? "")).toEqual(
    before.map((step, index) => ({ number: index + 1, step, way: "hand", outcome: "done" })),
  );
});

it("what was done before anybody signed is recorded as found, not as ours", async () => {
  const desk = await openAdoptingDesk(world);
  const record = await desk.ask();
  await world.superuser.query(record?.plan.steps[0]?.run ?? "");
  await desk.say("ann");
  expect(what(await desk.run())).toEqual(["found", "done", "done", "done", "done", "rests"]);
  const [first] = await stepsOf(desk.fresh.db, record?.id ?? "");
  expect(first).toEqual({ number: 1, step: "logins", way: "found", outcome: "done" });
});

it("an adoption that has begun keeps its account: the estate cannot move it meanwhile, only before", async () => {
  const desk = await openAdoptingDesk(world);
  const { db } = desk.fresh;
  const { estate } = desk.credential;
  const moved = (login: string) => {
    const orders = estate.credentials["orders-db"];
    if (orders === undefined) throw new Error("the sample has it");
    const credentials = { ...estate.credentials, "orders-db": { ...orders, account: { login } } };
    const request = {
      estate: { ...estate, credentials },
      digest: login,
      by: "platform",
      now: desk.clock.now,
      newId,
    };
    return applyEstate(db, request);
  };
  await desk.ask();
  await moved("before");
  await desk.say("ann");
  await desk.run();
  expect(await codeOf(moved("after"))).toBe("rotation-open");
});
