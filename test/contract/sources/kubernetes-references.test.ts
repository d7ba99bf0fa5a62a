/** Secrets that operators' own kinds name: by customs of many, by what one group has alone, and by nothing but their shape. */
import { expect, it } from "vitest";
import { kubernetesManifests } from "../../../adapters/sources/kubernetes-manifests.js";
import { edgeText, leakedAddress } from "../source.js";
import { fresh, saidOf } from "./folder-world.js";

const at = (path: string) => `location(kubernetes prod ${path})`;
const object = (group: string, kind: string, spec: string) =>
  `{ apiVersion: ${group}/v1, kind: ${kind}, metadata: { name: o, namespace: shop }, spec: ${spec} }\n---\n`;
const uses = (kind: string, secret: string, known = "declared") =>
  `reader(workload=kubernetes prod shop/${kind}/o) uses ${at(secret)} ${known}`;

async function said(text: string) {
  const { claims, gaps } = await saidOf(kubernetesManifests, { "all.yaml": text }, { cluster: "prod" });
  return { edges: claims.filter(({ type }) => type !== "stored-in").map(edgeText), gaps };
}
const edgesOf = async (group: string, kind: string, spec: string) =>
  (await said(object(group, kind, spec))).edges;

it.each<[string, string, string, readonly string[]]>([
  [
    "keda.sh",
    "TriggerAuthentication",
    "{ secretTargetRef: [ { parameter: connection, name: queue, key: dsn }, { parameter: p, name: other, key: k } ], env: [ { parameter: x, name: Y } ] }",
    ["queue#dsn", "other#k"],
  ],
  [
    "helm.toolkit.fluxcd.io",
    "HelmRelease",
    "{ valuesFrom: [ { kind: Secret, name: values, valuesKey: v.yaml }, { kind: ConfigMap, name: plain } ] }",
    ["values#v.yaml"],
  ],
  [
    "kustomize.toolkit.fluxcd.io",
    "Kustomization",
    "{ postBuild: { substituteFrom: [ { kind: Secret, name: subst } ] }, patches: [ { target: { kind: Secret, name: not } } ], healthChecks: [ { kind: Secret, name: not } ] }",
    ["subst"],
  ],
  [
    "postgresql.cnpg.io",
    "Cluster",
    "{ superuserSecret: { name: super }, bootstrap: { initdb: { secret: { name: app } } }, externalClusters: [ { name: src, password: { name: ext, key: password }, sslKey: { name: ssl, key: tls.key } } ] }",
    ["super", "app", "ext#password", "ssl#tls.key"],
  ],
  ["traefik.io", "Middleware", "{ basicAuth: { secret: users } }", ["users"]],
  [
    "traefik.io",
    "ServersTransport",
    "{ rootCAsSecrets: [ roots ], certificatesSecrets: [ pair ] }",
    ["roots", "pair"],
  ],
  [
    "monitoring.coreos.com",
    "ServiceMonitor",
    "{ endpoints: [ { basicAuth: { username: { name: basic, key: user } }, bearerTokenSecret: { name: bearer, key: t } } ] }",
    ["bearer#t", "basic#user"],
  ],
  [
    "cert-manager.io",
    "Issuer",
    "{ acme: { privateKeySecretRef: { name: acme }, solvers: [ { dns01: { cloudflare: { apiTokenSecretRef: { name: dns, key: t } } } } ] }, ca: { secretName: root } }",
    ["acme", "dns#t", "root"],
  ],
  ["tower.ansible.com", "AnsibleJob", "{ tower_auth_secret: tower }", ["tower"]],
  ["trident.netapp.io", "TridentBackendConfig", "{ credentials: { name: backend } }", ["backend"]],
  [
    "x.example.com",
    "Any",
    "{ imagePullSecrets: [ { name: pull } ], secretNames: [ one ], storage: { secret: { name: s3, type: s3 } }, ref: { kind: Secret, name: ref } }",
    ["pull", "one", "ref", "s3"],
  ],
  [
    "x.example.com",
    "Any",
    "{ adminSecretName: admin, adminSecretNamespace: ops, secretRefs: [ { name: a, key: b, as: c } ] }",
    ["../ops/admin", "a#b"],
  ],
  [
    "x.example.com",
    "Any",
    "{ apiKey: { name: api, key: k }, tls: { cert: { name: pair, key: c }, configMapKey: { name: not, key: k } } }",
    ["api#k", "pair#c"],
  ],
  [
    "external-secrets.io",
    "SecretStore",
    "{ provider: { vault: { auth: { appRole: { roleRef: { name: role, key: id } } }, caProvider: { type: Secret, name: ca, key: ca.crt } } } }",
    ["ca#ca.crt", "role#id"],
  ],
])("C7: finds the Secrets that %s/%s names", async (group, kind, spec, secrets) => {
  expect(await edgesOf(group, kind, spec)).toEqual(
    secrets.map((secret) => uses(kind, secret.startsWith("../") ? secret.slice(3) : `shop/${secret}`)),
  );
});

it("C7: says that a name with a key could be a Secret's, where no field says it", async () => {
  const { claims } = await saidOf(
    kubernetesManifests,
    {
      "a.yaml": object(
        "x.example.com",
        "Any",
        "{ source: { name: some, key: k }, columns: [ { name: not, key: k } ], label: { name: not, key: k } }",
      ),
    },
    { cluster: "prod" },
  );
  const found = claims.filter(({ type }) => type === "uses");
  expect(found.map(edgeText)).toEqual([uses("Any", "shop/some#k", "potential")]);
  expect(found[0]?.sentence).toBe(
    "spec.source of shop/Any/o has a name and a key, as an entry of a Secret would be named",
  );
});

it("C7: takes a text for a Secret's name where somebody else names that Secret, and never for one otherwise", async () => {
  const value = fresh("pw");
  const plain = `{ clientSecret: orders-db, passwords: [ orders-db ], auth: { name: orders-db }, owner: { name: orders-db }, description: orders-db, match: { key: orders-db }, adminPassword: ${value}, token: "${leakedAddress}" }`;
  const text = object("x.example.com", "Any", plain);
  expect((await said(text)).edges).toEqual([]);
  const secret = "{ apiVersion: v1, kind: Secret, metadata: { name: orders-db, namespace: NS }, data: {} }\n";
  const named = (namespace: string) => said(text + secret.replace("NS", namespace));
  expect((await named("mail")).edges).toEqual([]);
  const whole = await saidOf(
    kubernetesManifests,
    { "a.yaml": text + secret.replace("NS", "shop") },
    { cluster: "prod" },
  );
  const found = whole.claims.filter(({ type }) => type === "uses");
  expect(found.map(edgeText)).toEqual([uses("Any", "shop/orders-db")]);
  expect(found.map(({ seen }) => seen.count)).toEqual([3]);
  expect(JSON.stringify(whole.parts)).not.toContain(value);
});

it("C7: takes no pair of a name and a value for a Secret, nor the description of one", async () => {
  const spec = `{ secret: { name: not, value: x }, extraSecret: { name: not, data: { a: b } }, secrets: [ { name: not, value: x } ], template: { kind: Secret, metadata: { name: not } } }`;
  expect(await edgesOf("x.example.com", "Any", spec)).toEqual([]);
});

it("C7: says that an operator writes a Secret, where the field says so", async () => {
  const spec =
    "{ writeConnectionSecretToRef: { name: made, namespace: ops }, secretRef: { name: creds, namespace: ops, key: k } }";
  expect(await edgesOf("db.example.com", "Instance", spec)).toEqual([
    `${at("ops/made")} depends-on ${at("shop/Instance/o")} declared`,
    uses("Instance", "ops/creds#k"),
  ]);
});

it("C7: finds fields of a kind that has no spec, and the pod of a core PodTemplate", async () => {
  const consumer = `apiVersion: configuration.konghq.com/v1\nkind: KongConsumer\nmetadata: { name: o, namespace: shop }\ncredentials: [ jwt ]\nconfigFrom: { secretKeyRef: { name: config, key: k } }\n`;
  expect((await said(consumer)).edges).toEqual([
    uses("KongConsumer", "shop/jwt"),
    uses("KongConsumer", "shop/config#k"),
  ]);
  const pod = `apiVersion: v1\nkind: PodTemplate\nmetadata: { name: o, namespace: shop }\ntemplate: { metadata: { annotations: { vault.hashicorp.com/tls-secret: ca } }, spec: { containers: [ { name: a, envFrom: [ { secretRef: { name: env } } ] } ] } }\n`;
  const reader = `reader(serviceAccount=kubernetes prod shop/default workload=kubernetes prod shop/PodTemplate/o)`;
  expect((await said(pod)).edges).toEqual(
    ["ca", "env"].map((name) => `${reader} uses ${at(`shop/${name}`)} declared`),
  );
  const tool = "apiVersion: tool/v1\nkind: Config\nmetadata: { name: o }\nbuild: { pullSecretName: pull }\n";
  expect((await said(tool)).edges).toEqual([]);
});

it("C7: finds the Secrets of classes of storage, and says which cannot be told", async () => {
  const kind = (name: string, group: string, parameters: string) =>
    `{ apiVersion: ${group}/v1, kind: ${name}, metadata: { name: o }, parameters: { ${parameters} } }\n---\n`;
  const csi = "csi.storage.k8s.io";
  const { edges, gaps } = await said(
    kind(
      "StorageClass",
      "storage.k8s.io",
      `${csi}/provisioner-secret-name: ceph, ${csi}/provisioner-secret-namespace: rook, pool: p`,
    ) +
      kind("StorageClass", "storage.k8s.io", "adminSecretName: admin, adminSecretNamespace: rook") +
      kind(
        "VolumeSnapshotClass",
        "snapshot.storage.k8s.io",
        `${csi}/snapshotter-secret-name: snap, ${csi}/snapshotter-secret-namespace: rook`,
      ) +
      kind(
        "StorageClass",
        "storage.k8s.io",
        `${csi}/node-stage-secret-name: "\${pvc.name}", ${csi}/node-stage-secret-namespace: rook, userSecretName: user`,
      ),
  );
  const by = (name: string, secret: string) =>
    `reader(workload=kubernetes prod ${name}/o) uses ${at(`rook/${secret}`)} declared`;
  expect(edges).toEqual([
    by("StorageClass", "ceph"),
    by("StorageClass", "admin"),
    by("VolumeSnapshotClass", "snap"),
  ]);
  expect(gaps).toEqual([
    `parameters.${csi}/node-stage-secret-name of StorageClass/o names another Secret for each volume.`,
    "parameters.userSecretName of StorageClass/o names a Secret in a namespace that it does not say.",
  ]);
});

it("C7: finds the certificate that Istio's proxies are given, in whichever namespace they may run", async () => {
  const gateway = object(
    "networking.istio.io",
    "Gateway",
    "{ servers: [ { tls: { mode: SIMPLE, credentialName: web } } ] }",
  );
  expect((await said(gateway)).edges).toEqual([uses("Gateway", "shop/web")]);
  const certificate =
    "{ apiVersion: cert-manager.io/v1, kind: Certificate, metadata: { name: c, namespace: istio-system }, spec: { secretName: web, issuerRef: { name: i } } }\n";
  expect((await said(gateway + certificate)).edges.slice(0, 2)).toEqual([
    uses("Gateway", "shop/web"),
    uses("Gateway", "istio-system/web", "potential"),
  ]);
  const said2 = object(
    "networking.istio.io",
    "Gateway",
    "{ servers: [ { tls: { credentialNames: [ a, kubernetes-gateway://edge/b ] } } ] }",
  );
  expect((await said(said2)).edges).toEqual([uses("Gateway", "shop/a"), uses("Gateway", "edge/b")]);
});

it("H21: says that a Secret is named to a chart by a text of values or by a parameter, and takes none for the Application's", async () => {
  const application = (helm: string) => object("argoproj.io", "Application", `{ source: { helm: ${helm} } }`);
  const gap = (field: string) =>
    `spec.source.helm.${field}.auth.existingSecret of shop/Application/o names a Secret to a chart that was not rendered: who uses it, and in which namespace, is not in what was read.`;
  expect(await said(application(`{ values: "auth: { existingSecret: app }" }`))).toEqual({
    edges: [],
    gaps: [gap("values")],
  });
  expect(
    await said(
      application(
        `{ parameters: [ { name: auth.existingSecret, value: app }, { name: replicas, value: "2" }, { value: x } ] }`,
      ),
    ),
  ).toEqual({ edges: [], gaps: [gap("parameters")] });
  expect(await said(application(`{ values: "{", parameters: [] }`))).toEqual({ edges: [], gaps: [] });
});

it("C7: finds a Secret that is named to a chart in the namespace that it is released to", async () => {
  const values = "auth: { existingSecret: app }";
  const text =
    object(
      "helm.toolkit.fluxcd.io",
      "HelmRelease",
      `{ targetNamespace: mail, values: { ${values} }, valuesFrom: [ { kind: Secret, name: own } ] }`,
    ) +
    object(
      "helm.cattle.io",
      "HelmChart",
      `{ targetNamespace: mail, valuesContent: "${values}", set: { auth.existingSecret: set } }`,
    ) +
    object("helm.toolkit.fluxcd.io", "HelmRelease", `{ values: { ${values} } }`);
  expect((await said(text)).edges).toEqual([
    uses("HelmRelease", "shop/own"),
    uses("HelmRelease", "mail/app"),
    uses("HelmChart", "mail/app"),
    uses("HelmChart", "mail/set"),
    uses("HelmRelease", "shop/app"),
  ]);
});
