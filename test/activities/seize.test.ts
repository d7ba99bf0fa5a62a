/** A seize replaces whatever tag it finds, so it has to see by itself that somebody after it has been there (H3, H8). */
import { expect, test } from "vitest";
import type { ActivityDeps } from "../../activities/deps.js";
import { seizeActivity } from "../../activities/seize.js";
import { type FenceTag, formatTag } from "../../domain/fence.js";
import type { Step } from "../../domain/rotation/steps.js";
import { openDesk } from "./desk.js";

/** A seize at a slot and a place that carry these tags by the time at which it gets there. */
async function seized(tags: { slot?: Partial<FenceTag>; place?: Partial<FenceTag> }) {
  const desk = await openDesk();
  const { id: rotation, installation, epoch, origin } = desk.state;
  const tag = (more: Partial<FenceTag> | undefined): string =>
    formatTag({ installation, rotation, epoch, version: origin, state: "enabled", change: 1, ...more });
  const found = { slot: tag({ change: 0, ...tags.slot }), place: tag({ change: 0, ...tags.place }) };
  const written: string[] = [];
  const seize = async ({ slot }: { slot: string }) => void written.push(slot);
  const systems = await desk.deps.systems(desk.credential);
  const slots = [
    { slot: "a", tag: found.slot, enabled: true },
    { slot: "b", tag: "", enabled: false },
  ];
  const away = {
    ...systems,
    issuer: { ...systems.issuer, survey: async () => ({ slots }), seize },
    stores: {
      main: { ...systems.stores.main, view: async () => ({ tag: found.place, liveVersion: origin }), seize },
    },
  };
  const audit = { objection: async () => null, secure: async () => null };
  const deps = { ...desk.deps, audit, systems: async () => away } as unknown as ActivityDeps;
  const step: Step = { do: "seize", slots: ["a", "b"], places: ["main"] };
  const state = { ...desk.state, seized: false };
  const { events } = await desk.run(() => seizeActivity(deps)({ state, step }));
  return { event: events.at(-1), written };
}

test.each([
  ["a slot of a later epoch", { slot: { epoch: 2 } }, ["b"]],
  ["a slot of a later attempt of its own", { slot: { change: 2 } }, ["b"]],
  ["a place of a later epoch", { place: { epoch: 2 } }, ["a", "b"]],
  ["a place of a later rotation", { place: { epoch: 2, rotation: "rot_later" } }, ["a", "b"]],
])("H3 H8: a seize that comes late leaves alone %s", async (_what, tags, slots) => {
  const { event, written } = await seized(tags);
  expect(event).toMatchObject({ type: "failed", code: "fenced" });
  expect(written.toSorted()).toEqual(slots);
});

test("what an earlier epoch, an earlier change or an earlier rotation left is taken over", async () => {
  const { event, written } = await seized({ place: { rotation: "rot_before", epoch: 0, change: 9 } });
  expect(event).toMatchObject({ type: "seized" });
  expect(written).toEqual(["a", "b", "main"]);
});
