/** Who can read what in Vault, and what the preflight says of rights and retention before anything depends on them. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { vault } from "../../../adapters/stores/vault.js";
import { vaultMakers, vaultServer } from "../../setup/servers.js";
import { adminOf, type VaultWorld, vaultWorld } from "./vault-world.js";
import { call, change, codeOf, contents, depsOf, kept, plain, tag } from "./world.js";

describe.each(vaultMakers)("rights and retention in %s", (maker) => {
  let world: VaultWorld;
  beforeEach(async () => {
    world = await vaultWorld(maker);
  });
  afterEach(() => world.dispose());

  const codes = async (more: { token?: string; config?: object; path?: string; fields?: object } = {}) => {
    const store = vault.create(
      vault.config.parse({
        address: world.gate.address,
        stagingPrefix: world.prefix,
        auth: { method: "token", token: "env:VAULT" },
        ...more.config,
      }) as never,
      vault.place.parse({
        path: more.path ?? world.path,
        ...(more.fields ? { fields: more.fields } : {}),
      }) as never,
      depsOf({ "env:VAULT": more.token ?? world.engineToken }),
    );
    return (await store.preflight(call())).map(({ code, severity }) => `${severity} ${code}`).sort();
  };

  it("H20: a consumer reads the live document and nothing that is staged, in no revision and by no listing", async () => {
    const store = world.open();
    await store.stage("v1", contents("v1"), call());
    await store.stage("v2", contents("v2"), call());
    await store.promote(change(null, tag("v1", 1)), call());
    const consumer = adminOf((await vaultServer(maker)).address, world.consumerToken);
    expect(JSON.stringify(await consumer("GET", `secret/data/${world.path}`))).toContain("canary-v1");
    const copy = `${world.prefix}/${world.path}/rekey_tag/v2`;
    for (const path of [
      `secret/data/${copy}`,
      `secret/data/${copy}?version=1`,
      `secret/metadata/${copy}`,
      `secret/metadata/${world.prefix}/${world.path}/rekey_tag?list=true`,
      `secret/subkeys/${copy}`,
    ]) {
      expect(await consumer("GET", path)).toMatchObject({ status: 403 });
    }
    expect(await consumer("PATCH", `secret/data/${world.path}`, { data: { host: "x" } })).toMatchObject({
      status: 403,
    });
  });

  it("H20: the printed policy cannot overwrite a staged copy nor another path", async () => {
    const store = world.open();
    await store.stage("v1", contents("v1"), call());
    const engine = adminOf((await vaultServer(maker)).address, world.engineToken);
    const copy = `secret/data/${world.prefix}/${world.path}/rekey_tag/v1`;
    expect(await engine("POST", copy, { data: { username: "x" } })).toMatchObject({ status: 403 });
    expect(await engine("GET", `secret/data/${world.path}-other`)).toMatchObject({ status: 403 });
    expect(plain(await store.staged("v1", call()))).toEqual(kept("v1"));
  });

  it("each right that is missing is a refusal of its own, and using it is `not-permitted`", async () => {
    const poor = await vaultWorld(maker, (printed) => printed.replace('"create", "read", "patch"', '"read"'));
    const store = poor.open();
    const missing = (await store.preflight(call())).filter(({ severity }) => severity === "refuse");
    expect(missing.map(({ code, subject }) => [code, subject])).toEqual([
      ["vault-right-missing", `secret/data/${poor.path}`],
    ]);
    await store.stage("v1", contents("v1"), call());
    expect(await codeOf(store.promote(change(null, tag("v1", 1)), call()))).toBe("not-permitted");
    await poor.dispose();

    const none = await vaultWorld(maker, () => `path "secret/metadata/none" { capabilities = ["read"] }`);
    const all = (await none.open().preflight(call())).filter(({ severity }) => severity === "refuse");
    expect(all.length).toBe(9);
    expect(await codeOf(none.open().stage("v1", contents("v1"), call()))).toBe("not-permitted");
    await none.dispose();
  });

  it("H3: a purge that meets the same purge finds what that one has put there, and misses no right", async () => {
    const store = world.open();
    await store.stage("v1", contents("v1"), call());
    let other: Promise<void> | undefined;
    world.gate.onRequest = async ({ method, body }) => {
      if (other !== undefined || method !== "POST" || !body.includes("rekey_purged")) return;
      other = world.open().purge("v1", call());
      await other;
    };
    await store.purge("v1", call());
    expect(other).toBeDefined();
    expect(await store.staged("v1", call())).toBeNull();
    expect(await codeOf(store.stage("v1", contents("v1"), call()))).toBe("fenced");
  });

  it("a purge that may put nothing there is `not-permitted`", async () => {
    const poor = await vaultWorld(maker, (printed) => printed.replace('["create", "read"]', '["read"]'));
    expect(await codeOf(poor.open().purge("v1", call()))).toBe("not-permitted");
    await poor.dispose();
  });

  it("a right to patch that was away for a while is used again once it is back, without a new start", async () => {
    const store = world.open();
    await world.foreignWrite({ host: "db.example" });
    for (const version of ["v1", "v2"]) await store.stage(version, contents(version), call());
    await store.promote(change(null, tag("v1", 1)), call());
    const policyAt = `sys/policies/acl/${world.path.split("/")[0]}-engine`;
    const { policy } = (await world.admin("GET", policyAt)).data as { policy: string };
    const next = () => store.promote(change(tag("v1", 1), tag("v2", 2)), call());
    await world.admin("POST", policyAt, { policy: policy.replace(', "patch"', "") });
    expect(await codeOf(next())).toBe("not-permitted");
    await world.admin("POST", policyAt, { policy });
    await next();
    expect(await world.raw()).toMatchObject({ host: "db.example", rekey_version: "v2" });
  });

  it("a sound place has only what others should mend", async () => {
    expect(await codes()).toEqual(["info vault-place-empty", "warn vault-cas-not-required"]);
    await world.admin("POST", `secret/metadata/${world.path}`, { cas_required: true });
    await world.foreignWrite({ username: "a" });
    expect(await codes()).not.toContain("warn vault-cas-not-required");
  });

  it("a root token is a warning; whole-document writes are one too", async () => {
    const root = (await vaultServer(maker)).token.reveal();
    expect(await codes({ token: root })).toContain("warn vault-engine-is-root");
    const blunt = await vaultWorld(maker, (printed) => printed.replace('"patch"', '"update"'));
    const found = await blunt.open().preflight(call());
    expect(found.map(({ code }) => code)).toContain("vault-no-patch");
    await blunt.dispose();
  });

  it("H19: few revisions and an expiry of the live document are warnings", async () => {
    await world.foreignWrite({ username: "a", password: "canary-b" });
    await world.admin("POST", `secret/metadata/${world.path}`, {
      max_versions: 2,
      delete_version_after: "768h",
    });
    expect(await codes()).toEqual([
      "warn vault-cas-not-required",
      "warn vault-few-revisions",
      "warn vault-live-expires",
    ]);
  });

  it("H19: a staging mount that deletes by the clock refuses the rotation", async () => {
    const mount = `${world.prefix.split("/")[0]}-kv`;
    await world.admin("POST", `sys/mounts/${mount}`, { type: "kv", options: { version: "2" } });
    await world.admin("POST", `${mount}/config`, { delete_version_after: "24h" });
    const token = (await vaultServer(maker)).token.reveal();
    expect(await codes({ token, config: { stagingMount: mount } })).toContain("refuse vault-staging-expires");
    await world.admin("POST", `${mount}/config`, { delete_version_after: "0s" });
    expect(await codes({ token, config: { stagingMount: mount } })).not.toContain(
      "refuse vault-staging-expires",
    );
  });

  it("names a deleted document, a field that is not there, and a place inside the staging prefix", async () => {
    await world.foreignWrite({ username: "a" });
    expect(await codes({ fields: { username: "username", password: "db_pass" } })).toContain(
      "warn vault-field-missing",
    );
    await world.admin("DELETE", `secret/data/${world.path}`);
    expect(await codes()).toContain("warn vault-live-deleted");
    const token = (await vaultServer(maker)).token.reveal();
    expect(await codes({ token, path: `${world.prefix}/x` })).toContain("refuse vault-place-in-staging");
  });

  it("the printed commands name what they were asked for, and the lock is the path itself", () => {
    const text =
      vault.grants?.({ mount: "kv", path: "team/*", stagingMount: "rekey", stagingPrefix: "s" }) ?? "";
    expect(text).toContain('path "kv/data/team/*" { capabilities = ["create", "read", "patch"] }');
    expect(text).toContain('path "rekey/data/s/*" { capabilities = ["create", "read"] }');
    expect(text).toContain('path "rekey/config"');
    expect(text).toContain("vault policy write rekey-consumer-team -");
    const config = vault.config.parse({
      address: "https://vault.example.com:8200",
      namespace: "a",
      auth: { method: "token", token: "env:T" },
    });
    const lockOf = (path: string) => vault.lockKeys(config as never, vault.place.parse({ path }) as never);
    expect(lockOf("x/y")).toEqual(["vault:vault.example.com:8200:a:secret/x/y"]);
    expect(lockOf("x/z")).not.toEqual(lockOf("x/y"));
  });

  it.each(["/lead", "trail/", "a//b", "a/../b", "a b", "a?version=1", "a%2fb", ""])(
    "refuses the path %j in the estate",
    (path) => {
      expect(vault.place.safeParse({ path }).success).toBe(false);
    },
  );

  it("refuses two fields under one stored name", () => {
    const fields = { username: "same", password: "same" };
    expect(vault.place.safeParse({ path: "a", fields }).success).toBe(false);
    expect(vault.place.safeParse({ path: "a", fields: { password: "rekey_tag" } }).success).toBe(false);
  });
});
