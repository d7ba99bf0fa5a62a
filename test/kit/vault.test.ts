/** The kit against a real Vault: each way in, renewal of the way in, and faults told apart. */
import { randomBytes } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { fromVault, load, type VaultPlace } from "../../kit/index.js";
import { type SharedVault, vaultServer } from "../setup/servers.js";
import { documentOf } from "./documents.js";

const mark = randomBytes(4).toString("hex");
const path = `kit-${mark}/orders`;
let vault: SharedVault;

async function api(method: string, route: string, body?: object): Promise<Record<string, never>> {
  const response = await fetch(`${vault.address}/v1/${route}`, {
    method,
    headers: { "x-vault-token": vault.token.reveal() },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${route}: ${response.status}`);
  return text === "" ? {} : JSON.parse(text);
}

function put(version: string) {
  return api("POST", `secret/data/${path}`, { data: documentOf(version) });
}

function place(login: VaultPlace["login"], more: Partial<VaultPlace> = {}): VaultPlace {
  return { address: vault.address, path, login, ...more };
}

beforeAll(async () => {
  vault = await vaultServer();
  await put("v1");
  await api("POST", `sys/policies/acl/kit-${mark}`, {
    policy: `path "secret/data/${path}" { capabilities = ["read"] }`,
  });
});

test("with a token: the newest document, whole, each time", async () => {
  const source = fromVault(place({ token: () => vault.token.reveal() }));
  expect(await load(source)).toMatchObject({ version: "v1" });
  await put("v2");
  const credential = await load(source);
  expect([credential.version, credential.username]).toEqual(["v2", "orders_b"]);
});

test("with AppRole: it logs in by itself, keeps its token, and logs in again when that is refused", async () => {
  const mount = `approle-${mark}`;
  await api("POST", `sys/auth/${mount}`, { type: "approle" });
  const role = `auth/${mount}/role/orders`;
  await api("POST", role, { token_policies: `kit-${mark}`, token_ttl: "1h" });
  const roleId = (await api("GET", `${role}/role-id`)) as unknown as { data: { role_id: string } };
  let logins = 0;
  const secretId = async () => {
    logins++;
    const made = (await api("POST", `${role}/secret-id`)) as unknown as { data: { secret_id: string } };
    return made.data.secret_id;
  };
  const source = fromVault(place({ roleId: roleId.data.role_id, secretId, mount }));
  await load(source);
  await load(source);
  expect(logins).toBe(1);
  await api("POST", `sys/leases/revoke-prefix/auth/${mount}/login`);
  expect((await load(source)).username).toMatch(/^orders_/);
  expect(logins).toBe(2);

  const wrong = fromVault(place({ roleId: roleId.data.role_id, secretId: "canary-secret-id", mount }));
  const error = await load(wrong).catch((thrown: Error) => thrown);
  expect(error).toMatchObject({ code: "refused" });
  expect(String(error)).not.toContain("canary");
});

test("faults are told apart: no right, no document, no server, deleted", async () => {
  const limited = (await api("POST", "auth/token/create", { policies: ["default"] })) as unknown as {
    auth: { client_token: string };
  };
  const token = vault.token.reveal();
  const codeOf = async (where: VaultPlace) =>
    (await load(fromVault(where), { attempts: 1, timeoutMs: 20_000 }).catch((thrown) => thrown)).code;
  expect(await codeOf(place({ token: limited.auth.client_token }))).toBe("refused");
  expect(await codeOf(place({ token }, { path: `kit-${mark}/absent` }))).toBe("unreachable");
  expect(await codeOf(place({ token }, { address: "http://127.0.0.1:9" }))).toBe("unreachable");
  expect(await codeOf(place({ kubernetesRole: "orders", jwtFile: "/no/such/token" }))).toBe("refused");
  const gone = `kit-${mark}/gone`;
  await api("POST", `secret/data/${gone}`, { data: documentOf("v1") });
  await api("DELETE", `secret/data/${gone}`);
  expect(await codeOf(place({ token }, { path: gone }))).toBe("unreachable");
});
