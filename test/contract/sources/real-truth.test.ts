/** The tables of docs/real-inputs and how a source is compared with them: a table that is not read finds nothing wrong. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { kubernetesManifests } from "../../../adapters/sources/kubernetes-manifests.js";
import { compared, figuresOf, rowsOf, truthIn } from "../../../bench/real-truth.js";
import { fresh, saidOf } from "./folder-world.js";

const head = "reader,edge,target,how,reason\n";
const manifests = `
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Pod
    metadata: { name: p, namespace: n }
    spec: { containers: [ { name: c, env: [ { name: X, valueFrom: { secretKeyRef: { name: s, key: k } } } ], envFrom: [ { configMapRef: { name: app } } ] } ] }
  - { apiVersion: v1, kind: ConfigMap, metadata: { name: app, namespace: n }, data: { DB_PASSWORD: ${fresh("pw")} } }
  - { apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: { name: r, namespace: n }, rules: [ { apiGroups: [""], resources: [secrets], verbs: [list] } ] }
  - { apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: { name: b, namespace: n }, roleRef: { kind: Role, name: r }, subjects: [ { kind: ServiceAccount, name: sa } ] }
`;
const whole = `${head}n/Pod/p,uses,n/s#k,env,r
n/Pod/p,uses,ConfigMap n/app#DB_PASSWORD,configMap,r
,literal,ConfigMap n/app#DB_PASSWORD,literal,r
ServiceAccount n/sa,can-read,n/*,rbac,r
`;

const against = async (table: string) => {
  const { parts } = await saidOf(kubernetesManifests, { "all.yaml": manifests }, { cluster: "prod" });
  const truth = truthIn(table);
  return compared(truth, rowsOf(parts, new Set(truth.map(({ edge }) => edge))));
};

it("finds all of a table that says what is there", async () => {
  const result = await against(whole);
  expect(result).toEqual({ hits: 4, missed: [], extra: [] });
  expect(figuresOf(result)).toEqual({ recall: 1, precision: 1 });
});

it("names what is missing and what is too much, and counts both", async () => {
  const table = whole
    .replace("n/s#k", "n/s#other")
    .replace("ServiceAccount n/sa", "ServiceAccount n/nobody")
    .concat("n/Pod/q,uses,n/t,env,nobody says it\n");
  const result = await against(table);
  expect(result.hits).toBe(2);
  expect(result.missed.map(({ target }) => target)).toEqual(["n/s#other", "n/*", "n/t"]);
  expect(result.extra.map(({ reader }) => reader)).toEqual(["n/Pod/p", "ServiceAccount n/sa"]);
  expect(figuresOf(result)).toEqual({ recall: 2 / 5, precision: 2 / 4 });
});

it("counts a place whose value is too common to be compared, and no Secret of which only the type is known", async () => {
  const secrets = `
apiVersion: v1
kind: Secret
type: kubernetes.io/tls
metadata: { name: edge, namespace: n }
---
apiVersion: v1
kind: Secret
metadata: { name: db, namespace: n }
stringData: { password: postgres }
`;
  const { parts } = await saidOf(kubernetesManifests, { "all.yaml": secrets }, { cluster: "prod" });
  expect([...rowsOf(parts, new Set(["literal"])).values()].map(({ target }) => target)).toEqual([
    "n/db#password",
  ]);
});

it("refuses a table that is not whole", () => {
  expect(() => truthIn(`${head}n/Pod/p,uses,,env,r\n`)).toThrow("row 1");
});

it("reads the tables that are kept, in which each row says why it is one", () => {
  const folder = new URL("../../../docs/real-inputs/", import.meta.url);
  const tables = readdirSync(folder).filter((file) => file.endsWith(".csv"));
  const rows = tables.map((file) => [file, truthIn(readFileSync(new URL(file, folder), "utf8")).length]);
  expect(rows).toEqual([
    ["argo-cd-operators.csv", 50],
    ["argo-cd-rest.csv", 33],
    ["argo-cd.csv", 61],
    ["awesome-compose.csv", 48],
    ["bank-of-anthos.csv", 59],
  ]);
});
