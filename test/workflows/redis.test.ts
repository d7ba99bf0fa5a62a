/** A whole rotation of a real Redis user's password, at a primary and a replica, with two services under load. */
import { expect, onTestFinished, test } from "vitest";
import type { Systems } from "../../activities/deps.js";
import { read } from "../../inventory/database.js";
import { listRotations, loadWithin } from "../../inventory/rotations.js";
import { clientOf, hashesOf, hashOf, redisSet, redisWorld } from "../contract/issuers/redis-world.js";
import { openHouse } from "./house.js";
import { RedisShop } from "./redis-shop.js";
import { ended } from "./watch.js";

test("H23 H16: a Redis password is rotated under load, no request fails, the old one is refused everywhere and its sessions are gone", async () => {
  const primary = await redisWorld();
  const { host, port, password: adminPassword } = primary.server;
  const replica = await redisWorld({
    config: [`replicaof ${host} ${port}`, "masteruser admin", `masterauth ${adminPassword.reveal()}`],
  });
  const set = redisSet(primary, replica);
  onTestFinished(() => set.stop());
  const account = await set.account();
  const { user } = account;

  // Patient in everything: the machine that runs the tests may be slow, and nothing here is about time.
  const patient = {
    adoptionTimeoutMs: 120_000,
    drainTimeoutMs: 120_000,
    stallTimeoutMs: 60_000,
    quietPeriodMs: 200,
  };
  const shops = new Map<string, RedisShop>();
  let refit = (systems: Systems): Systems => systems;
  const house = await openHouse({
    consumers: ["checkout", "reports"],
    firstSlot: `${user}/1`,
    policy: patient,
    refit: (systems) => refit(systems),
  });
  const real = set.issuer(account, {}, { installation: house.installation });
  onTestFinished(() => real.close());
  refit = (systems) => ({
    ...systems,
    issuer: real,
    consumers: systems.consumers.map((consumer) => ({
      ...consumer,
      match: { applicationName: [consumer.name], address: [] },
      observe: [shops.get(consumer.name) ?? consumer.observe[0]].filter((way) => way !== undefined),
    })),
  });

  // As it is before Rekey: a password that somebody made, in the store and at every node.
  const { password: old, version } = house.world.first;
  for (const { admin } of set.worlds) {
    await admin.sendCommand(["ACL", "SETUSER", user, `#${hashOf(old)}`]);
    await admin.sendCommand(["ACL", "SAVE"]);
  }
  const place = house.world.stores.place("orders");
  place.raw = { username: user, password: old, rekey_version: version };
  const live = () => place.raw as Record<string, string>;
  shops.set("checkout", new RedisShop("checkout", primary.server, live, "replaces"));
  // This one connects with the new password only when it has to.
  shops.set("reports", new RedisShop("reports", primary.server, live, "keeps"));
  onTestFinished(async () => {
    await Promise.all([...shops.values()].map((shop) => shop.stop()));
  });
  // Somebody who has the old password passes for a consumer, at a node that the consumer does not use.
  const intruder = await clientOf(replica.server, user, old, "checkout");
  onTestFinished(() => {
    if (intruder.isOpen) intruder.destroy();
  });

  const result = await ended(await house.start());
  expect(result).toMatchObject({ outcome: "rotated" });

  const counts = [...shops.values()].map((shop) => shop.counts());
  process.stdout.write(`    requests: ${JSON.stringify(counts)}\n`);
  const now = live();
  expect(now.password).not.toBe(old);
  for (const world of set.worlds) {
    await expect(clientOf(world.server, user, old)).rejects.toThrow("WRONGPASS");
    const client = await clientOf(world.server, user, now.password ?? "");
    expect(await client.sendCommand(["ACL", "WHOAMI"])).toBe(user);
    client.destroy();
    expect(await hashesOf(world, user)).not.toContain(hashOf(old));
    // Also after a restart.
    await world.server.restart();
    await expect(clientOf(world.server, user, old)).rejects.toThrow("WRONGPASS");
  }
  await expect(intruder.sendCommand(["PING"])).rejects.toThrow();

  for (const { served, failed } of counts) {
    expect(served).toBeGreaterThan(20);
    expect(failed).toBe(0);
  }
  const [latest] = await listRotations(house.fresh.db, { credential: house.credential });
  const { events } = await read(house.fresh.db, (tx) => loadWithin(tx, latest?.id ?? ""));
  const told = events.map(({ type }) => type);
  expect(told.filter((type) => type === "renewed").length).toBeGreaterThan(0);
  expect(told.indexOf("renewed")).toBeLessThan(told.indexOf("disabled"));
});
