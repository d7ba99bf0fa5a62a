/**
 * A real Vault (or OpenBao) in development mode, so that the `vault` store is tried against the program that
 * it is for. It keeps everything in memory.
 */

import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { Secret } from "../../domain/secret.js";
import { startChild } from "./child.js";
import { freePort } from "./ports.js";

/** A development Vault that runs. `stop` ends it; nothing is left running. */
export interface VaultServer {
  /** Base URL, e.g. `http://127.0.0.1:41234`. */
  readonly address: string;
  /** A root token, drawn at random for this server. */
  readonly token: Secret;
  readonly pid: number;
  stop(): Promise<void>;
}

const readyMsMax = 30_000;

/**
 * Starts `program` (`vault` or `bao`) on a free port of 127.0.0.1 with KV version 2 at `secret/`, and resolves
 * once it is unsealed. Throws `missing-setup` when it is not within 30 s.
 */
export async function startVault(program: string): Promise<VaultServer> {
  const token = new Secret(`rekey-dev-${randomBytes(24).toString("hex")}`);
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const child = await startChild({
    name: "the development Vault",
    command: program,
    args: [
      "server",
      "-dev",
      "-dev-no-store-token",
      `-dev-listen-address=127.0.0.1:${port}`,
      "-log-level=error",
    ],
    // By environment and not by argument: arguments are readable by every user of the machine.
    env: { VAULT_DEV_ROOT_TOKEN_ID: token.reveal(), BAO_DEV_ROOT_TOKEN_ID: token.reveal() },
    cwd: tmpdir(),
    ready: () => unsealed(address),
    readyMsMax,
    stopSignal: "SIGINT",
    redact: [token],
  });
  return { address, token, pid: child.pid, stop: () => child.stop() };
}

async function unsealed(address: string): Promise<boolean> {
  try {
    const response = await fetch(`${address}/v1/sys/health`, { signal: AbortSignal.timeout(1000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}
