/**
 * The primary is lost in the middle of a rotation of a real PostgreSQL pair, and its standby is promoted: the rotation
 * goes on there, with nobody cut off, and also where the standby was behind and lacks the last change.
 */
import { expect, onTestFinished, test } from "vitest";
import type { Systems } from "../../activities/deps.js";
import type { PostgresConfig } from "../../adapters/issuers/postgres/config.js";
import { postgres } from "../../adapters/issuers/postgres.js";
import type { Issuer } from "../../adapters/ports.js";
import { parseTag } from "../../domain/fence.js";
import { progressQuery } from "../../workflows/messages.js";
import { type CopiedServer, copyOf } from "../contract/issuers/postgres-copy.js";
import { wireTo } from "../contract/issuers/postgres-proxy.js";
import { clientOf, database, postgresWorld } from "../contract/issuers/postgres-world.js";
import { FailoverShop } from "./failover-shop.js";
import { openHouse } from "./house.js";
import { ended, eventually, recordedEvents } from "./watch.js";

/** Nothing here is about time: the machine that runs the tests may be slow, and promoting takes as long as it takes. */
const patient = {
  adoptionTimeoutMs: 120_000,
  drainTimeoutMs: 120_000,
  stallTimeoutMs: 600_000,
  quietPeriodMs: 200,
};

/** What happens on the new version's way, and is waited for there. */
interface Moments {
  readonly beforeIssue?: () => Promise<void>;
  readonly afterProof?: () => Promise<void>;
}

/** The issuer, with that happening when the version in `slot` is issued and when it has been proved. */
function interrupted(issuer: Issuer, slot: string, { beforeIssue, afterProof }: Moments): Issuer {
  const methods: Partial<Issuer> = {
    enable: async (...given) => {
      await beforeIssue?.();
      return issuer.enable(...given);
    },
    prove: async (...given) => {
      const proofs = await issuer.prove(...given);
      if (given[0] === slot) await afterProof?.();
      return proofs;
    },
  };
  return new Proxy(issuer, {
    get(target, name) {
      const found: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name, target);
      return typeof found === "function" ? found.bind(target) : found;
    },
  });
}

/** A primary with an account on it, two services that use it, and no rotation yet. */
async function openScene() {
  const world = await postgresWorld(["wal_level = replica", "max_wal_senders = 5"]);
  onTestFinished(() => world.stop());
  const account = await world.account();
  const [first = "", second = ""] = account.logins;
  let said = { issuer: world.issuer(account), locks: world.config };
  const shops = new Map<string, FailoverShop>();
  const house = await openHouse({
    consumers: ["checkout", "reports"],
    firstSlot: first,
    policy: patient,
    refit: (systems): Systems => ({
      ...systems,
      issuer: said.issuer,
      lockKeys: [`credential:${systems.id}`, ...postgres.lockKeys(said.locks, account)],
      consumers: systems.consumers.map((consumer) => ({
        ...consumer,
        match: { applicationName: [consumer.name], address: [] },
        observe: [shops.get(consumer.name) ?? consumer.observe[0]].filter((way) => way !== undefined),
      })),
    }),
  });
  const { password: old, version } = house.world.first;
  await world.superuser.query(
    `ALTER ROLE ${account.group} NOLOGIN; ALTER ROLE ${first} LOGIN PASSWORD '${old}'`,
  );
  const place = house.world.stores.place("orders");
  place.raw = { username: first, password: old, rekey_version: version };
  const live = () => place.raw as Record<string, string>;
  /** Has the estate say this of the server from now on; `name` is what it calls the primary, wherever that leads. */
  const say = (
    config: Partial<PostgresConfig>,
    moments: Moments = {},
    name: Partial<PostgresConfig> = config,
  ) => {
    const real = world.issuer(account, config, { installation: house.installation });
    onTestFinished(() => real.close());
    const free = live().username === first ? second : first;
    said = { issuer: interrupted(real, free, moments), locks: { ...world.config, ...name } };
  };
  // What the standby follows can be cut.
  const wire = await wireTo(world.server.port);
  onTestFinished(() => wire.close());
  const { user, password } = world.server;
  const follow = `primary_conninfo = host=127.0.0.1 port=${wire.port} user=${user} password=${password.reveal()} application_name=standby`;
  const standby = await copyOf(world.server, "standby", [follow]);
  onTestFinished(() => standby.stop());
  for (const name of ["checkout", "reports"])
    shops.set(name, new FailoverShop(name, [world.server, standby.server], live));
  onTestFinished(async () => {
    await Promise.all([...shops.values()].map((shop) => shop.stop()));
  });
  say({ receivers: ["standby"] });
  const failOver = async () => {
    await world.server.stop();
    const superuser = await standby.superuser(database);
    await superuser.query("SELECT pg_promote()");
    await superuser.end();
  };
  const { host, port } = standby.server;
  return { house, say, live, wire, failOver, shops, promoted: { host, port }, standby };
}

/** After it: the new version is the one of the new primary, the old one is refused there, and nobody was ever. */
async function expectRotatedAt(
  standby: CopiedServer,
  shops: ReadonlyMap<string, FailoverShop>,
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): Promise<void> {
  const { host, port } = standby.server;
  expect(now.username).not.toBe(before.username);
  await expect(
    clientOf({ host, port, database, user: before.username, password: before.password }),
  ).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
  await (await clientOf({ host, port, database, user: now.username, password: now.password })).end();
  const superuser = await standby.superuser(database);
  const { rows } = await superuser.query(
    "SELECT shobj_description(oid, 'pg_authid') AS tag FROM pg_roles WHERE rolname = $1",
    [now.username],
  );
  await superuser.end();
  expect(parseTag(rows[0]?.tag)).toMatchObject({ version: now.rekey_version, state: "enabled" });
  const counts = () => [...shops.values()].map((shop) => shop.counts());
  const served = counts().map((count) => count.served);
  await eventually("everybody goes on", () =>
    counts().every((count, i) => count.served > (served[i] ?? 0) + 10),
  );
  process.stdout.write(`    requests: ${JSON.stringify(counts())}\n`);
  expect(counts().map(({ refused }) => refused)).toEqual([0, 0]);
}

test("H16: the primary is lost after the proof: it says that the standby was promoted, and goes on there once the estate says so", async () => {
  const { house, say, live, failOver, shops, promoted, standby } = await openScene();
  const before = live();
  say({ standbys: [promoted] }, { afterProof: failOver });
  const handle = await house.start();
  const sentence = `${promoted.host}:${promoted.port} is not the standby any more`;
  const says = async () => {
    const { timeline } = await handle.query(progressQuery);
    return timeline.some((entry) => entry.what === "failed" && entry.sentence.includes(sentence));
  };
  await expect.poll(says, { timeout: 120_000 }).toBe(true);
  // The place may have been fenced anew by now; what it gives out is what it gave.
  expect({ ...live(), rekey_tag: undefined }).toEqual(before);
  say(promoted);
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  await expectRotatedAt(standby, shops, before, live());
}, 180_000);

test.each(["was never used", "had a version before"])(
  "H16 H32: the server that was promoted lacks the issue, in a slot that %s: it is noticed, and made once more",
  async (slot) => {
    const { house, say, live, wire, failOver, shops, promoted, standby } = await openScene();
    if (slot === "had a version before")
      expect(await ended(await house.start())).toMatchObject({ outcome: "rotated" });
    const before = live();
    // It takes no logins, so nobody waits for it; and the primary's name leads to it from then on.
    say(
      { receivers: ["standby"] },
      {
        beforeIssue: () => wire.close(),
        afterProof: async () => {
          await failOver();
          say(promoted, {}, {});
        },
      },
      {},
    );
    const handle = await house.start();
    expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
    const types = (await recordedEvents(house)).map(({ type }) => type);
    const [proved, delivered] = [types.indexOf("proved"), types.indexOf("delivered")];
    expect(types.slice(proved, delivered + 1)).toEqual([
      "proved",
      "seized",
      "enabled",
      "proved",
      "delivered",
    ]);
    await expectRotatedAt(standby, shops, before, live());
  },
  180_000,
);
