/** What `rekey adopt` prints while it waits, works and rests, and what a person signs for it. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { Adoption, AdoptionLook } from "../../client/cli/deps.js";
import {
  type AdoptionDirection,
  type AdoptionPlan,
  type AdoptionProgress,
  type AdoptionRecord,
  adoptionDigest,
  adoptionPlanOf,
  stepsInOrder,
} from "../../domain/adopt-plan.js";
import type { Finding } from "../../domain/finding.js";
import { emptyWorld, now, runIn, type Surroundings, type World } from "./fakes.js";
import { expectGolden } from "./golden.js";
import { signer } from "./signer.js";
import { idle, rotating, stateOf } from "./worlds.js";

const alice = signer();
const day = 86_400_000;

const steps = [
  {
    id: "logins",
    by: "administrator",
    sentence: "Make orders_a and orders_b, switched off.",
    run: "CREATE ROLE orders_a NOLOGIN;\nCREATE ROLE orders_b NOLOGIN;",
    undoSentence: "Drop them again.",
    undo: "DROP ROLE orders_a;\nDROP ROLE orders_b;",
  },
  {
    id: "move",
    by: "engine",
    sentence: "Rotate the credential with `rekey rotate`.",
    run: "",
    undoSentence: "Go back with `rekey rotate`.",
    undo: "",
  },
  {
    id: "former-off",
    by: "administrator",
    sentence: "Switch orders off.",
    run: "ALTER ROLE orders NOLOGIN;",
    undoSentence: "Switch orders on again.",
    undo: "ALTER ROLE orders LOGIN;",
  },
] as const;

const planFor = (direction: AdoptionDirection, quorum = 1) =>
  adoptionPlanOf({
    installation: "inst",
    adoption: "adp_1",
    nonce: "run_1",
    credential: "crd_1",
    identity: "postgresql/7/prod/orders",
    account: { group: "orders", logins: ["orders_a", "orders_b"] },
    direction,
    steps,
    approval: { quorum, approvers: ["orders-team"], deadlineMs: 3 * day },
  });

const digestOf = (plan: AdoptionPlan) =>
  adoptionDigest(plan, (text) => createHash("sha256").update(text).digest("hex"));
const digest = digestOf(planFor("adopt"));

const approval = {
  id: "doc_9",
  person: "alice",
  digest,
  verdict: "approve",
  owners: ["orders-team"],
  issuedAt: now - 1_000,
  expiresAt: now + day,
} as const;

function record(more: Partial<AdoptionRecord> = {}): AdoptionRecord {
  return {
    id: "adp_1",
    credential: "crd_1",
    plan: planFor("adopt"),
    digest: digestOf(more.plan ?? planFor("adopt")),
    requestedBy: "bob",
    reason: "before the first rotation",
    openedAt: now - day,
    askedAt: now - day,
    decisions: [],
    begunAt: null,
    workingSince: null,
    closedAt: null,
    outcome: null,
    closingReason: null,
    done: [],
    cover: null,
    ...more,
  };
}

const signed = record({ decisions: [approval] });
const resting = record({ decisions: [approval], begunAt: now - 3_600_000, done: ["logins"] });
const back = record({
  plan: planFor("undo"),
  cover: { plan: planFor("adopt"), digest, askedAt: now - day, decisions: [approval] },
});

interface Scene {
  readonly record?: AdoptionRecord | null;
  readonly direction?: AdoptionDirection;
  readonly done?: readonly string[];
  readonly findings?: readonly Finding[];
  readonly byHand?: boolean;
  readonly progress?: readonly AdoptionProgress[];
}

/** An adoption that says what the scene says. */
function adopting(scene: Scene, calls: World["calls"] = []): Adoption {
  const { record: found = null, direction = "adopt", done = [], findings = [], byHand = false } = scene;
  const standing = stepsInOrder(planFor(direction)).map((step) => ({
    ...step,
    left: !done.includes(step.id),
  }));
  const look: AdoptionLook = { steps: standing, findings, record: found, byHand };
  return {
    preview: async () => look,
    ask: async (...args) => {
      calls.push(["ask", ...args]);
      return look;
    },
    decide: async (...args) => {
      calls.push(["decide-adoption", ...args]);
      return { accepted: true, sentence: "alice: approve." };
    },
    carryOut: async function* (...args) {
      calls.push(["carry-out", ...args]);
      yield* scene.progress ?? [];
    },
  };
}

const login: Finding = { code: "login-still-used", severity: "warn", sentence: "orders can still log in." };
const superuser: Finding = {
  code: "former-superuser",
  severity: "refuse",
  sentence: "orders is a superuser.",
};
const first = stepsInOrder(planFor("adopt"))[0];
const handed = first ? [{ ...first, left: true }] : [];

const scenarios: Record<string, Scene & { argv: readonly string[]; around?: Surroundings }> = {
  "adopt-dry-run": { argv: ["adopt", "orders-db", "--dry-run"], findings: [login] },
  "adopt-refused": { argv: ["adopt", "orders-db"], findings: [superuser] },
  "adopt-waiting": { argv: ["adopt", "orders-db", "--as", "bob"], record: record(), findings: [login] },
  "adopt-vetoed": {
    argv: ["adopt", "orders-db"],
    record: { ...resting, decisions: [{ ...approval, verdict: "reject" }] },
    done: ["logins"],
  },
  adopt: {
    argv: ["adopt", "orders-db", "--yes"],
    record: signed,
    progress: [
      { what: "done", sentence: steps[0].sentence },
      { what: "rests", sentence: steps[1].sentence },
    ],
  },
  "adopt-declined": {
    argv: ["adopt", "orders-db"],
    record: signed,
    around: { stdinTerminal: true, stdin: "n\n" },
  },
  "adopt-nobody-asked": {
    argv: ["adopt", "orders-db", "--yes"],
    record: record({ plan: planFor("adopt", 0) }),
    progress: [{ what: "closed", outcome: "adopted" }],
  },
  "adopt-by-hand": {
    argv: ["adopt", "orders-db"],
    record: signed,
    byHand: true,
    progress: [{ what: "handed", steps: handed }],
  },
  "adopt-by-hand-noticed": {
    argv: ["adopt", "orders-db"],
    record: resting,
    byHand: true,
    done: ["logins"],
    progress: [
      { what: "found", sentence: steps[0].sentence },
      { what: "rests", sentence: steps[1].sentence },
    ],
  },
  "adopt-undo-covered": {
    argv: ["adopt", "orders-db", "--undo", "--yes"],
    record: back,
    direction: "undo",
    done: ["former-off", "move"],
    progress: [
      { what: "done", sentence: steps[0].undoSentence },
      { what: "closed", outcome: "taken-back" },
    ],
  },
  "adopt-withdrawn": {
    argv: ["adopt", "orders-db", "--undo"],
    direction: "undo",
    record: record({ closedAt: now, outcome: "withdrawn", closingReason: "bob took it back." }),
  },
  "adopt-nothing-left": { argv: ["adopt", "orders-db"], done: ["logins", "move", "former-off"] },
  "adopt-waiting-json": { argv: ["adopt", "orders-db", "--json"], record: record() },
};

test.each(Object.entries(scenarios))("%s prints what it printed before", async (name, scene) => {
  const deps = { adoption: adopting(scene) };
  expectGolden(name, scene.argv, await runIn(idle(), scene.argv, { ...scene.around, deps }));
});

test.each([
  ["status-adopting", ["status"], record()],
  ["status-one-adopting", ["status", "orders-db"], resting],
  ["get-credentials-adopting", ["get", "credentials"], signed],
  ["get-one-adopting", ["get", "credentials", "orders-db"], resting],
] as const)("%s shows the open adoption", async (name, argv, open) => {
  expectGolden(name, argv, await runIn(idle({ adoptions: [open] }), argv));
});

test("whoever runs it is the one who asks, by the name that was given", async () => {
  const calls: World["calls"] = [];
  const deps = { adoption: adopting({ record: record() }, calls) };
  await runIn(idle(), ["adopt", "orders-db", "--as", "bob", "--reason", "it is time"], { deps });
  const ask = { direction: "adopt", requestedBy: "bob", reason: "it is time" };
  expect(calls).toEqual([["ask", "crd_1", ask]]);
  await runIn(idle(), ["adopt", "orders-db", "--undo", "--dry-run"], { deps });
  expect(calls).toHaveLength(1);
});

test("H7: approve shows every statement and signs the adoption's digest for this request, once", async () => {
  const world = idle({ adoptions: [record()] });
  const deps = { adoption: adopting({}, world.calls) };
  const env = { REKEY_KEY: alice.key() };
  const argv = ["approve", "orders-db", "--as", "alice", "--yes"];
  const ran = await runIn(world, argv, { env, deps });
  expectGolden("approve-adoption", argv, ran);
  for (const { run, undo } of steps) {
    for (const line of `${run}\n${undo}`.split("\n")) expect(ran.stdout).toContain(line);
  }
  const [[method, credential, adoption, document] = []] = world.calls;
  expect([method, credential, adoption]).toEqual(["decide-adoption", "crd_1", "adp_1"]);
  expect(await alice.verified(String(document))).toMatchObject({
    installation: "inst",
    credential: "orders-db",
    rotation: "adp_1",
    nonce: "run_1",
    digest,
    says: "approve",
    person: "alice",
    expiresAt: now + 7 * day,
  });
});

test("reject says so, and what was agreed already is not asked again", async () => {
  const env = { REKEY_KEY: alice.key() };
  const world = idle({ adoptions: [record()] });
  const deps = { adoption: adopting({}, world.calls) };
  await runIn(world, ["reject", "orders-db", "--yes"], { env, deps });
  expect(await alice.verified(String(world.calls[0]?.[3]))).toMatchObject({ says: "reject" });
  const again = await runIn(idle({ adoptions: [signed] }), ["approve", "orders-db", "--yes"], { env, deps });
  expect([again.code, again.stdout.trim()]).toEqual([0, "Nothing waits for your signature."]);
});

test("a document that was signed elsewhere finds the adoption that it was signed for", async () => {
  const env = { REKEY_KEY: alice.key() };
  const file = alice.fresh();
  const world = idle({ adoptions: [record()] });
  const deps = { adoption: adopting({}, world.calls) };
  await runIn(world, ["approve", "orders-db", "--yes", "--file", file], { env, deps });
  expect(world.calls).toEqual([]);
  expect((await runIn(world, ["approve", "orders-db", "--document", file], { env, deps })).code).toBe(0);
  expect(world.calls.map(([method]) => method)).toEqual(["decide-adoption"]);
});

test("a rotation that waits is decided on first, and the adoption at rest stays as it is", async () => {
  const env = { REKEY_KEY: alice.key() };
  const answers = { decide: () => ({ accepted: true, sentence: "alice: approve." }) };
  const world = rotating(stateOf(), {}, { answers, adoptions: [resting] });
  const deps = { adoption: adopting({}, world.calls) };
  expect((await runIn(world, ["approve", "orders-db", "--yes"], { env, deps })).code).toBe(0);
  expect(world.calls.map(([method]) => method)).toContain("decide");
  expect(world.calls.map(([method]) => method)).not.toContain("decide-adoption");
});

test("a word that does not count ends with 3 and the reason", async () => {
  const env = { REKEY_KEY: alice.key() };
  const adoption: Adoption = {
    ...adopting({}),
    decide: async () => ({ accepted: false, sentence: "alice may not decide on this." }),
  };
  const world = idle({ adoptions: [record()] });
  const ran = await runIn(world, ["approve", "orders-db", "--yes"], { env, deps: { adoption } });
  expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining("alice may not decide on this.")]);
  const none = await runIn(emptyWorld(), ["approve", "orders-db", "--yes"], { env, deps: { adoption } });
  expect(none.code).toBe(2);
});

test("H7: a plan whose record was changed is not signed", async () => {
  const env = { REKEY_KEY: alice.key() };
  const world = idle({ adoptions: [record({ digest: "another" })] });
  const deps = { adoption: adopting({}, world.calls) };
  const ran = await runIn(world, ["approve", "orders-db", "--yes"], { env, deps });
  expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining("nothing was signed")]);
  expect(world.calls).toEqual([]);
});
