/**
 * The servers that all test files of a run share, asked for by name. Whoever changes a server's settings,
 * stops it or fills it with load starts one of his own with the functions of `worker/dev` instead.
 */

import { inject } from "vitest";
import { Secret } from "../../domain/secret.js";
import { findBinary } from "../../worker/dev/binaries.js";
import { kubernetesPin } from "../../worker/dev/pins.js";

/** The shared Temporal development server. Use task queues and workflow ids of your own. */
export interface SharedTemporal {
  readonly address: string;
  readonly namespace: string;
}

/** The shared PostgreSQL. Databases and roles are visible to all files: give yours names of their own. */
export interface SharedPostgres {
  readonly host: string;
  readonly port: number;
  /** The superuser. */
  readonly user: string;
  readonly password: Secret;
  /** Connection URL of the superuser. */
  url(database?: string): Secret;
}

/** The shared Vault in development mode, with KV version 2 at `secret/`. Use paths of your own. */
export interface SharedVault {
  readonly address: string;
  /** A root token. */
  readonly token: Secret;
}

/** The Temporal server of this run, started by the first call of any file. */
export async function temporalServer(): Promise<SharedTemporal> {
  return ask<SharedTemporal>("/temporal");
}

/** The PostgreSQL of this run, started by the first call of any file. */
export async function postgresServer(): Promise<SharedPostgres> {
  const about = await ask<{ port: number; user: string; password: string }>("/postgres");
  const at = `${about.user}:${about.password}@127.0.0.1:${about.port}`;
  return {
    host: "127.0.0.1",
    port: about.port,
    user: about.user,
    password: new Secret(about.password),
    url: (database = "postgres") => new Secret(`postgres://${at}/${encodeURIComponent(database)}`),
  };
}

/** Name of a database there that has every migration of the inventory and no row, to be copied. */
export async function inventoryTemplate(): Promise<string> {
  return (await ask<{ name: string }>("/inventory")).name;
}

/** Whose server of the Vault API it is. */
export type VaultMaker = "vault" | "openbao";

/** Both, for `describe.each`: whatever is said of the store `vault` is said of both. */
export const vaultMakers: readonly VaultMaker[] = ["vault", "openbao"];

/** The Vault, or the OpenBao, of this run, started by the first call of any file. */
export async function vaultServer(maker: VaultMaker = "vault"): Promise<SharedVault> {
  const about = await ask<{ address: string; token: string }>(`/${maker}`);
  return { address: about.address, token: new Secret(about.token) };
}

/** The moto of this run, which answers as AWS and believes everybody. Use names of your own. */
export async function motoServer(): Promise<{ readonly address: string }> {
  return ask<{ address: string }>("/moto");
}

/** The moto of this run that lets nobody in without a key, and its administrator. Use users of your own. */
export async function iamServer(): Promise<{
  readonly address: string;
  readonly keyId: string;
  readonly secret: Secret;
}> {
  const { secret, ...about } = await ask<{ address: string; keyId: string; secret: string }>("/iam");
  return { ...about, secret: new Secret(secret) };
}

/** The API of the Kubernetes of this run, with nothing behind it that runs pods. */
export interface SharedKubernetes {
  readonly url: string;
  /** File with the certificate to check it by. */
  readonly caFile: string;
  /** Of a user who may do everything. */
  readonly token: Secret;
  /** A client certificate, in PEM, of the user `rekey-by-certificate`, who has no rights of their own. */
  readonly client: { readonly certificate: string; readonly key: Secret };
}

/** For a hook that asks for `kubernetesServer` or its program: it may still be being built, in idle time. */
export const kubernetesMsMax = 45 * 60_000;

/** The Kubernetes of this run, started by the first call of any file. Use namespaces of your own. */
export async function kubernetesServer(): Promise<SharedKubernetes> {
  await findBinary(kubernetesPin);
  const about = await ask<Record<"url" | "caFile" | "token" | "certificate" | "key", string>>("/kubernetes");
  const { url, caFile, token, certificate, key } = about;
  return { url, caFile, token: new Secret(token), client: { certificate, key: new Secret(key) } };
}

async function ask<T>(path: string): Promise<T> {
  const broker = inject("broker");
  if (broker === undefined) throw new Error("this suite has `servers: false` in scripts/suites.ts");
  const response = await fetch(`${broker.url}${path}`, { headers: { authorization: broker.token } });
  if (!response.ok) throw new Error(`the shared server ${path} did not start: ${await response.text()}`);
  return (await response.json()) as T;
}
