/**
 * Histories of rotations that ran on each released version, replayed by today's workflow code: a change to it that a
 * running rotation could not follow shows here. `RECORD_HISTORIES=1` with this file records what is missing of the
 * version that package.json names; what is kept is never recorded anew.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { historyFromJSON, historyToJSON } from "@temporalio/common/lib/proto-utils.js";
import { Worker } from "@temporalio/worker";
import { expect, test } from "vitest";
import { projectRoot } from "../../worker/dev/places.js";
import { testBundle } from "./bundle.js";
import { converter } from "./house.js";
import { stories } from "./stories.js";

const folder = join(projectRoot(), "test", "workflows", "histories");
const { version } = JSON.parse(await readFile(join(projectRoot(), "package.json"), "utf8")) as {
  version: string;
};

if (process.env.RECORD_HISTORIES === "1") {
  await mkdir(join(folder, version), { recursive: true });
  const there = await readdir(join(folder, version));
  const missing = Object.keys(stories).filter((name) => !there.includes(`${name}.json`));
  test.each(missing)("%s is recorded", async (name) => {
    await record(name, join(folder, version, `${name}.json`));
  });
}

test("each story is kept as it went on every version", async () => {
  const versions = await readdir(folder);
  expect(versions).toContain(version);
  for (const one of versions)
    expect((await readdir(join(folder, one))).sort()).toEqual(
      Object.keys(stories)
        .map((name) => `${name}.json`)
        .sort(),
    );
});

const kept = (await readdir(folder)).flatMap((one) =>
  Object.keys(stories).map((name) => [one, name] as const),
);

test.each(kept)("%s, %s: today's code replays the history that is kept", async (one, name) => {
  const history = historyFromJSON(JSON.parse(await readFile(join(folder, one, `${name}.json`), "utf8")));
  // It went to its end, or was handed on to the next run.
  const {
    workflowExecutionCompletedEventAttributes: done,
    workflowExecutionContinuedAsNewEventAttributes: on,
  } = history.events?.at(-1) ?? {};
  expect(done ?? on).toBeTruthy();
  await replay(history);
});

test("a history that today's code would not have made is refused", async () => {
  const text = await readFile(join(folder, version, "signed-and-rotated.json"), "utf8");
  const another = JSON.parse(text.replaceAll(/"name":\s*"prove"/g, '"name":"deliver"'));
  await expect(replay(historyFromJSON(another))).rejects.toThrow(
    /nondeterminism|Nondeterminism|does not match/i,
  );
});

async function replay(history: ReturnType<typeof historyFromJSON>): Promise<void> {
  await Worker.runReplayHistory(
    { workflowBundle: { codePath: await testBundle() }, dataConverter: converter(false) },
    history,
  );
}

async function record(name: string, path: string): Promise<void> {
  const handle = await stories[name]?.();
  if (handle === undefined) throw new Error(`there is no story ${name}`);
  const json = JSON.parse(historyToJSON(await handle.fetchHistory()));
  await writeFile(path, `${JSON.stringify(json)}\n`);
}
