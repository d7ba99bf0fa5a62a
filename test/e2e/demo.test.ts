/** The demo's three acts, asserted: what a new user is shown must be true every time it is shown. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type ActResult,
  emergencyRotation,
  ordinaryRotation,
  refusedRotation,
} from "../../examples/demo/acts.js";
import { demoPolicy } from "../../examples/demo/play.js";
import { openScene, type Scene } from "../../examples/demo/scene.js";
import { achievedPerSecond, Customers } from "../../examples/demo/services.js";
import { Story } from "../../examples/demo/story.js";

const setUpMsMax = 120_000;
const actMsMax = 120_000;
const requestsPerSecond = 50;

/** Customers were there all the time, and none of them was turned away. */
function expectUntroubled({ counts }: ActResult): void {
  expect(counts.failures).toEqual([]);
  expect(counts.requests).toBeGreaterThan(0);
  // More than were sent would be a miscount; how many a loaded machine manages is not judged.
  expect(achievedPerSecond(counts)).toBeGreaterThan(0);
  expect(counts.requests).toBeLessThan(2 * 3 * requestsPerSecond * (counts.tookMs / 1000 + 1));
}

describe.each(["file", "vault"] as const)("the demo with the store %s", (store) => {
  let scene: Scene;
  let customers: Customers;
  const told: string[] = [];
  const story = new Story((text) => void told.push(text), Date.now());

  beforeAll(async () => {
    scene = await openScene({ store, policy: demoPolicy, progress: () => undefined });
    customers = new Customers(scene.services, requestsPerSecond);
  }, setUpMsMax);

  afterAll(async () => {
    await customers?.stop();
    await scene?.stop();
  }, setUpMsMax);

  it(
    "act 1: rotates under load with the owner's signature, fails no request, and the old value is refused",
    async () => {
      const before = await scene.liveDocument();
      const result = await ordinaryRotation(scene, customers, story);
      expectUntroubled(result);
      expect(result).toMatchObject({ outcome: "rotated", oldRefused: true, liveWorks: true });
      const after = await scene.liveDocument();
      expect(after.username).not.toBe(before.username);
      expect(after.password).not.toBe(before.password);
      expect(after.note).toBe(before.note);
      // One of them opens a connection for each request, and may have none at this moment.
      expect(new Set(result.logins)).toEqual(new Set([after.username]));
    },
    actMsMax,
  );

  it(
    "act 2: goes back when a service refuses to move, fails no request, and leaves the value as it was",
    async () => {
      const before = await scene.liveDocument();
      const result = await refusedRotation(scene, customers, story);
      expectUntroubled(result);
      expect(result).toMatchObject({ outcome: "went-back", liveWorks: true });
      const after = await scene.liveDocument();
      expect([after.username, after.password]).toEqual([before.username, before.password]);
      const enabled = await scene.shop.query(
        "select rolname from pg_roles where rolname like 'orders\\__' and rolcanlogin",
      );
      expect(enabled).toEqual([{ rolname: before.username }]);
    },
    actMsMax,
  );

  it(
    "act 3: a reported value is dead at the end, without anybody's sign-off, and no request failed",
    async () => {
      const before = await scene.liveDocument();
      const result = await emergencyRotation(scene, customers, story);
      expectUntroubled(result);
      expect(result).toMatchObject({ outcome: "rotated", oldRefused: true, liveWorks: true });
      expect((await scene.liveDocument()).username).not.toBe(before.username);
    },
    actMsMax,
  );

  it("never tells a value", async () => {
    const { password = "" } = await scene.liveDocument();
    expect(told.join("")).not.toContain(password);
    expect(told.length).toBeGreaterThan(20);
  });
});
