/** What stands beside the fields of a Secret: settings that name its entries in a text of their own, what kubectl keeps, values for a chart. */
import { expect, it } from "vitest";
import { kubernetesManifests } from "../../../adapters/sources/kubernetes-manifests.js";
import { testMark } from "../../support/mark.js";
import { edgeText, thingText } from "../source.js";
import { fresh, saidOf } from "./folder-world.js";

const password = fresh("pw");
const before = fresh("before");
const said = (text: string) => saidOf(kubernetesManifests, { "all.yaml": text }, { cluster: "prod" });
const usesOf = ({ claims }: Awaited<ReturnType<typeof said>>) =>
  claims.filter(({ type }) => type === "uses").map(edgeText);
const uses = (workload: string, secret: string) =>
  `reader(workload=kubernetes prod ${workload}) uses location(kubernetes prod ${secret}) declared`;
const base64 = (text: string) => Buffer.from(text).toString("base64");

const settings = (name: string, data: string) => `apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}, namespace: cd }
data:
${data}`;

const signIn = `  url: https://cd.example
  dex.config: |
    connectors:
      - type: github
        config:
          clientID: a1
          clientSecret: $dex.github.clientSecret # of the App
    staticClients:
      # - secret: $commented
      - secret: "$sso-clients:workflow"
  oidc.config: |
    clientSecret: '$oidc.main.clientSecret'
    issuer: https://a.example/$notOne/path
`;
const services = `  service.slack: |
    token: $slack-token
  service.webhook.ops: |
    url: https://hooks.example/?key=$ops-key
  service.opsgenie: |
    apiKeys:
      $team: $team-key
      ...
  template.one: |
    message: "$slack-token of {{$x}}"
`;

it("knows that Argo CD reads the entries that its settings name, and takes no name for a value", async () => {
  const found = await said(
    `${settings("argocd-cm", signIn)}---\n${settings("argocd-notifications-cm", services)}`,
  );
  const [sso, alerts] = ["cd/ConfigMap/argocd-cm", "cd/ConfigMap/argocd-notifications-cm"];
  expect(usesOf(found)).toEqual([
    uses(sso, "cd/argocd-secret#dex.github.clientSecret"),
    uses(sso, "cd/sso-clients#workflow"),
    uses(sso, "cd/argocd-secret#oidc.main.clientSecret"),
    uses(alerts, "cd/argocd-notifications-secret#slack-token"),
    uses(alerts, "cd/argocd-notifications-secret#ops-key"),
    uses(alerts, "cd/argocd-notifications-secret#team"),
    uses(alerts, "cd/argocd-notifications-secret#team-key"),
  ]);
  expect(found.copies).toEqual([]);
});

it("finds a value that stands in those settings in clear, and reads no other ConfigMap by their rules", async () => {
  const found = await said(
    `${settings("argocd-cm", `  dex.config: |\n    clientSecret: ${password}\n`)}---\n${settings("other", "  dex.config: |\n    clientSecret: $dex.github.clientSecret\n")}`,
  );
  expect(usesOf(found)).toEqual([]);
  expect(found.copies.map(({ at, mark }) => [thingText(at), mark])).toContainEqual([
    "location(kubernetes prod cd/ConfigMap/argocd-cm#dex.config)",
    testMark(password),
  ]);
});

it("finds the value that kubectl keeps of a Secret beside the one that is in force", async () => {
  const secret = (kept: string) =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: "db",
        namespace: "shop",
        annotations: { "kubectl.kubernetes.io/last-applied-configuration": kept },
      },
      data: { password: base64(password) },
    });
  const kept = JSON.stringify({ data: { password: base64(before), username: base64("orders") } });
  const inForce = ["location(kubernetes prod shop/db#password)", testMark(password)];
  const where =
    "location(kubernetes prod shop/Secret/db#metadata.annotations.kubectl.kubernetes.io/last-applied-configuration)";
  const placesOf = async (text: string) =>
    (await said(text)).copies.map(({ at, mark }) => [thingText(at), mark]);
  expect(await placesOf(secret(kept))).toEqual([inForce, [where, testMark(before)]]);
  for (const broken of ["", "{", "[]", "null", JSON.stringify({ data: 1 })])
    expect(await placesOf(secret(broken))).toEqual([inForce]);
});

it("does not say that an Application uses the Secret that it names to a chart, and says that this is not known", async () => {
  const application = (field: string) => `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: { name: shop, namespace: cd }
spec: { source: { helm: { ${field}: { ingress: { tls: [ { secretName: shop-tls } ] } } } } }
`;
  const found = await said(application("valuesObject"));
  expect(usesOf(found)).toEqual([]);
  expect(found.gaps).toEqual([
    "spec.source.helm.valuesObject.ingress.tls.secretName of cd/Application/shop names a Secret to a chart that was not rendered: who uses it, and in which namespace, is not in what was read.",
  ]);
  expect(usesOf(await said(application("other")))).toEqual([uses("cd/Application/shop", "cd/shop-tls")]);
});

it("finds a value among the variables that an operator's kind hands to its pods", async () => {
  const found = await said(`apiVersion: backups.example.com/v1
kind: Backup
metadata: { name: nightly, namespace: shop }
spec: { resticEnv: [ { name: REGION }, { name: HOST, value: files.example }, { name: RESTIC_PASSWORD, value: ${password} } ], env: none }
`);
  const place = "shop/Backup/nightly#spec.resticEnv.RESTIC_PASSWORD";
  expect(usesOf(found)).toEqual([uses("shop/Backup/nightly", place)]);
  expect(found.copies.map(({ at, mark, literal }) => [thingText(at), mark, literal])).toEqual([
    [`location(kubernetes prod ${place})`, testMark(password), true],
  ]);
});
