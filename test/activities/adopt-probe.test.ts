/**
 * Nobody notices an adoption: the former login is used without a pause while it becomes the owner of a pair, its
 * consumers move, it is switched off, and all of it is taken back. On a real server.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type PostgresWorld, postgresWorld } from "../contract/issuers/postgres-world.js";
import { call, changeOf, passwordOf, tag } from "../contract/issuers/world.js";
import { openAdoptingDesk } from "./adopting.js";

/** It waits for whole rounds of the probes, on a machine that may be slow. */
const testMsMax = 180_000;

let world: PostgresWorld;
beforeAll(async () => {
  world = await postgresWorld();
});
afterAll(() => world.stop());

interface Login {
  readonly user: string;
  readonly password: string;
}

/** Logs in, works and leaves, without a pause, with whatever `login` says then. */
function probe(login: () => Login, work: string) {
  const failures: string[] = [];
  let rounds = 0;
  let running = true;
  const loop = (async () => {
    while (running) {
      const { user, password } = login();
      try {
        const client = await world.login(user, password);
        await client.query(work);
        await client.end();
      } catch (error) {
        failures.push(`${user}: ${String(error)}`);
      }
      rounds += 1;
    }
  })();
  return {
    failures,
    rounds: () => rounds,
    /** Until a round has begun and ended from now on. */
    once: async () => {
      const seen = rounds;
      await expect.poll(() => rounds, { timeout: 60_000 }).toBeGreaterThan(seen + 1);
    },
    stop: async () => {
      running = false;
      await loop;
      return rounds;
    },
  };
}

it(
  "I1: nobody is refused or cut off through the adoption, the move, the former login's end, and all the way back",
  async () => {
    const desk = await openAdoptingDesk(world);
    const { group } = desk.account;
    const [a = ""] = desk.account.logins;
    const work = `UPDATE ${group}.items SET id = id; SELECT count(*) FROM ${group}.items`;
    const formerLogin = { user: group, password: `former-${group}` };
    const roles = async () =>
      (
        await world.superuser.query(
          `SELECT rolname, rolcanlogin, rolpassword, rolconnlimit, shobj_description(oid, 'pg_authid') AS comment
         FROM pg_authid WHERE rolname LIKE $1 || '%' ORDER BY 1`,
          [group],
        )
      ).rows;
    const before = await roles();
    let stored: Login = formerLogin;
    const consumer = probe(() => stored, work);
    let former = probe(() => formerLogin, work);
    const kept = await world.login(formerLogin.user, formerLogin.password);
    await former.once();

    await desk.ask();
    await desk.say("ann");
    expect((await desk.run()).at(-1)?.what).toBe("rests");
    await kept.query(work);
    await former.once();

    // The move, as a rotation makes it: the new login works before anybody is told of it.
    const issuer = world.issuer(desk.account);
    const document = issuer.generate(a);
    await issuer.enable(changeOf(a, null, tag("v1", 1)), document, call());
    stored = { user: a, password: passwordOf(document) };
    await consumer.once();
    await former.once();
    await kept.query(work);
    // In use, the former login is not switched off: the move has not come to its end.
    expect((await desk.run()).map(({ what }) => what)).toEqual(["rests"]);
    await kept.end();
    expect(await former.stop()).toBeGreaterThan(3);
    expect(former.failures).toEqual([]);
    await expect
      .poll(async () => (await desk.run().catch(() => [])).at(-1)?.what, { timeout: 60_000 })
      .toBe("closed");
    await expect(world.login(formerLogin.user, formerLogin.password)).rejects.toMatchObject({
      code: "28P01",
    });
    await consumer.once();

    // Back: on again first, then the consumers, and the rest once nobody uses the pair.
    await desk.ask({ direction: "undo" });
    expect((await desk.run()).map(({ what }) => what)).toEqual(["done", "rests"]);
    former = probe(() => formerLogin, work);
    await former.once();
    stored = formerLogin;
    await consumer.once();
    await issuer.disable(changeOf(a, tag("v1", 1), tag("v1", 2, { state: "disabled" })), call());
    await issuer.close();
    expect((await desk.run()).at(-1)).toEqual({ what: "closed", outcome: "taken-back" });
    await consumer.once();
    await former.once();
    expect(await roles()).toEqual(before);
    await Promise.all([consumer.stop(), former.stop()]);
    expect([...consumer.failures, ...former.failures]).toEqual([]);
  },
  testMsMax,
);
