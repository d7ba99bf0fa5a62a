/** What the source `kubernetes` needs to be allowed, what it says when it is not, and who it shows as one who could read. */
import { beforeAll, describe, expect, it } from "vitest";
import { kubernetes } from "../../../adapters/sources/kubernetes.js";
import { Secret } from "../../../domain/secret.js";
import { kubernetesMsMax, kubernetesServer, type SharedKubernetes } from "../../setup/servers.js";
import {
  applied,
  asked,
  type Cluster,
  freshName,
  type Manifest,
  manifestsOf,
  newNamespace,
  removed,
} from "../../support/kubernetes.js";
import { scanned } from "../source.js";
import { call, codeOf } from "../stores/world.js";
import { clusterSource, only, saidOf } from "./kubernetes-world.js";

let cluster: SharedKubernetes;
let engine: Cluster;

const rbac = "rbac.authorization.k8s.io";
const at = (path: string) => `location(kubernetes prod ${path})`;

/** The cluster as a service account sees it, by a token that the server makes. */
async function as(namespace: string, name: string): Promise<Cluster> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const { status, body } = await asked(cluster, "POST", path, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: {},
  });
  if (status !== 201) throw new Error(`the token was answered with ${status}`);
  return { ...cluster, token: new Secret(String((body.status as { token: string }).token)) };
}

/** A service account of a namespace with these rights in it. */
async function allowed(namespace: string, rules: readonly object[]): Promise<Cluster> {
  const name = freshName("looks");
  const role = { apiVersion: `${rbac}/v1`, kind: "Role", metadata: { name, namespace }, rules };
  await applied(cluster, [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
    role,
    {
      ...{ apiVersion: `${rbac}/v1`, kind: "RoleBinding", metadata: { name, namespace } },
      roleRef: { apiGroup: rbac, kind: "Role", name },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    },
  ]);
  return as(namespace, name);
}

beforeAll(async () => {
  cluster = await kubernetesServer();
  await applied(cluster, manifestsOf(kubernetes.grants?.({}) ?? ""));
  engine = await as("rekey", "rekey-discovery");
}, kubernetesMsMax);

describe("the engine's rights", () => {
  it("are those that `rekey grants` prints, and let it read no Secret", async () => {
    const source = clusterSource(engine);
    expect(await source.preflight(call(60_000))).toEqual([]);
    const { gaps, claims } = await saidOf(source);
    // Other files fill Secrets from stores that nobody maps here.
    expect(gaps.filter((gap) => !gap.startsWith("Which store "))).toEqual([]);
    expect(claims.length).toBeGreaterThan(0);
    for (const path of ["/api/v1/secrets", "/api/v1/namespaces/rekey/secrets/any"])
      expect((await asked(engine, "GET", path)).status).toBe(403);
    const { edges } = await saidOf(clusterSource(cluster));
    expect(edges).toContain(
      `reader(role=kubernetes prod Group/system:masters) can-read ${at("*/*")} potential`,
    );
    expect(edges.filter((edge) => edge.includes("rekey-discovery"))).toEqual([]);
  });

  it("H21: that are missing are a gap each, by name, and preflight says so", async () => {
    const namespace = await newNamespace(cluster);
    await applied(
      cluster,
      manifestsOf(
        `{ apiVersion: v1, kind: ServiceAccount, metadata: { name: s, namespace: ${namespace} }, imagePullSecrets: [ { name: pull } ] }`,
      ),
    );
    const narrow = await allowed(namespace, [
      { apiGroups: [""], resources: ["namespaces"], verbs: ["get"] },
      { apiGroups: ["", "apps", "batch"], resources: ["*"], verbs: ["list"] },
    ]);
    const source = clusterSource(narrow, only(namespace));
    const lacking = [`roles.${rbac}`, "ingresses.networking.k8s.io", `rolebindings.${rbac}`].map(
      (kind) => `The engine's user lacks the right to list ${kind} in the namespace ${namespace} of prod.`,
    );
    const { gaps, edges } = await saidOf(source);
    expect(gaps).toEqual(expect.arrayContaining(lacking));
    expect(edges).toEqual([
      `reader(serviceAccount=kubernetes prod ${namespace}/s) uses ${at(`${namespace}/pull`)} declared`,
    ]);
    const findings = await source.preflight(call(60_000));
    expect(findings.map(({ sentence }) => sentence)).toEqual(expect.arrayContaining(lacking));
    expect(
      findings.every(({ code, severity }) => code === "kubernetes-incomplete" && severity === "warn"),
    ).toBe(true);
  });

  it("do not make a namespace empty that is not there, or that nobody may ask for", async () => {
    const namespace = await newNamespace(cluster);
    const away = freshName("away");
    const { gaps } = await saidOf(
      clusterSource(engine, { ...only(namespace), namespaces: [namespace, away] }),
    );
    expect(gaps).toEqual([`The cluster prod has no namespace ${away}.`]);
    const listing = await allowed(namespace, [{ apiGroups: ["*"], resources: ["*"], verbs: ["list"] }]);
    expect((await saidOf(clusterSource(listing, only(namespace)))).gaps).toEqual([
      `The engine's user lacks the right to get the namespace ${namespace} of prod: it may not be there.`,
    ]);
  });

  it("are asked for when there are none at all, and when nobody knows the token", async () => {
    const namespace = await newNamespace(cluster);
    const none = await as(namespace, "default");
    expect(await codeOf(scanned(clusterSource(none, only(namespace))))).toBe("not-permitted");
    const stranger = clusterSource({ ...cluster, token: new Secret(freshName("canary")) });
    expect(await codeOf(scanned(stranger))).toBe("not-permitted");
    expect(await stranger.preflight(call(60_000))).toEqual([
      expect.objectContaining({ code: "not-permitted", severity: "refuse" }),
    ]);
  });
});

describe("those who could read by RBAC", () => {
  const reads = { apiGroups: [""], resources: ["secrets"], verbs: ["get"] };

  it("are shown with what they could read, and not any more when their binding is gone", async () => {
    const namespace = await newNamespace(cluster);
    const bind = (name: string, kind: string, subject: object): Manifest => ({
      ...{ apiVersion: `${rbac}/v1`, kind: "RoleBinding", metadata: { name, namespace } },
      roleRef: { apiGroup: rbac, kind, name: kind === "Role" ? "one" : "view" },
      subjects: [subject],
    });
    const app = bind("app", "Role", { kind: "ServiceAccount", name: "app", namespace });
    await applied(cluster, [
      {
        ...{ apiVersion: `${rbac}/v1`, kind: "Role", metadata: { name: "one", namespace } },
        rules: [{ ...reads, resourceNames: ["db"] }],
      },
      app,
      bind("looks", "ClusterRole", { kind: "User", name: "eve", apiGroup: rbac }),
    ]);
    const right = `reader(serviceAccount=kubernetes prod ${namespace}/app) can-read ${at(`${namespace}/db`)} potential`;
    const source = () => clusterSource(engine, { namespaces: [namespace] });
    const before = (await saidOf(source())).edges;
    expect(before).toContain(right);
    // The role `view` as this cluster has it lets nobody read a Secret.
    expect(before.filter((edge) => edge.includes("User/eve"))).toEqual([]);
    await removed(cluster, app);
    expect((await saidOf(source())).edges).not.toContain(right);
  });

  it("by the name of a Secret everywhere are shown where somebody names one", async () => {
    const [one, two] = [await newNamespace(cluster), await newNamespace(cluster)];
    const bare = await newNamespace(cluster);
    const name = freshName("ca");
    const role: Manifest = {
      ...{ apiVersion: `${rbac}/v1`, kind: "ClusterRole", metadata: { name } },
      rules: [{ ...reads, resourceNames: [name] }],
    };
    const binding: Manifest = {
      ...{ apiVersion: `${rbac}/v1`, kind: "ClusterRoleBinding", metadata: { name } },
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name },
      subjects: [{ kind: "Group", name: "ops", apiGroup: rbac }],
    };
    // A right to a name in a namespace makes no Secret of it there.
    await allowed(bare, [{ ...reads, resourceNames: [name] }]);
    await applied(cluster, [
      role,
      binding,
      ...[one, two].map((namespace) => ({
        ...{ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "s", namespace } },
        imagePullSecrets: [{ name }],
      })),
    ]);
    const { edges } = await saidOf(clusterSource(engine, { namespaces: [one, two, bare] }));
    expect(edges.filter((edge) => edge.endsWith(`can-read ${at(`${bare}/${name}`)} potential`))).toHaveLength(
      1,
    );
    expect(edges.filter((edge) => edge.includes("Group/ops") && edge.includes(name)).sort()).toEqual(
      [one, two]
        .map(
          (namespace) =>
            `reader(role=kubernetes prod Group/ops) can-read ${at(`${namespace}/${name}`)} potential`,
        )
        .sort(),
    );
    for (const manifest of [binding, role]) await removed(cluster, manifest);
  });
});
