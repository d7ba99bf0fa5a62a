/**
 * A copy of a declared consumer that pins a version of the store: it is no stranger and has no session, and the old value is all that it
 * has. On a real PostgreSQL, a real Vault and its audit log.
 */
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { type Reasons, reasonsQuery } from "../../workflows/messages.js";
import { auditedShop, delivered, type Given, quietMs } from "./audited-shop.js";
import { ended, eventually, stateOf } from "./watch.js";

/** Reads the pinned version over and over, until it is told to stop or finds it gone: its value is destroyed in the end. */
function reading(pinned: () => Promise<Given | null>) {
  let on = true;
  const work = (async () => {
    while (on && (await pinned()) !== null) await pause(quietMs / 6);
  })();
  const stop = () => {
    on = false;
    return work;
  };
  onTestFinished(stop);
  return { stop };
}

const isSaid = ({ findings }: Reasons) =>
  findings.find(({ code, subject }) => code === "old-version-read" && subject === "orders-api");

test("H21: a declared consumer that goes on reading the old version is named and keeps it, until an owner answers for that", async () => {
  const { house, pinned, change, login } = await auditedShop();
  const handle = await house.start();
  await delivered(handle);
  const copy = reading(pinned);
  const found = await eventually("it is said", async () => isSaid(await handle.query<Reasons>(reasonsQuery)));
  expect(found?.sentence).toMatch(
    /orders-api read version 1 of the store on .*, after the new value was told/,
  );
  // Twice as long as it would have had to be quiet, and everybody who is listed has long moved.
  await pause(2 * quietMs);
  await (await login()).end();
  const { versions, origin } = await stateOf(handle);
  expect(versions[origin]).toMatchObject({ issuer: "enabled" });
  const until = new Date(Date.now() + 30 * 86_400_000).toISOString();
  const why = { owner: "payments", until, reason: "It is a backup, and logs in nowhere." };
  await change({ exceptions: [{ finding: "old-version-read", about: "orders-api", ...why }] });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  await copy.stop();
  await expect(login()).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
}, 150_000);

test("H21: a copy that reads the old version when it is off is found before it is destroyed, and can have it back", async () => {
  const { house, pinned, login } = await auditedShop({ policy: { disableSoak: "4s" } });
  const handle = await house.start();
  await delivered(handle);
  await eventually("the old one is off", async () => {
    const { versions, origin } = await stateOf(handle);
    return versions[origin]?.issuer === "disabled";
  });
  // Once: nobody is asked to read the log for the rotation, which has to do so by itself.
  expect(await pinned()).toMatchObject({ metadata: { version: 1 } });
  expect(await ended(handle)).toMatchObject({
    outcome: "went-back",
    reason: expect.stringMatching(/orders-api read version .* after it was switched off/),
  });
  await (await login()).end();
}, 150_000);
