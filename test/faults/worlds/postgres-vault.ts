/** Two accounts at PostgreSQL, their document in Vault's KV version 2: check-and-set, and a server of its own. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { postgresAccount } from "./postgres-account.js";
import type { RawDocument, World, WorldKind } from "./world.js";

const answerMsMax = 10_000;

/** The world `postgres-vault`. */
export const postgresVault: WorldKind = {
  servers: ["issuer", "store"],
  readOnly: ["issuer"],
  restored: ["issuer"],
  goesOnRestored: true,
  isShared: true,
  async open({ folder, shop, vault }, index): Promise<World> {
    const { first, drop, ...issuerHalf } = await postgresAccount(shop, folder, index);
    const { address, token } = await vault();
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
    const store = { kind: "vault", address, auth: { method: "token", token: `file:${tokenFile}` } };
    await ask("POST", `data/${path}`, { data: first });
    const live = async (): Promise<RawDocument | null> => {
      const read = (await ask("GET", `data/${path}`)) as { data: { data: RawDocument } } | null;
      return read?.data.data ?? null;
    };
    return {
      ...issuerHalf,
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
