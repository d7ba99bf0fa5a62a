/** What the commands for operators print, word for word: they are read at 3 a.m. */
import { test } from "vitest";
import { RekeyError } from "../../domain/errors.js";
import { emptyWorld, now, runIn, type Surroundings, type World } from "./fakes.js";
import { expectGolden } from "./golden.js";
import { idle, live, moving, rotating, stateOf } from "./worlds.js";

const held = stateOf({
  operator: { since: now - 5_000, reason: "Consumer con_2 was not seen working on version new." },
});

const backAgain = {
  closedAt: now - 1_000,
  outcome: "went-back",
  closingReason: "Consumer con_2: instance report-1 is on version old.",
} as const;

const explained = { credential: "crd_2", name: "billing-db", openRotation: "rot_2", drifts: [] };
const lost = { version: "ver_lost", slot: "orders_b", found: "slot" } as const;
const dead = { version: "ver_dead", slot: "orders_b", found: "copy" } as const;
const unexplained = {
  ...{ credential: "crd_1", name: "orders-db", openRotation: null },
  drifts: [
    {
      code: "unknown-version",
      where: "orders_b",
      sentence: "orders_b lets in version ver_lost.",
      orphan: lost,
    },
    { code: "dead-copy", where: "main", sentence: "main keeps a copy of version ver_dead.", orphan: dead },
  ],
};
const foreign = {
  ...{
    code: "foreign-tag",
    where: "orders_b",
    sentence: "orders_b carries the tag of installation theirs; it is not touched.",
  },
  orphan: null,
};
const found =
  (...takings: unknown[]) =>
  () =>
    idle({ answers: { reconcile: () => takings } });
const removing = (joined: boolean) => () =>
  idle({
    answers: {
      reconcile: () => [explained, unexplained],
      start: () => ({ workflow: "rotate/crd_1", joined }),
    },
  });

const builds = [
  { build: "0.2.0-3f9a1c0b7d52", standing: "current", since: now },
  { build: "0.1.0-77d0e61c2a94", standing: "draining", since: now - 86_400_000 },
  { build: "0.0.9-1b5c0d9e8f21", standing: "drained", since: now - 30 * 86_400_000 },
];
/** The records were put back to an earlier time, and nobody has accepted that. */
function halted(takings: readonly unknown[]): World {
  const evidence = [
    "A tag outside is of rotation rot_7, epoch 3, change 5; the records know no such rotation.",
  ];
  const halt = { id: "rst_1", noticedAt: now - 60_000, evidence };
  return idle({ halt, answers: { reconcile: () => takings as never } });
}

/** It has lost its workflow while it delivered. */
function lostWorld(answers: Record<string, () => unknown>): World {
  const step = { do: "deliver", version: "new", place: "main", consumers: ["con_1"] } as const;
  const intent = {
    rotation: "rot_1",
    change: 2,
    epoch: 1,
    step,
    expects: {},
    at: now - 3_000,
    outcome: null,
  };
  const openIntent = { ...intent, event: null };
  return rotating(moving(), { openIntent }, { answers: { standing: () => "lost", ...answers } as never });
}

interface Scenario extends Surroundings {
  readonly argv: readonly string[];
  readonly world?: () => World;
}

/** Nobody's key is there, whoever runs the tests. */
const nobody = { REKEY_KEY: "/nowhere/key.json" };

const scenarios: Readonly<Record<string, Scenario>> = {
  "explain-never-rotated": { argv: ["explain", "orders-db"], world: idle },
  "explain-moving": {
    argv: ["explain", "orders-db"],
    world: () => rotating(moving(), {}, { answers: { ...live, facts: () => ({ now, state: moving() }) } }),
  },
  "explain-silent": { argv: ["explain", "orders-db"], world: () => rotating() },
  "explain-gone": {
    argv: ["explain", "rot_1"],
    world: () => rotating(stateOf(), {}, { answers: { standing: () => "ended" } }),
  },
  "explain-needs-operator": {
    argv: ["explain", "orders-db"],
    world: () => rotating(held, {}, { answers: { ...live, facts: () => ({ now, state: held }) } }),
  },
  "explain-ended-json": {
    argv: ["explain", "rot_1", "--json"],
    world: () => rotating(moving({ closed: "went-back", target: "old" }), backAgain, { answers: live }),
  },
  "explain-unknown-rotation": { argv: ["explain", "rot_9"], world: () => rotating() },
  "explain-unknown-credential": { argv: ["explain", "order-db"], world: () => rotating() },
  workers: { argv: ["workers"], world: () => idle({ answers: { builds: () => builds } }) },
  "workers-json": { argv: ["workers", "--json"], world: () => idle({ answers: { builds: () => builds } }) },
  "workers-off": { argv: ["workers"], world: () => idle({ answers: { builds: () => [] } }) },
  "workers-current": {
    argv: ["workers", "--current", "0.2.0-3f9a1c0b7d52"],
    world: () => idle({ answers: { builds: () => builds, makeCurrent: () => undefined } }),
  },
  "workers-unknown": {
    argv: ["workers", "--current", "0.3.0"],
    world: () =>
      idle({
        answers: {
          makeCurrent: () => {
            throw new RekeyError("not-found", "No worker of the build 0.3.0 was seen.", "There are 0.1.0-1.");
          },
        },
      }),
  },
  "reconcile-restored": {
    argv: ["reconcile", "--restored"],
    world: () => halted([explained]),
  },
  "reconcile-restored-unreachable": {
    argv: ["reconcile", "--restored"],
    world: () =>
      halted([
        {
          ...unexplained,
          drifts: [
            { ...foreign, code: "unreachable", where: "orders-db", sentence: "orders-pg does not answer." },
          ],
        },
      ]),
  },
  "reconcile-restored-nothing": { argv: ["reconcile", "--restored"], world: found(explained) },
  "reconcile-restored-one": { argv: ["reconcile", "orders-db", "--restored"], world: idle },
  "reconcile-restored-and-remove": { argv: ["reconcile", "--restored", "--remove"], world: idle },
  "reconcile-while-restored": { argv: ["reconcile"], world: () => halted([unexplained]) },
  "status-restored": { argv: ["status"], world: () => halted([]) },
  "adopt-rotation-nothing-lost": { argv: ["adopt-rotation"], world: () => rotating() },
  "adopt-rotation-nothing-open": { argv: ["adopt-rotation", "orders-db"], world: idle },
  "adopt-rotation-running": { argv: ["adopt-rotation", "orders-db"], world: () => rotating() },
  "adopt-rotation-unreachable": {
    argv: ["adopt-rotation"],
    world: () =>
      rotating(
        stateOf(),
        {},
        {
          answers: {
            standing: () => {
              throw new RekeyError("unreachable", "Temporal is not reachable.", "Start it.");
            },
          },
        },
      ),
  },
  "adopt-rotation-declined": {
    argv: ["adopt-rotation"],
    stdinTerminal: true,
    stdin: "n\n",
    world: () => lostWorld({}),
  },
  "adopt-rotation-without-terminal": { argv: ["adopt-rotation"], world: () => lostWorld({}) },
  "adopt-rotation": {
    argv: ["adopt-rotation", "orders-db", "--yes"],
    world: () => lostWorld({ tend: () => 1 }),
  },
  "adopt-rotation-json": {
    argv: ["adopt-rotation", "--yes", "--json"],
    world: () => lostWorld({ tend: () => 1 }),
  },
  "adopt-rotation-ended": {
    argv: ["adopt-rotation", "--yes"],
    world: () => lostWorld({ tend: () => 0, standing: () => "ended" }),
  },
  "adopt-rotation-failed": {
    argv: ["adopt-rotation", "--yes"],
    world: () =>
      lostWorld({
        tend: () => 1,
        standing: () => {
          throw new RekeyError("internal", "A bug.");
        },
      }),
  },
  "reconcile-explained": { argv: ["reconcile"], world: found(explained) },
  "reconcile-drift": { argv: ["reconcile", "orders-db"], world: found(unexplained) },
  "reconcile-foreign-json": {
    argv: ["reconcile", "--json"],
    world: found({ ...unexplained, drifts: [foreign] }),
  },
  "reconcile-unreachable": {
    argv: ["reconcile"],
    world: found({
      ...unexplained,
      drifts: [
        { ...foreign, code: "unreachable", where: "orders-db", sentence: "orders-pg does not answer." },
      ],
    }),
  },
  "reconcile-no-worker": { argv: ["reconcile"], world: idle },
  "reconcile-remove": { argv: ["reconcile", "--remove", "--yes"], world: removing(false) },
  "reconcile-remove-joined": { argv: ["reconcile", "--remove", "--yes"], world: removing(true) },
  "reconcile-remove-nothing": { argv: ["reconcile", "--remove"], world: found(explained) },
  "reconcile-remove-foreign": {
    argv: ["reconcile", "--remove"],
    world: found({ ...unexplained, drifts: [foreign] }),
  },
  "reconcile-remove-declined": {
    argv: ["reconcile", "--remove"],
    stdinTerminal: true,
    stdin: "n\n",
    world: removing(false),
  },
  "reconcile-remove-without-terminal": { argv: ["reconcile", "--remove"], world: removing(false) },
};

test.each(Object.entries(scenarios))("%s prints what it printed before", async (name, scenario) => {
  const world = scenario.world?.() ?? emptyWorld();
  expectGolden(name, scenario.argv, await runIn(world, scenario.argv, { env: nobody, ...scenario }));
});
