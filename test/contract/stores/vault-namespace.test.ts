/** Namespaces for real: OpenBao has them, free Vault has not, and a policy, a mount and a token of one mean nothing in another. */
import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import type { Store } from "../../../adapters/ports.js";
import { vault } from "../../../adapters/stores/vault.js";
import { vaultServer } from "../../setup/servers.js";
import { call, change, codeOf, contents, depsOf, kept, plain, tag } from "./world.js";

it("a place in a namespace of OpenBao is reached there and nowhere else", async () => {
  const server = await vaultServer("openbao");
  const namespace = `t${randomBytes(6).toString("hex")}`;
  const admin = async (path: string, body: object, within?: string) => {
    const headers = {
      "X-Vault-Token": server.token.reveal(),
      ...(within === undefined ? {} : { "X-Vault-Namespace": within }),
    };
    const answer = await fetch(`${server.address}/v1/${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    expect(answer.ok, path).toBe(true);
    return JSON.parse((await answer.text()) || "{}");
  };
  await admin(`sys/namespaces/${namespace}`, {});
  await admin("sys/mounts/secret", { type: "kv", options: { version: "2" } }, namespace);
  const printed = vault.grants?.({ path: "orders/db" }) ?? "";
  const policy = /vault policy write rekey-engine - <<'HCL'\n([\s\S]*?)\nHCL\n/.exec(printed)?.[1];
  await admin("sys/policies/acl/engine", { policy }, namespace);
  const made = await admin("auth/token/create", { policies: ["engine"], ttl: "1h" }, namespace);

  const open = (more: object): Store =>
    vault.create(
      vault.config.parse({
        address: server.address,
        auth: { method: "token", token: "env:VAULT" },
        ...more,
      }) as never,
      vault.place.parse({ path: "orders/db" }) as never,
      depsOf({ "env:VAULT": made.auth.client_token }),
    );
  const store = open({ namespace });
  const refusals = (await store.preflight(call())).filter(({ severity }) => severity === "refuse");
  expect(refusals).toEqual([]);
  await store.stage("v1", contents("v1"), call());
  expect(await store.promote(change(null, tag("v1", 1)), call())).toBe("applied");
  expect(plain(await store.live(call()))).toMatchObject(kept("v1"));
  expect(await codeOf(open({}).live(call()))).toBe("not-permitted");
});
