/** The source `kubernetes` at a server that is in trouble: a proxy before the real one does to its answers what happens on the way. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { Agent, createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { kubernetesApi } from "../../../adapters/sources/kubernetes-api.js";
import { kubernetesMsMax, kubernetesServer, type SharedKubernetes } from "../../setup/servers.js";
import { applied, type Cluster, freshName, manifestsOf, newNamespace } from "../../support/kubernetes.js";
import { selfSigned } from "../issuers/certificate.js";
import { scanned } from "../source.js";
import { call, codeOf, depsOf } from "../stores/world.js";
import { clusterSource, only, saidOf } from "./kubernetes-world.js";

/** What becomes of an answer. */
interface Change {
  readonly status?: number;
  readonly text?: (body: string) => string;
  readonly cut?: true;
  readonly never?: true;
}

/** `undefined`: the answer goes through as it is. */
type Trouble = (url: URL) => Change | undefined;

const agent = new Agent({ keepAlive: true });
let cluster: SharedKubernetes;
let behind: Cluster;
let folder: string;
let proxy: Server;
let trouble: Trouble = () => undefined;
let asked: URL[] = [];
let methods: string[] = [];
let hungUp = 0;
let namespace: string;

beforeAll(async () => {
  cluster = await kubernetesServer();
  folder = await mkdtemp(join(tmpdir(), "rekey-kubernetes-proxy-"));
  const { certificate, key } = selfSigned("proxy.example.com");
  await writeFile(join(folder, "ca.crt"), certificate);
  const ca = await readFile(cluster.caFile, "utf8");
  proxy = createServer({ cert: certificate, key }, (incoming: IncomingMessage, outgoing) => {
    const url = new URL(incoming.url ?? "/", cluster.url);
    const { authorization = "" } = incoming.headers;
    asked.push(url);
    methods.push(incoming.method ?? "");
    const what = trouble(url);
    if (what?.never) return void outgoing.on("close", () => hungUp++);
    request(url, { ca, agent, headers: { authorization, accept: "application/json" } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        const body = Buffer.concat(chunks).toString("utf8");
        outgoing.writeHead(what?.status ?? answer.statusCode ?? 0, { "content-type": "application/json" });
        if (what?.cut) outgoing.write(body.slice(0, 20), () => outgoing.destroy());
        else outgoing.end(what?.text?.(body) ?? body);
      });
    }).end();
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  behind = { ...cluster, url: `https://127.0.0.1:${port}`, caFile: join(folder, "ca.crt") };
  namespace = await newNamespace(cluster);
  const pods = ["a", "b", "c"].map((name) => ({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name, namespace } },
    spec: { containers: [{ name, image: "i" }], imagePullSecrets: [{ name }] },
  }));
  await applied(cluster, pods);
}, kubernetesMsMax);
afterAll(async () => {
  proxy?.closeAllConnections();
  await new Promise((resolve) => proxy?.close(resolve));
  if (folder !== undefined) await rm(folder, { recursive: true });
});
afterEach(() => {
  trouble = () => undefined;
  asked = [];
  methods = [];
});

const source = (more: object = {}) => clusterSource(behind, only(namespace, more));
const isPods = ({ pathname }: URL) => pathname.endsWith("/pods");

/** Two scans say the same. */
async function expectAll(): Promise<void> {
  const { edges, gaps } = await saidOf(source());
  expect(gaps).toEqual([]);
  expect(edges).toHaveLength(3);
}

describe("a server in trouble", () => {
  it.each([429, 500, 503])("that answers with %i is asked again", async (status) => {
    const met = new Set<string>();
    trouble = ({ pathname }) => {
      if (met.has(pathname) || met.size >= 8) return undefined;
      met.add(pathname);
      return { status };
    };
    await expectAll();
    expect(met.size).toBe(8);
  });

  it("whose long answers break off is asked for fewer at once", async () => {
    trouble = (url) => (isPods(url) && url.searchParams.get("limit") !== "1" ? { cut: true } : undefined);
    const { edges, gaps } = await saidOf(source({ pageSize: 16 }));
    expect(gaps).toEqual([]);
    expect(edges).toHaveLength(3);
    expect(asked.filter(isPods).map(({ searchParams }) => searchParams.get("limit"))).toEqual(
      expect.arrayContaining(["16", "4", "1"]),
    );
  });

  it("that stays so is unreachable, after so many tries, and not empty", async () => {
    trouble = (url) => (isPods(url) ? { status: 500 } : undefined);
    expect(await codeOf(scanned(source()))).toBe("unreachable");
    expect(asked.filter(isPods)).toHaveLength(4);
  });

  it("that does not answer at all is asked again for fewer, and is unreachable once the call is over", async () => {
    let silent = 1;
    trouble = (url) => (isPods(url) && silent-- > 0 ? { never: true } : undefined);
    const patience = { attempts: 10, attemptTimeoutMs: 3_000, pauseMs: 0, pauseMsMax: 0 };
    const connect = {
      method: "server" as const,
      url: behind.url,
      tls: { caFile: behind.caFile },
      token: "env:T",
    };
    const api = kubernetesApi("prod", connect, depsOf({ "env:T": cluster.token.reveal() }), {}, patience);
    const path = `api/v1/namespaces/${namespace}/pods`;
    const page = await api.page(path, {}, 8, { signal: new AbortController().signal });
    expect(page.is === "found" && page.value.list.items.length).toBeGreaterThan(0);
    const limits = asked.map(({ searchParams }) => searchParams.get("limit"));
    expect(limits.slice(0, 2)).toEqual(["8", "2"]);
    // The question that got no answer does not stay open.
    while (hungUp === 0) await sleep(10);
    silent = Number.POSITIVE_INFINITY;
    const over = new AbortController();
    const scan = source().scan(null, { signal: over.signal })[Symbol.asyncIterator]();
    const first = scan.next();
    first.catch(() => undefined);
    while (!asked.slice(limits.length).some(isPods)) await sleep(10);
    const before = asked.length;
    over.abort();
    expect(await codeOf(first)).toBe("unreachable");
    expect(asked.length).toBe(before);
  });

  it("is asked for a page when the one before it has been taken, and not for more", async () => {
    const more = 60;
    const many = await newNamespace(cluster);
    const names = Array.from({ length: more }, (_, index) => `p${index}`);
    await applied(
      cluster,
      names.map((name) => ({
        ...{ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: many } },
        spec: { containers: [{ name, image: "i" }], imagePullSecrets: [{ name }] },
      })),
    );
    const pods = () => asked.filter(isPods).length;
    let pages = 0;
    let claims = 0;
    for await (const part of clusterSource(behind, only(many, { pageSize: 10 })).scan(null, call(60_000))) {
      const uses = part.claims.filter(({ type }) => type === "uses").length;
      if (uses === 0) continue;
      claims += uses;
      pages += 1;
      expect(uses).toBe(10);
      expect(pods()).toBe(pages);
    }
    expect({ pages, claims }).toEqual({ pages: 6, claims: more });
  });

  it("H21: that does not say which kinds a group has is a gap there, as there may be some", async () => {
    const hidden = "apis/secrets-store.csi.x-k8s.io/v1";
    trouble = ({ pathname }) => (pathname === `/${hidden}` ? { status: 403 } : undefined);
    const { gaps, parts } = await saidOf(source());
    expect(gaps).toEqual([
      `The engine's user lacks the right to see which kinds ${hidden} of the cluster prod has.`,
    ]);
    const [untold] = parts.filter((part) => part.gaps.length > 0);
    expect(untold).not.toHaveProperty("hidden");
  });

  it("whose answer is none is not repeated", async () => {
    const told = freshName("canary");
    trouble = (url) => (isPods(url) ? { text: () => `<html>${told}</html>` } : undefined);
    expect(await codeOf(scanned(source()))).toBe("proof-failed");
    trouble = (url) => (isPods(url) ? { text: () => JSON.stringify({ items: told }) } : undefined);
    expect(await codeOf(scanned(source()))).toBe("proof-failed");
  });

  it("that lists what is no object has that counted and named, and the others read", async () => {
    trouble = (url) =>
      isPods(url) ? { text: (body) => body.replace('"name":"b"', '"nom":"b"') } : undefined;
    const { edges, parts } = await saidOf(source());
    expect(edges).toHaveLength(2);
    expect(parts.flatMap(({ malformed }) => malformed)).toEqual([
      { where: `object 2 of pods in the namespace ${namespace}`, why: "it is no object with a name" },
    ]);
    expect(parts.find(({ malformed }) => malformed.length > 0)).not.toHaveProperty("hidden");
  });

  it("that takes a kind away meanwhile has a gap there", async () => {
    trouble = (url) => (isPods(url) ? { status: 404 } : undefined);
    const why = `prod no longer has pods in the namespace ${namespace}.`;
    const { gaps, parts } = await saidOf(source());
    expect(gaps).toEqual([why]);
    // What is in other namespaces was seen all the same.
    expect(parts.flatMap(({ hidden }) => hidden)).toEqual([{ record: namespace, why }]);
  });

  it("is asked in few words: nothing is sent but GET, and never a Secret is named", async () => {
    await applied(
      cluster,
      manifestsOf(`{ apiVersion: v1, kind: Secret, metadata: { name: s, namespace: ${namespace} } }`),
    );
    await expectAll();
    expect(asked.length).toBeGreaterThan(10);
    expect(new Set(methods)).toEqual(new Set(["GET"]));
    expect(asked.filter(({ pathname }) => /\/secrets(?:\/|$)/.test(pathname))).toEqual([]);
    // What is served in several versions is listed in the one that its group prefers, and once.
    const ofOperator = asked
      .map(({ pathname }) => pathname)
      .filter((path) => path.endsWith("/externalsecrets"));
    expect(ofOperator).toEqual([`/apis/external-secrets.io/v1/namespaces/${namespace}/externalsecrets`]);
  });
});
