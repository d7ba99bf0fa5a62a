/** Colour and live pictures only where somebody looks at them. */
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { widthOf } from "../../client/cli/format/layout.js";
import { now, runIn, type Surroundings } from "./fakes.js";
import { idle, moving, rotating } from "./worlds.js";

const csi = "\x1b[";
const timeline = [{ at: now - 9_000, tookMs: 84, what: "open", sentence: "The rotation is open." }];
const answers = { progress: () => ({ rotation: "rot_1", epoch: 1, timeline }) };
const ended = { closedAt: now, outcome: "rotated" as const };

async function status(around: Surroundings, ...flags: string[]) {
  return runIn(rotating(moving(), {}, { answers }), ["status", "orders-db", ...flags], around);
}

test("a terminal gets colour, and the same text without it is what a file gets", async () => {
  const coloured = await status({ terminal: true });
  const bare = await status({ terminal: false });
  expect(coloured.stdout).toContain(csi);
  expect(bare.stdout).not.toContain(csi);
  expect(stripVTControlCharacters(coloured.stdout)).toBe(bare.stdout);
});

test.each([
  ["NO_COLOR is set", { env: { NO_COLOR: "1" } }],
  ["the terminal is dumb", { env: { TERM: "dumb" } }],
])("a terminal gets no colour when %s", async (_, { env }) => {
  expect((await status({ terminal: true, env })).stdout).not.toContain(csi);
});

test("an empty NO_COLOR counts as not set", async () => {
  expect((await status({ terminal: true, env: { NO_COLOR: "" } })).stdout).toContain(csi);
});

test("--json is one object without colour, on a terminal too", async () => {
  const { stdout, stderr } = await status({ terminal: true }, "--json");
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toMatchObject({
    credential: { name: "orders-db" },
    rotation: { id: "rot_1", workflow: "live", standing: { kind: "wait" } },
  });
});

test("errors are coloured on a terminal only", async () => {
  expect((await runIn(idle(), ["plan", "x"], { terminal: true })).stderr).toContain(csi);
  expect((await runIn(idle(), ["plan", "x"])).stderr).not.toContain(csi);
});

test("watch draws over its last picture on a terminal, in lines that fit", async () => {
  const world = rotating(moving(), {}, { answers });
  const around = { terminal: true, columns: 60, interruptAfterMs: 1_500 };
  const { code, stdout, stderr } = await runIn(world, ["watch", "orders-db", "--every", "50ms"], around);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the terminal's own command is what is looked for
  const redraws = [...stdout.matchAll(/\x1b\[(\d+)A\x1b\[0J/g)];
  expect(redraws.length).toBeGreaterThan(0);
  const height = Number(redraws[0]?.[1]);
  const first = stdout.slice(0, stdout.indexOf(redraws[0]?.[0] ?? ""));
  expect(first.trimEnd().split("\n")).toHaveLength(height);
  for (const line of stdout.split("\n")) expect(widthOf(line)).toBeLessThanOrEqual(60);
  expect(code).toBe(130);
  expect(stderr).toContain("Come back with `rekey watch orders-db`.");
});

test("watch says each thing once where nobody looks", async () => {
  const world = rotating(moving(), {}, { answers });
  const around = { terminal: false, interruptAfterMs: 1_500 };
  const { stdout } = await runIn(world, ["watch", "orders-db", "--every", "50ms"], around);
  expect(stdout.match(/The rotation is open\./g)).toHaveLength(1);
  expect(stdout.match(/waiting for adoption/g)).toHaveLength(1);
  expect(stdout).not.toContain(csi);
});

test("watch follows a rotation that moves on to its end", async () => {
  const world = rotating(moving(), {}, { answers });
  const [record] = world.rotations;
  setTimeout(() => {
    if (record)
      Object.assign(world.rotations, [{ ...record, ...ended, initial: moving({ closed: "rotated" }) }]);
  }, 120);
  const { code, stdout } = await runIn(world, ["watch", "orders-db", "--every", "50ms"]);
  expect(code).toBe(0);
  expect(stdout).toContain("rotated; the old one is gone");
});

test("Ctrl-C while waiting for the end cancels nothing", async () => {
  const world = rotating(
    moving(),
    {},
    { answers: { ...answers, cancel: () => ({ accepted: true, sentence: "" }) } },
  );
  const { code } = await runIn(world, ["rotate", "orders-db", "--wait"], { interruptAfterMs: 50 });
  expect(code).toBe(130);
  expect(world.calls.map(([method]) => method)).not.toContain("cancel");
});

test("waiting ends when the workflow is gone and the rotation is not", async () => {
  const world = rotating(moving(), {}, { answers: { standing: () => "running" } });
  const { code, stderr } = await runIn(
    {
      ...world,
      answers: {
        standing: (workflow) => (workflow === "rotate/crd_1" ? (standings.shift() ?? "ended") : "ended"),
      },
    },
    ["rotate", "orders-db", "--wait"],
  );
  expect(code).toBe(5);
  expect(stderr).toContain("takes it up again");
});

const standings = ["running"];

test("what nobody reads any more ends watching, and is no failure", async () => {
  const world = rotating(moving(), {}, { answers });
  const { code, stderr } = await runIn(world, ["watch", "orders-db"], { readers: false });
  expect([code, stderr]).toEqual([130, expect.stringContaining("Come back")]);
});
