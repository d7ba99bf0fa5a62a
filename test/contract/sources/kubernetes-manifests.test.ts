/** The source of manifests: workloads, certificates at the edge and values in clear. Rights and filled Secrets have files of their own. */
import { expect, it } from "vitest";
import { kubernetesManifests } from "../../../adapters/sources/kubernetes-manifests.js";
import { testMark } from "../../support/mark.js";
import { edgeText, leakedAddress, sourceContract, thingText } from "../source.js";
import { folderCase, fresh, odd, saidOf } from "./folder-world.js";

const password = fresh("pw");
const other = fresh("other");
const settings = { cluster: "prod" };

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: orders, namespace: shop }
spec:
  template:
    spec:
      serviceAccountName: orders
      containers:
        - name: api
          image: shop/orders:1
          env:
            - name: DB_PASSWORD
              valueFrom: { secretKeyRef: { name: orders-db, key: password } }
            - { name: SMTP_PASSWORD, value: ${password} }
          envFrom: [ { secretRef: { name: orders-env } } ]
---
apiVersion: v1
kind: Secret
metadata: { name: orders-db, namespace: shop }
data: { password: ${Buffer.from(password).toString("base64")} }
`;

const orders =
  "reader(serviceAccount=kubernetes prod shop/orders workload=kubernetes prod shop/Deployment/orders)";
const at = (path: string) => `location(kubernetes prod ${path})`;
/** Each namespace, Secret and entry stands in the next larger thing. */
const inside = (...paths: readonly string[]) =>
  paths.slice(1).map((path, index) => `${at(paths[index] ?? "")} stored-in ${at(path)} declared`);

sourceContract(
  "kubernetes-manifests",
  folderCase({
    kind: kubernetesManifests,
    settings,
    files: { "shop/orders.yaml": deployment, "values.yaml": "replicas: 3\n", "package.json": "{}" },
    whole: true,
    shown: [
      `${orders} uses ${at("shop/orders-db#password")} declared`,
      `${orders} uses ${at("shop/orders-env")} declared`,
      `${orders} uses ${at("shop/Deployment/orders#containers.api.env.SMTP_PASSWORD")} declared`,
      ...inside("shop/orders-db#password", "shop/orders-db", "shop/*", "*/*"),
      ...inside("shop/orders-env", "shop/*"),
    ],
    planted: {
      files: {
        "mail/pod.json": JSON.stringify({
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name: "out" },
          spec: { containers: [{ name: "out" }], imagePullSecrets: [{ name: "registry" }] },
        }),
      },
      edge: `reader(serviceAccount=kubernetes prod default/default workload=kubernetes prod default/Pod/out) uses ${at("default/registry")} declared`,
    },
    spoiled: {
      files: {
        "a.yaml": `apiVersion: v1
kind: Secret
metadata: { name: broken
stringData: { password: ${password} }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, namespace: shop }
spec: { tls: [ { secretName: web-tls } ] }
`,
      },
      edge: `reader(workload=kubernetes prod shop/Ingress/web) uses ${at("shop/web-tls")} declared`,
    },
    leaking: {
      "leak.yaml": `
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: { name: leak, namespace: shop }
spec: { secretStoreRef: { name: main }, data: [ { secretKey: k, remoteRef: { key: "${leakedAddress}/x" } } ] }
---
apiVersion: v1
kind: Pod
metadata: { name: leak, namespace: shop }
spec: { containers: [ { name: c, envFrom: [ { secretRef: { name: "${leakedAddress}" } } ] } ] }
`,
    },
    odd: {
      files: {
        [`a${odd.file}.yaml`]: `
apiVersion: v1
kind: Pod
metadata: { name: ${odd.text}, namespace: ${odd.text} }
spec: { serviceAccountName: ${odd.text}, containers: [ { name: ${odd.text}, envFrom: [ { secretRef: { name: ${odd.text} } } ] } ] }
`,
        "b.yaml":
          "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: web, namespace: shop }\nspec: { tls: [ { secretName: web-tls } ] }\n",
      },
      edge: `reader(workload=kubernetes prod shop/Ingress/web) uses ${at("shop/web-tls")} declared`,
    },
    large: (names) => ({
      "a.yaml": `{ apiVersion: v1, kind: Pod, metadata: { name: many, namespace: shop }, spec: { containers: [ { name: c, envFrom: [ ${names.map((name) => `{ secretRef: { name: ${name} } }`)} ] } ] } }`,
    }),
    values: [password],
  }),
);

/** Edges of one kind of what these manifests say, without those that only say what stands in what. */
async function uses(manifests: string): Promise<string[]> {
  const { claims } = await saidOf(kubernetesManifests, { "all.yaml": manifests }, settings);
  return claims.filter(({ type }) => type !== "stored-in").map(edgeText);
}

const workloads = ["Pod", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"] as const;

it.each([...workloads, "Rollout"])("finds the pod in a %s", async (kind) => {
  const pod = `{ containers: [ { name: c } ], initContainers: [ { name: i, env: [ { name: X, valueFrom: { secretKeyRef: { name: s, key: k } } } ] } ] }`;
  const specs: Record<string, string> = {
    Pod: pod,
    CronJob: `{ jobTemplate: { spec: { template: { spec: ${pod} } } } }`,
  };
  const manifest = `{ apiVersion: x.example.com/v1, kind: ${kind}, metadata: { name: n }, spec: ${specs[kind] ?? `{ template: { spec: ${pod} } }`} }`;
  expect(await uses(manifest)).toEqual([
    `reader(serviceAccount=kubernetes prod default/default workload=kubernetes prod default/${kind}/n) uses ${at("default/s#k")} declared`,
  ]);
});

it("finds every kind of volume with a Secret behind it", async () => {
  const found = await uses(`
apiVersion: v1
kind: Pod
metadata: { name: p, namespace: n }
spec:
  containers: [ { name: c } ]
  volumes:
    - { name: a, secret: { secretName: whole } }
    - { name: b, secret: { secretName: keyed, items: [ { key: k, path: x } ] } }
    - { name: c, projected: { sources: [ { secret: { name: projected } }, { serviceAccountToken: { path: t } } ] } }
    - { name: d, csi: { driver: secrets-store.csi.k8s.io, volumeAttributes: { secretProviderClass: class }, nodePublishSecretRef: { name: node } } }
    - { name: e, cephfs: { monitors: [ m ], secretRef: { name: ceph } } }
    - { name: f, azureFile: { secretName: azure, shareName: s } }
`);
  const reader = "reader(serviceAccount=kubernetes prod n/default workload=kubernetes prod n/Pod/p)";
  expect(found.sort()).toEqual(
    ["n/whole", "n/keyed#k", "n/projected", "n/SecretProviderClass/class", "n/node", "n/ceph", "n/azure"]
      .map((path) => `${reader} uses ${at(path)} declared`)
      .sort(),
  );
});

it("finds the certificates of a Gateway, a ServiceAccount's Secrets, and references of an operator's own kind", async () => {
  expect(
    await uses(`
apiVersion: v1
kind: List
items:
  - apiVersion: gateway.networking.k8s.io/v1
    kind: Gateway
    metadata: { name: g, namespace: edge }
    spec: { listeners: [ { tls: { certificateRefs: [ { name: here }, { name: there, namespace: certs }, { kind: Other, name: no } ] } } ] }
  - { apiVersion: v1, kind: ServiceAccount, metadata: { name: sa, namespace: n }, secrets: [ { name: token } ], imagePullSecrets: [ { name: pull } ] }
  - apiVersion: db.example.com/v1
    kind: Cluster
    metadata: { name: pg, namespace: n }
    spec: { backup: { s3: { secretKeySecretRef: { name: s3, key: secret } } }, superuser: { secretName: root } }
`),
  ).toEqual([
    `reader(workload=kubernetes prod edge/Gateway/g) uses ${at("edge/here")} declared`,
    `reader(workload=kubernetes prod edge/Gateway/g) uses ${at("certs/there")} declared`,
    `reader(serviceAccount=kubernetes prod n/sa) uses ${at("n/token")} declared`,
    `reader(serviceAccount=kubernetes prod n/sa) uses ${at("n/pull")} declared`,
    `reader(workload=kubernetes prod n/Cluster/pg) uses ${at("n/s3#secret")} declared`,
    `reader(workload=kubernetes prod n/Cluster/pg) uses ${at("n/root")} declared`,
  ]);
});

it("takes a selector of a key for one of a Secret where the field or the operator says so, and not elsewhere", async () => {
  const selector = "{ name: s, key: k }";
  expect(
    await uses(`
apiVersion: v1
kind: List
items:
  - apiVersion: monitoring.coreos.com/v1alpha1
    kind: AlertmanagerConfig
    metadata: { name: a, namespace: n }
    spec: { receivers: [ { slackConfigs: [ { apiURL: { name: slack, key: url }, tlsConfig: { ca: { configMap: ${selector} } } } ] } ] }
  - apiVersion: db.example.com/v1
    kind: Cluster
    metadata: { name: c, namespace: n }
    spec: { tls: { keySecret: ${selector} }, label: ${selector}, secret: { name: no, value: k } }
`),
  ).toEqual([
    `reader(workload=kubernetes prod n/AlertmanagerConfig/a) uses ${at("n/slack#url")} declared`,
    `reader(workload=kubernetes prod n/Cluster/c) uses ${at("n/s#k")} declared`,
  ]);
});

it("knows how operators name Secrets, and takes no text for a name that may be a value", async () => {
  const object = (group: string, kind: string, spec: string) =>
    `{ apiVersion: ${group}/v1, kind: ${kind}, metadata: { name: o, namespace: n }, spec: ${spec} }`;
  const named = async (group: string, spec: string, kind = "Thing") =>
    (await uses(object(group, kind, spec))).map((edge) =>
      edge.replace(/.* uses location\(kubernetes prod (.*)\) declared$/, "$1"),
    );
  const own = "db.example.com";
  expect(
    await named(
      own,
      "{ importCredentialsSecret: { name: s }, secretRef: admin, http: { tlsSecret: web-tls } }",
    ),
  ).toEqual(["n/s", "n/admin", "n/web-tls"]);
  expect(
    await named(
      own,
      "{ tokenRef: { secretName: s, key: k }, v: { secretName: t, items: [ { key: a }, { key: b } ] } }",
    ),
  ).toEqual(["n/s#k", "n/t#a", "n/t#b"]);
  for (const value of [
    `clientSecret: ${other}`,
    `authSecret: hunter2`,
    `secrets: [ hunter2 ]`,
    `tlsSecret: ${password}`,
  ])
    expect(await named(own, `{ ${value} }`)).toEqual([]);
  expect(await named("openfaas.com", "{ secrets: [ s ] }")).toEqual(["n/s"]);
  expect(
    await named("operator.victoriametrics.com", "{ additionalScrapeConfigs: { name: s, key: k } }"),
  ).toEqual(["n/s#k"]);
  expect(
    await named(
      "kafka.strimzi.io",
      "{ passwordSecret: { secretName: s, password: p }, trusted: [ { secretName: t, certificate: ca.crt } ] }",
    ),
  ).toEqual(["n/s#p", "n/t#ca.crt"]);
  // A kind that describes a pod has fields of its own beside it.
  expect(
    await named(
      "monitoring.coreos.com",
      "{ containers: [ { name: c } ], imagePullSecrets: [ { name: pull } ], remoteWrite: [ { basicAuth: { password: { name: s, key: k } } } ] }",
    ),
  ).toEqual(["n/pull", "n/s#k"]);
  expect(
    await uses(
      object(
        own,
        "Thing",
        "{ podTemplate: { spec: { containers: [ { envFrom: [ { secretRef: { name: s } } ] } ] } } }",
      ),
    ),
  ).toEqual([
    `reader(serviceAccount=kubernetes prod n/default workload=kubernetes prod n/Thing/o) uses ${at("n/s")} declared`,
  ]);
});

it("does not make up a namespace for a kind of a whole cluster", async () => {
  const spec = "spec: { secretRef: { name: s } }";
  const object = (kind: string, group: string) =>
    `{ apiVersion: ${group}/v1, kind: ${kind}, metadata: { name: o }, ${spec} }`;
  const { claims, gaps } = await saidOf(
    kubernetesManifests,
    {
      "a.yaml": `${object("ClusterScm", "scm.example.com")}\n---\n${object("ClusterTopology", "cluster.x-k8s.io")}`,
    },
    settings,
  );
  expect(claims.filter(({ type }) => type === "uses").map(edgeText)).toEqual([
    `reader(workload=kubernetes prod default/ClusterTopology/o) uses ${at("default/s")} declared`,
  ]);
  expect(gaps).toEqual([
    "spec.secretRef of ClusterScm/o names a Secret in a namespace that it does not say.",
  ]);
});

it("marks what stands in Secrets, in ConfigMaps and in addresses, and shows who uses the ConfigMap", async () => {
  const auth = Buffer.from(`robot:${other}`).toString("base64");
  const docker = JSON.stringify({ auths: { "registry.example.com": { auth } } });
  const { copies, claims } = await saidOf(
    kubernetesManifests,
    {
      "use.yaml": `{ apiVersion: v1, kind: Pod, metadata: { name: p }, spec: { containers: [ { name: c, envFrom: [ { configMapRef: { name: app } } ] } ] } }`,
      "values.yaml": `
apiVersion: v1
kind: ConfigMap
metadata: { name: app }
data:
  DATABASE_URL: postgres://orders:${password}@db/orders
  MODE: production
  app.properties: |
    spring.datasource.url=jdbc:postgresql://db/orders
    spring.datasource.password=${other}
---
apiVersion: v1
kind: Secret
metadata: { name: s }
type: Opaque
data:
  .dockerconfigjson: ${Buffer.from(docker).toString("base64")}
  username: ${Buffer.from("orders-user").toString("base64")}
stringData: { anything: ${password} }
`,
    },
    settings,
  );
  expect(copies.map(({ at, mark, literal }) => [thingText(at), mark, literal])).toEqual([
    [at("default/ConfigMap/app#DATABASE_URL"), testMark(password), true],
    [at("default/ConfigMap/app#app.properties"), testMark(other), true],
    [at("default/s#.dockerconfigjson"), testMark(other), true],
    [at("default/s#anything"), testMark(password), true],
  ]);
  const reader =
    "reader(serviceAccount=kubernetes prod default/default workload=kubernetes prod default/Pod/p)";
  expect(claims.filter(({ type }) => type === "uses").map(edgeText)).toEqual([
    `${reader} uses ${at("default/ConfigMap/app#DATABASE_URL")} declared`,
    `${reader} uses ${at("default/ConfigMap/app#app.properties")} declared`,
  ]);
});

it("reads what helm template prints, and reports a template that was not rendered", async () => {
  const { claims, malformed } = await saidOf(
    kubernetesManifests,
    {
      "rendered.yaml": `---\n# Source: shop/templates/web.yaml\n${deployment}`,
      "templates/web.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}-web\n",
      "templates/if.yaml": "{{- if .Values.on }}\napiVersion: v1\nkind: Pod\n{{- end }}\n",
    },
    settings,
  );
  expect(claims.map(edgeText)).toContain(`${orders} uses ${at("shop/orders-env")} declared`);
  expect(malformed.map(({ where }) => where.replace(/:.*/, ""))).toEqual([
    "templates/if.yaml",
    "templates/web.yaml",
  ]);
});

it("finds the value of an option in the next word, and in the text of a shell", async () => {
  const { copies } = await saidOf(
    kubernetesManifests,
    {
      "pod.yaml": `
apiVersion: v1
kind: Pod
metadata: { name: cache, namespace: shop }
spec:
  containers:
    - { name: a, args: [ --port, "6379", --requirepass, ${password} ] }
    - { name: b, command: [ sh, -c, 'exec redis-server --requirepass "${password}" --port 6379' ] }
    - { name: c, args: [ --requirepass, $(PASSWORD), --password, --port ] }
`,
    },
    settings,
  );
  expect(copies.map(({ at, mark }) => [at.is === "location" && at.path, mark])).toEqual([
    ["shop/Pod/cache#containers.a.args.requirepass", testMark(password)],
    ["shop/Pod/cache#containers.b.command.requirepass", testMark(password)],
  ]);
});
