/** What only Vault does to a document: revisions, deletion by others, lost races, and the price of a promote in round trips. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../../adapters/ports.js";
import { tombstoneLifeMs } from "../../../adapters/shared/staged-copy.js";
import { Kv } from "../../../adapters/stores/vault/kv.js";
import type { VaultConfig } from "../../../adapters/stores/vault/schema.js";
import { sessionFor } from "../../../adapters/stores/vault/session.js";
import { sweepTombstones } from "../../../adapters/stores/vault/tombstones.js";
import { vault } from "../../../adapters/stores/vault.js";
import { formatTag } from "../../../domain/fence.js";
import { vaultMakers } from "../../setup/servers.js";
import { type VaultWorld, vaultWorld } from "./vault-world.js";
import { call, change, codeOf, contents, depsOf, kept, plain, tag } from "./world.js";

describe.each(vaultMakers)("documents in %s", (maker) => {
  let world: VaultWorld;
  let store: Store;
  const first = tag("v1", 1);
  const second = tag("v2", 2);

  beforeEach(async () => {
    world = await vaultWorld(maker);
    store = world.open();
    await world.foreignWrite({ host: "h1" });
    await store.stage("v1", contents("v1"), call());
    await store.stage("v2", contents("v2"), call());
    await store.promote(change(null, first), call());
  });
  afterEach(() => world.dispose());

  const metadata = async () => {
    const { data } = await world.admin("GET", `secret/metadata/${world.path}`);
    const { versions } = data as { versions: Record<string, { destroyed: boolean; deletion_time: string }> };
    return Object.entries(versions).map(([n, { destroyed, deletion_time }]) =>
      destroyed ? `${n} destroyed` : deletion_time === "" ? `${n} there` : `${n} deleted`,
    );
  };

  it("a promote is one round of parallel reads and one write that sends only our fields", async () => {
    world.gate.passed.length = 0;
    await store.promote(change(first, second), call());
    const [reads, writes] = [world.gate.passed.slice(0, -1), world.gate.passed.slice(-1)];
    expect(reads.map(({ method }) => method)).toEqual(["GET", "GET", "GET"]);
    expect(writes.map(({ method, path }) => [method, path])).toEqual([
      ["PATCH", `/v1/secret/data/${world.path}`],
    ]);
    expect(writes[0]?.headers["content-type"]).toBe("application/merge-patch+json");
  });

  it("H18: others' fields keep their shape, whatever it is", async () => {
    const theirs = { port: 5432, ratio: 0.25, tls: true, nested: { list: [1, null, "x"] } };
    await world.admin("PATCH", `secret/data/${world.path}`, { data: theirs });
    await store.promote(change(first, second), call());
    expect(await world.raw()).toEqual({ ...kept("v2"), rekey_tag: formatTag(second), host: "h1", ...theirs });
  });

  it("H19: max_versions 2 evicts the old revision, and going back works all the same", async () => {
    await world.admin("POST", `secret/metadata/${world.path}`, { max_versions: 2 });
    await store.promote(change(first, second), call());
    await world.foreignWrite({ host: "h2" });
    await world.foreignWrite({ host: "h3" });
    expect(await store.promote(change(second, tag("v1", 3)), call())).toBe("applied");
    expect(await world.raw()).toMatchObject({ ...kept("v1"), host: "h3" });
  });

  it("H18: cas_required on the documents is no hindrance", async () => {
    await world.admin("POST", `secret/metadata/${world.path}`, { cas_required: true });
    expect(await store.promote(change(first, second), call())).toBe("applied");
    expect(await store.seize(change(second, tag("v2", 3, { epoch: 2 })), call())).toBe("applied");
  });

  it("a document that others deleted is absent, keeps its fence, and a promote does not bring it back by guess", async () => {
    await world.admin("DELETE", `secret/data/${world.path}`);
    expect(await store.live(call())).toBeNull();
    expect((await store.view(call())).tag).toBe("");
    expect(await codeOf(store.promote(change(first, second), call()))).toBe("fenced");
  });

  it("H20: purge destroys only the revisions with that value, and deleted ones, for good", async () => {
    await world.foreignWrite({ host: "h2" });
    await store.promote(change(first, second), call());
    await world.foreignWrite({ host: "h3" });
    await world.admin("POST", `secret/delete/${world.path}`, { versions: [3] });
    expect(await metadata()).toEqual(["1 there", "2 there", "3 deleted", "4 there", "5 there"]);
    await store.purge("v1", call());
    expect(await metadata()).toEqual(["1 there", "2 destroyed", "3 destroyed", "4 there", "5 there"]);
    await world.admin("POST", `secret/undelete/${world.path}`, { versions: [2, 3] });
    expect(await world.everything()).not.toContain("canary-v1");
    const copy = `${world.prefix}/${world.path}/rekey_tag/v1`;
    expect(await world.admin("GET", `secret/data/${copy}`)).toMatchObject({
      data: { data: { rekey_purged: "true" }, metadata: { version: 1 } },
    });
  });

  it("forgets that a version was purged when no request can be under way any more", async () => {
    const deps = depsOf({ "env:VAULT": world.engineToken }, { installation: "here" });
    const auth = { method: "token", token: "env:VAULT" };
    const settings = vault.config.parse({ address: world.gate.address, auth }) as VaultConfig;
    const kv = new Kv(sessionFor(settings, deps), "secret");
    const folder = `${world.prefix}/${world.path}/rekey_tag`;
    await store.purge("v8", call());
    await store.purge("v9", call());
    await sweepTombstones(kv, folder, "v9", tombstoneLifeMs, call());
    expect(await kv.list(folder, call())).toEqual(["v1", "v2", "v8", "v9"]);
    await sweepTombstones(kv, folder, "v9", 0, call());
    expect(await kv.list(folder, call())).toEqual(["v1", "v2", "v9"]);
  });

  it("H20: a value from before the first rotation is found in old revisions by what it is", async () => {
    await world.foreignWrite({ rekey_tag: "", username: "orders", password: "canary-old" });
    await store.stage("v0", contents("v0"), call());
    const old = { username: contents("v0").username, password: contents("v0").password };
    await world.foreignWrite({ username: "orders_v0", password: old.password?.reveal() ?? "" });
    await world.admin("PATCH", `secret/data/${world.path}`, { data: { rekey_version: null } });
    await world.foreignWrite({ ...plain(contents("v2")), rekey_version: "v2", rekey_tag: formatTag(second) });
    await store.purge("v0", call());
    expect(await world.everything()).not.toContain("canary-v0");
    expect(await world.everything()).toContain("canary-old");
  });

  it("H20: while the live document is deleted but not destroyed, purge holds: it could be brought back", async () => {
    await world.admin("DELETE", `secret/data/${world.path}`);
    expect(await codeOf(store.purge("v2", call()))).toBe("conflict");
    expect(plain(await store.staged("v2", call()))).toEqual(kept("v2"));
    await world.admin("POST", `secret/destroy/${world.path}`, { versions: [2] });
    await store.purge("v2", call());
    expect(await store.staged("v2", call())).toBeNull();
  });

  it("a staged copy that somebody deleted can be staged again", async () => {
    const rights = await vaultWorld(maker, (printed) =>
      printed.replace('["create", "read"]', '["create", "read", "update"]'),
    );
    const other = rights.open();
    await other.stage("v1", contents("v1"), call());
    await rights.admin("DELETE", `secret/data/${rights.prefix}/${rights.path}/rekey_tag/v1`);
    expect(await other.staged("v1", call())).toBeNull();
    expect(plain(await other.stage("v1", contents("v1"), call()))).toEqual(kept("v1"));
    expect(plain(await other.staged("v1", call()))).toEqual(kept("v1"));
    await rights.dispose();
  });

  it("a value that is no plain text under one of our names is `unsupported`", async () => {
    await world.admin("PATCH", `secret/data/${world.path}`, { data: { password: { nested: "canary-x" } } });
    expect(await codeOf(store.live(call()))).toBe("unsupported");
    expect(await codeOf(store.promote(change(first, second), call()))).toBe("unsupported");
  });

  it("others that write without end are a `conflict`, not an endless loop", async () => {
    const again = () => {
      world.gate.beforeChange = async () => {
        await world.foreignWrite({ host: String(Math.random()) });
        again();
      };
    };
    again();
    expect(await codeOf(store.promote(change(first, second), call()))).toBe("conflict");
    expect(await world.raw()).toMatchObject(kept("v1"));
  });
});
