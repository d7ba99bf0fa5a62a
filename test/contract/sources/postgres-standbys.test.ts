/** A primary with standbys, real ones: whoever is connected at a standby that is not listed is a gap with its name. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { postgresActivity } from "../../../adapters/sources/postgres-activity.js";
import { type PostgresServer, startPostgres } from "../../../worker/dev/postgres.js";
import { type CopiedServer, copyOf } from "../issuers/postgres-copy.js";
import { clientOf } from "../issuers/postgres-world.js";
import { scanned } from "../source.js";
import { call, depsOf } from "../stores/world.js";

let primary: PostgresServer;
let first: CopiedServer;
const at = ({ host, port }: PostgresServer) => ({ host, port });

beforeAll(async () => {
  primary = await startPostgres({
    config: ["wal_level = replica", "max_wal_senders = 5", "full_page_writes = on"],
  });
  const root = await rootAt(primary);
  await root.query("CREATE ROLE sees LOGIN PASSWORD 'sees-all'; GRANT pg_read_all_stats TO sees");
  await root.query("CREATE ROLE blind LOGIN PASSWORD 'sees-all'");
  await root.end();
  first = await copyOf(primary, "standby");
}, 120_000);
afterAll(async () => {
  await first.stop();
  await primary.stop();
});

const rootAt = ({ host, port, user, password }: PostgresServer) =>
  clientOf({ host, port, user, password: password.reveal(), database: "postgres" });

/** A standby says that it receives a moment before its primary knows of it, or after. */
beforeEach(() => received(primary, 1));

async function received(server: PostgresServer, count: number): Promise<void> {
  const root = await rootAt(server);
  const asked = "SELECT FROM pg_stat_replication WHERE state = 'streaming'";
  while ((await root.query(asked)).rowCount !== count) await new Promise((done) => setTimeout(done, 50));
  await root.end();
}

function source(more: object = {}, username = "sees") {
  const settings = postgresActivity.config.parse({
    ...{ ...at(primary), issuer: "orders-pg", login: { username, password: "env:SEES" } },
    ...more,
  });
  return postgresActivity.create(settings, depsOf({ "env:SEES": "sees-all" }));
}

const gaps = async (one: ReturnType<typeof source>) => (await scanned(one)).flatMap((part) => part.gaps);

it("H21: a standby that is not listed is a gap with its name, and a finding of the source", async () => {
  const [gap, ...more] = await gaps(source());
  expect(gap).toContain(`${primary.host}:${primary.port}: More standbys receive from it (standby@127.0.0.1)`);
  expect(more).toEqual([]);
  expect(await source().preflight(call())).toMatchObject([
    { code: "postgres-standby-unlisted", severity: "warn", sentence: expect.stringContaining("`standbys`") },
  ]);
});

it("one that is listed is looked at, and no gap", async () => {
  const whole = source({ standbys: [at(first.server)] });
  expect(await gaps(whole)).toEqual([]);
  expect(await whole.preflight(call())).toEqual([]);
  const behind = await rootAt(first.server);
  const parts = await scanned(whole);
  await behind.end();
  const seen = parts
    .flatMap(({ claims }) => claims)
    .filter(({ sentence }) => sentence.includes(`:${first.server.port}, by`));
  expect(seen).toHaveLength(1);
});

it("what takes no logins is named, and no gap", async () => {
  expect(await gaps(source({ receivers: ["standby"] }))).toEqual([]);
});

it("one that is listed and does not answer is a gap of its own, and not taken for one that is missing", async () => {
  expect(await gaps(source({ standbys: [{ host: "127.0.0.1", port: 1 }] }))).toEqual([
    expect.stringMatching(/^127\.0\.0\.1:1 was not seen: /),
  ]);
});

it("whoever does not see from where others are connected hears of a standby all the same: hidden is not absent", async () => {
  expect(await gaps(source({}, "blind"))).toEqual([
    expect.stringContaining("lacks pg_read_all_stats"),
    expect.stringContaining("More standbys receive from it (standby) than are listed"),
  ]);
});

it("one behind a standby that is listed is missing as well", async () => {
  const cascaded = await copyOf(first.server, "standby");
  try {
    await received(first.server, 1);
    const listed = { standbys: [at(first.server)] };
    expect(await gaps(source(listed))).toEqual([
      expect.stringContaining("(standby@127.0.0.1, standby@127.0.0.1)"),
    ]);
    expect(await gaps(source({ standbys: [at(first.server), at(cascaded.server)] }))).toEqual([]);
  } finally {
    await cascaded.stop();
  }
}, 120_000);
