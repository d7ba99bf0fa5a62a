/**
 * Histories of rotations that ran on each released version, replayed by today's workflow code: a change to it that a
 * running rotation could not follow shows here. `RECORD_HISTORIES=1` with this file records what is missing of the
 * version that package.json names; what is kept is never recorded anew.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { WorkflowHandle } from "@temporalio/client";
import { historyFromJSON, historyToJSON } from "@temporalio/common/lib/proto-utils.js";
import { Worker } from "@temporalio/worker";
import { expect, test } from "vitest";
import { RekeyError } from "../../domain/errors.js";
import { projectRoot } from "../../worker/dev/places.js";
import { takeoverWorkflowId } from "../../workflows/messages.js";
import { testBundle } from "./bundle.js";
import { converter, type House, openHouse } from "./house.js";
import { paper } from "./people.js";
import { both, expedite, report } from "./reports.js";
import { resetToLast } from "./resetting.js";
import {
  cancel,
  decide,
  ended,
  eventually,
  resume,
  stateOf,
  untilAsked,
  untilDelivered,
  untilHeld,
} from "./watch.js";

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
    await untilDelivered(handle);
    await cancel(handle);
    await ended(handle);
    return handle;
  },
  "leaked-and-revoked": async (house) => {
    const handle = await house.start({ emergency: await report(house, both, { containment: "revoke-now" }) });
    await ended(handle);
    return handle;
  },
  "leaked-while-it-is-delivered": async (house) => {
    house.world.consumers.get("reports")?.behave("refuses");
    const handle = await signedFor(house);
    await untilDelivered(handle);
    await expedite(handle, await report(house));
    house.world.consumers.get("reports")?.behave("moves");
    await ended(handle);
    return handle;
  },
  "held-and-resumed": async (house) => {
    const { faults } = house.world.issuers;
    faults.fail.set("disable", new RekeyError("not-permitted", "The engine's login lacks a right."));
    const handle = await signedFor(house);
    await untilHeld(handle);
    faults.fail.delete("disable");
    await resume(handle, "retry");
    await ended(handle);
    return handle;
  },
  "taken-over-for-a-leak": async (house) => {
    house.world.consumers.get("reports")?.behave("refuses");
    const old = await signedFor(house);
    await untilDelivered(old);
    const { epoch } = await stateOf(old);
    const emergency = await report(house);
    const handle = await house.start({ emergency }, takeoverWorkflowId(house.credential, epoch + 1));
    house.world.consumers.get("reports")?.behave("moves");
    await ended(handle);
    return handle;
  },
  "reset-and-adopted": async (house) => {
    const handle = await house.start();
    const before = await untilAsked(handle);
    const again = await resetToLast(house, handle);
    // What was signed for the earlier run wakes it, and counts no more.
    await decide(again, await paper(house, before, "ann"));
    const after = await eventually("a new epoch is asked", async () => {
      const state = await stateOf(again);
      return state.epoch > before.epoch && state.askedAt !== null && state;
    });
    await decide(again, await paper(house, after, "ann"));
    await ended(again);
    return again;
  },
};

/** One that its owner has signed. */
async function signedFor(house: House): Promise<WorkflowHandle> {
  const handle = await house.start();
  await decide(handle, await paper(house, await untilAsked(handle), "ann"));
  return handle;
}

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
  expect(history.events?.length).toBeGreaterThan(30);
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
  const house = await openHouse({ quorum: 1, sealed: false, policy: { adoptionTimeoutMs: 60_000 } });
  const handle = await stories[name]?.(house);
  if (handle === undefined) throw new Error(`there is no story ${name}`);
  const json = JSON.parse(historyToJSON(await handle.fetchHistory()));
  await writeFile(path, `${JSON.stringify(json)}\n`);
}
