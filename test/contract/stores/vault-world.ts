/** A fresh place in the real Vault or OpenBao for each test, with an administrator's eyes and another writer's hands. */
import { randomBytes } from "node:crypto";
import { vault } from "../../../adapters/stores/vault.js";
import { findBinary } from "../../../worker/dev/binaries.js";
import { findBao } from "../../../worker/dev/openbao.js";
import { vaultPin } from "../../../worker/dev/pins.js";
import { type VaultMaker, vaultServer } from "../../setup/servers.js";
import { type Gate, openGate } from "./gate.js";
import { depsOf, type WiredStoreWorld } from "./world.js";

/** An administrator's request; fails the test on anything but success or "not there". */
export type Admin = (method: string, path: string, body?: unknown) => Promise<Record<string, unknown>>;

/** A world in Vault, and what the tests that are about Vault itself need. */
export interface VaultWorld extends WiredStoreWorld {
  readonly gate: Gate;
  readonly admin: Admin;
  readonly path: string;
  readonly prefix: string;
  /** Token of the engine, with exactly the policy that `rekey grants vault` prints. */
  readonly engineToken: string;
  /** Token of a consumer, with the policy printed for it. */
  readonly consumerToken: string;
}

/** A client of the API with the given token; the body of the answer, its status under `status`. */
export function adminOf(address: string, token: string): Admin {
  return async (method, path, body) => {
    const response = await fetch(`${address}/v1/${path}`, {
      method,
      headers: {
        "X-Vault-Token": token,
        ...(method === "PATCH" ? { "Content-Type": "application/merge-patch+json" } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { ...(text === "" ? {} : JSON.parse(text)), status: response.status };
  };
}

/** The program of that maker, for a server of a test's own. */
export async function programOf(maker: VaultMaker): Promise<string> {
  return maker === "vault" ? findBinary(vaultPin) : findBao();
}

/** The policy of that name in the printed commands. */
function policyIn(grants: string, name: RegExp): string {
  const match = new RegExp(`vault policy write ${name.source} - <<'HCL'\\n([\\s\\S]*?)\\nHCL\\n`).exec(
    grants,
  );
  if (!match?.[1]) throw new Error("the policy is not in the printed commands");
  return match[1];
}

/** A new place, its own staging prefix and its own gate; `rights` replaces the engine's printed policy. */
export async function vaultWorld(
  maker: VaultMaker,
  rights?: (printed: string) => string,
): Promise<VaultWorld> {
  const server = await vaultServer(maker);
  const admin = adminOf(server.address, server.token.reveal());
  const gate = await openGate(server.address);
  const id = `t${randomBytes(6).toString("hex")}`;
  const path = `${id}/orders db`.replace(" ", "-");
  const prefix = `${id}-rekey/staging`;
  const printed = vault.grants?.({ path, stagingPrefix: prefix }) ?? "";
  const tokenFor = async (name: string, policy: string): Promise<string> => {
    await admin("POST", `sys/policies/acl/${id}-${name}`, { policy });
    const made = await admin("POST", "auth/token/create", { policies: [`${id}-${name}`], ttl: "1h" });
    return String((made.auth as Record<string, unknown>).client_token);
  };
  const engineToken = await tokenFor("engine", (rights ?? String)(policyIn(printed, /rekey-engine/)));
  const consumerToken = await tokenFor("consumer", policyIn(printed, /rekey-consumer-\S+/));

  const raw = async () => {
    const { data } = await admin("GET", `secret/data/${path}`);
    return ((data as Record<string, unknown> | undefined)?.data as Record<string, unknown> | null) ?? null;
  };
  const foreignWrite = async (fields: Record<string, string>) => {
    const there = (await raw()) !== null;
    await admin(there ? "PATCH" : "POST", `secret/data/${path}`, { data: fields });
  };
  const documentsBelow = async (folder: string): Promise<string[]> => {
    const { data } = await admin("GET", `secret/metadata/${folder}?list=true`);
    const keys = ((data as { keys?: string[] } | undefined)?.keys ?? []).map((key) => `${folder}${key}`);
    const nested = await Promise.all(keys.map((key) => (key.endsWith("/") ? documentsBelow(key) : [key])));
    return nested.flat();
  };
  const revisionsOf = async (document: string): Promise<unknown[]> => {
    const { data } = await admin("GET", `secret/metadata/${document}`);
    const numbers = Object.keys((data as { versions?: object } | undefined)?.versions ?? {});
    return Promise.all(
      numbers.map(async (number) => {
        const revision = await admin("GET", `secret/data/${document}?version=${number}`);
        return [document, number, (revision.data as { data?: unknown } | undefined)?.data];
      }),
    );
  };

  return {
    gate,
    admin,
    path,
    prefix,
    engineToken,
    consumerToken,
    storeVersions: "counted",
    open: ({ fields, installation } = {}) =>
      vault.create(
        vault.config.parse({
          address: gate.address,
          stagingPrefix: prefix,
          auth: { method: "token", token: "env:VAULT" },
        }) as never,
        vault.place.parse({ path, ...(fields ? { fields } : {}) }) as never,
        depsOf({ "env:VAULT": engineToken }, { installation: installation ?? "here" }),
      ),
    raw,
    foreignWrite,
    foreignWriteInBetween: async (fields) => {
      gate.beforeChange = () => foreignWrite(fields);
    },
    everything: async () => {
      const documents = [path, ...(await documentsBelow(`${prefix}/`))];
      return JSON.stringify(await Promise.all(documents.map(revisionsOf)));
    },
    cutOff: () => gate.shut(),
    fallSilent: () => {
      gate.silent = true;
    },
    loseNextAnswer: () => {
      gate.losing = true;
    },
    dispose: () => gate.close(),
  };
}
