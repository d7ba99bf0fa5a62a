/** How the source `kubernetes` comes through a cluster page by page, while it changes, and while its server is slow or forgets. */
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ScanPart } from "../../../domain/discovery/said.js";
import { findBinary } from "../../../worker/dev/binaries.js";
import { type KubernetesServer, startKubernetes } from "../../../worker/dev/kubernetes-server.js";
import { kubernetesPin } from "../../../worker/dev/pins.js";
import { accepts } from "../../../worker/dev/ports.js";
import { kubernetesMsMax } from "../../setup/servers.js";
import {
  applied,
  freshName,
  type Manifest,
  manifestsOf,
  newNamespace,
  patched,
  removed,
} from "../../support/kubernetes.js";
import { edgeText, scanned } from "../source.js";
import { call } from "../stores/world.js";
import { clusterSource, only } from "./kubernetes-world.js";

let cluster: KubernetesServer;
beforeAll(async () => {
  // One of its own: its past is forgotten here.
  cluster = await startKubernetes(await findBinary(kubernetesPin));
}, kubernetesMsMax);
afterAll(async () => {
  await cluster?.stop();
  // Nothing is left of either program.
  expect(existsSync(cluster.caFile)).toBe(false);
  for (const url of [cluster.url, cluster.etcd]) expect(await accepts(Number(new URL(url).port))).toBe(false);
});

const labels = { app: "x" };
const deployment = (namespace: string, name: string, secret = name): Manifest => ({
  ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace } },
  spec: {
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: "c", image: "i", envFrom: [{ secretRef: { name: secret } }] }] },
    },
  },
});

const names = ["b", "c", "d", "e", "f"];

/** A namespace with five workloads, each with a Secret of its own name. */
async function five(): Promise<string> {
  const namespace = await newNamespace(cluster);
  await applied(
    cluster,
    names.map((name) => deployment(namespace, name)),
  );
  return namespace;
}

/** Makes the server forget everything but now. */
async function forget(): Promise<void> {
  const etcd = async (path: string, body: object) => {
    const answer = await fetch(`${cluster.etcd}/v3/${path}`, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`etcd answered ${path} with ${answer.status}`);
    return (await answer.json()) as { header: { revision: string } };
  };
  // What was there last is only forgotten once something else is there.
  await newNamespace(cluster, "later");
  const { revision } = (await etcd("kv/range", { key: "AA==" })).header;
  await etcd("kv/compaction", { revision, physical: true });
}

/** Which workloads of the five use which Secret, by parts: `b:b`. */
function usesOf(parts: readonly ScanPart[], namespace: string): string[] {
  return parts.flatMap(({ claims }) =>
    claims
      .filter(({ type }) => type === "uses")
      .map(edgeText)
      .map((edge) =>
        edge.replace(/^.*\/Deployment\/(\S+)\) uses location\(kubernetes prod (\S+)\) declared$/, "$1:$2"),
      )
      .map((edge) => edge.replace(`${namespace}/`, "")),
  );
}

const paged = (namespace: string, pageSize: number) => clusterSource(cluster, only(namespace, { pageSize }));

/** Scans and does something after the first part that has a workload in it. */
async function scannedWith(
  namespace: string,
  between: (part: ScanPart) => Promise<void>,
): Promise<ScanPart[]> {
  const parts: ScanPart[] = [];
  let isDone = false;
  for await (const part of paged(namespace, 2).scan(null, call(60_000))) {
    parts.push(part);
    if (isDone || usesOf([part], namespace).length === 0) continue;
    isDone = true;
    await between(part);
  }
  expect(isDone).toBe(true);
  return parts;
}

/** The workload `f` becomes `a`, before what has been read, and `e` uses another Secret. */
async function change(namespace: string): Promise<void> {
  await removed(cluster, deployment(namespace, "f"));
  await applied(cluster, [deployment(namespace, "a", "f")]);
  const { spec } = deployment(namespace, "e", "other");
  await patched(cluster, deployment(namespace, "e"), { spec });
}

const old = names.map((name) => `${name}:${name}`);
const renewed = ["a:f", "b:b", "c:c", "d:d", "e:other"];

describe("pages", () => {
  it("say together what one page says", async () => {
    const namespace = await five();
    const parts = await scanned(paged(namespace, 2));
    expect(usesOf(parts, namespace)).toEqual(old);
    expect(parts.filter((part) => usesOf([part], namespace).length > 0).length).toBe(3);
    const sum = (all: readonly ScanPart[]) => all.reduce((whole, { records }) => whole + records, 0);
    expect(sum(parts)).toBe(sum(await scanned(paged(namespace, 1_000))));
  });

  it("are of one moment, whatever changes meanwhile, and the next scan sees what changed", async () => {
    const namespace = await five();
    const parts = await scannedWith(namespace, () => change(namespace));
    expect(usesOf(parts, namespace)).toEqual(old);
    expect(parts.flatMap(({ gaps }) => gaps)).toEqual([]);
    expect(usesOf(await scanned(paged(namespace, 2)), namespace)).toEqual(renewed);
  });

  it("begin again when the server has forgotten the moment, so that nobody who moved is missed", async () => {
    const namespace = await five();
    const parts = await scannedWith(namespace, async () => {
      await change(namespace);
      await forget();
    });
    expect(usesOf(parts, namespace)).toEqual(["b:b", "c:c", ...renewed]);
    expect(parts.flatMap(({ gaps }) => gaps)).toEqual([]);
  });

  it("are gone on with at the same moment, and anew when that is forgotten", async () => {
    const namespace = await five();
    let cursor = "";
    for await (const part of paged(namespace, 2).scan(null, call(60_000))) {
      cursor = part.cursor;
      if (usesOf([part], namespace).length > 0) break;
    }
    await change(namespace);
    // Pages are cut elsewhere where an answer had to be shorter.
    for (const pageSize of [1, 2, 3, 5])
      expect(usesOf(await scanned(paged(namespace, pageSize), cursor), namespace)).toEqual([
        "d:d",
        "e:e",
        "f:f",
      ]);
    await forget();
    expect(usesOf(await scanned(paged(namespace, 2), cursor), namespace)).toEqual(renewed);
  });

  it("are gone on with anew when the server was put back to before that moment", async () => {
    const namespace = await five();
    const parts = await scanned(paged(namespace, 2));
    const { cursor } = parts.find((part) => usesOf([part], namespace).length > 0) ?? { cursor: "{}" };
    const { version } = JSON.parse(cursor);
    const later = cursor.replace(version, String(Number(version) + 1_000_000));
    expect(usesOf(await scanned(paged(namespace, 2), later), namespace)).toEqual(old);
  });

  it("that never come to an end are a gap", async () => {
    const namespace = await five();
    const parts: ScanPart[] = [];
    for await (const part of paged(namespace, 2).scan(null, call(60_000))) {
      parts.push(part);
      if (usesOf([part], namespace).length > 0) await forget();
    }
    expect(parts.flatMap(({ gaps }) => gaps)).toEqual([
      `deployments.apps in the namespace ${namespace} of prod changed faster than they could be listed.`,
    ]);
  });

  it("that say too much for one part are cut, and what broke off in between is said again", async () => {
    const namespace = await newNamespace(cluster);
    const imagePullSecrets = Array.from({ length: 1_500 }, (_, index) => ({ name: `s${index}` }));
    await applied(cluster, [
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "many", namespace }, imagePullSecrets },
    ]);
    const parts = await scanned(paged(namespace, 100));
    const edges = (some: readonly ScanPart[]) => some.flatMap(({ claims }) => claims.map(edgeText));
    const all = new Set(edges(parts));
    expect([...all].filter((edge) => edge.includes("/many) uses ")).length).toBe(1_500);
    expect(parts.length).toBeGreaterThan(1);
    for (const [index, { claims, cursor }] of parts.entries()) {
      expect(claims.length).toBeLessThanOrEqual(2_000);
      const rest = await scanned(paged(namespace, 100), cursor);
      expect(new Set(edges([...parts.slice(0, index + 1), ...rest]))).toEqual(all);
    }
  });

  it("are gone on with from each of them with all that was known before", async () => {
    const namespace = await newNamespace(cluster);
    const name = freshName("reads");
    await applied(
      cluster,
      manifestsOf(`
{ apiVersion: v1, kind: ConfigMap, metadata: { name: app, namespace: ${namespace} }, data: { DATABASE_URL: "postgres://orders:${freshName("pw")}@db/orders" } }
---
{ apiVersion: apps/v1, kind: Deployment, metadata: { name: app, namespace: ${namespace} }, spec: { selector: { matchLabels: { app: x } }, template: { metadata: { labels: { app: x } }, spec: { containers: [ { name: c, image: i, envFrom: [ { configMapRef: { name: app } }, { secretRef: { name: ${name} } } ] } ] } } } }
---
{ apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: { name: ${name} }, rules: [ { apiGroups: [""], resources: [secrets], verbs: [get], resourceNames: [${name}] } ] }
---
{ apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: { name: ${name} }, roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${name} }, subjects: [ { kind: User, name: eve } ] }
`),
    );
    const source = () => clusterSource(cluster, { namespaces: [namespace], pageSize: 40 });
    const parts = await scanned(source());
    const edges = (some: readonly ScanPart[]) => some.map(({ claims }) => claims.map(edgeText));
    expect(
      edges(parts)
        .flat()
        .filter((edge) => / (?:uses|can-read) .*(?:ConfigMap\/app|reads-)/.test(edge)).length,
    ).toBe(3);
    expect(parts.length).toBeGreaterThan(4);
    for (const [index, { cursor }] of parts.entries())
      expect(edges(await scanned(source(), cursor))).toEqual(edges(parts.slice(index + 1)));
  });
});
