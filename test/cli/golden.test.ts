/** What commands print, word for word: the words are the product here. */
import { expect, test } from "vitest";
import { RekeyError } from "../../domain/errors.js";
import { fakeDesk } from "./audit-fakes.js";
import { emptyWorld, now, runIn, type Surroundings, type World } from "./fakes.js";
import { expectGolden } from "./golden.js";
import {
  allowing,
  amendment,
  byClass,
  idle,
  lagging,
  live,
  moving,
  rotating,
  stateOf,
  stranger,
} from "./worlds.js";

const finding = (code: string, severity: "refuse" | "warn", sentence: string) => ({
  code,
  severity,
  sentence,
});

const preview = {
  credential: "crd_1",
  plan: allowing,
  findings: [
    finding("memory-unknown", "warn", "How long consumer orders-report keeps a credential is not stated."),
  ],
  notBefore: null,
  names: { crd_1: "orders-db" },
  sentences: ["1 sign-off asked of orders-team.", "Wave 1: promote it in the store for con_3."],
  forecast: { breaks: ["Whoever uses it and is not declared fails."], skipped: [] },
};

const refused = {
  ...preview,
  plan: amendment,
  notBefore: now + 3_600_000,
  findings: [
    finding("unmapped-reader", "refuse", "2 sessions of psql from 10.0.0.9 belong to no declared consumer."),
    ...preview.findings,
  ],
};

const held = stateOf({
  operator: { since: now - 5_000, reason: "Consumer con_2 was not seen working on version new." },
});

const closed = (outcome: "rotated" | "went-back" | "refused") => ({
  closedAt: now - 1_000,
  outcome,
  closingReason:
    outcome === "rotated"
      ? "every gate was satisfied"
      : "Consumer con_2: instance report-1 is on version old.",
});

const leak = {
  id: "inc_1",
  credential: "crd_1",
  rotation: "rot_1",
  reason: "in a public log",
  reportedBy: "alice",
  at: now - 60_000,
  matched: ["old"],
  signOffBy: now + 86_400_000,
  signedOffAt: null,
  signedOffWith: null,
};

interface Scenario extends Surroundings {
  readonly argv: readonly string[];
  readonly world?: () => World;
}

const scenarios: Readonly<Record<string, Scenario>> = {
  "no-command": { argv: [] },
  "unknown-command": { argv: ["rotat", "orders-db"] },
  "unknown-option": { argv: ["rotate", "orders-db", "--emergancy"] },
  "unknown-option-json": { argv: ["rotate", "orders-db", "--emergancy", "--json"] },
  "missing-argument": { argv: ["plan"] },
  "wrong-choice": { argv: ["resume", "orders-db", "--exit", "sideways"] },
  "unknown-credential": { argv: ["plan", "order-db"], world: idle },
  "unknown-credential-json": { argv: ["plan", "order-db", "--json"], world: idle },
  "nothing-listening": {
    argv: ["status"],
    world: () =>
      emptyWorld({
        connect: async () => {
          throw Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:7233"), { code: "ECONNREFUSED" });
        },
      }),
  },
  "failure-of-ours": {
    argv: ["status"],
    world: () =>
      emptyWorld({
        connect: async () => {
          throw new TypeError("postgres://rekey:hunter2@db");
        },
      }),
  },
  "audit-verify": { argv: ["audit", "verify"] },
  "audit-verify-findings": {
    argv: ["audit", "verify"],
    world: () =>
      emptyWorld({
        audit: fakeDesk(["Entry 3 is missing.", "The log was cut: it has 9 entries, and so on."]),
      }),
  },
  "audit-verify-json": { argv: ["audit", "verify", "--json"] },
  "audit-checkpoint": { argv: ["audit", "checkpoint"] },
  "audit-key": { argv: ["audit", "key"] },
  "audit-show": { argv: ["audit", "show", "rot_1"] },
  "audit-show-unknown": { argv: ["audit", "show", "rot_2"] },
  "audit-show-nothing": { argv: ["audit", "show"] },
  "audit-export": { argv: ["audit", "export", "rot_1"] },
  "audit-unknown": { argv: ["audit", "verfy"] },
  "audit-forget": { argv: ["audit", "forget", "--before", "2026-01-31", "--as", "alice", "--yes"] },
  "audit-forget-by-nobody": { argv: ["audit", "forget", "--before", "2026-01-31", "--yes"] },
  "audit-forget-undated": { argv: ["audit", "forget", "--yes"] },
  "audit-forget-declined": {
    argv: ["audit", "forget", "--before", "2026-01-31", "--as", "alice"],
    stdin: "n\n",
    stdinTerminal: true,
  },
  "audit-key-without-database": { argv: ["audit", "verify", "--key", "a+b+c"] },
  "audit-database-without-key": { argv: ["audit", "verify", "--database", "env:AUDIT_URL"] },
  "audit-since-absent": { argv: ["audit", "verify", "--since", "no/such/checkpoint.txt"] },
  "audit-pack-absent": { argv: ["audit", "verify", "--pack", "no/such/evidence.json"] },
  "get-sections": { argv: ["get"], world: idle },
  "get-nothing-applied": { argv: ["get"] },
  "get-owners": { argv: ["get", "owners"], world: idle },
  "get-policies": { argv: ["get", "policies"], world: idle },
  "get-one": { argv: ["get", "consumers", "orders-api"], world: idle },
  "get-one-json": { argv: ["get", "consumers", "orders-api", "--json"], world: idle },
  "get-section-mistyped": { argv: ["get", "credental"], world: idle },
  plan: { argv: ["plan", "orders-db"], world: () => idle({ answers: { preview: () => preview } }) },
  "plan-by-class": {
    argv: ["plan", "orders-db"],
    world: () => byClass({ answers: { preview: () => preview } }),
  },
  "status-by-class": { argv: ["status", "orders-db"], world: () => byClass() },
  "explain-by-class": { argv: ["explain", "orders-db"], world: () => byClass() },
  "plan-json": {
    argv: ["plan", "orders-db", "--json"],
    world: () => idle({ answers: { preview: () => preview } }),
  },
  "plan-refused": { argv: ["plan", "orders-db"], world: () => idle({ answers: { preview: () => refused } }) },
  "plan-emergency": {
    argv: ["plan", "orders-db", "--emergency", "--containment", "revoke-now"],
    world: () =>
      idle({
        answers: {
          preview: () => ({
            ...preview,
            sentences: ["Take a responder's signed report; tell the owners."],
            forecast: {
              breaks: ["The leaked version is switched off before anybody has moved: con_3 fails."],
              skipped: ["No signature is waited for; owners sign within 1d afterwards."],
            },
          }),
        },
      }),
  },
  "plan-containment-without-emergency": {
    argv: ["plan", "orders-db", "--containment", "revoke-now"],
    world: idle,
  },
  "plan-no-worker": { argv: ["plan", "orders-db"], world: idle },
  "plan-away": {
    argv: ["plan", "orders-db", "--emergency"],
    world: () =>
      idle({
        findings: [stranger],
        answers: {
          preview: () => {
            throw new RekeyError("unreachable", "127.0.0.1:5432 does not answer.");
          },
        },
      }),
  },
  "rotate-started": {
    argv: ["rotate", "orders-db"],
    world: () =>
      idle({
        answers: { start: () => ({ workflow: "rotate/crd_1", joined: false }), standing: () => "ended" },
      }),
  },
  "rotate-joined": { argv: ["rotate", "orders-db", "--json"], world: () => rotating() },
  "rotate-leaked-without-emergency": { argv: ["rotate", "orders-db", "--value-from", "stdin"], world: idle },
  "rotate-emergency-without-reason": { argv: ["rotate", "orders-db", "--emergency"], world: idle },
  "rotate-emergency-without-terminal": {
    argv: ["rotate", "orders-db", "--emergency", "--reason", "in a public log"],
    world: idle,
  },
  "rotate-emergency-declined": {
    argv: ["rotate", "orders-db", "--emergency", "--reason", "in a public log"],
    stdinTerminal: true,
    stdin: "n\n",
    world: idle,
  },
  "rotate-revoke-now-declined": {
    argv: "rotate orders-db --emergency --reason leak --containment revoke-now --takeover".split(" "),
    stdinTerminal: true,
    stdin: "\n",
    world: () => rotating(),
  },
  "rotate-value-from-stdin-without-yes": {
    argv: "rotate orders-db --emergency --reason leak --value-from stdin".split(" "),
    stdinTerminal: true,
    world: idle,
  },
  "expedite-without-terminal": {
    argv: ["expedite", "orders-db", "--reason", "in a public log"],
    world: () => rotating(),
  },
  "expedite-declined": {
    argv: ["expedite", "orders-db", "--reason", "in a public log"],
    stdinTerminal: true,
    stdin: "n\n",
    world: () => rotating(),
  },
  "status-nothing": { argv: ["status"] },
  "status-audit-down": {
    argv: ["status"],
    world: () => idle({ untoldAudit: { entries: 3, since: now - 600_000 } }),
  },
  "status-audit-behind": {
    argv: ["status"],
    world: () => idle({ untoldAudit: { entries: 3, since: now - 2_000 } }),
  },
  "status-idle": { argv: ["status"], world: () => idle({ unsigned: [leak] }) },
  "status-rotating": { argv: ["status"], world: () => rotating() },
  "status-one-idle": { argv: ["status", "orders-db"], world: idle },
  "status-one-moving": {
    argv: ["status", "orders-db"],
    world: () => rotating(moving(), {}, { answers: live }),
  },
  "status-one-silent": { argv: ["status", "orders-db"], world: () => rotating() },
  "status-one-refused": {
    argv: ["status", "orders-db"],
    world: () => rotating(stateOf({ closed: "refused" }), closed("refused"), { answers: live }),
  },
  "status-one-held": { argv: ["status", "orders-db"], world: lagging },
  "status-one-gone": {
    argv: ["status", "orders-db"],
    world: () => rotating(stateOf(), {}, { answers: { standing: () => "ended" } }),
  },
  "status-one-needs-operator": {
    argv: ["status", "orders-db"],
    world: () => rotating(held, {}, { answers: live, unsigned: [leak] }),
  },
  "watch-went-back": {
    argv: ["watch", "orders-db"],
    world: () =>
      rotating(moving({ closed: "went-back", target: "old" }), closed("went-back"), { answers: live }),
  },
  "watch-json": {
    argv: ["watch", "orders-db", "--json"],
    world: () => rotating(moving({ closed: "rotated" }), closed("rotated"), { answers: live }),
  },
  "watch-never-rotated": { argv: ["watch", "orders-db"], world: idle },
  "watch-interrupted": {
    argv: ["watch", "orders-db", "--every", "50ms"],
    interruptAfterMs: 20,
    world: () => rotating(moving(), {}, { answers: live }),
  },
  "rotate-wait-needs-operator": {
    argv: ["rotate", "orders-db", "--wait"],
    world: () => rotating(held, {}, { answers: live }),
  },
  "cancel-without-terminal": { argv: ["cancel", "orders-db"], world: () => rotating() },
  "cancel-declined": {
    argv: ["cancel", "orders-db"],
    stdinTerminal: true,
    stdin: "n\n",
    world: () => rotating(),
  },
  cancel: {
    argv: ["cancel", "orders-db", "--yes"],
    world: () =>
      rotating(
        stateOf(),
        {},
        { answers: { cancel: () => ({ accepted: true, sentence: "The rotation is being cancelled." }) } },
      ),
  },
  "cancel-refused": {
    argv: ["cancel", "orders-db", "--yes"],
    world: () =>
      rotating(
        stateOf(),
        {},
        { answers: { cancel: () => ({ accepted: false, sentence: "The rotation has ended." }) } },
      ),
  },
  "cancel-nothing-open": { argv: ["cancel", "orders-db", "--yes"], world: idle },
  "resume-not-waiting": { argv: ["resume", "orders-db", "--exit", "back", "--yes"], world: () => rotating() },
  "resume-illegal": {
    argv: ["resume", "orders-db", "--exit", "forward", "--yes"],
    world: () => rotating(held),
  },
  resume: {
    argv: ["resume", "orders-db", "--exit", "retry", "--yes"],
    world: () =>
      rotating(
        held,
        {},
        { answers: { resume: () => ({ accepted: true, sentence: "The rotation goes on: retry." }) } },
      ),
  },
  doctor: {
    argv: ["doctor"],
    world: () =>
      idle({
        answers: {
          doctor: () => [
            { subject: "billing-db", findings: [] },
            { subject: "orders-db", findings: refused.findings },
          ],
        },
      }),
  },
  "doctor-clock": {
    argv: ["doctor"],
    world: () =>
      idle({
        inventoryTime: now + 90_000,
        answers: {
          doctor: () => [
            {
              subject: "inventory",
              findings: [
                {
                  ...finding("not-permitted", "refuse", "The login may not read intents."),
                  hint: "As its owner: grant select on all tables.",
                },
              ],
            },
            { subject: "clocks", findings: [] },
          ],
        },
      }),
  },
  grants: { argv: ["grants", "postgres", "--set", "engine=rekey"] },
  "grants-unknown": { argv: ["grants", "postgre"] },
  "grants-not-a-pair": { argv: ["grants", "postgres", "--set", "engine"] },
  migrate: { argv: ["migrate"] },
  "completion-unknown": { argv: ["completion", "tcsh"] },
};

test.each(Object.entries(scenarios))("%s prints what it printed before", async (name, scenario) => {
  const world = scenario.world?.() ?? emptyWorld();
  expectGolden(name, scenario.argv, await runIn(world, scenario.argv, scenario));
});

test("a failure that is not ours is reported without its text", async () => {
  const world = emptyWorld({
    connect: async () => {
      throw new TypeError("postgres://rekey:hunter2@db");
    },
  });
  const { stderr } = await runIn(world, ["status"]);
  expect(stderr).toContain("TypeError");
  expect(stderr).not.toContain("hunter2");
});

test.each([
  ["bad-input", 2],
  ["not-found", 2],
  ["secret-in-input", 2],
  ["refused-by-policy", 3],
  ["rotation-open", 3],
  ["not-permitted", 3],
  ["needs-operator", 4],
  ["unreachable", 5],
  ["missing-setup", 5],
  ["fenced", 1],
  ["internal", 1],
] as const)("the error %s ends the program with %i, as text and as an object", async (code, exitCode) => {
  const world = () =>
    emptyWorld({
      connect: async () => {
        throw new RekeyError(code, "This happened.", "Do that.");
      },
    });
  const text = await runIn(world(), ["status"]);
  expect(text).toEqual({ code: exitCode, stdout: "", stderr: "error: This happened.\nhint: Do that.\n" });
  const json = await runIn(world(), ["status", "--json"]);
  expect(json.code).toBe(exitCode);
  expect(JSON.parse(json.stderr)).toEqual({ code, error: "This happened.", hint: "Do that." });
});
