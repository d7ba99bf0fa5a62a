/** Every way of logging in to Vault, against the real methods: tokens are renewed, replaced and forgotten as they should be. */
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AdapterDeps, Store } from "../../../adapters/ports.js";
import { vault } from "../../../adapters/stores/vault.js";
import { vaultMakers } from "../../setup/servers.js";
import { selfSigned } from "../issuers/certificate.js";
import { type VaultWorld, vaultWorld } from "./vault-world.js";
import { call, codeOf, contents, depsOf, kept, plain } from "./world.js";

describe.each(vaultMakers)("login at %s", (maker) => {
  let world: VaultWorld;
  let clock: number;
  let values: Record<string, string>;

  beforeEach(async () => {
    world = await vaultWorld(maker);
    clock = 0;
    values = { "env:VAULT": world.engineToken };
  });
  afterEach(() => world.dispose());

  const deps = (): AdapterDeps => depsOf(values, { now: () => Date.now() + clock });
  const open = (auth: object, more: object = {}, using = deps()): Store =>
    vault.create(
      vault.config.parse({
        address: world.gate.address,
        stagingPrefix: world.prefix,
        auth,
        ...more,
      }) as never,
      vault.place.parse({ path: world.path }) as never,
      using,
    );
  const requests = (part: string) => world.gate.passed.filter(({ path }) => path.includes(part)).length;

  /** An AppRole role of this test's own, bound to the engine's policy. */
  async function appRole(settings: object): Promise<object> {
    const { admin } = world;
    const mount = `${world.prefix.split("/")[0]}-approle`;
    await admin("POST", `sys/auth/${mount}`, { type: "approle" });
    const policies = [world.prefix.replace(/-rekey.*/, "-engine")];
    await admin("POST", `auth/${mount}/role/engine`, { token_policies: policies, ...settings });
    const id = (await admin("GET", `auth/${mount}/role/engine/role-id`)).data as { role_id: string };
    values["env:SECRET_ID"] = await newSecretId(mount);
    return { method: "approle", mount, roleId: id.role_id, secretId: "env:SECRET_ID" };
  }

  async function newSecretId(mount: string): Promise<string> {
    const made = (await world.admin("POST", `auth/${mount}/role/engine/secret-id`)).data;
    return (made as { secret_id: string }).secret_id;
  }

  it("AppRole: one login serves many calls, many callers and several places", async () => {
    const using = deps();
    const auth = await appRole({ token_ttl: "1h" });
    const store = open(auth, {}, using);
    await Promise.all(["v1", "v2", "v3"].map((version) => store.stage(version, contents(version), call())));
    await Promise.all(Array.from({ length: 8 }, () => store.view(call())));
    expect(plain(await open(auth, {}, using).staged("v2", call()))).toEqual(kept("v2"));
    expect(requests("/login")).toBe(1);
  });

  it("AppRole: a wrong secret id is `not-permitted`, and nothing of Vault's answer is repeated", async () => {
    const auth = await appRole({});
    values["env:SECRET_ID"] = "canary-wrong-secret-id";
    expect(await codeOf(open(auth).view(call()))).toBe("not-permitted");
  });

  it("AppRole: the secret id is read anew at each login, so that it can rotate", async () => {
    const auth = await appRole({ token_ttl: "1h" });
    const store = open(auth);
    await store.view(call());
    values["env:SECRET_ID"] = await newSecretId((auth as { mount: string }).mount);
    clock = 2 * 3_600_000;
    await store.view(call());
    expect(requests("/login")).toBe(2);
  });

  it("a token is renewed before it ends, and replaced by a login once it has ended", async () => {
    const store = open(await appRole({ token_ttl: "60s" }));
    await store.view(call());
    clock = 30_000;
    await store.view(call());
    expect([requests("/login"), requests("renew-self")]).toEqual([1, 0]);
    clock = 45_000;
    await store.view(call());
    expect([requests("/login"), requests("renew-self")]).toEqual([1, 1]);
    clock = 600_000;
    await store.view(call());
    expect([requests("/login"), requests("renew-self")]).toEqual([2, 1]);
  });

  it("at its longest life a token is replaced in time instead of being renewed to nothing", async () => {
    const store = open(await appRole({ token_ttl: "4s", token_max_ttl: "4s" }));
    const until = Date.now() + 5_500;
    while (Date.now() < until) {
      await store.view(call());
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(requests("/login")).toBe(2);
    expect(requests("renew-self")).toBeLessThanOrEqual(2);
  });

  it("a token that was revoked is replaced by a login at once, also in the middle of a change", async () => {
    const store = open(await appRole({ token_ttl: "1h" }));
    await store.view(call());
    const token = world.gate.passed.at(-1)?.headers["x-vault-token"];
    await world.admin("POST", "auth/token/revoke", { token });
    expect(plain(await store.stage("v1", contents("v1"), call()))).toEqual(kept("v1"));
    expect(requests("/login")).toBe(2);
  });

  it("a token by reference is used as soon as it is replaced there; a dead one is `not-permitted`", async () => {
    const store = open({ method: "token", token: "env:VAULT" });
    await store.view(call());
    values["env:VAULT"] = "canary-dead-token";
    expect(await codeOf(store.view(call()))).toBe("not-permitted");
    values["env:VAULT"] = world.engineToken;
    await store.view(call());
    await world.admin("POST", "auth/token/revoke", { token: world.engineToken });
    expect(await codeOf(store.view(call()))).toBe("not-permitted");
  });

  it("a token that cannot be renewed is a warning before the rotation, with its end", async () => {
    const policies = [world.prefix.replace(/-rekey.*/, "-engine")];
    const made = await world.admin("POST", "auth/token/create", { policies, ttl: "1h", renewable: false });
    values["env:VAULT"] = (made.auth as { client_token: string }).client_token;
    const findings = await open({ method: "token", token: "env:VAULT" }).preflight(call());
    expect(findings.map(({ code }) => code)).toContain("vault-token-ends");
  });

  it("Kubernetes: logs in with the service account's token as the kubelet wrote it last", async () => {
    // The cluster's part of the login, one API: it says whose token it is.
    const reviewed: string[] = [];
    const cluster = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { spec } = JSON.parse(Buffer.concat(chunks).toString());
      reviewed.push(spec.token);
      const user = {
        username: "system:serviceaccount:rekey:worker",
        uid: "u-1",
        groups: ["system:serviceaccounts", "system:authenticated"],
      };
      const review = {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        status: { authenticated: true, audiences: ["vault"], user },
      };
      response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify(review));
    });
    await new Promise<void>((done) => cluster.listen(0, "127.0.0.1", done));
    const mount = `${world.prefix.split("/")[0]}-k8s`;
    await world.admin("POST", `sys/auth/${mount}`, { type: "kubernetes" });
    await world.admin("POST", `auth/${mount}/config`, {
      kubernetes_host: `http://127.0.0.1:${(cluster.address() as AddressInfo).port}`,
      disable_local_ca_jwt: true,
      // OpenBao asks for one also where the address has no TLS.
      kubernetes_ca_cert: selfSigned("cluster").certificate,
    });
    await world.admin("POST", `auth/${mount}/role/engine`, {
      bound_service_account_names: ["worker"],
      bound_service_account_namespaces: ["rekey"],
      audience: "vault",
      token_policies: [world.prefix.replace(/-rekey.*/, "-engine")],
      token_ttl: "1h",
    });
    const jwtFile = join(tmpdir(), `${mount}.jwt`);
    const { privateKey } = await generateKeyPair("ES256");
    const jwtOf = (id: string) =>
      new SignJWT({
        "kubernetes.io": { namespace: "rekey", serviceaccount: { name: "worker", uid: "u-1" } },
      })
        .setProtectedHeader({ alg: "ES256" })
        .setIssuer("https://kubernetes.default.svc")
        .setSubject("system:serviceaccount:rekey:worker")
        .setAudience(["vault"])
        .setJti(id)
        .setIssuedAt()
        .setNotBefore("-1m")
        .setExpirationTime("1h")
        .sign(privateKey);
    const [one, two] = [await jwtOf("one"), await jwtOf("two")];
    await writeFile(jwtFile, `${one}\n`);
    const store = open({ method: "kubernetes", mount, role: "engine", jwtFile });
    await store.view(call());
    await writeFile(jwtFile, two);
    clock = 2 * 3_600_000;
    await store.view(call());
    expect(reviewed).toEqual([one, two]);
    expect(
      await codeOf(open({ method: "kubernetes", mount, role: "engine", jwtFile: "/none" }).view(call())),
    ).toBe("missing-setup");
    await new Promise((done) => cluster.close(done));
  });

  it("the namespace of the settings goes with every request, the login's too", async () => {
    const auth = await appRole({});
    const store = open(auth, { namespace: "team-a/payments" });
    await store.view(call()).catch(() => undefined);
    await store.preflight(call()).catch(() => undefined);
    const seen = world.gate.passed.map(({ headers }) => headers["x-vault-namespace"]);
    expect(seen.length).toBeGreaterThan(1);
    expect(new Set(seen)).toEqual(new Set(["team-a/payments"]));
  });

  it("nothing of the environment's VAULT_ variables takes part", async () => {
    const before = { ...process.env };
    Object.assign(process.env, {
      VAULT_TOKEN: "canary-env-token",
      VAULT_NAMESPACE: "elsewhere",
      VAULT_PREFIX: "/odd",
      VAULT_ADDR: "http://127.0.0.1:1",
    });
    try {
      const store = open(await appRole({}));
      await store.view(call());
    } finally {
      process.env = before;
    }
    const login = world.gate.passed.find(({ path }) => path.includes("/login"));
    expect(login?.headers["x-vault-token"]).toBeUndefined();
    expect(JSON.stringify(world.gate.passed)).not.toMatch(/canary-env-token|elsewhere|odd/);
  });
});
