/** A Vault or OpenBao of a test's own that writes an audit log, since an audit device changes the server for everybody. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "../../../worker/dev/child.js";
import { freePort } from "../../../worker/dev/ports.js";
import type { VaultMaker } from "../../setup/servers.js";
import { type Admin, adminOf, programOf } from "../stores/vault-world.js";

/** The server, with KV version 2 at `secret/` and password logins. */
export interface AuditServer {
  readonly admin: Admin;
  readonly address: string;
  /** What the file device has written so far. */
  readonly logFile: string;
  /** Logs somebody in who has an entity. */
  login(name: string): Promise<{ entity: string; as: Admin; wrapped(path: string): Promise<void> }>;
  /** Logs a program in by AppRole. */
  program(name: string): Promise<Admin>;
  /** A token without an entity. */
  token(displayName: string): Promise<Admin>;
  stop(): Promise<void>;
}

const readyMsMax = 30_000;

/** Starts one whose file device writes as it comes, or with the device's own options. */
export async function startAuditServer(
  maker: VaultMaker,
  options: Readonly<Record<string, string>> = {},
): Promise<AuditServer> {
  const folder = await mkdtemp(join(tmpdir(), "rekey-audit-"));
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const root = `root-${randomBytes(16).toString("hex")}`;
  const config = join(folder, "server.hcl");
  await writeFile(config, maker === "openbao" ? "unsafe_allow_api_audit_creation = true\n" : "");
  const child = await startChild({
    name: "a Vault with an audit log",
    command: await programOf(maker),
    args: [
      "server",
      "-dev",
      "-dev-no-store-token",
      `-dev-listen-address=127.0.0.1:${port}`,
      "-log-level=error",
      `-config=${config}`,
    ],
    env: { VAULT_DEV_ROOT_TOKEN_ID: root, BAO_DEV_ROOT_TOKEN_ID: root },
    cwd: folder,
    ready: async () => {
      const response = await fetch(`${address}/v1/sys/health`, { signal: AbortSignal.timeout(1_000) }).catch(
        () => null,
      );
      await response?.arrayBuffer();
      return response?.status === 200;
    },
    readyMsMax,
    stopSignal: "SIGINT",
    redact: [],
  });
  const admin = adminOf(address, root);
  const done = async (work: Promise<Record<string, unknown>>) => {
    const answer = await work;
    if (Number(answer.status) >= 300) throw new Error(`the server answered ${JSON.stringify(answer)}`);
    return answer;
  };
  const logFile = join(folder, "audit.log");
  await done(admin("POST", "sys/audit/file", { type: "file", options: { file_path: logFile, ...options } }));
  await done(admin("POST", "sys/auth/userpass", { type: "userpass" }));
  await done(admin("POST", "sys/auth/approle", { type: "approle" }));
  await done(
    admin("POST", "sys/policies/acl/reader", {
      policy: 'path "secret/*" { capabilities = ["read", "list", "create", "update", "delete"] }',
    }),
  );
  return {
    ...{ admin, address },
    logFile,
    login: async (name) => {
      const password = randomBytes(8).toString("hex");
      await done(
        admin("POST", `auth/userpass/users/${name}`, {
          password,
          policies: "reader",
          token_policies: "reader",
        }),
      );
      const { auth } = await done(admin("POST", `auth/userpass/login/${name}`, { password }));
      const { entity_id, client_token } = auth as Record<string, string>;
      const headers = { "X-Vault-Token": client_token ?? "", "X-Vault-Wrap-TTL": "60s" };
      return {
        entity: entity_id ?? "",
        as: adminOf(address, client_token ?? ""),
        wrapped: async (path) => {
          const response = await fetch(`${address}/v1/${path}`, { headers });
          if (!response.ok) throw new Error(`the server answered ${response.status}`);
          await response.arrayBuffer();
        },
      };
    },
    program: async (name) => {
      const role = `auth/approle/role/${name}`;
      await done(admin("POST", role, { token_policies: "reader" }));
      const { data: id } = await done(admin("GET", `${role}/role-id`));
      const { data: secret } = await done(admin("POST", `${role}/secret-id`));
      const given = { ...(id as object), secret_id: (secret as Record<string, unknown>).secret_id };
      const { auth } = await done(admin("POST", "auth/approle/login", given));
      return adminOf(address, String((auth as Record<string, unknown>).client_token));
    },
    token: async (displayName) => {
      const made = await done(
        admin("POST", "auth/token/create", { display_name: displayName, policies: ["reader"] }),
      );
      return adminOf(address, String((made.auth as Record<string, unknown>).client_token));
    },
    stop: async () => {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
