/**
 * The API of a real Kubernetes for tests: etcd and the API server, with its rights and its admission, and nothing behind it that would
 * run pods. What reads a cluster is tried against the program that answers it.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "../../domain/secret.js";
import { type Child, startChild } from "./child.js";
import { accepts, freePort } from "./ports.js";
import { systemProgram } from "./system-packages.js";

/** An API server that runs. */
export interface KubernetesServer {
  /** Base URL, `https://127.0.0.1:41234`. */
  readonly url: string;
  /** File with the certificate to check it by. */
  readonly caFile: string;
  /** Of a user who may do everything. */
  readonly token: Secret;
  /** Base URL of the etcd behind it. */
  readonly etcd: string;
  /** Ends both and removes what they kept. */
  stop(): Promise<void>;
}

const readyMsMax = 120_000;
const host = "127.0.0.1";

/** How a server differs from the usual one. */
export interface KubernetesOptions {
  /** Clients with a certificate that this one signed (PEM) are whom it names. */
  readonly clientAuthority?: string;
}

/** Starts both on free ports of 127.0.0.1. `program` is the API server. Throws `missing-setup` when one is not ready. */
export async function startKubernetes(
  program: string,
  { clientAuthority }: KubernetesOptions = {},
): Promise<KubernetesServer> {
  const etcdProgram = await systemProgram("etcd");
  const folder = await mkdtemp(join(tmpdir(), "rekey-kubernetes-"));
  const token = new Secret(randomBytes(24).toString("hex"));
  const [port, etcdPort, peerPort] = [await freePort(), await freePort(), await freePort()];
  const etcd = `http://${host}:${etcdPort}`;
  const files = {
    certificates: join(folder, "certificates"),
    caFile: join(folder, "certificates", "apiserver.crt"),
    key: join(folder, "service-accounts.pem"),
    tokens: join(folder, "tokens.csv"),
    clientAuthority: join(folder, "clients.crt"),
  };
  await mkdir(files.certificates);
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(files.key, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  await writeFile(files.tokens, `${token.reveal()},admin,admin,"system:masters"\n`, { mode: 0o600 });
  if (clientAuthority !== undefined) await writeFile(files.clientAuthority, clientAuthority);
  const started: Child[] = [];
  const stop = async () => {
    for (const child of started.splice(0).reverse()) await child.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    started.push(
      await startChild({
        name: "the development etcd",
        command: etcdProgram,
        args: [
          `--data-dir=${join(folder, "etcd")}`,
          `--listen-client-urls=${etcd}`,
          `--advertise-client-urls=${etcd}`,
          `--listen-peer-urls=http://${host}:${peerPort}`,
          `--initial-advertise-peer-urls=http://${host}:${peerPort}`,
          `--initial-cluster=default=http://${host}:${peerPort}`,
        ],
        cwd: folder,
        ready: () => accepts(etcdPort),
        readyMsMax,
        stopSignal: "SIGTERM",
        removeAfter: folder,
      }),
    );
    started.push(
      await startChild({
        name: "the development Kubernetes",
        command: program,
        args: [
          `--etcd-servers=${etcd}`,
          `--bind-address=${host}`,
          `--advertise-address=${host}`,
          `--secure-port=${port}`,
          `--cert-dir=${files.certificates}`,
          `--token-auth-file=${files.tokens}`,
          "--authorization-mode=RBAC",
          "--anonymous-auth=false",
          "--endpoint-reconciler-type=none",
          "--service-cluster-ip-range=10.0.0.0/24",
          "--service-account-issuer=https://kubernetes.default.svc",
          `--service-account-key-file=${files.key}`,
          `--service-account-signing-key-file=${files.key}`,
          ...(clientAuthority === undefined ? [] : [`--client-ca-file=${files.clientAuthority}`]),
        ],
        cwd: folder,
        ready: () => isReady(port, files.caFile, token),
        readyMsMax,
        // It would wait for whoever watches it.
        stopSignal: "SIGKILL",
        redact: [token],
        removeAfter: folder,
      }),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `https://${host}:${port}`, caFile: files.caFile, token, etcd, stop };
}

async function isReady(port: number, caFile: string, token: Secret): Promise<boolean> {
  const ca = await readFile(caFile, "utf8").catch(() => undefined);
  if (ca === undefined) return false;
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token.reveal()}` };
    const request = get(
      { host, port, path: "/readyz", ca, headers, agent: false, timeout: 2_000 },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}
