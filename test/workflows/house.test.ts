/** The short workflows: what a schedule starts, what a person asks before anything begins, and that asking changes nothing. */
import { expect, test } from "vitest";
import { formatTag } from "../../domain/fence.js";
import type { Diagnosis, Preview } from "../../domain/rotation/work.js";
import { listRotations } from "../../inventory/rotations.js";
import { rotationWorkflowId } from "../../workflows/messages.js";
import { type EdgeShape, type House, openHouse } from "./house.js";
import { ended, expectWorking, untilAsked } from "./watch.js";

function run<T>({ client, taskQueue, credential }: House, type: string, args: unknown[]): Promise<T> {
  return client.workflow.execute(type, {
    workflowId: `${type}/${credential}/${Math.random()}`,
    taskQueue,
    args,
  });
}

test("the launcher starts what is due under its policy, under the stable id", async () => {
  const house = await openHouse({ policy: { intervalMs: 3_600_000 } });
  expect(await run<number>(house, "launch", ["another policy"])).toBe(0);
  expect(await run<number>(house, "launch", ["quick"])).toBe(1);
  const handle = house.client.workflow.getHandle(rotationWorkflowId(house.credential));
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  const [rotation] = await listRotations(house.fresh.db, { credential: house.credential });
  expect(rotation).toMatchObject({ requestedBy: "schedule", outcome: "rotated" });
  expectWorking(house);
  // Rotated just now: not due again.
  expect(await run<number>(house, "launch", ["quick"])).toBe(0);
});

test("the launcher leaves a rotation alone that runs, and one that has only just been started", async () => {
  const house = await openHouse({ quorum: 1, policy: { intervalMs: 3_600_000 } });
  // Both find it due: its lock is not taken before the workflow runs.
  const counts = await Promise.all([1, 2, 3].map(() => run<number>(house, "launch", ["quick"])));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1);
  const handle = house.client.workflow.getHandle(house.workflowId);
  const state = await untilAsked(handle);
  expect(await run<number>(house, "launch", ["quick"])).toBe(0);
  expect((await untilAsked(handle)).epoch).toBe(state.epoch);
  expect(await listRotations(house.fresh.db, { credential: house.credential })).toHaveLength(1);
});

test("a preview says what would happen to whom and changes nothing", async () => {
  const house = await openHouse({ quorum: 1 });
  const before = snapshot(house);
  const preview = await run<Preview>(house, "preview", [{ credential: house.credential }]);
  expect(preview.findings.filter((finding) => finding.severity === "refuse")).toEqual([]);
  expect(preview.plan?.approvers).toEqual(["payments"]);
  expect(preview.sentences.join("\n")).toMatch(/1 sign-off.*payments/);
  expect(snapshot(house)).toBe(before);
  expect(await listRotations(house.fresh.db, { credential: house.credential })).toEqual([]);
});

test("a preview of an emergency says who fails and what is not waited for, and tells nobody", async () => {
  const house = await openHouse({ quorum: 1, policy: { freezes: [] } });
  const before = snapshot(house);
  const dry = (emergency: object) =>
    run<Preview>(house, "preview", [{ credential: house.credential, emergency }]);
  const [byPolicy, atOnce] = [await dry({}), await dry({ containment: "revoke-now" })];
  expect(byPolicy.forecast.breaks).toEqual([
    "Whoever has not moved 30s after the report fails from then on until it has.",
  ]);
  expect(atOnce.forecast.breaks).toEqual([
    "The leaked version is switched off before anybody has moved: checkout, reports fail until the new one is taken up.",
  ]);
  expect(atOnce.sentences.indexOf(atOnce.sentences.find((line) => line.startsWith("Switch")) ?? "")).toBe(2);
  expect(byPolicy.sentences.at(-2)).toMatch(/^Switch the leaked version off once/);
  for (const { forecast, notBefore } of [byPolicy, atOnce]) {
    expect(forecast.skipped.join(" ")).toContain("No signature is waited for; owners sign within 1m");
    expect(notBefore).toBeNull();
  }
  expect(snapshot(house)).toBe(before);
  expect(await listRotations(house.fresh.db, { credential: house.credential })).toEqual([]);
});

test("a preview names what stands in the way", async () => {
  const house = await openHouse();
  house.world.issuers.server().connect("orders_a", house.world.first.password, "somebody's notebook");
  const preview = await run<Preview>(house, "preview", [{ credential: house.credential }]);
  expect(preview.findings).toContainEqual(
    expect.objectContaining({
      code: "unmapped-reader",
      severity: "refuse",
      subject: "somebody's notebook from a socket of the server's machine",
    }),
  );
});

test("H29: a dry run says at which step there is no way back any more", async () => {
  const preview = async (edges: Record<string, EdgeShape>) => {
    const house = await openHouse({ consumers: ["partner", "probe"], edges });
    return run<Preview>(house, "preview", [{ credential: house.credential }]);
  };
  const usual = await preview({ probe: { pinned: true, canary: true } });
  const marked = (sentences: readonly string[]) =>
    sentences.flatMap((sentence) => /^(.*?)[:.;].*point of no return/.exec(sentence)?.[1] ?? []);
  expect(marked(usual.sentences)).toEqual(["Destroy it"]);
  expect(usual.plan?.pointOfNoReturn).toBe("destroy");
  const stuck = await preview({
    probe: { pinned: true, canary: true },
    partner: { pinned: true, reversible: false },
  });
  expect(marked(stuck.sentences)).toEqual(["Wave 2"]);
  expect(stuck.plan?.pointOfNoReturn).toMatch(/^deliver to /);
});

test("the doctor names each credential with what it lacks, also one whose system is down, and changes nothing", async () => {
  const house = await openHouse();
  const before = snapshot(house);
  expect(await run<Diagnosis[]>(house, "doctor", [])).toMatchObject([
    { subject: "records", findings: [] },
    { subject: "orders-db" },
  ]);
  // H8: another installation has been here, as far as the store alone can tell.
  const place = house.world.stores.place("orders");
  const { raw } = place;
  const theirs = {
    installation: "theirs",
    rotation: "rot_theirs",
    epoch: 1,
    change: 1,
    state: "enabled",
  } as const;
  place.raw = { ...raw, rekey_tag: formatTag({ ...theirs, version: "ver_theirs" }) };
  const [, foreign] = await run<Diagnosis[]>(house, "doctor", []);
  expect(foreign?.findings).toMatchObject([
    {
      code: "foreign-tag",
      severity: "refuse",
      sentence: "The place main in the store carries the tag of installation theirs.",
    },
    { code: "unwatched", severity: "warn" },
  ]);
  place.raw = raw;
  house.world.issuers.faults.unreachable = true;
  const [, diagnosis] = await run<Diagnosis[]>(house, "doctor", []);
  expect(diagnosis?.findings).toMatchObject([{ code: "unreachable", severity: "refuse" }]);
  expect(snapshot(house)).toBe(before);
});

/** Everything that a change would change. */
function snapshot({ world }: House): string {
  const place = world.stores.place("orders");
  return JSON.stringify([[...world.issuers.server().logins], place.raw, place.revision, [...place.copies]]);
}
