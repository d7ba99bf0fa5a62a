/** A Vault of one lane, set up as an administrator does it and not in development mode, so that it can be sealed and unsealed. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Secret } from "../../../domain/secret.js";
import { startChild } from "../../../worker/dev/child.js";
import { freePort } from "../../../worker/dev/ports.js";
import type { OwnVault } from "../worlds/world.js";

const readyMsMax = 30_000;
const answerMsMax = 10_000;
/** What the health of a server is that nobody has set up yet. */
const notInitialised = 501;

/** Starts `program` with KV version 2 at `secret/` and everything in memory; resolves once it is unsealed. */
export async function startSealableVault(
  program: string,
  folder: string,
): Promise<OwnVault & { stop(): Promise<void> }> {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  await mkdir(folder, { mode: 0o700 });
  const config = join(folder, "vault.json");
  const listener = [{ tcp: { address: `127.0.0.1:${port}`, tls_disable: true } }];
  const settings = {
    ...{ storage: { inmem: {} }, listener, api_addr: address, disable_mlock: true },
    // OpenBao asks for it before somebody may add a log while it runs; a Vault needs no leave.
    unsafe_allow_api_audit_creation: true,
  };
  await writeFile(config, JSON.stringify(settings), { mode: 0o600 });
  const child = await startChild({
    name: "a lane's Vault",
    command: program,
    args: ["server", `-config=${config}`, "-log-level=error"],
    cwd: folder,
    ready: () => isUp(address),
    readyMsMax,
    stopSignal: "SIGINT",
  });
  try {
    const one = { secret_shares: 1, secret_threshold: 1 };
    const { keys, root_token: root } = (await asked(address, "PUT", "sys/init", one)) as {
      keys: readonly string[];
      root_token: string;
    };
    const token = new Secret(root);
    const unseal = () => asked(address, "PUT", "sys/unseal", { key: keys[0] });
    await unseal();
    const mount = { type: "kv", options: { version: "2" } };
    await asked(address, "POST", "sys/mounts/secret", mount, token);
    await versioned(address, token);
    return {
      ...{ address, token },
      audited: async () => {
        const file = join(folder, "audit.log");
        await asked(address, "PUT", "sys/audit/file", { type: "file", options: { file_path: file } }, token);
        return file;
      },
      seal: async (on) => void (await (on ? asked(address, "PUT", "sys/seal", {}, token) : unseal())),
      stop: () => child.stop(),
    };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

async function isUp(address: string): Promise<boolean> {
  try {
    const response = await fetch(`${address}/v1/sys/health`, { signal: AbortSignal.timeout(1_000) });
    await response.arrayBuffer();
    return response.status === notInitialised;
  } catch {
    return false;
  }
}

/** A mount that is new takes a moment until it keeps versions. */
async function versioned(address: string, token: Secret): Promise<void> {
  const until = Date.now() + readyMsMax;
  for (;;) {
    const kept = await asked(address, "POST", "secret/config", {}, token).catch((error: Error) => error);
    if (!(kept instanceof Error)) return;
    if (Date.now() > until) throw kept;
    await pause(50);
  }
}

async function asked(
  address: string,
  method: string,
  path: string,
  body: unknown,
  token?: Secret,
): Promise<unknown> {
  const answer = await fetch(`${address}/v1/${path}`, {
    method,
    headers: { "content-type": "application/json", ...(token ? { "x-vault-token": token.reveal() } : {}) },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(answerMsMax),
  });
  if (!answer.ok) throw new Error(`Vault answered ${path} with ${answer.status}`);
  return answer.status === 204 ? null : await answer.json();
}
