/** A folder of manifests and the live cluster that they were applied to say the same: whichever of the two is read, a reader has one name. */
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { kubernetesManifests } from "../../../adapters/sources/kubernetes-manifests.js";
import { kubernetesMsMax, kubernetesServer, type SharedKubernetes } from "../../setup/servers.js";
import { applied, type Manifest, newNamespace } from "../../support/kubernetes.js";
import { copyText, edgeText } from "../source.js";
import { fresh, saidOf as saidOfFiles } from "./folder-world.js";
import { clusterSource, only, saidOf } from "./kubernetes-world.js";

let cluster: SharedKubernetes;
beforeAll(async () => {
  cluster = await kubernetesServer();
}, kubernetesMsMax);

const password = fresh("pw");
const rbac = "rbac.authorization.k8s.io";
const labels = { app: "x" };
const secret = fc.constantFrom("orders-db", "smtp", "tls");
const key = fc.constantFrom("password", "token");

const variable = fc.oneof(
  fc.record({ secretKeyRef: fc.record({ name: secret, key }) }).map((valueFrom) => ({ valueFrom })),
  fc
    .record({ configMapKeyRef: fc.constant({ name: "app", key: "DATABASE_URL" }) })
    .map((valueFrom) => ({ valueFrom })),
  fc.constantFrom({ value: password }, { value: "production" }),
);
const environment = fc
  .array(variable, { maxLength: 3 })
  .map((all) => all.map((one, index) => ({ name: `PASSWORD_${index}`, ...one })));
const envFrom = fc.array(
  fc.oneof(
    secret.map((name) => ({ secretRef: { name } })),
    fc.constant({ configMapRef: { name: "app" } }),
  ),
  { maxLength: 2 },
);
const container = (name: string) =>
  fc.record({ name: fc.constant(name), image: fc.constant("i"), env: environment, envFrom });
const volume = fc.oneof(
  secret.map((secretName) => ({ secret: { secretName } })),
  fc
    .tuple(secret, key)
    .map(([secretName, item]) => ({ secret: { secretName, items: [{ key: item, path: "p" }] } })),
  secret.map((name) => ({ projected: { sources: [{ secret: { name } }, { configMap: { name: "app" } }] } })),
  secret.map((name) => ({
    csi: {
      driver: "d.example.com",
      volumeAttributes: { secretProviderClass: name },
      nodePublishSecretRef: { name },
    },
  })),
);
const pod = fc
  .record({
    containers: container("api").map((one) => [one]),
    initContainers: fc.array(container("init"), { maxLength: 1 }),
    volumes: fc.array(volume, { maxLength: 3 }),
    imagePullSecrets: fc.array(
      secret.map((name) => ({ name })),
      { maxLength: 1 },
    ),
    serviceAccountName: fc.constantFrom("default", "orders"),
  })
  .map(({ volumes, ...rest }) => ({
    ...rest,
    volumes: volumes.map((one, index) => ({ name: `v${index}`, ...one })),
  }));

const template = (spec: object) => ({ metadata: { labels }, spec });
const apps = { apiVersion: "apps/v1" };
const workload = fc.oneof(
  pod.map((spec) => ({ apiVersion: "v1", kind: "Pod", spec })),
  pod.map((spec) => ({
    ...apps,
    kind: "Deployment",
    spec: { selector: { matchLabels: labels }, template: template(spec) },
  })),
  pod.map((spec) => ({
    ...{ ...apps, kind: "StatefulSet" },
    spec: { serviceName: "s", selector: { matchLabels: labels }, template: template(spec) },
  })),
  pod.map((spec) => ({
    ...{ apiVersion: "batch/v1", kind: "CronJob" },
    spec: {
      schedule: "@daily",
      jobTemplate: { spec: { template: template({ ...spec, restartPolicy: "Never" }) } },
    },
  })),
);
const other = fc.oneof(
  secret.map((secretName) => ({
    ...{ apiVersion: "networking.k8s.io/v1", kind: "Ingress" },
    spec: { tls: [{ secretName }], defaultBackend: { service: { name: "s", port: { number: 80 } } } },
  })),
  secret.map((name) => ({ apiVersion: "v1", kind: "ServiceAccount", imagePullSecrets: [{ name }] })),
  fc
    .record({
      resourceNames: fc.array(secret, { maxLength: 2 }),
      verb: fc.constantFrom("get", "list", "create"),
    })
    .map(({ resourceNames, verb }) => ({
      ...{ apiVersion: `${rbac}/v1`, kind: "Role" },
      rules: [{ apiGroups: [""], resources: ["secrets"], verbs: [verb], resourceNames }],
    })),
  fc.constantFrom("n0", "n1", "n2", "n3").map((name) => ({
    ...{ apiVersion: `${rbac}/v1`, kind: "RoleBinding", roleRef: { apiGroup: rbac, kind: "Role", name } },
    subjects: [
      { kind: "ServiceAccount", name: "orders" },
      { kind: "Group", apiGroup: rbac, name: "ops" },
    ],
  })),
  fc.tuple(secret, secret).map(([name, remote]) => ({
    ...{ apiVersion: "external-secrets.io/v1", kind: "ExternalSecret" },
    spec: {
      secretStoreRef: { kind: "ClusterSecretStore", name: "vault" },
      target: { name },
      data: [{ secretKey: "k", remoteRef: { key: remote } }],
    },
  })),
);

/** The names of a namespace's objects follow from where they stand, so that a binding may meet a role. */
const described = fc.tuple(
  fc.array(workload, { minLength: 3, maxLength: 6 }),
  fc.array(other, { minLength: 6, maxLength: 12 }),
);

const stores = [{ as: "ClusterSecretStore/vault", store: "main" }];

it("property: whatever is applied, manifests and the live cluster say the same of it", async () => {
  const met = { edges: 0, copies: 0 };
  await fc.assert(
    fc.asyncProperty(described, async (objects) => {
      const namespace = await newNamespace(cluster);
      const data = { DATABASE_URL: `postgres://orders:${password}@db/orders`, MODE: "live" };
      const manifests = [
        { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "orders", namespace } },
        { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "app", namespace }, data },
        ...objects.flat().map((object, index): Manifest => {
          const subjects =
            "subjects" in object ? { subjects: object.subjects.map((one) => ({ namespace, ...one })) } : {};
          return {
            ...object,
            ...subjects,
            metadata: { name: `n${index - objects[0].length}`.replace("-", "w"), namespace },
          };
        }),
      ];
      await applied(cluster, manifests as Manifest[]);
      const text = manifests.map((manifest) => stringify(manifest)).join("---\n");
      const files = await saidOfFiles(kubernetesManifests, { "all.yaml": text }, { cluster: "prod", stores });
      const live = await saidOf(clusterSource(cluster, only(namespace, { stores })));
      expect([...new Set(live.claims.map(edgeText))].sort()).toEqual(
        [...new Set(files.claims.map(edgeText))].sort(),
      );
      const copies = live.parts.flatMap((part) => part.copies);
      expect(copies.map(copyText).sort()).toEqual(files.copies.map(copyText).sort());
      expect([live.gaps, files.gaps]).toEqual([[], []]);
      met.edges += live.edges.length;
      met.copies += copies.length;
    }),
    { numRuns: 6 },
  );
  expect(met.edges).toBeGreaterThan(6);
  expect(met.copies).toBeGreaterThanOrEqual(6);
});
