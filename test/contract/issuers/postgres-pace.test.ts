/** How fast sessions are ended on a real server: few at a time in an ordinary rotation, at once where a value leaked (H35). */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { paceOf } from "../../../adapters/shared/pace.js";
import { type PostgresWorld, postgresWorld } from "./postgres-world.js";
import { call, changeOf, passwordOf, tag } from "./world.js";

let world: PostgresWorld;
beforeAll(async () => {
  world = await postgresWorld();
});
afterAll(() => world.stop());

const sessions = 25;

/** Ends that many sessions of a login, and answers how often a pause was drawn. */
async function drawnWhileEnding(urgent: boolean): Promise<number> {
  const account = await world.account();
  const [a = ""] = account.logins;
  let drawn = 0;
  const random = (bytes: number) => {
    if (bytes === 1) drawn += 1;
    return randomBytes(bytes);
  };
  const issuer = world.issuer(account, {}, { random });
  const document = issuer.generate(a);
  await issuer.enable(changeOf(a, null, tag("v1", 1)), document, call());
  const open = await Promise.all(
    Array.from({ length: sessions }, () => world.login(a, passwordOf(document))),
  );
  const change = changeOf(a, tag("v1", 1), tag("v1", 2, { state: "disabled" }));
  await issuer.disable(urgent ? { ...change, urgent } : change, call());
  for (const client of open) await expect(client.query("SELECT 1")).rejects.toThrow();
  await issuer.close();
  return drawn;
}

describe("H35: sessions are ended", () => {
  it("H35: few at a time, with a pause that is drawn anew, in an ordinary disable", async () => {
    expect(await drawnWhileEnding(false)).toBeGreaterThanOrEqual(2);
  });

  it("H35: without such a pause in an emergency", async () => {
    expect(await drawnWhileEnding(true)).toBe(0);
  });

  it("H35: at most 100 a second on a node; and 2,000 in an emergency with one second of pauses", () => {
    const draws = [0, 128, 255].map((byte) => paceOf(false, () => new Uint8Array([byte])).pauseMs());
    expect(draws[0]).toBe(100);
    expect(draws[1]).toBeCloseTo(200, -1);
    expect(draws[2]).toBe(300);
    expect((paceOf(false, randomBytes).perRoundMax / 100) * 1_000).toBeLessThanOrEqual(100);
    const emergency = paceOf(true, () => {
      throw new Error("an emergency draws nothing");
    });
    expect((2_000 / emergency.perRoundMax) * emergency.pauseMs()).toBeLessThanOrEqual(1_000);
  });
});
