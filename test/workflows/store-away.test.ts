/** A leak while the store or a standby is away, on a real PostgreSQL and a real Vault: it is revoked in time, and the rest follows (I5, H24). */
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Systems } from "../../activities/deps.js";
import type { InstanceSeen } from "../../adapters/ports.js";
import { takeoverWorkflowId } from "../../workflows/messages.js";
import { type PostgresWorld, postgresWorld } from "../contract/issuers/postgres-world.js";
import { vaultWorld } from "../contract/stores/vault-world.js";
import { openHouse } from "./house.js";
import { both, report } from "./reports.js";
import { ended, eventually, stateOf } from "./watch.js";

let postgres: PostgresWorld;
beforeAll(async () => {
  postgres = await postgresWorld();
});
afterAll(() => postgres.stop());

/** A house between the two, its first login in use; everybody holds what Vault gives out. */
async function realHouse(containmentDeadlineMs: number) {
  const vault = await vaultWorld("vault");
  onTestFinished(() => vault.dispose());
  const account = await postgres.account();
  const [first = "", second = ""] = account.logins;
  let refit = (systems: Systems): Systems => systems;
  const house = await openHouse({
    firstSlot: first,
    policy: { containmentDeadlineMs },
    refit: (systems) => refit(systems),
  });
  const issuer = postgres.issuer(account, {}, { installation: house.installation });
  // Nobody listens there.
  const standbys = [{ host: "127.0.0.1", port: 1 }];
  const crippled = postgres.issuer(account, { standbys }, { installation: house.installation });
  let standbyIsAway = false;
  const store = vault.open({ installation: house.installation });
  onTestFinished(async () => {
    await Promise.all([issuer, crippled].map((each) => each.close()));
    await store.close();
  });
  const observe = async (): Promise<InstanceSeen[]> => {
    const version = String((await vault.raw())?.rekey_version);
    return [{ instance: "one", version, working: true, sentence: "It works." }];
  };
  const consumer = { preflight: async () => [], observe, close: async () => {} };
  refit = (systems) => ({
    ...systems,
    issuer: standbyIsAway ? crippled : issuer,
    stores: { main: store },
    consumers: systems.consumers.map((each) => ({ ...each, observe: [consumer] })),
  });
  const { password, version } = house.world.first;
  await postgres.superuser.query(
    `ALTER ROLE ${account.group} NOLOGIN; ALTER ROLE ${first} LOGIN PASSWORD '${password}'`,
  );
  await vault.foreignWrite({ username: first, password, rekey_version: version });
  const letsIn = (user: string, value: string) =>
    postgres.login(user, value).then(
      async (client) => client.end().then(() => true),
      () => false,
    );
  const expectMoved = async () => {
    const now = (await vault.raw()) as Record<string, string>;
    expect(now.username).toBe(second);
    expect(await letsIn(second, now.password ?? "")).toBe(true);
    expect(await letsIn(first, password)).toBe(false);
  };
  const revoked = () => eventually("revoked", async () => !(await letsIn(first, password)));
  const setStandby = (is: "away" | "there") => {
    standbyIsAway = is === "away";
  };
  return { house, vault, letsIn: () => letsIn(first, password), revoked, expectMoved, setStandby };
}

test("I5 H24: an emergency begins while the store is away: the leak is revoked without it, and the store follows", async () => {
  const { house, vault, letsIn, revoked, expectMoved } = await realHouse(60_000);
  const reopen = await vault.cutOff();
  expect(await letsIn()).toBe(true);
  const handle = await house.start({ emergency: await report(house, both, { containment: "revoke-now" }) });
  await revoked();
  expect(vault.gate.passed).toEqual([]);
  await reopen();
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  await expectMoved();
});

test("I5 H24: a rotation whose store is away is taken over for a leak: it is revoked by its deadline, and the store follows", async () => {
  const { house, vault, letsIn, revoked, expectMoved } = await realHouse(1_500);
  let reopen = async () => {};
  // The delivery's answer is lost with the store.
  vault.gate.onRequest = async ({ method, path }) => {
    if (method === "GET" || !path.includes(vault.path)) return;
    vault.gate.onRequest = null;
    reopen = await vault.cutOff();
  };
  const old = await house.start();
  const { epoch } = await eventually("the store is away", async () => {
    const state = await stateOf(old).catch(() => null);
    return state?.trouble != null && state;
  });
  expect(await letsIn()).toBe(true);
  const emergency = await report(house);
  const handle = await house.start({ emergency }, takeoverWorkflowId(house.credential, epoch + 1));
  await revoked();
  expect((await stateOf(handle)).seized).toBe(false);
  await reopen();
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  await expectMoved();
});

test("I5 H24: an emergency begins while a standby is away: the leak is revoked at the primary, and is not called revoked before the standby says so", async () => {
  const { house, letsIn, revoked, expectMoved, setStandby } = await realHouse(60_000);
  setStandby("away");
  expect(await letsIn()).toBe(true);
  const handle = await house.start({ emergency: await report(house, both, { containment: "revoke-now" }) });
  await revoked();
  const { versions, origin } = await stateOf(handle);
  expect(versions[origin]?.life).not.toBe("disabled");
  setStandby("there");
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  await expectMoved();
});
