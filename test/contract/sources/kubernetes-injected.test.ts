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
