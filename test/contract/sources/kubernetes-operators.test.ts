/** Kinds that an operator brings, as the API of a cluster shows them: in the order in which one is needed to understand the next. */
import { beforeAll, expect, it } from "vitest";
import { kubernetes } from "../../../adapters/sources/kubernetes.js";
import { kubernetesMsMax, kubernetesServer, type SharedKubernetes } from "../../setup/servers.js";
import { applied, manifestsOf, newNamespace } from "../../support/kubernetes.js";
import { clusterSource, only, saidOf } from "./kubernetes-world.js";

let cluster: SharedKubernetes;
beforeAll(async () => {
  cluster = await kubernetesServer();
}, kubernetesMsMax);

const at = (path: string) => `location(kubernetes prod ${path})`;

/** What a scan of a new namespace with these objects says, with `n` for the namespace. */
async function shown(text: string, stores: (namespace: string) => object[]) {
  const namespace = await newNamespace(cluster);
  await applied(cluster, manifestsOf(text.replaceAll("$", namespace)));
  const { edges, gaps } = await saidOf(
    clusterSource(cluster, only(namespace, { stores: stores(namespace) })),
  );
  return { edges: edges.map((edge) => edge.replaceAll(namespace, "n")), gaps };
}

it("C7: shows what Vault's own operator fills a Secret from, and what KEDA is given", async () => {
  const head = "apiVersion: secrets.hashicorp.com/v1beta1, metadata: { name: o, namespace: $ }";
  const { edges, gaps } = await shown(
    `
{ ${head}, kind: VaultStaticSecret, spec: { type: kv-v2, mount: secret, path: orders/db, destination: { name: orders-db } } }
---
{ ${head}, kind: VaultPKISecret, spec: { mount: pki, role: web, destination: { name: web } } }
---
{ apiVersion: keda.sh/v1alpha1, kind: TriggerAuthentication, metadata: { name: k, namespace: $ }, spec: { secretTargetRef: [ { parameter: p, name: orders-db, key: dsn } ] } }
`,
    () => [{ as: "VaultSecretsOperator", store: "main", prefix: "secret/data/" }],
  );
  expect(edges).toEqual([
    `${at("n/orders-db")} depends-on place(main orders/db) declared`,
    `${at("n/web")} depends-on ${at("VaultSecretsOperator pki/issue/web")} declared`,
    `reader(workload=kubernetes prod n/TriggerAuthentication/k) uses ${at("n/orders-db#dsn")} declared`,
  ]);
  expect(gaps).toEqual([]);
});

it("C7: reads a store before what is filled from it, so that keys are what they are to the operator", async () => {
  const head = "apiVersion: external-secrets.io/v1, metadata: { name: vault, namespace: $ }";
  const { edges, gaps } = await shown(
    `
{ ${head}, kind: ExternalSecret, spec: { secretStoreRef: { name: vault }, data: [ { secretKey: p, remoteRef: { key: orders/db } } ] } }
---
{ ${head}, kind: SecretStore, spec: { provider: { vault: { path: secret, auth: { tokenSecretRef: { name: login, key: token } } } } } }
`,
    (namespace) => [{ as: `SecretStore/${namespace}/vault`, store: "main", prefix: "secret/data/" }],
  );
  expect(edges).toEqual([
    `reader(workload=kubernetes prod n/SecretStore/vault) uses ${at("n/login#token")} declared`,
    `${at("n/vault")} depends-on place(main orders/db) declared`,
  ]);
  expect(gaps).toEqual([]);
});

it("C7: shows the Secrets of storage of the whole cluster", async () => {
  const namespace = await newNamespace(cluster);
  const csi = "csi.storage.k8s.io/provisioner-secret";
  await applied(
    cluster,
    manifestsOf(
      `{ apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: { name: ${namespace} }, provisioner: rbd.example.com, parameters: { ${csi}-name: ceph, ${csi}-namespace: ${namespace} } }`,
    ),
  );
  const { edges, gaps } = await saidOf(
    clusterSource(cluster, { ...only(namespace), leaveOut: ["persistentvolumes"] }),
  );
  expect(edges).toContain(
    `reader(workload=kubernetes prod StorageClass/${namespace}) uses ${at(`${namespace}/ceph`)} declared`,
  );
  expect(gaps).toEqual([]);
});

it("asks for the right to list each kind that it lists", () => {
  const granted = manifestsOf(kubernetes.grants?.({}) ?? "").flatMap(
    ({ rules }) => (rules ?? []) as { apiGroups: string[]; resources: string[]; verbs: string[] }[],
  );
  const listed = granted
    .filter(({ verbs }) => verbs.includes("list"))
    .flatMap(({ apiGroups, resources }) =>
      apiGroups.flatMap((group) => resources.map((one) => (group === "" ? one : `${one}.${group}`))),
    );
  const kinds = kubernetes.config.shape.leaveOut.def.innerType.element.options;
  expect(listed.toSorted()).toEqual(kinds.toSorted());
});
