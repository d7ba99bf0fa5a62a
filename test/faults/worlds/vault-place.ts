/** A lane's place in the KV version 2 of a Vault of its own: the engine has its page's rights, whoever looks on an administrator's. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { vault as vaultKind } from "../../../adapters/stores/vault.js";
import type { OwnVault, RawDocument, World } from "./world.js";

const answerMsMax = 10_000;

/** The store's half of a world. */
export type VaultPlace = Pick<World, "store" | "place" | "live" | "copies" | "annotate"> & {
  /** Below `secret/data/`. */
  readonly path: string;
  readonly port: number;
  /** What a service needs to read the document as the administrator. */
  readonly serviceEnv: Readonly<Record<string, string>>;
  /** The store's section with this port in place of its server's own. */
  throughDoor(port: number | undefined): Readonly<Record<string, unknown>>;
  /** Lets the engine read and not write there, or write again. */
  readOnly(on: boolean): Promise<void>;
  /** Makes a token of a name for somebody with the administrator's rights, and puts it into a file. */
  tokenFile(name: string): Promise<string>;
  /** The number that the store itself has for the live version. */
  number(): Promise<number>;
};

/** Asks a Vault as whoever has the token; null where there is nothing. Throws for any other refusal. */
export async function askVault(
  { address, token }: { readonly address: string; readonly token: string },
  method: string,
  at: string,
  body?: unknown,
): Promise<unknown> {
  const answer = await fetch(`${address}/v1/${at}`, {
    method,
    headers: { "x-vault-token": token, "content-type": "application/json" },
    signal: AbortSignal.timeout(answerMsMax),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`Vault answered with ${answer.status}`);
  return answer.status === 204 ? null : await answer.json();
}

/** Makes the place of lane `index` with the first document in it. */
export async function vaultPlace(
  folder: string,
  { address, token }: OwnVault,
  index: number,
  first: RawDocument,
): Promise<VaultPlace> {
  const path = `faults/orders-${index}`;
  const administrator = { address, token: token.reveal() };
  const ask = (method: string, at: string, body?: unknown) => askVault(administrator, method, at, body);
  const inStore = (method: string, at: string, body?: unknown) => ask(method, `secret/${at}`, body);
  const kept = async (name: string, text: string): Promise<string> => {
    const file = join(folder, `vault-token-${name}-${index}`);
    await writeFile(file, text, { mode: 0o600 });
    return file;
  };
  const tokenFile = async (name: string, policies: readonly string[] = ["root"]): Promise<string> => {
    const made = await ask("POST", "auth/token/create", { display_name: name, policies });
    return kept(name, (made as { auth: { client_token: string } }).auth.client_token);
  };
  const policyName = `engine-${index}`;
  const policy = policyOf(vaultKind.grants?.({ path }) ?? "");
  const allow = async (text: string) =>
    void (await ask("PUT", `sys/policies/acl/${policyName}`, { policy: text }));
  await allow(policy);
  const store = {
    kind: "vault",
    address,
    auth: { method: "token", token: `file:${await tokenFile("engine", ["default", policyName])}` },
  };
  await inStore("POST", `data/${path}`, { data: first });
  const live = async (): Promise<RawDocument | null> => {
    const read = (await inStore("GET", `data/${path}`)) as { data: { data: RawDocument } } | null;
    return read?.data.data ?? null;
  };
  const keysBelow = async (folderPath: string): Promise<string[]> => {
    const list = (await inStore("LIST", `metadata/${folderPath}`)) as { data: { keys: string[] } } | null;
    const names = list?.data.keys ?? [];
    const deeper = names.filter((name) => name.endsWith("/"));
    const found = await Promise.all(deeper.map((name) => keysBelow(`${folderPath}${name}`)));
    return [
      ...names.filter((name) => !name.endsWith("/")).map((name) => `${folderPath}${name}`),
      ...found.flat(),
    ];
  };
  return {
    ...{ path, store, place: { path }, live, tokenFile },
    port: Number(new URL(address).port),
    throughDoor: (port) => ({ ...store, address: `http://127.0.0.1:${port}` }),
    serviceEnv: {
      VAULT_ADDR: address,
      VAULT_PATH: path,
      VAULT_TOKEN_FILE: await kept("administrator", administrator.token),
    },
    readOnly: (on) => allow(on ? lookingOnly(policy) : policy),
    annotate: async (note) => {
      await inStore("POST", `data/${path}`, { data: { ...(await live()), note } });
    },
    copies: async () => {
      const keys = await keysBelow("");
      const own = keys.filter((key) => key.includes(`${path}/`));
      const existing = await Promise.all(
        own.map(async (key) => {
          const read = (await inStore("GET", `data/${key}`)) as {
            data: { data: RawDocument | null };
          } | null;
          const data = read?.data.data ?? null;
          // Where a copy was purged something stands that says so, and holds no value.
          return data === null || data.rekey_purged !== undefined ? [] : [key.split("/").at(-1) ?? ""];
        }),
      );
      return existing.flat().sort();
    },
    number: async () => {
      const { data } = (await inStore("GET", `metadata/${path}`)) as { data: { current_version: number } };
      return data.current_version;
    },
  };
}

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
