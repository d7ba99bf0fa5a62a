/** Whoever is about to log in when a server is asked: nobody can say yet as whom, and a moment later everybody can. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { postgresActivity } from "../../../adapters/sources/postgres-activity.js";
import { postgresServer } from "../../setup/servers.js";
import { scanned } from "../source.js";
import { depsOf } from "../stores/world.js";

const value = randomBytes(18).toString("base64url");

/** A source, and sessions that have named themselves and wait for their password to be asked for. */
async function world() {
  const { host, port, user, password } = await postgresServer();
  const looks = `looks_${randomBytes(4).toString("hex")}`;
  const root = new pg.Client({ host, port, user, password: password.reveal(), database: "postgres" });
  await root.connect();
  await root.query(`CREATE ROLE ${looks} LOGIN PASSWORD '${value}'; GRANT pg_read_all_stats TO ${looks}`);
  onTestFinished(async () => {
    await root.query(`DROP ROLE ${looks}`);
    await root.end();
  });
  const source = postgresActivity.create(
    postgresActivity.config.parse({
      host,
      port,
      issuer: "pg",
      login: { username: looks, password: "env:LOOKS" },
    }),
    { ...depsOf({ "env:LOOKS": value }), now: () => Date.now() },
  );
  return {
    gaps: async () => (await scanned(source)).flatMap((part) => part.gaps),
    beginLogin: async (): Promise<Socket> => {
      const socket = connect(port, host);
      onTestFinished(() => void socket.destroy());
      // Protocol 3.0's first message; the server answers with what it asks of a password, and waits.
      const words = Buffer.from(`user\0${looks}\0database\0postgres\0\0`);
      const head = Buffer.alloc(8);
      head.writeInt32BE(8 + words.length, 0);
      head.writeInt32BE(196_608, 4);
      socket.write(Buffer.concat([head, words]));
      await once(socket, "data");
      return socket;
    },
  };
}

test("H21: who logs in while the server is asked is no gap: it is looked again until it is known who they are", async () => {
  const { gaps, beginLogin } = await world();
  const first = await beginLogin();
  const asked = gaps();
  setTimeout(() => first.destroy(), 400);
  // A busy server has the next one under way by then.
  setTimeout(() => void beginLogin(), 300);
  expect(await asked).toEqual([]);
});

test("H21: who was there at first and never says who they are is a gap", async () => {
  const { gaps, beginLogin } = await world();
  await beginLogin();
  expect(await gaps()).toEqual([expect.stringContaining("1 sessions had not said yet as whom they log in")]);
});
