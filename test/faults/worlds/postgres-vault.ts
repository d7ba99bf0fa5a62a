/** Two accounts at PostgreSQL, their document in Vault's KV version 2: check-and-set, and a server of its own. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { vault as vaultKind } from "../../../adapters/stores/vault.js";
import { postgresAccount } from "./postgres-account.js";
import type { RawDocument, World, WorldKind } from "./world.js";

const answerMsMax = 10_000;

/** The world `postgres-vault`. */
export const postgresVault: WorldKind = {
  servers: ["issuer", "store"],
  blinds: true,
  seals: true,
  readOnly: ["issuer", "store"],
  restored: ["issuer"],
  goesOnRestored: true,
  isShared: true,
  async open({ folder, shop, vault }, index): Promise<World> {
    const { first, drop, ...issuerHalf } = await postgresAccount(shop, folder, index);
    const { address, token, seal } = await vault(index);
    const path = `faults/orders-${index}`;
    const tokenFile = join(folder, `vault-token-${index}`);
    await writeFile(tokenFile, token.reveal(), { mode: 0o600 });
    const ask = async (method: string, at: string, body?: unknown): Promise<unknown> => {
      const answer = await fetch(`${address}/v1/secret/${at}`, {
        method,
        headers: { "x-vault-token": token.reveal(), "content-type": "application/json" },
        signal: AbortSignal.timeout(answerMsMax),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (answer.status === 404) return null;
      if (!answer.ok) throw new Error(`Vault answered with ${answer.status}`);
      return answer.status === 204 ? null : await answer.json();
    };
    // The engine has the rights that its page asks for; the oracle and the services have the administrator's token.
    const administer = async (method: string, at: string, body: unknown): Promise<unknown> => {
      const answer = await fetch(`${address}/v1/${at}`, {
        method,
        headers: { "x-vault-token": token.reveal(), "content-type": "application/json" },
        signal: AbortSignal.timeout(answerMsMax),
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`Vault answered with ${answer.status}`);
      return answer.status === 204 ? null : await answer.json();
    };
    const policyName = `engine-${index}`;
    const policy = policyOf(vaultKind.grants?.({ path }) ?? "");
    const allow = async (text: string) =>
      void (await administer("PUT", `sys/policies/acl/${policyName}`, { policy: text }));
    await allow(policy);
    const made = await administer("POST", "auth/token/create", { policies: ["default", policyName] });
    const engineTokenFile = join(folder, `vault-engine-token-${index}`);
    const { auth } = made as { auth: { client_token: string } };
    await writeFile(engineTokenFile, auth.client_token, { mode: 0o600 });
    const keysBelow = async (folderPath: string): Promise<string[]> => {
      const list = (await ask("LIST", `metadata/${folderPath}`)) as { data: { keys: string[] } } | null;
      const names = list?.data.keys ?? [];
      const deeper = names.filter((name) => name.endsWith("/"));
      const found = await Promise.all(deeper.map((name) => keysBelow(`${folderPath}${name}`)));
      return [
        ...names.filter((name) => !name.endsWith("/")).map((name) => `${folderPath}${name}`),
        ...found.flat(),
      ];
    };
    const port = Number(new URL(address).port);
    const store = { kind: "vault", address, auth: { method: "token", token: `file:${engineTokenFile}` } };
    await ask("POST", `data/${path}`, { data: first });
    const live = async (): Promise<RawDocument | null> => {
      const read = (await ask("GET", `data/${path}`)) as { data: { data: RawDocument } } | null;
      return read?.data.data ?? null;
    };
    return {
      ...issuerHalf,
      seal,
      readOnly: {
        ...issuerHalf.readOnly,
        store: (on) => allow(on ? lookingOnly(policy) : policy),
      },
      serviceEnv: {
        ...issuerHalf.serviceEnv,
        VAULT_ADDR: address,
        VAULT_PATH: path,
        VAULT_TOKEN_FILE: tokenFile,
      },
      store,
      servers: { ...issuerHalf.servers, store: { host: "127.0.0.1", port } },
      through: (doors) => ({
        issuer: issuerHalf.throughDoors(doors),
        store: { ...store, address: `http://127.0.0.1:${doors.store}` },
      }),
      place: { path },
      live,
      annotate: async (note) => {
        await ask("POST", `data/${path}`, { data: { ...(await live()), note } });
      },
      copies: async () => {
        const keys = await keysBelow("");
        const own = keys.filter((key) => key.includes(`${path}/`));
        const existing = await Promise.all(
          own.map(async (key) => {
            const read = (await ask("GET", `data/${key}`)) as { data: { data: RawDocument | null } } | null;
            const data = read?.data.data ?? null;
            // Where a copy was purged something stands that says so, and holds no value.
            return data === null || data.rekey_purged !== undefined ? [] : [key.split("/").at(-1) ?? ""];
          }),
        );
        return existing.flat().sort();
      },
      stop: drop,
    };
  },
};

/** The engine's policy as `rekey grants vault` prints it. */
function policyOf(grants: string): string {
  const [, policy] = /^vault policy write rekey-engine - <<'HCL'\n(.*?)\nHCL$/ms.exec(grants) ?? [];
  if (policy === undefined) throw new Error("the printed grants of Vault are not what they were");
  return policy;
}

/** The same without whatever is more than a look. */
function lookingOnly(policy: string): string {
  return policy.replaceAll(/capabilities = \[(.*)\]/g, (_, listed: string) => {
    const left = listed.split(", ").filter((right) => right === '"read"' || right === '"list"');
    return `capabilities = [${left.join(", ") || '"deny"'}]`;
  });
}
