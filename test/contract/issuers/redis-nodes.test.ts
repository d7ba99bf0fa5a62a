/** What Redis has to be asked at each node: saved or not, lagging or unlisted or gone, and who may do what there. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RedisAccount } from "../../../adapters/issuers/redis/config.js";
import { piecesOf, recordsIn } from "../../../adapters/issuers/redis/records.js";
import type { Issuer, SecretDocument } from "../../../adapters/ports.js";
import { formatTag } from "../../../domain/fence.js";
import { freePort } from "../../../worker/dev/ports.js";
import {
  clientOf,
  hashesOf,
  hashOf,
  type RedisSet,
  type RedisWorld,
  redisSet,
  redisWorld,
} from "./redis-world.js";
import { call, changeOf, codeOf, passwordOf, tag, usernameOf } from "./world.js";

let primary: RedisWorld;
let replica: RedisWorld;
let set: RedisSet;

const first = tag("v1", 1);
const off = tag("v1", 2, { state: "disabled" });

beforeAll(async () => {
  primary = await redisWorld();
  const { host, port, password } = primary.server;
  replica = await redisWorld({
    config: [`replicaof ${host} ${port}`, "masteruser admin", `masterauth ${password.reveal()}`],
  });
  set = redisSet(primary, replica);
});
afterAll(() => set.stop());

/** A fresh account whose first slot is enabled. */
async function enabled(
  on = set,
): Promise<{ account: RedisAccount; issuer: Issuer; document: SecretDocument; slot: string }> {
  const account = await on.account();
  const issuer = on.issuer(account);
  const slot = `${account.user}/1`;
  const document = issuer.generate(slot);
  await issuer.enable(changeOf(slot, null, first), document, call());
  return { account, issuer, document, slot };
}

async function lets(world: RedisWorld, document: SecretDocument): Promise<boolean> {
  const client = await clientOf(world.server, usernameOf(document), passwordOf(document)).catch(() => null);
  client?.destroy();
  return client !== null;
}

/** A replica that was away comes back to its primary a moment after it answers again. */
function attached(): Promise<void> {
  const shown = async () => String(await primary.admin.sendCommand(["INFO", "replication"]));
  return expect.poll(shown).toContain(`,port=${replica.server.port},state=online`);
}

async function codes(issuer: Issuer): Promise<string[]> {
  const findings = await issuer.preflight(call());
  return findings.filter(({ severity }) => severity === "refuse").map(({ code }) => code);
}

describe("H16: every node", () => {
  it("H16: a version is there, and gone, at primary and replica alike, and survives the restart of each", async () => {
    const { issuer, document, slot } = await enabled();
    for (const world of set.worlds) {
      expect(await lets(world, document)).toBe(true);
      await world.server.restart();
      expect(await lets(world, document)).toBe(true);
    }
    expect(await issuer.disable(changeOf(slot, first, off), call())).toBe("applied");
    const users = await readFile(replica.server.aclPath ?? "", "utf8");
    expect(users).not.toContain(hashOf(passwordOf(document)));
    for (const world of set.worlds) {
      expect(await lets(world, document)).toBe(false);
      await world.server.restart();
      expect(await lets(world, document)).toBe(false);
    }
    const proofs = await issuer.proveRefused(slot, document, call());
    expect(proofs.map(({ ok }) => ok)).toEqual([true, true]);
    await issuer.close();
  });

  it("H16 I5: a node that does not answer is not revoked; the others are, with their sessions, and a repetition completes it", async () => {
    const { issuer, document, slot } = await enabled();
    const session = await clientOf(primary.server, usernameOf(document), passwordOf(document));
    await replica.server.pause();
    expect(await issuer.slots?.(call())).toMatchObject([{ slot, tag: formatTag(first), enabled: true }, {}]);
    expect(await codeOf(issuer.disable(changeOf(slot, first, off), call()))).toBe("unknown-outcome");
    expect(await lets(primary, document)).toBe(false);
    // A leak may have opened it (I5).
    await expect(session.ping()).rejects.toThrow();
    expect(await codeOf(issuer.proveRefused(slot, document, call()))).toBe("unreachable");
    expect(await codeOf(issuer.survey(call()))).toBe("unreachable");
    await replica.server.restart();
    // The slot counts as on while one node lets somebody in.
    const [seen] = (await issuer.survey(call())).slots;
    expect(seen).toMatchObject({ tag: formatTag(off), enabled: true });
    expect(await codes(issuer)).toEqual(["redis-nodes-differ"]);
    expect(await issuer.disable(changeOf(slot, first, off), call())).toBe("already");
    expect(await lets(replica, document)).toBe(false);
    expect(await codes(issuer)).toEqual([]);
    await issuer.close();
  });

  it("H16: nothing is enabled while a node does not answer", async () => {
    const { issuer, account } = await enabled();
    const slot = `${account.user}/2`;
    const document = issuer.generate(slot);
    await replica.server.pause();
    expect(await codeOf(issuer.enable(changeOf(slot, null, tag("v2", 3)), document, call()))).toBe(
      "unreachable",
    );
    expect(await lets(primary, document)).toBe(false);
    await replica.server.restart();
    await issuer.close();
  });

  it("H16 H32: a node that came back with yesterday's users is named, and brought along by the next epoch", async () => {
    const { issuer, account, document, slot } = await enabled();
    const yesterday = await hashesOf(replica, account.user);
    await issuer.disable(changeOf(slot, first, off), call());
    const today = await hashesOf(replica, account.user);
    const rules = [...today.map((hash) => `!${hash}`), ...yesterday.map((hash) => `#${hash}`)];
    await replica.admin.sendCommand(["ACL", "SETUSER", account.user, ...rules]);
    expect(await lets(replica, document)).toBe(true);
    expect((await issuer.survey(call())).slots[0]?.enabled).toBe(true);
    const seized = tag("v1", 4, { state: "disabled", epoch: 2 });
    expect(await issuer.seize(changeOf(slot, off, seized), call())).toBe("applied");
    expect(await lets(replica, document)).toBe(false);
    expect((await issuer.survey(call())).slots[0]).toMatchObject({ tag: formatTag(seized), enabled: false });
    await issuer.close();
  });

  it("H16: a server that the nodes know and the estate does not is named, and keeps a version from being proved", async () => {
    const { account, document, slot, issuer } = await enabled();
    await issuer.close();
    const half = redisSet(primary);
    await attached();
    const alone = half.issuer(account);
    expect(await codes(alone)).toEqual(["redis-node-unlisted"]);
    const proofs = await alone.proveRefused(slot, document, call());
    expect(proofs.find(({ node }) => node === `127.0.0.1:${replica.server.port}`)).toMatchObject({
      ok: false,
    });
    const { host, port } = primary.server;
    const announced = [`127.0.0.1:${replica.server.port}`];
    const named = half.issuer(account, { nodes: [{ host, port, announced }] });
    expect(await codes(named)).toEqual([]);
    await Promise.all([alone.close(), named.close()]);
  });

  it("H16: the members of a cluster are known by it, and each is asked", async () => {
    const members = await Promise.all(
      [1, 2].map(async () =>
        redisWorld({ config: ["cluster-enabled yes", `cluster-port ${await freePort()}`] }),
      ),
    );
    const [one, two] = members;
    if (!one || !two) throw new Error("no members");
    const bus = String(await two.admin.sendCommand(["CLUSTER", "NODES"])).match(/@(\d+)/)?.[1] ?? "";
    await one.admin.sendCommand(["CLUSTER", "MEET", two.server.host, String(two.server.port), bus]);
    for (const { admin } of [one, two])
      await expect
        .poll(async () => String(await admin.sendCommand(["CLUSTER", "NODES"])))
        .toMatch(/master - .*\n.*myself|myself.*\n.* master - /s);
    const both = redisSet(one, two);
    const account = await both.account();
    const issuer = both.issuer(account);
    expect((await issuer.survey(call())).nodes.map(({ role }) => role)).toEqual(["primary", "primary"]);
    expect(await codes(issuer)).toEqual([]);
    const half = redisSet(one).issuer(account);
    expect(await codes(half)).toEqual(["redis-node-unlisted"]);
    await Promise.all([issuer.close(), half.close()]);
    await both.stop();
  });

  it("H16: without an ACL file and a configuration file nothing is changed for good, and preflight refuses", async () => {
    const nowhere = await redisWorld({ users: "nowhere" });
    const loose = redisSet(nowhere);
    const account = await loose.account();
    const issuer = loose.issuer(account);
    expect(await codes(issuer)).toEqual(["redis-not-saved"]);
    const slot = `${account.user}/1`;
    const work = issuer.enable(changeOf(slot, null, first), issuer.generate(slot), call());
    expect(await codeOf(work)).toBe("unsupported");
    await issuer.close();
    await loose.stop();
  });

  it("H16: with users in the configuration file that is rewritten, and a restart keeps them", async () => {
    const written = await redisWorld({ users: "config" });
    const rewriting = redisSet(written);
    const { issuer, document } = await enabled(rewriting);
    expect(await codes(issuer)).toEqual([]);
    await written.server.restart();
    expect(await lets(written, document)).toBe(true);
    await issuer.close();
    await rewriting.stop();
  });
});

it("many questions at once open one connection to each node, and closing ends it: a program could not end otherwise", async () => {
  const issuer = set.issuer(await set.account());
  const connected = async () => {
    const lists = await Promise.all(set.worlds.map(({ admin }) => admin.sendCommand(["CLIENT", "LIST"])));
    const lines = lists.flatMap((list) => String(list).split("\n"));
    return lines.filter((line) => / name=rekey\/engine /.test(line)).map((line) => line.split(" ")[1]);
  };
  const before = new Set(await connected());
  const own = async () => (await connected()).filter((address) => !before.has(address));
  await Promise.all([issuer.preflight(call()), issuer.preflight(call()), issuer.preflight(call())]);
  expect((await own()).length).toBe(set.worlds.length);
  await issuer.close();
  await expect.poll(own).toEqual([]);
});

describe("what is checked beforehand", () => {
  it("H9: a failed login is never taken for the default user's, and any password is not a proof", async () => {
    const { issuer, account, document, slot } = await enabled();
    const proofs = await issuer.prove(slot, document, call());
    expect(proofs.map(({ ok, sentence }) => [ok, sentence])).toEqual([
      [true, `logged in as ${account.user}`],
      [true, `logged in as ${account.user}`],
    ]);
    const wrong = await issuer.prove(slot, issuer.generate(slot), call());
    expect(wrong.map(({ ok }) => ok)).toEqual([false, false]);
    await primary.admin.sendCommand(["ACL", "SETUSER", account.user, "nopass"]);
    expect(await codes(issuer)).toContain("redis-nopass");
    await issuer.close();
  });

  it("H9: a user that may not ask who it is, is looked up in the server's own listing", async () => {
    const { issuer, account, document, slot } = await enabled();
    for (const { admin } of set.worlds)
      await admin.sendCommand(["ACL", "SETUSER", account.user, "-@all", "+get"]);
    expect((await issuer.prove(slot, document, call())).map(({ ok }) => ok)).toEqual([true, true]);
    await issuer.close();
  });

  it.each<[string, readonly string[]]>([
    ["redis-user-off", ["off"]],
    ["redis-unknown-password", [`#${hashOf("somebody's")}`]],
    ["redis-nodes-differ", ["-get"]],
    ["redis-not-prepared", [`!${piecesOf(2, { number: 0, tag: "", hash: null })[0]}`]],
  ])("refuses with %s", async (code, rules) => {
    const { issuer, account } = await enabled();
    expect(await codes(issuer)).toEqual([]);
    await replica.admin.sendCommand(["ACL", "SETUSER", account.user, ...rules]);
    expect(await codes(issuer)).toContain(code);
    await issuer.close();
  });

  it("what the engine's user lacks is named, and what it has reads nothing", async () => {
    const { issuer } = await enabled();
    const engine = await clientOf(primary.server, primary.engine.username, primary.engine.password, null);
    for (const command of [
      ["GET", "x"],
      ["CONFIG", "SET", "maxclients", "1"],
      ["FLUSHALL"],
      ["MONITOR"],
      ["ACL", "DELUSER", "x"],
    ])
      await expect(engine.sendCommand(command)).rejects.toThrow("NOPERM");
    engine.destroy();
    await primary.admin.sendCommand(["ACL", "SETUSER", "rekey_engine", "-client|kill", "-acl|save"]);
    const findings = await issuer.preflight(call());
    const lacking = findings
      .filter(({ code }) => code === "redis-right-missing")
      .map(({ sentence }) => sentence);
    expect(lacking.join()).toContain("CLIENT KILL");
    expect(lacking.join()).toContain("ACL SAVE");
    await primary.admin.sendCommand(["ACL", "SETUSER", "rekey_engine", "+client|kill", "+acl|save"]);
    await issuer.close();
  });

  it("the password that was there before Rekey belongs to the first slot, and goes with it", async () => {
    const account = await set.account();
    for (const { admin } of set.worlds)
      await admin.sendCommand(["ACL", "SETUSER", account.user, ">before-rekey"]);
    const issuer = set.issuer(account);
    expect(await codes(issuer)).toEqual([]);
    const { slots } = await issuer.survey(call());
    expect(slots.map(({ enabled: on }) => on)).toEqual([true, false]);
    const next = issuer.generate(`${account.user}/2`);
    await issuer.enable(changeOf(`${account.user}/2`, null, tag("v2", 1)), next, call());
    await issuer.disable(changeOf(`${account.user}/1`, null, off), call());
    expect(await hashesOf(primary, account.user)).not.toContain(hashOf("before-rekey"));
    expect(await lets(primary, next)).toBe(true);
    expect(recordsIn(await hashesOf(replica, account.user)).values).toEqual([hashOf(passwordOf(next))]);
    await issuer.close();
  });
});
