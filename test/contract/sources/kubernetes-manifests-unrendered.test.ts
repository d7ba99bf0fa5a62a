/** Folders that nobody has rendered: what a kustomization makes is read, and what only rendering shows is said to be missing. */
import { expect, it } from "vitest";
import { kubernetesManifests } from "../../../adapters/sources/kubernetes-manifests.js";
import { testMark } from "../../support/mark.js";
import { edgeText, leaked, leakedAddress, thingText } from "../source.js";
import { type Files, fresh, saidOf } from "./folder-world.js";

const password = fresh("pw");
const other = fresh("other");
const key = fresh("key");
const settings = { cluster: "prod" };
const said = (files: Files) => saidOf(kubernetesManifests, files, settings);
const at = (path: string) => `location(kubernetes prod ${path})`;
const copiesOf = ({ copies }: Awaited<ReturnType<typeof said>>) =>
  copies.map(({ at: place, mark }) => [thingText(place), mark]);
const head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";

it("reads the Secrets and ConfigMaps that a kustomization makes of literals, of lines and of files", async () => {
  const found = await said({
    "shop/kustomization.yaml": `
namespace: shop
resources: [ pod.yaml ]
generatorOptions: { disableNameSuffixHash: true }
secretGenerator:
  - name: db
    literals: [ "password='${password}'", user=orders ]
    envs: [ db.env ]
  - { name: tls, namespace: edge, type: kubernetes.io/tls, files: [ keys/tls.key, token=keys/token ] }
configMapGenerator:
  - { name: app, literals: [ "DATABASE_URL=postgres://o:${other}@db/o" ] }
`,
    "shop/db.env": `# of the base\nADMIN_PASSWORD="${other}"\nBARE\n`,
    "shop/keys/tls.key": `${key}\n`,
    "shop/keys/token": other,
    "shop/pod.yaml": `{ apiVersion: v1, kind: Pod, metadata: { name: p, namespace: shop }, spec: { containers: [ { name: c, envFrom: [ { configMapRef: { name: app } }, { secretRef: { name: db } } ] } ] } }`,
  });
  expect(copiesOf(found)).toEqual([
    [at("shop/db#password"), testMark(password)],
    [at("shop/db#ADMIN_PASSWORD"), testMark(`"${other}"`)],
    [at("edge/tls#tls.key"), testMark(key)],
    [at("edge/tls#token"), testMark(other)],
    [at("shop/ConfigMap/app#DATABASE_URL"), testMark(other)],
  ]);
  const pod = "reader(serviceAccount=kubernetes prod shop/default workload=kubernetes prod shop/Pod/p)";
  expect(found.claims.filter(({ type }) => type === "uses").map(edgeText)).toEqual([
    `${pod} uses ${at("shop/ConfigMap/app#DATABASE_URL")} declared`,
    `${pod} uses ${at("shop/db")} declared`,
  ]);
  expect(found.listed.map(({ thing }) => thing)).toContainEqual(
    expect.objectContaining({ path: "edge/tls", class: "certificate" }),
  );
  expect(found.gaps).toEqual([
    "shop/kustomization.yaml was not rendered, so this is not in what was read: namespace. Read what `kustomize build shop` prints.",
  ]);
  for (const value of [password, other, key]) expect(JSON.stringify(found.parts)).not.toContain(value);
});

it("says nothing of a kustomization of which everything is read, by each of its names", async () => {
  const pod = "{ apiVersion: v1, kind: Pod, metadata: { name: p }, spec: {} }";
  const plain = `namespace: default\npatches: []\nresources: [ ../base, pod.yaml ]\nimages: [ { name: a, newTag: "2" } ]\n`;
  const files = { "base/pod.yaml": pod, "a/pod.yaml": pod, "b/pod.yaml": pod, "c/pod.yaml": pod };
  const found = await said({
    ...files,
    "a/kustomization.yaml": head + plain,
    "b/kustomization.yml": plain,
    "c/Kustomization": plain,
    // Of Flux, which applies it in the cluster.
    "d/kustomization.yaml": `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: { name: x }\nspec: { decryption: { secretRef: { name: age } } }\n`,
  });
  expect(found.gaps).toEqual([]);
  expect(found.malformed).toEqual([]);
  expect(found.claims.map(edgeText)).toContain(
    `reader(workload=kubernetes prod default/Kustomization/x) uses ${at("default/age")} declared`,
  );
});

it("names what only rendering shows, and what lies elsewhere or cannot be read", async () => {
  const found = await said({
    Kustomization: `
namePrefix: prod-
patches: [ { patch: x } ]
resources:
  - github.com/example/shop//deploy?ref=v1
  - ../above
  - gone.yaml
  - deploy
components: [ "${leakedAddress}/x" ]
secretGenerator:
  - { name: db, envs: [ gone.env ], files: [ ../out.key, "${leakedAddress}/y" ] }
  - { literals: [ password=${password} ] }
`,
    deploy: "text",
  });
  expect(found.gaps).toEqual([
    "The Secret db of Kustomization is made of what could not be read: gone.env (no file is there), ../out.key (a path that leads out of the folder), https://***@x.example/y (no file is there).",
    "A secretGenerator of Kustomization has no name; nothing of it was read.",
    "Kustomization was not rendered, so this is not in what was read: namePrefix; patches; what it takes from github.com/example/shop//deploy?***, ../above, gone.yaml, deploy, https://***@x.example/x; the hashes behind the names of what it generates. Read what `kustomize build .` prints.",
  ]);
  expect(JSON.stringify(found.parts)).not.toContain(leaked);
  expect(JSON.stringify(found.parts)).not.toContain(password);
});

it("says that a chart and its templates were not rendered, once for a chart with others in it", async () => {
  const chart = "apiVersion: v2\nname: shop\nversion: 1.0.0\n";
  const found = await said({
    "shop/Chart.yaml": chart,
    "shop/charts/redis/Chart.yaml": chart,
    "shop/templates/secret.yaml": `apiVersion: v1\nkind: Secret\nmetadata: { name: "{{ .Release.Name }}-db" }\n`,
    "charts/alone/Chart.yaml": chart,
    "cm/Chart.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\ndata: { a: '{{ b }}' }\n",
  });
  expect(found.gaps).toEqual([
    expect.stringMatching(/^charts\/alone\/Chart\.yaml is of a chart that was not rendered.*`helm template`/),
    expect.stringMatching(/^shop\/Chart\.yaml is of a chart/),
    expect.stringMatching(/^shop\/templates\/secret\.yaml is a template that was not rendered/),
  ]);
});
