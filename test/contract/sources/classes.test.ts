/** What sources that read configuration and endpoints take readers and places for: only what they know by more than a name. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import { expect, it } from "vitest";
import { githubActions } from "../../../adapters/sources/github-actions.js";
import { gitlabCi } from "../../../adapters/sources/gitlab-ci.js";
import { kubernetesManifests } from "../../../adapters/sources/kubernetes-manifests.js";
import { tlsEndpoints } from "../../../adapters/sources/tls-endpoints.js";
import type { Claim, Listed } from "../../../domain/discovery/said.js";
import { selfSigned } from "../issuers/certificate.js";
import { scanned, thingText } from "../source.js";
import { depsOf } from "../stores/world.js";
import { saidOf } from "./folder-world.js";

/** The class of everything that is spoken of, by how it is written in comparisons; nothing for what has none. */
function classesOf({ claims, listed = [] }: { claims: readonly Claim[]; listed?: readonly Listed[] }) {
  const things = [...claims.flatMap(({ from, to }) => [from, to]), ...listed.map(({ thing }) => thing)];
  return Object.fromEntries(
    things.flatMap((thing) =>
      "class" in thing && thing.class !== undefined ? [[thingText(thing), thing.class]] : [],
    ),
  );
}

const objects = `
apiVersion: v1
kind: Pod
metadata: { name: worker, namespace: shop }
spec: { serviceAccountName: orders, containers: [ { name: a, envFrom: [ { secretRef: { name: plain } } ] } ] }
---
apiVersion: v1
kind: Secret
metadata: { name: plain, namespace: shop }
type: Opaque
---
apiVersion: v1
kind: Secret
metadata: { name: edge, namespace: shop }
type: kubernetes.io/tls
---
apiVersion: v1
kind: Secret
metadata: { name: robot, namespace: shop }
type: kubernetes.io/service-account-token
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, namespace: shop }
spec: { tls: [ { secretName: served } ] }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: builder, namespace: shop }
imagePullSecrets: [ { name: registry } ]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: all, namespace: shop }
rules: [ { apiGroups: [ "" ], resources: [ secrets ], verbs: [ get ] } ]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: all, namespace: shop }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: all }
subjects: [ { kind: ServiceAccount, name: auditor }, { kind: User, name: ada }, { kind: Group, name: ops } ]
`;

it("Kubernetes: service accounts are workloads' identities, and typed Secrets what their type says", async () => {
  const said = await saidOf(kubernetesManifests, { "a.yaml": objects }, { cluster: "prod" });
  expect(classesOf(said)).toEqual({
    "reader(serviceAccount=kubernetes prod shop/orders workload=kubernetes prod shop/Pod/worker)":
      "workload-identity",
    "reader(serviceAccount=kubernetes prod shop/builder)": "workload-identity",
    "reader(serviceAccount=kubernetes prod shop/auditor)": "workload-identity",
    "location(kubernetes prod shop/edge)": "certificate",
    "location(kubernetes prod shop/served)": "certificate",
    "location(kubernetes prod shop/robot)": "token",
  });
});

it("pipelines: each job has an identity of its platform", async () => {
  const workflow = `jobs: { build: { steps: [ { run: "x \${{ secrets.A }}" } ] } }`;
  const github = await saidOf(githubActions, { ".github/workflows/ci.yml": workflow });
  expect(classesOf(github)).toEqual({
    "reader(workload=github-actions shop/.github/workflows/ci.yml/build)": "workload-identity",
  });
  const gitlab = await saidOf(gitlabCi, { ".gitlab-ci.yml": "build: { script: [ 'x $A_TOKEN' ] }" });
  expect(classesOf(gitlab)).toEqual({ "reader(workload=gitlab-ci shop/build)": "workload-identity" });
});

it("an endpoint serves a certificate", async () => {
  const { certificate, key } = selfSigned("orders.example.com");
  const server = createServer({ cert: certificate, key }, (socket) => socket.end());
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const config = tlsEndpoints.config.parse({ endpoints: [{ host: "127.0.0.1", port }] });
  const [part] = await scanned(tlsEndpoints.create(config, depsOf()));
  server.close();
  await once(server, "close");
  expect(classesOf({ claims: [], listed: part?.listed ?? [] })).toEqual({
    [`location(tls 127.0.0.1:${port})`]: "certificate",
  });
});
