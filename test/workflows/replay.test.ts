/**
 * Histories of rotations that ran, replayed by today's workflow code: a change to it that a running rotation could
 * not follow shows here. Newly recorded ones take their place when such a change is meant:
 * `RECORD_HISTORIES=1` with this file.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { WorkflowHandle } from "@temporalio/client";
import { historyFromJSON, historyToJSON } from "@temporalio/common/lib/proto-utils.js";
import { Worker } from "@temporalio/worker";
import { expect, test } from "vitest";
import { projectRoot } from "../../worker/dev/places.js";
import { testBundle } from "./bundle.js";
import { converter, type House, openHouse } from "./house.js";
import { paper } from "./people.js";
import { cancel, decide, ended, until, untilAsked } from "./watch.js";

/** What each history went through. They travel unsealed: there is nothing in them that is not made up. */
const stories: Record<string, (house: House) => Promise<WorkflowHandle>> = {
  "signed-and-rotated": async (house) => {
    const handle = await house.start();
    await decide(handle, await paper(house, await untilAsked(handle), "ann"));
    await ended(handle);
    return handle;
  },
  "cancelled-and-gone-back": async (house) => {
    house.world.consumers.get("reports")?.behave("refuses");
    const handle = await house.start();
    await decide(handle, await paper(house, await untilAsked(handle), "bob"));
    await until(handle, "adoption", (p) => p.gate === "delivered and adopted" && p.standing === "waiting");
    await cancel(handle);
    await ended(handle);
    return handle;
  },
};

const folder = join(projectRoot(), "test", "workflows", "histories");

test.each(Object.keys(stories))("%s: today's code replays the history that is kept", async (name) => {
  const path = join(folder, `${name}.json`);
  if (process.env.RECORD_HISTORIES === "1") await record(name, path);
  const history = historyFromJSON(JSON.parse(await readFile(path, "utf8")));
  expect(history.events?.length).toBeGreaterThan(30);
  await replay(history);
});

test("a history that today's code would not have made is refused", async () => {
  const text = await readFile(join(folder, "signed-and-rotated.json"), "utf8");
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
  const house = await openHouse({ quorum: 1, sealed: false, policy: { adoptionTimeoutMs: 60_000 } });
  const handle = await stories[name]?.(house);
  if (handle === undefined) throw new Error(`there is no story ${name}`);
  const json = JSON.parse(historyToJSON(await handle.fetchHistory()));
  await writeFile(path, `${JSON.stringify(json)}\n`);
}
