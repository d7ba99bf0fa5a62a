/** Who could read Secrets by RBAC, and where Secrets are filled from, as manifests say it. */
import { expect, it } from "vitest";
import { kubernetesManifests } from "../../../adapters/sources/kubernetes-manifests.js";
import { readerName } from "../../../domain/discovery/match.js";
import { edgeText, thingText } from "../source.js";
import { saidOf } from "./folder-world.js";

const settings = { cluster: "prod" };
const at = (path: string) => `location(kubernetes prod ${path})`;

const edges = async (files: Record<string, string>, more: object = {}) => {
  const { claims } = await saidOf(kubernetesManifests, files, { ...settings, ...more });
  return claims.filter(({ type }) => type !== "stored-in").map(edgeText);
};

const role = (kind: string, name: string, rules: string, rest = "") =>
  `{ apiVersion: rbac.authorization.k8s.io/v1, kind: ${kind}, metadata: { name: ${name}${kind === "Role" ? ", namespace: shop" : ""} ${rest} }, rules: ${rules} }`;
const binding = (kind: string, roleRef: string, subjects = "[ { kind: ServiceAccount, name: app } ]") =>
  `{ apiVersion: rbac.authorization.k8s.io/v1, kind: ${kind}, metadata: { name: b, namespace: shop }, roleRef: ${roleRef}, subjects: ${subjects} }`;
const app = "reader(serviceAccount=kubernetes prod shop/app)";

it("says who could read by a role of another file, and nothing of who could not", async () => {
  expect(
    await edges({
      "a-binding.yaml": binding("RoleBinding", "{ kind: Role, name: r }"),
      "b-role.yaml": role("Role", "r", `[ { apiGroups: [""], resources: [pods, secrets], verbs: [list] } ]`),
    }),
  ).toEqual([`${app} can-read ${at("shop/*")} potential`]);
});

it.each([
  ["another group", `[ { apiGroups: [apps], resources: [secrets], verbs: [get] } ]`],
  ["another resource", `[ { apiGroups: [""], resources: [configmaps], verbs: [get] } ]`],
  ["a verb that does not read", `[ { apiGroups: [""], resources: [secrets], verbs: [create, delete] } ]`],
])("does not take %s for a right to read", async (_, rules) => {
  const files = {
    "a.yaml": role("Role", "r", rules),
    "b.yaml": binding("RoleBinding", "{ kind: Role, name: r }"),
  };
  expect(await edges(files)).toEqual([]);
});

it("understands wildcards, names, users and groups", async () => {
  expect(
    await edges({
      "a.yaml": role("ClusterRole", "all", `[ { apiGroups: ["*"], resources: ["*"], verbs: ["*"] } ]`),
      "b.yaml": binding(
        "ClusterRoleBinding",
        "{ kind: ClusterRole, name: all }",
        "[ { kind: User, name: eve }, { kind: Group, name: ops }, { kind: ServiceAccount, name: op, namespace: infra } ]",
      ),
      "c.yaml": role(
        "Role",
        "one",
        `[ { apiGroups: [""], resources: [secrets], verbs: [get], resourceNames: [db] } ]`,
      ),
      "d.yaml": binding("RoleBinding", "{ kind: Role, name: one }"),
    }),
  ).toEqual([
    `reader(role=kubernetes prod User/eve) can-read ${at("*/*")} potential`,
    `reader(role=kubernetes prod Group/ops) can-read ${at("*/*")} potential`,
    `reader(serviceAccount=kubernetes prod infra/op) can-read ${at("*/*")} potential`,
    `${app} can-read ${at("shop/db")} potential`,
  ]);
});

it("knows a service account by the name that it has as a user", async () => {
  const subjects = (...names: readonly string[]) =>
    `[ ${names.map((name) => `{ kind: User, name: "${name}" }`).join(", ")} ]`;
  const bound = binding(
    "RoleBinding",
    "{ kind: ClusterRole, name: edit }",
    subjects("system:serviceaccount:infra:op", "system:serviceaccounts:infra"),
  );
  expect(await edges({ "a.yaml": bound })).toEqual([
    `reader(serviceAccount=kubernetes prod infra/op) can-read ${at("shop/*")} potential`,
    `reader(role=kubernetes prod User/system:serviceaccounts:infra) can-read ${at("shop/*")} potential`,
  ]);
});

it("calls everybody by a name that says once who and where that is", async () => {
  const { claims } = await saidOf(
    kubernetesManifests,
    {
      "a.yaml": binding(
        "ClusterRoleBinding",
        "{ kind: ClusterRole, name: edit }",
        "[ { kind: ServiceAccount, name: op, namespace: infra }, { kind: Group, name: ops } ]",
      ),
      "b.yaml":
        "{ apiVersion: v1, kind: Pod, metadata: { name: api, namespace: shop }, spec: { serviceAccountName: orders, containers: [ { name: c, envFrom: [ { secretRef: { name: db } } ] } ] } }",
      "c.yaml":
        "{ apiVersion: v1, kind: ServiceAccount, metadata: { name: orders, namespace: shop }, secrets: [ { name: db } ] }",
      "d.yaml":
        "{ apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: { name: web, namespace: shop }, spec: { tls: [ { secretName: tls } ] } }",
    },
    settings,
  );
  const names = claims.flatMap(({ from }) =>
    from.is === "reader" ? readerName(from.name, from.traits) : [],
  );
  expect([...new Set(names)].sort()).toEqual([
    "Group/ops of kubernetes prod",
    "service account infra/op of kubernetes prod",
    "service account shop/orders of kubernetes prod",
    "shop/Ingress/web of kubernetes prod",
    "shop/Pod/api of kubernetes prod (service account shop/orders)",
  ]);
});

it("tells accounts of the same name in two clusters apart", async () => {
  const manifests = { "a.yaml": binding("RoleBinding", "{ kind: ClusterRole, name: edit }") };
  const readers = async (cluster: string) =>
    (await saidOf(kubernetesManifests, manifests, { cluster })).claims
      .map(({ from }) => from)
      .filter(({ is }) => is === "reader")
      .map(thingText);
  expect(await readers("prod")).toEqual(["reader(serviceAccount=kubernetes prod shop/app)"]);
  expect(await readers("dev")).toEqual(["reader(serviceAccount=kubernetes dev shop/app)"]);
});

it("finds Secrets of one name in every namespace that has one", async () => {
  const secret = (namespace: string) =>
    `{ apiVersion: v1, kind: Secret, metadata: { name: ca, namespace: ${namespace} } }`;
  expect(
    await edges({
      "a.yaml": role(
        "ClusterRole",
        "ca",
        `[ { apiGroups: [""], resources: [secrets], verbs: [get], resourceNames: [ca] } ]`,
      ),
      "b.yaml": binding(
        "ClusterRoleBinding",
        "{ kind: ClusterRole, name: ca }",
        "[ { kind: ServiceAccount, name: app, namespace: shop } ]",
      ),
      "c.yaml": `${secret("one")}\n---\n${secret("two")}`,
    }),
  ).toEqual([`${app} can-read ${at("one/ca")} potential`, `${app} can-read ${at("two/ca")} potential`]);
});

it("adds up aggregated roles, and knows those that every cluster has", async () => {
  const reads = `[ { apiGroups: [""], resources: [secrets], verbs: [watch] } ]`;
  const sum = `{ apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: { name: sum }, aggregationRule: { clusterRoleSelectors: [ { matchExpressions: [ { key: part, operator: In, values: [x] } ] } ] } }`;
  const bound = (name: string) => binding("RoleBinding", `{ kind: ClusterRole, name: ${name} }`);
  const part = (label: string) => role("ClusterRole", "part", reads, `, labels: { ${label} }`);
  const right = [`${app} can-read ${at("shop/*")} potential`];
  expect(await edges({ "a.yaml": sum, "b.yaml": part("part: x"), "c.yaml": bound("sum") })).toEqual(right);
  expect(await edges({ "a.yaml": sum, "b.yaml": part("part: y"), "c.yaml": bound("sum") })).toEqual([]);
  expect(await edges({ "c.yaml": bound("edit") })).toEqual(right);
  expect(await edges({ "c.yaml": bound("view") })).toEqual([]);
  // One that is written down goes before what is known.
  expect(await edges({ "b.yaml": role("ClusterRole", "edit", "[]"), "c.yaml": bound("edit") })).toEqual([]);
  const toView = part(`"rbac.authorization.k8s.io/aggregate-to-view": "true"`);
  expect(await edges({ "b.yaml": toView, "c.yaml": bound("view") })).toEqual(right);
});

const external = `
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: { name: orders, namespace: shop }
spec:
  secretStoreRef: { kind: ClusterSecretStore, name: vault }
  target: { name: orders-db }
  data:
    - { secretKey: password, remoteRef: { key: secret/data/apps/orders, property: password } }
  dataFrom:
    - { extract: { key: apps/shared }, sourceRef: { storeRef: { kind: SecretStore, name: local } } }
    - { find: { path: apps/, name: { regexp: ".*" } } }
`;

it("says where an ExternalSecret fills its Secret from, as a place of the estate where the settings say which", async () => {
  expect(await edges({ "a.yaml": external })).toEqual([
    `${at("shop/orders-db")} depends-on location(kubernetes prod ClusterSecretStore/vault secret/data/apps/orders) declared`,
    `${at("shop/orders-db")} depends-on location(kubernetes prod SecretStore/shop/local apps/shared) declared`,
    `${at("shop/orders-db")} depends-on location(kubernetes prod ClusterSecretStore/vault apps/*) declared`,
  ]);
  const stores = [{ as: "ClusterSecretStore/vault", store: "main", prefix: "secret/data/" }];
  expect(await edges({ "a.yaml": external }, { stores })).toContain(
    `${at("shop/orders-db")} depends-on place(main apps/orders) declared`,
  );
});

it("names a store of an operator that the settings do not, and one that is none of the estate's is no gap", async () => {
  const gapsOf = async (stores: object[]) =>
    (await saidOf(kubernetesManifests, { "a.yaml": external, "b.yaml": external }, { ...settings, stores }))
      .gaps;
  const unknown = (store: string) =>
    `Which store of the estate is behind ${store} of prod is not known, or whether any is: name it in \`stores\`.`;
  expect([...new Set(await gapsOf([]))]).toEqual([
    unknown("ClusterSecretStore/vault"),
    unknown("SecretStore/shop/local"),
  ]);
  const local = { as: "SecretStore/shop/local" };
  expect(await gapsOf([local, { as: "ClusterSecretStore/vault" }])).toEqual([]);
  // What an ExternalSecret looks for in a store of the estate may be any of its places.
  expect([...new Set(await gapsOf([local, { as: "ClusterSecretStore/vault", store: "main" }]))]).toEqual([
    "shop/ExternalSecret/orders fills shop/orders-db from whatever main has that it looks for: which places those are is not known.",
  ]);
});

it("takes an ARN for the secret's name, and for both names where it does not tell", async () => {
  const arn = (name: string) => `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}`;
  const filled = (key: string) => `
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: { name: orders, namespace: shop }
spec:
  secretStoreRef: { kind: ClusterSecretStore, name: aws }
  data: [ { secretKey: password, remoteRef: { key: "${key}" } } ]
`;
  const stores = [{ as: "ClusterSecretStore/aws", store: "secrets", field: "name" }];
  const places = async (key: string) =>
    (await edges({ "a.yaml": filled(key) }, { stores })).filter((edge) => edge.includes("depends-on"));
  const place = (name: string) => `${at("shop/orders")} depends-on place(secrets ${name}) declared`;
  expect(await places(arn("apps/db-aB3xYz"))).toEqual([place("apps/db")]);
  expect(await places(arn("apps/database"))).toEqual([place("apps/database")]);
  expect(await places(arn("prod-orders"))).toEqual([place("prod"), place("prod-orders")]);
  expect(await places("apps/db")).toEqual([place("apps/db")]);
});

it("says what a PushSecret writes, a SecretProviderClass fetches, a seal and a certificate fill", async () => {
  expect(
    await edges({
      "a.yaml": `
apiVersion: external-secrets.io/v1alpha1
kind: PushSecret
metadata: { name: push, namespace: shop }
spec:
  secretStoreRefs: [ { name: aws, kind: ClusterSecretStore } ]
  selector: { secret: { name: made } }
  data: [ { match: { secretKey: k, remoteRef: { remoteKey: apps/made } } } ]
---
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: { name: v, namespace: shop }
spec:
  provider: vault
  parameters:
    objects: |
      - { objectName: password, secretPath: secret/data/apps/orders, secretKey: password }
  secretObjects: [ { secretName: copied, type: Opaque } ]
---
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: { name: a, namespace: shop }
spec:
  provider: azure
  parameters:
    objects: |
      array:
        - |
          objectName: azure-db
          objectType: secret
---
{ apiVersion: bitnami.com/v1alpha1, kind: SealedSecret, metadata: { name: sealed, namespace: shop }, spec: { encryptedData: { k: AgB } } }
---
{ apiVersion: cert-manager.io/v1, kind: Certificate, metadata: { name: web, namespace: shop }, spec: { secretName: web-tls, issuerRef: { kind: ClusterIssuer, name: acme } } }
`,
    }),
  ).toEqual([
    `location(kubernetes prod ClusterSecretStore/aws apps/made) depends-on ${at("shop/made")} declared`,
    `${at("shop/SecretProviderClass/v")} depends-on location(kubernetes prod SecretProviderClass/shop/v secret/data/apps/orders) declared`,
    `${at("shop/copied")} depends-on ${at("shop/SecretProviderClass/v")} declared`,
    `${at("shop/SecretProviderClass/a")} depends-on location(kubernetes prod SecretProviderClass/shop/a azure-db) declared`,
    `${at("shop/sealed")} depends-on ${at("shop/SealedSecret/sealed")} declared`,
    `${at("shop/web-tls")} depends-on ${at("ClusterIssuer/acme")} declared`,
  ]);
});

it("says that a namespace chosen by labels is not known", async () => {
  const { gaps } = await saidOf(
    kubernetesManifests,
    {
      "a.yaml": `{ apiVersion: external-secrets.io/v1, kind: ClusterExternalSecret, metadata: { name: all }, spec: { namespaceSelectors: [ { matchLabels: { a: b } } ], externalSecretSpec: {} } }`,
    },
    settings,
  );
  expect(gaps).toEqual([expect.stringContaining("selects by their labels")]);
});
