/** Late and doubled writes at a real Redis, and what its logs and listings show of a value. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { piecesOf, recordsIn } from "../../../adapters/issuers/redis/records.js";
import { formatTag } from "../../../domain/fence.js";
import { wireTo } from "./postgres-proxy.js";
import {
  clientOf,
  hashesOf,
  hashOf,
  type RedisSet,
  type RedisWorld,
  redisSet,
  redisWorld,
} from "./redis-world.js";
import { call, changeOf, codeOf, passwordOf, tag } from "./world.js";

let world: RedisWorld;
let set: RedisSet;

const first = tag("v1", 1);
const off = tag("v1", 2, { state: "disabled" });

beforeAll(async () => {
  world = await redisWorld();
  set = redisSet(world);
});
afterAll(() => set.stop());

describe("H3: one command compares and changes", () => {
  it("H3: the very command of an epoch before, held back and sent later, changes nothing", async () => {
    const account = await set.account();
    const { user } = account;
    const [before] = [await hashesOf(world, user)];
    const issuer = set.issuer(account);
    const slot = `${user}/1`;
    await issuer.enable(changeOf(slot, null, first), issuer.generate(slot), call());
    const after = await hashesOf(world, user);
    // What was sent, taken from what it did: everything that went, everything that came.
    const late = [...before.map((hash) => `!${hash}`), ...after.map((hash) => `#${hash}`)];
    await issuer.seize(changeOf(slot, first, tag("v1", 3, { epoch: 2 })), call());
    const seized = await hashesOf(world, user);
    await expect(world.admin.sendCommand(["ACL", "SETUSER", user, ...late])).rejects.toThrow(
      "does not exist",
    );
    expect(await hashesOf(world, user)).toEqual(seized);
    await issuer.close();
  });

  it("H3: of changes that come at once, one is made and the others are fenced off", async () => {
    const account = await set.account();
    const slot = `${account.user}/1`;
    const issuers = Array.from({ length: 6 }, () => set.issuer(account));
    const work = issuers.map((issuer, index) =>
      issuer
        .enable(changeOf(slot, null, tag(`v${index}`, index)), issuer.generate(slot), call())
        .catch((error) => error.code),
    );
    const outcomes = await Promise.all(work);
    expect(outcomes.filter((outcome) => outcome === "applied")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "fenced")).toHaveLength(5);
    const { slots, values } = recordsIn(await hashesOf(world, account.user));
    expect(values).toHaveLength(1);
    expect(slots.get(1)?.tag).toContain(`version=v${outcomes.indexOf("applied")} `);
    await Promise.all(issuers.map((issuer) => issuer.close()));
  });

  it("H9: the command itself asks whether the server is still the one that was looked at", async () => {
    const account = await set.account();
    const issuer = set.issuer(account);
    const slot = `${account.user}/1`;
    const { identity } = await issuer.survey(call());
    const document = issuer.generate(slot);
    expect(await codeOf(issuer.enable(changeOf(slot, null, first, "redis/another"), document, call()))).toBe(
      "wrong-server",
    );
    expect(await issuer.enable(changeOf(slot, null, first, identity), document, call())).toBe("applied");
    await issuer.close();
  });

  it("H3: a lost connection is settled by asking", async () => {
    const account = await set.account();
    const issuer = set.issuer(account);
    const slot = `${account.user}/1`;
    await issuer.survey(call());
    await world.admin.sendCommand(["CLIENT", "KILL", "USER", "rekey_engine"]);
    expect(await issuer.enable(changeOf(slot, null, first), issuer.generate(slot), call())).toBe("applied");
    expect((await issuer.survey(call())).slots[0]).toEqual({ slot, tag: formatTag(first), enabled: true });
    await issuer.close();
  });

  it.each(["before", "after"] as const)(
    "H3: an answer that is lost %s the change was made is settled by asking",
    async (moment) => {
      const account = await set.account();
      const wire = await wireTo(world.server.port);
      const nodes = [{ host: "127.0.0.1", port: wire.port, announced: [] }];
      const issuer = set.issuer(account, { nodes });
      const slot = `${account.user}/1`;
      const document = issuer.generate(slot);
      wire.cutNext("SETUSER", moment);
      expect(await issuer.enable(changeOf(slot, null, first), document, call())).toBe("applied");
      expect((await issuer.prove(slot, document, call())).map(({ ok }) => ok)).toEqual([true]);

      // With nobody left to ask it stays unknown, and whoever comes next finds out by the tag.
      wire.cutNext("SETUSER", moment, true);
      expect(await codeOf(issuer.disable(changeOf(slot, first, off), call()))).toBe("unknown-outcome");
      const other = set.issuer(account);
      const [seen] = (await other.survey(call())).slots;
      expect(seen?.tag).toBe(formatTag(moment === "after" ? off : first));
      const seized = tag("v1", 3, { epoch: 2, state: "disabled" });
      expect(await other.seize({ ...changeOf(slot, null, seized), expect: seen?.tag ?? "" }, call())).toBe(
        "applied",
      );
      await Promise.all([issuer.close(), other.close(), wire.close()]);
    },
  );

  it("says that a record is damaged instead of guessing what it was", async () => {
    const account = await set.account();
    const issuer = set.issuer(account);
    const half = piecesOf(1, { number: 7, tag: "x".repeat(60), hash: null })[1];
    await world.admin.sendCommand(["ACL", "SETUSER", account.user, `#${half}`]);
    expect(await codeOf(issuer.survey(call()))).toBe("unsupported");
    await issuer.close();
  });
});

describe("H33: the value", () => {
  it("H33: is not sent when it is set or taken away, only its hash is", async () => {
    const account = await set.account();
    const wire = await wireTo(world.server.port);
    const nodes = [{ host: "127.0.0.1", port: wire.port, announced: [] }];
    const issuer = set.issuer(account, { nodes });
    const slot = `${account.user}/1`;
    const document = issuer.generate(slot);
    await issuer.enable(changeOf(slot, null, first), document, call());
    await issuer.disable(changeOf(slot, first, off), call());
    expect(wire.sent()).toContain(hashOf(passwordOf(document)));
    expect(wire.sent()).not.toContain(passwordOf(document).slice(4));
    await Promise.all([issuer.close(), wire.close()]);
  });

  it("H33: is in no log, listing, slow log or monitor of the server, only its hash is", async () => {
    await world.admin.sendCommand(["CONFIG", "SET", "slowlog-log-slower-than", "0", "loglevel", "debug"]);
    const seen: string[] = [];
    const monitor = await clientOf(world.server, "admin", world.server.password.reveal());
    await monitor.monitor((line) => {
      seen.push(String(line));
    });
    const account = await set.account();
    const issuer = set.issuer(account);
    const slot = `${account.user}/1`;
    const document = issuer.generate(slot);
    const value = passwordOf(document);
    await issuer.enable(changeOf(slot, null, first), document, call());
    await issuer.prove(slot, document, call());
    await issuer.prove(slot, issuer.generate(slot), call());
    await issuer.disable(changeOf(slot, first, off), call());
    await issuer.proveRefused(slot, document, call());
    const shown = [
      ...seen,
      JSON.stringify(await world.admin.sendCommand(["SLOWLOG", "GET", "-1"])),
      JSON.stringify(await world.admin.sendCommand(["ACL", "LOG"])),
      JSON.stringify(await world.admin.sendCommand(["CLIENT", "LIST"])),
      await readFile(world.server.logPath, "utf8"),
      await readFile(world.server.aclPath ?? "", "utf8"),
    ].join("\n");
    // The scan can find something: our commands are there, with the user's name.
    expect(shown).toContain(account.user);
    expect(shown).toContain("rekey/engine");
    for (const form of [
      value,
      value.slice(4),
      encodeURIComponent(value),
      Buffer.from(value).toString("base64").slice(0, 40),
    ])
      expect(shown).not.toContain(form);
    expect(await hashesOf(world, account.user)).not.toContain(hashOf(value));
    monitor.destroy();
    await issuer.close();
  });
});

describe("H35: sessions", () => {
  it("H35: many sessions are ended over several rounds, and every one of them", async () => {
    const account = await set.account();
    const issuer = set.issuer(account);
    const slot = `${account.user}/1`;
    const document = issuer.generate(slot);
    await issuer.enable(changeOf(slot, null, first), document, call());
    const clients = await Promise.all(
      Array.from({ length: 40 }, () => clientOf(world.server, account.user, passwordOf(document))),
    );
    const subscriber = await clientOf(world.server, account.user, passwordOf(document));
    await subscriber.subscribe("news", () => undefined);
    await issuer.disable(changeOf(slot, first, off), call());
    for (const client of [...clients, subscriber])
      await expect(client.sendCommand(["PING"])).rejects.toThrow();
    expect((await issuer.survey(call())).sessions).toEqual([]);
    await issuer.close();
  });

  it("H23: a late repetition leaves the sessions of another epoch alone", async () => {
    const account = await set.account();
    const issuer = set.issuer(account);
    const slot = `${account.user}/1`;
    const document = issuer.generate(slot);
    await issuer.enable(changeOf(slot, null, first), document, call());
    await issuer.disable(changeOf(slot, first, off), call());
    await issuer.enable(changeOf(slot, off, tag("v1", 3)), document, call());
    const client = await clientOf(world.server, account.user, passwordOf(document));
    expect(await codeOf(issuer.disable(changeOf(slot, first, off), call()))).toBe("fenced");
    expect(await client.sendCommand(["PING"])).toBe("PONG");
    client.destroy();
    await issuer.close();
  });
});
