/** The contract of the sources with the API of a real Kubernetes, and what its workloads show. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kubernetesMsMax, kubernetesServer, type SharedKubernetes } from "../../setup/servers.js";
import {
  applied,
  type Manifest,
  manifestsOf,
  newNamespace,
  patched,
  removed,
} from "../../support/kubernetes.js";
import { testMark } from "../../support/mark.js";
import { selfSigned } from "../issuers/certificate.js";
import { copyText, largeCount, leakedAddress, oddName, sourceContract } from "../source.js";
import { fresh } from "./folder-world.js";
import { type Front, httpFront } from "./front.js";
import { clusterSource, only, saidOf } from "./kubernetes-world.js";

/** Of a front of the cluster's API. */
const certificate = selfSigned("localhost");

let cluster: SharedKubernetes;
let folder: string;
let ownCaFile: string;
beforeAll(async () => {
  cluster = await kubernetesServer();
  folder = await mkdtemp(join(tmpdir(), "rekey-cluster-front-"));
  ownCaFile = join(folder, "ca.pem");
  await writeFile(ownCaFile, certificate.certificate);
}, kubernetesMsMax);
afterAll(() => rm(folder, { recursive: true, force: true }));

const password = fresh("pw");
const at = (path: string) => `location(kubernetes prod ${path})`;
const reader = (namespace: string, workload: string, account = "default") =>
  `reader(serviceAccount=kubernetes prod ${namespace}/${account} workload=kubernetes prod ${namespace}/${workload})`;

const labels = "{ app: x }";
const pod = (spec: string, template = "") =>
  `{ metadata: { labels: ${labels} }, spec: { containers: [ { name: api, image: shop/api, ${spec} } ] ${template} } }`;

const deployment = (namespace: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: orders, namespace: ${namespace} }
spec:
  selector: { matchLabels: ${labels} }
  template: ${pod(`env: [ { name: DB_PASSWORD, valueFrom: { secretKeyRef: { name: orders-db, key: password } } }, { name: SMTP_PASSWORD, value: ${password} } ], envFrom: [ { secretRef: { name: orders-env } } ]`)}
---
apiVersion: v1
kind: Secret
metadata: { name: orders-db, namespace: ${namespace} }
stringData: { password: ${password} }
`;

sourceContract("kubernetes", async () => {
  const namespace = await newNamespace(cluster);
  await applied(cluster, manifestsOf(deployment(namespace)));
  const orders = reader(namespace, "Deployment/orders");
  const inside = (...paths: readonly string[]) =>
    paths.slice(1).map((path, index) => `${at(paths[index] ?? "")} stored-in ${at(path)} declared`);
  const planted: Manifest = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "out", namespace },
    spec: { containers: [{ name: "out", image: "out" }], imagePullSecrets: [{ name: "registry" }] },
  };
  const web: Manifest = {
    ...{ apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { name: "web", namespace } },
    spec: {
      tls: [{ secretName: "web-tls" }],
      defaultBackend: { service: { name: "web", port: { number: 80 } } },
    },
  };
  const webEdge = `reader(workload=kubernetes prod ${namespace}/Ingress/web) uses ${at(`${namespace}/web-tls`)} declared`;
  let front: Front | undefined;
  let asked: SharedKubernetes = cluster;
  /** What no API server takes, as one that is damaged would give it out: before the pods that there are, and one behind them. */
  const strange: unknown[] = [];
  const withPods = async (...pods: readonly unknown[]) => {
    strange.push(...pods);
    if (front !== undefined) return;
    front = await httpFront(cluster.url, { own: certificate, caFile: cluster.caFile });
    front.change = (answer, path) => {
      if (!path.includes("/pods?")) return answer;
      const list = JSON.parse(String(answer)) as { items: unknown[] };
      return Buffer.from(JSON.stringify({ ...list, items: [...strange, ...list.items] }));
    };
    asked = { ...cluster, url: `https://127.0.0.1:${front.port}`, caFile: ownCaFile };
  };
  const plant = async () => {
    await applied(cluster, [planted]);
    return `${reader(namespace, "Pod/out")} uses ${at(`${namespace}/registry`)} declared`;
  };
  const podNamed = (name: string, secret: string) => ({
    metadata: { name, namespace: secret === oddName ? oddName : namespace },
    spec: { serviceAccountName: name, containers: [{ name, envFrom: [{ secretRef: { name: secret } }] }] },
  });
  return {
    shows: "now",
    open: () => clusterSource(asked, only(namespace)),
    openUnreachable: () => clusterSource({ ...cluster, url: "https://127.0.0.1:1" }, only(namespace)),
    whole: true,
    shown: [
      `${orders} uses ${at(`${namespace}/orders-db#password`)} declared`,
      `${orders} uses ${at(`${namespace}/orders-env`)} declared`,
      `${orders} uses ${at(`${namespace}/Deployment/orders#containers.api.env.SMTP_PASSWORD`)} declared`,
      ...inside(`${namespace}/orders-db#password`, `${namespace}/orders-db`, `${namespace}/*`, "*/*"),
      ...inside(`${namespace}/orders-env`, `${namespace}/*`),
    ],
    plant,
    unplant: () => removed(cluster, planted),
    spoil: async () => {
      await withPods(
        null,
        7,
        password,
        {},
        { metadata: { name: 7 } },
        { metadata: password, spec: password },
      );
      return plant();
    },
    odd: async () => {
      await withPods(podNamed(oddName, oddName), {
        metadata: { name: "odd" },
        spec: { containers: [oddName, 7] },
      });
      return plant();
    },
    leak: () => withPods(podNamed("leaks", leakedAddress)),
    // One object that says more than a part may; Ingresses are listed behind it.
    large: async () => {
      const env = Array.from({ length: largeCount }, (_, number) => ({
        ...{ name: `E${number}` },
        valueFrom: { secretKeyRef: { name: "many", key: `k${number}` } },
      }));
      const spec = { containers: [{ name: "many", image: "many", env }] };
      await applied(cluster, [{ ...planted, metadata: { name: "many", namespace }, spec }]);
      return {
        edges: largeCount,
        late: async () => {
          await applied(cluster, [web]);
          return webEdge;
        },
      };
    },
    asksAgain: true,
    values: [password, cluster.token.reveal()],
    close: async () => front?.close(),
  };
});

/** What a namespace with these objects shows; `$` stands for its name, and the edges speak of it as `n`. */
async function shown(
  text: string,
  settings: (namespace: string) => object = () => ({}),
  change?: (made: Manifest[]) => Promise<void>,
) {
  const namespace = await newNamespace(cluster);
  const made = await applied(cluster, manifestsOf(text.replaceAll("$", namespace)));
  await change?.(made as unknown as Manifest[]);
  const said = await saidOf(clusterSource(cluster, only(namespace, settings(namespace))));
  return { ...said, namespace, edges: said.edges.map((edge) => edge.replaceAll(namespace, "n")).sort() };
}

describe("workloads of a live cluster", () => {
  it("show their Secrets, whatever they are", async () => {
    const { edges, gaps } = await shown(`
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db, namespace: $ }
spec:
  serviceName: db
  selector: { matchLabels: ${labels} }
  template: ${pod("envFrom: [ { secretRef: { name: db-env } } ]", ", volumes: [ { name: v, secret: { secretName: tls, items: [ { key: tls.key, path: k } ] } }, { name: p, projected: { sources: [ { secret: { name: projected } } ] } } ]")}
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly, namespace: $ }
spec: { schedule: "0 3 * * *", jobTemplate: { spec: { template: ${pod("env: [ { name: X, valueFrom: { secretKeyRef: { name: export, key: k } } } ]", ", restartPolicy: Never, imagePullSecrets: [ { name: registry } ]")} } } }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent, namespace: $ }
spec: { selector: { matchLabels: ${labels} }, template: ${pod("envFrom: [ { secretRef: { name: agent } } ]")} }
---
{ apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: { name: web, namespace: $ }, spec: { tls: [ { hosts: [ a.example.com ], secretName: web-tls } ], defaultBackend: { service: { name: web, port: { number: 80 } } } } }
---
{ apiVersion: v1, kind: ServiceAccount, metadata: { name: builder, namespace: $ }, imagePullSecrets: [ { name: pull } ] }
`);
    expect(edges).toEqual(
      [
        ...["db-env", "tls#tls.key", "projected"].map(
          (secret) => `${reader("n", "StatefulSet/db")} uses ${at(`n/${secret}`)} declared`,
        ),
        ...["export#k", "registry"].map(
          (secret) => `${reader("n", "CronJob/nightly")} uses ${at(`n/${secret}`)} declared`,
        ),
        `${reader("n", "DaemonSet/agent")} uses ${at("n/agent")} declared`,
        `reader(workload=kubernetes prod n/Ingress/web) uses ${at("n/web-tls")} declared`,
        `reader(serviceAccount=kubernetes prod n/builder) uses ${at("n/pull")} declared`,
      ].sort(),
    );
    expect(gaps).toEqual([]);
  });

  it("show who takes a ConfigMap in that has a value in it, and never a Secret's own", async () => {
    const value = fresh("literal");
    const { edges, parts } = await shown(`
{ apiVersion: v1, kind: ConfigMap, metadata: { name: app, namespace: $ }, data: { DATABASE_URL: "postgres://orders:${value}@db/orders", MODE: live } }
---
{ apiVersion: v1, kind: Secret, metadata: { name: s, namespace: $ }, stringData: { password: ${password} } }
---
{ apiVersion: apps/v1, kind: Deployment, metadata: { name: app, namespace: $ }, spec: { selector: { matchLabels: ${labels} }, template: ${pod("envFrom: [ { configMapRef: { name: app } } ]")} } }
`);
    expect(edges).toEqual([
      `${reader("n", "Deployment/app")} uses ${at("n/ConfigMap/app#DATABASE_URL")} declared`,
    ]);
    const marks = parts.flatMap(({ copies }) => copies.map(copyText));
    expect(marks).toEqual([expect.stringMatching(new RegExp(`has ${testMark(value)} literally$`))]);
  });
});

/** A controller's reference from what it made to itself. */
const madeBy = (owner: Manifest, controller = true) => ({
  metadata: {
    ownerReferences: [
      {
        ...{ apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name },
        ...{ uid: (owner.metadata as { uid?: string }).uid, controller },
      },
    ],
  },
});

describe("a pod that a controller made", () => {
  const chain = `
{ apiVersion: apps/v1, kind: Deployment, metadata: { name: orders, namespace: $ }, spec: { selector: { matchLabels: ${labels} }, template: ${pod("envFrom: [ { secretRef: { name: new } } ]")} } }
---
{ apiVersion: apps/v1, kind: ReplicaSet, metadata: { name: orders-1, namespace: $ }, spec: { replicas: 1, selector: { matchLabels: ${labels} }, template: ${pod("envFrom: [ { secretRef: { name: old } } ]")} } }
---
{ apiVersion: v1, kind: Pod, metadata: { name: orders-1-x, namespace: $ }, spec: { containers: [ { name: api, image: a, envFrom: [ { secretRef: { name: injected } } ] } ] } }
`;
  const orders = reader("n", "Deployment/orders");

  it("is its workload, also while an old one still runs, and with what was put in as it was made", async () => {
    const { edges, claims, namespace } = await shown(chain, undefined, async ([top, middle, bottom]) => {
      if (!top || !middle || !bottom) throw new Error("not made");
      await patched(cluster, middle, madeBy(top));
      await patched(cluster, bottom, madeBy(middle));
    });
    expect(edges).toEqual(
      ["injected", "new", "old"].map((secret) => `${orders} uses ${at(`n/${secret}`)} declared`),
    );
    expect([...new Set(claims.map(({ record }) => record))]).toEqual([`${namespace}/Deployment/orders`]);
  });

  it.each(["Succeeded", "Failed"])(
    "does not count when it has %s, nor what is kept only to go back to",
    async (phase) => {
      const { edges } = await shown(chain, undefined, async ([top, middle, bottom]) => {
        if (!top || !middle || !bottom) throw new Error("not made");
        await patched(cluster, middle, { ...madeBy(top), spec: { replicas: 0 } });
        await patched(cluster, bottom, madeBy(middle));
        await patched(cluster, bottom, { status: { phase } }, "status");
      });
      expect(edges).toEqual([`${orders} uses ${at("n/new")} declared`]);
    },
  );

  it("of a job counts as its CronJob, and neither does once the job has ended", async () => {
    const text = `
{ apiVersion: batch/v1, kind: CronJob, metadata: { name: nightly, namespace: $ }, spec: { schedule: "0 3 * * *", jobTemplate: { spec: { template: ${pod("envFrom: [ { secretRef: { name: new } } ]", ", restartPolicy: Never")} } } } }
---
{ apiVersion: batch/v1, kind: Job, metadata: { name: nightly-1, namespace: $ }, spec: { template: ${pod("envFrom: [ { secretRef: { name: old } } ]", ", restartPolicy: Never")} } }
`;
    const nightly = reader("n", "CronJob/nightly");
    const edgesWith = async (status?: object) =>
      (
        await shown(text, undefined, async ([top, job]) => {
          if (!top || !job) throw new Error("not made");
          await patched(cluster, job, madeBy(top));
          if (status !== undefined) await patched(cluster, job, { status }, "status");
        })
      ).edges;
    const uses = (secret: string) => `${nightly} uses ${at(`n/${secret}`)} declared`;
    expect(await edgesWith()).toEqual([uses("new"), uses("old")]);
    const time = "2026-01-01T00:00:00Z";
    const was = (type: string) => ({ type, status: "True", lastTransitionTime: time });
    const completed = {
      ...{ startTime: time, completionTime: time, succeeded: 1 },
      conditions: [was("SuccessCriteriaMet"), was("Complete")],
    };
    expect(await edgesWith(completed)).toEqual([uses("new")]);
    const failed = { startTime: time, failed: 1, conditions: [was("FailureTarget"), was("Failed")] };
    expect(await edgesWith(failed)).toEqual([uses("new")]);
  });

  it("counts as itself where it only belongs to something", async () => {
    const { edges } = await shown(chain, undefined, async ([top, , bottom]) => {
      if (!top || !bottom) throw new Error("not made");
      await patched(cluster, bottom, madeBy(top, false));
    });
    expect(edges).toContain(`${reader("n", "Pod/orders-1-x")} uses ${at("n/injected")} declared`);
  });

  it("counts as itself where a node started it", async () => {
    const { edges } = await shown(chain, undefined, async ([, , bottom]) => {
      if (!bottom) throw new Error("not made");
      const node = { apiVersion: "v1", kind: "Node", metadata: { name: "n1", uid: "1" } };
      await patched(cluster, bottom, madeBy(node as Manifest));
    });
    expect(edges).toContain(`${reader("n", "Pod/orders-1-x")} uses ${at("n/injected")} declared`);
    expect(edges).toContain(`${reader("n", "ReplicaSet/orders-1")} uses ${at("n/old")} declared`);
  });
});

describe("kinds that an operator brings", () => {
  it("say where a Secret is filled from, in whichever version they are served", async () => {
    const stores = (namespace: string) =>
      ["ClusterSecretStore/vault", `SecretProviderClass/${namespace}/orders`].map((as) => ({
        ...{ as, store: "main", prefix: "secret/data/" },
      }));
    const { edges, gaps } = await shown(
      `
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: { name: orders, namespace: $ }
spec:
  secretStoreRef: { kind: ClusterSecretStore, name: vault }
  target: { name: orders-db }
  data: [ { secretKey: password, remoteRef: { key: secret/data/apps/orders, property: password } } ]
---
apiVersion: external-secrets.io/v1alpha1
kind: PushSecret
metadata: { name: push, namespace: $ }
spec:
  secretStoreRefs: [ { name: vault, kind: ClusterSecretStore } ]
  selector: { secret: { name: made } }
  data: [ { match: { secretKey: k, remoteRef: { remoteKey: secret/data/apps/made } } } ]
---
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: { name: orders, namespace: $ }
spec: { provider: vault, parameters: { objects: "- { objectName: p, secretPath: secret/data/apps/orders, secretKey: p }" }, secretObjects: [ { secretName: copied, type: Opaque } ] }
`,
      (namespace) => ({ stores: stores(namespace) }),
    );
    expect(edges).toEqual([
      `${at("n/SecretProviderClass/orders")} depends-on place(main apps/orders) declared`,
      `${at("n/copied")} depends-on ${at("n/SecretProviderClass/orders")} declared`,
      `${at("n/orders-db")} depends-on place(main apps/orders) declared`,
      `place(main apps/made) depends-on ${at("n/made")} declared`,
    ]);
    expect(gaps).toEqual([]);
  });

  it("are read where the settings name them, and missed where the cluster has none", async () => {
    const { edges, gaps } = await shown(
      `{ apiVersion: db.example.com/v1, kind: Cluster, metadata: { name: pg, namespace: $ }, spec: { backup: { passwordSecretRef: { name: s3, key: secret } } } }`,
      () => ({ also: ["clusters.db.example.com", "rollouts.argoproj.io"] }),
    );
    expect(edges).toEqual([
      `reader(workload=kubernetes prod n/Cluster/pg) uses ${at("n/s3#secret")} declared`,
    ]);
    expect(gaps).toEqual(["The cluster prod has no kind rollouts.argoproj.io that can be listed."]);
  });

  it("are never Secrets", () => {
    expect(() => clusterSource(cluster, { also: ["secrets"] })).toThrow(/never listed/);
  });
});
