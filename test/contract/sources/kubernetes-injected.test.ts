/** Secrets that no field of an object names: what an injector puts into pods, and what annotations of an Ingress ask for. */
import { expect, it } from "vitest";
import { kubernetesManifests } from "../../../adapters/sources/kubernetes-manifests.js";
import { edgeText } from "../source.js";
import { saidOf } from "./folder-world.js";

const settings = {
  cluster: "prod",
  stores: [{ as: "AgentInjector", store: "main-vault", prefix: "secret/data/" }],
};
const usesIn = async (text: string, given: object = settings) => {
  const { claims, gaps } = await saidOf(kubernetesManifests, { "all.yaml": text }, given);
  return { uses: claims.filter(({ type }) => type === "uses").map(edgeText), gaps };
};
const reader = (workload: string) =>
  `reader(serviceAccount=kubernetes prod shop/default workload=kubernetes prod shop/${workload})`;

const pod = (prefix: string, path: string) => `
  metadata: { annotations: { ${prefix}/agent-inject: "true", ${prefix}/agent-inject-secret-db.txt: "${path}" } }
  spec: { containers: [ { name: api, image: shop/orders:1 } ] }
`;
const deployment = (prefix: string, path = "secret/data/orders/db") => `apiVersion: apps/v1
kind: Deployment
metadata: { name: orders, namespace: shop }
spec:
  template: ${pod(prefix, path).replaceAll("\n", "\n    ")}
`;

it("C7: what an injector of Vault or OpenBao puts into a pod is used by the workload, where the path leads", async () => {
  for (const prefix of ["vault.hashicorp.com", "openbao.openbao.org"])
    expect(await usesIn(deployment(prefix))).toEqual({
      uses: [`${reader("Deployment/orders")} uses place(main-vault orders/db) declared`],
      gaps: [],
    });
  const single = `apiVersion: v1\nkind: Pod\nmetadata: { name: one, namespace: shop, annotations: { vault.hashicorp.com/agent-inject-secret-a: secret/data/a } }\nspec: { containers: [ { name: a, image: a } ] }\n`;
  expect((await usesIn(single)).uses).toEqual([`${reader("Pod/one")} uses place(main-vault a) declared`]);
});

it("says that nobody knows which store the injector reads, where the settings do not say", async () => {
  const { uses, gaps } = await usesIn(deployment("vault.hashicorp.com"), { cluster: "prod" });
  expect(uses).toEqual([
    `${reader("Deployment/orders")} uses location(kubernetes prod AgentInjector secret/data/orders/db) declared`,
  ]);
  expect(gaps).toEqual([expect.stringContaining("AgentInjector of prod")]);
});

it("takes no annotation of a workload for one of its pods: the injector does not either", async () => {
  const text = `apiVersion: apps/v1
kind: Deployment
metadata: { name: orders, namespace: shop, annotations: { vault.hashicorp.com/agent-inject-secret-a: secret/data/a } }
spec: { template: { spec: { containers: [ { name: a, image: a } ] } } }
`;
  expect((await usesIn(text)).uses).toEqual([]);
});

it("C7: finds the Secrets that annotations of an Ingress name, in its namespace or another", async () => {
  const text = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: admin
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/auth-secret: basic
    nginx.ingress.kubernetes.io/auth-tls-secret: edge/ca
    nginx.ingress.kubernetes.io/auth-type: basic
spec: {}
`;
  const who = "reader(workload=kubernetes prod shop/Ingress/admin)";
  expect((await usesIn(text)).uses).toEqual([
    `${who} uses location(kubernetes prod shop/basic) declared`,
    `${who} uses location(kubernetes prod edge/ca) declared`,
  ]);
});

const annotated = (annotations: string, kind = "Deployment") => `apiVersion: apps/v1
kind: ${kind}
metadata: { name: orders, namespace: shop }
spec:
  template:
    metadata:
      annotations:
        ${annotations.trim().replaceAll("\n", "\n        ")}
    spec: { containers: [ { name: api, image: shop/orders:1 } ] }
---
`;
const usesOf = (...paths: readonly string[]) =>
  paths.map((path) => `${reader("Deployment/orders")} uses place(main-vault ${path}) declared`);
const template = (text: string) => annotated(`vault.hashicorp.com/agent-inject-template-a: |\n  ${text}`);

it.each([
  [
    `{{- with secret "secret/data/orders/db" -}} export PW="{{ .Data.data.password }}" {{- end }}`,
    ["orders/db"],
  ],
  // The agent puts `data` in where the engine has versions.
  [
    `{{ with secret "secret/orders/db" }}{{ end }}{{with secret \`secret/data/mail\` }}{{end}}`,
    ["orders/db", "mail"],
  ],
  [`{{ $db := secret "secret/data/orders/db" "version=2" }}{{ $db.Data.data.secret }}`, ["orders/db"]],
  [`{{ with pkiCert "secret/data/web" "common_name=web.example" }}{{ .Key }}{{ end }}`, ["web"]],
  [`{{/* with secret "secret/data/old" */}}{{ key "secret/data/none" }} secret "secret/data/text"`, []],
])("C7: finds what a template of the agent reads: %s", async (text, paths) => {
  expect(await usesIn(template(text))).toEqual({ uses: usesOf(...paths), gaps: [] });
});

it.each([
  `{{ with secret (printf "secret/data/%s" "orders") }}{{ end }}`,
  `{{ range secrets "secret/metadata/orders/" }}{{ . }}{{ end }}`,
  `{{ with printf "secret/data/%s" "orders" | secret }}{{ end }}`,
  "{{ with secret $path }}{{ end }}",
])("H21: says that a template reads more than stands in it: %s", async (text) => {
  expect(await usesIn(template(text))).toEqual({
    uses: [],
    gaps: [
      "spec.template.metadata.annotations.vault.hashicorp.com/agent-inject-template-a of shop/Deployment/orders renders a template that puts a path together, or reads all of a folder: what that is was not in what was read.",
    ],
  });
});

it("C7: finds what the ConfigMap of an agent reads, and says when it is not there to be read", async () => {
  const agent = annotated("vault.hashicorp.com/agent-configmap: agent");
  const config = (data: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: agent, namespace: shop }\ndata:\n  ${data}\n---\n`;
  const stanza = `config.hcl: |\n    template { contents = "{{ with secret \\"secret/data/orders/db\\" }}{{ .Data.data.x }}{{ end }}" }\n    template { source = "/vault/configs/mail.ctmpl" }\n  mail.ctmpl: '{{ with secret "secret/data/mail" }}{{ end }}'`;
  for (const text of [agent + config(stanza), config(stanza) + agent])
    expect(await usesIn(text)).toEqual({ uses: usesOf("orders/db", "mail"), gaps: [] });
  expect(await usesIn(agent + config(`config-init.hcl: "pid_file = 1"`))).toEqual({ uses: [], gaps: [] });
  const unread =
    "spec.template.metadata.annotations.vault.hashicorp.com/agent-configmap of shop/Deployment/orders names the ConfigMap shop/agent for its templates, which was not read: what they read is not known.";
  expect(await usesIn(agent)).toEqual({ uses: [], gaps: [unread] });
  expect((await usesIn(agent + config(stanza).replace("shop", "mail"))).gaps).toEqual([unread]);
});

it("C7: finds Secrets that the agent's container is given, and says that a template is in a container", async () => {
  const text = annotated(`
openbao.openbao.org/agent-extra-secret: extra
vault.hashicorp.com/tls-secret: ca
vault.hashicorp.com/agent-inject-command-a: kill -HUP 1
vault.hashicorp.com/agent-inject-template-file-a: /etc/a.ctmpl`);
  expect(await usesIn(text)).toEqual({
    uses: ["extra", "ca"].map(
      (name) => `${reader("Deployment/orders")} uses location(kubernetes prod shop/${name}) declared`,
    ),
    gaps: [
      "spec.template.metadata.annotations.vault.hashicorp.com/agent-inject-template-file-a of shop/Deployment/orders renders a template that stands in a container: what that reads is not in what was read.",
    ],
  });
});

it("C7: says of which mount the injector reads what no store is named for, but for what is made when it is asked for", async () => {
  const inject = (path: string) => usesIn(deployment("vault.hashicorp.com", path));
  expect(await inject("database/creds/orders")).toEqual({
    uses: [
      `${reader("Deployment/orders")} uses location(kubernetes prod AgentInjector database/creds/orders) declared`,
    ],
    gaps: [],
  });
  expect((await inject("kv/orders")).gaps).toEqual([expect.stringContaining("the mount kv is not known")]);
  expect((await inject("/secret/orders/db")).uses).toEqual(usesOf("orders/db"));
});

const webhook = {
  cluster: "prod",
  stores: [{ as: "BankVaults", store: "main-vault", prefix: "secret/data/" }],
};

it("C7: finds what the webhook of Bank-Vaults puts into variables, ConfigMaps and Secrets", async () => {
  const base64 = Buffer.from("vault:secret/data/mail#password").toString("base64");
  const text = `apiVersion: apps/v1
kind: Deployment
metadata: { name: orders, namespace: shop }
spec:
  template:
    metadata: { annotations: { vault.security.banzaicloud.io/vault-env-from-path: "secret/data/all, secret/data/more" } }
    spec:
      containers:
        - name: api
          env:
            - { name: DB_PASSWORD, value: "vault:secret/data/orders/db#password" }
            - { name: MADE, value: ">>vault:secret/data/made#x#1" }
            - { name: DATABASE_URL, value: "postgres://\${vault:secret/data/user#name}:\${vault:secret/data/orders/db#password}@db" }
            - { name: NONE, value: "vault:none" }
          envFrom: [ { configMapRef: { name: app } } ]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: app, namespace: shop }
data: { KEY: "vault:secret/data/key#v", PLAIN: "see vault:secret/data/none#v" }
---
apiVersion: v1
kind: Secret
metadata: { name: mail, namespace: shop }
data: { password: ${base64} }
---
${annotated("secrets-webhook.security.bank-vaults.io/vault-ct-configmap: gone")}`;
  const { claims, copies, gaps } = await saidOf(kubernetesManifests, { "all.yaml": text }, webhook);
  const edges = claims.filter(({ type }) => type !== "stored-in").map(edgeText);
  expect(edges).toEqual([
    ...usesOf("all", "more", "orders/db", "made", "user"),
    `${reader("Deployment/orders")} uses location(kubernetes prod shop/ConfigMap/app#KEY) declared`,
    "location(kubernetes prod shop/ConfigMap/app#KEY) depends-on place(main-vault key) declared",
    "location(kubernetes prod shop/mail#password) depends-on place(main-vault mail) declared",
  ]);
  expect(copies).toEqual([]);
  expect(gaps).toEqual([expect.stringContaining("names the ConfigMap shop/gone for its templates")]);
});

it("reads a text that opens many templates and closes none in the time of any other", async () => {
  const many = (text: string) => JSON.stringify(text.repeat(100_000));
  const config = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: many, namespace: shop }\ndata: { a: ${many("{{ ")}, b: ${many("${vault:a#b ")} }\n`;
  const from = performance.now();
  expect((await usesIn(config)).uses).toEqual([]);
  expect(performance.now() - from).toBeLessThan(20_000);
});
