/** The ways to a cluster that the source `kubernetes` has: kubeconfig, pod, address. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { stringify } from "yaml";
import { kubernetes } from "../../../adapters/sources/kubernetes.js";
import { Secret } from "../../../domain/secret.js";
import { kubernetesMsMax, kubernetesServer, type SharedKubernetes } from "../../setup/servers.js";
import { applied, freshName, newNamespace } from "../../support/kubernetes.js";
import { scanned } from "../source.js";
import { call, codeOf, depsOf } from "../stores/world.js";
import { only } from "./kubernetes-world.js";

let cluster: SharedKubernetes;
let namespace: string;
let folder: string;

beforeAll(async () => {
  cluster = await kubernetesServer();
  namespace = await newNamespace(cluster);
  // Whoever comes by a client certificate may look at everything, too.
  await applied(cluster, [
    {
      ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding" },
      metadata: { name: freshName("by-certificate") },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
      subjects: [{ kind: "User", name: "rekey-by-certificate" }],
    },
  ]);
}, kubernetesMsMax);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rekey-kubeconfig-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});
afterAll(() => vi.unstubAllEnvs());

const base64 = (text: string) => Buffer.from(text).toString("base64");

/** What a scan of one namespace by this connection ends with: the number of its records, or an error's code. */
async function outcome(connect: object, secrets: Record<string, string> = {}): Promise<number | string> {
  const settings = kubernetes.config.parse({ cluster: "prod", connect, ...only(namespace) });
  const work = scanned(kubernetes.create(settings, depsOf(secrets)));
  return work.then(
    (parts) => parts.reduce((sum, { records }) => sum + records, 0),
    () => codeOf(work),
  );
}

interface Kubeconfig {
  readonly cluster?: object;
  readonly user?: object;
  readonly context?: object;
}

/** A kubeconfig with the server of these tests as its current context. */
async function kubeconfig({
  cluster: server = {},
  user = {},
  context = {},
}: Kubeconfig = {}): Promise<string> {
  const file = join(folder, "config");
  const ca = base64(await readFile(cluster.caFile, "utf8"));
  const usual = "certificate-authority" in server ? {} : { "certificate-authority-data": ca };
  const text = stringify({
    ...{ apiVersion: "v1", kind: "Config", "current-context": "here" },
    clusters: [{ name: "c", cluster: { server: cluster.url, ...usual, ...server } }],
    users: [{ name: "u", user }],
    contexts: [
      { name: "here", context: { cluster: "c", user: "u", ...context } },
      { name: "elsewhere", context: { cluster: "gone", user: "u" } },
    ],
  });
  await writeFile(file, text);
  return file;
}

describe("a kubeconfig", () => {
  it("leads to its current context, by a token or by a file with one that is replaced meanwhile", async () => {
    const token = cluster.token.reveal();
    const file = await kubeconfig({ user: { token } });
    expect(await outcome({ method: "kubeconfig", file })).toBe(1);
    expect(await outcome({ method: "kubeconfig", file, context: "here" })).toBe(1);
    await writeFile(join(folder, "token"), "canary-none\n");
    const byFile = await kubeconfig({ user: { token: "canary-older", tokenFile: "token" } });
    expect(await outcome({ method: "kubeconfig", file: byFile })).toBe("not-permitted");
    await writeFile(join(folder, "token"), `${token}\n`);
    expect(await outcome({ method: "kubeconfig", file: byFile })).toBe(1);
  });

  it("leads there by a client certificate, in the file or beside it", async () => {
    const { certificate, key } = cluster.client;
    const data = { "client-certificate-data": base64(certificate), "client-key-data": base64(key.reveal()) };
    expect(await outcome({ method: "kubeconfig", file: await kubeconfig({ user: data }) })).toBe(1);
    await writeFile(join(folder, "client.crt"), certificate);
    await writeFile(join(folder, "client.key"), key.reveal());
    await writeFile(join(folder, "ca.crt"), await readFile(cluster.caFile));
    const user = { "client-certificate": "client.crt", "client-key": join(folder, "client.key") };
    const file = await kubeconfig({ user, cluster: { "certificate-authority": "ca.crt" } });
    expect(await outcome({ method: "kubeconfig", file })).toBe(1);
  });

  it("is checked: the certificate is, and nothing is left out in silence", async () => {
    const token = cluster.token.reveal();
    const refused = async (of: Kubeconfig, more: object = {}) =>
      outcome({ method: "kubeconfig", file: await kubeconfig({ user: { token }, ...of }), ...more });
    expect(await refused({ cluster: { "tls-server-name": "other.example.com" } })).toBe("unreachable");
    expect(await refused({ cluster: { "tls-server-name": "kubernetes.default.svc" } })).toBe(1);
    expect(await refused({ cluster: { "insecure-skip-tls-verify": true } })).toBe("unsupported");
    expect(await refused({ cluster: { "proxy-url": "http://proxy:3128" } })).toBe("unsupported");
    expect(await refused({ cluster: { server: "http://127.0.0.1:8080" } })).toBe("unsupported");
    expect(await refused({ user: { exec: { command: "aws" } } })).toBe("unsupported");
    expect(await refused({ user: { token, as: "somebody" } })).toBe("unsupported");
    expect(await refused({}, { context: "elsewhere" })).toBe("missing-setup");
    expect(await refused({}, { context: "none" })).toBe("missing-setup");
    expect(await refused({ user: { tokenFile: "gone" } })).toBe("missing-setup");
    const file = join(folder, "config");
    await writeFile(file, "users: canary-none");
    expect(await outcome({ method: "kubeconfig", file })).toBe("missing-setup");
    await writeFile(file, "users: [ {");
    expect(await outcome({ method: "kubeconfig", file })).toBe("missing-setup");
    expect(await outcome({ method: "kubeconfig", file: join(folder, "gone") })).toBe("missing-setup");
  });
});

it("from inside a pod goes by what is mounted there", async () => {
  const { hostname, port } = new URL(cluster.url);
  const inside = { method: "in-cluster", folder: join(folder, "serviceaccount") };
  expect(await outcome(inside)).toBe("missing-setup");
  vi.stubEnv("KUBERNETES_SERVICE_HOST", hostname);
  vi.stubEnv("KUBERNETES_SERVICE_PORT", port);
  expect(await outcome(inside)).toBe("missing-setup");
  await mkdir(inside.folder);
  await writeFile(join(inside.folder, "token"), cluster.token.reveal());
  await writeFile(join(inside.folder, "ca.crt"), await readFile(cluster.caFile));
  expect(await outcome(inside)).toBe(1);
});

describe("a token that is replaced while a scan is under way", () => {
  const parts = async (
    connect: object,
    change: (token: string) => Promise<void>,
    resolved?: () => string,
  ) => {
    const token = cluster.token.reveal();
    const settings = kubernetes.config.parse({ cluster: "prod", connect, ...only(namespace) });
    const deps =
      resolved === undefined ? depsOf({}) : { ...depsOf({}), resolve: async () => new Secret(resolved()) };
    const source = kubernetes.create(settings, deps);
    await change(token);
    const cut = source.scan(null, call(60_000))[Symbol.asyncIterator]();
    const first = await cut.next();
    // The old one is good no more.
    await change(freshName("canary"));
    const late = await codeOf(rest(cut));
    const again = source.scan(null, call(60_000))[Symbol.asyncIterator]();
    await change(token);
    return { first: first.done, late, again: await rest(again) };
  };
  const rest = async (scan: AsyncIterator<unknown>): Promise<number> => {
    for (let count = 0; ; count++) if ((await scan.next()).done) return count;
  };
  const seen = { first: false, late: "not-permitted", again: 1 };

  it("is read anew from a kubeconfig's token file", async () => {
    const file = await kubeconfig({ user: { tokenFile: "token" } });
    const write = (token: string) => writeFile(join(folder, "token"), token);
    expect(await parts({ method: "kubeconfig", file }, write)).toEqual(seen);
  });

  it("is read anew inside a pod", async () => {
    const { hostname, port } = new URL(cluster.url);
    vi.stubEnv("KUBERNETES_SERVICE_HOST", hostname);
    vi.stubEnv("KUBERNETES_SERVICE_PORT", port);
    await writeFile(join(folder, "ca.crt"), await readFile(cluster.caFile));
    const write = (token: string) => writeFile(join(folder, "token"), token);
    expect(await parts({ method: "in-cluster", folder }, write)).toEqual(seen);
  });

  it("is resolved anew where the settings refer to it", async () => {
    const { url, caFile } = cluster;
    let now = "";
    const write = async (token: string) => {
      now = token;
    };
    const connect = { method: "server", url, tls: { caFile }, token: "env:T" };
    expect(await parts(connect, write, () => now)).toEqual(seen);
  });
});

describe("an address", () => {
  it("is asked with a token or a client certificate, whichever is given", async () => {
    const { certificate, key } = cluster.client;
    const { url, caFile } = cluster;
    const at = { method: "server", url: `${url}/` };
    expect(
      await outcome({ ...at, tls: { caFile }, token: "env:T" }, { "env:T": cluster.token.reveal() }),
    ).toBe(1);
    const certFile = join(folder, "client.crt");
    await writeFile(certFile, certificate);
    expect(await outcome({ ...at, tls: { caFile, certFile, key: "env:K" } }, { "env:K": key.reveal() })).toBe(
      1,
    );
    expect(await outcome({ ...at, token: "env:T" }, { "env:T": cluster.token.reveal() })).toBe("unreachable");
  });

  it("has to be one of https, with somebody to ask as", () => {
    const parse = (connect: object) => kubernetes.config.safeParse({ cluster: "prod", connect }).success;
    expect(parse({ method: "server", url: "https://a.example.com", token: "env:T" })).toBe(true);
    expect(parse({ method: "server", url: "http://a.example.com", token: "env:T" })).toBe(false);
    expect(parse({ method: "server", url: "https://a.example.com" })).toBe(false);
    expect(parse({ method: "server", url: "https://a.example.com", tls: { certFile: "/c" } })).toBe(false);
  });
});
