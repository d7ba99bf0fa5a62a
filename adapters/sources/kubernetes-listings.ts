/**
 * What of a cluster is listed, and in which order: roles and ConfigMaps come before those who refer to them, what pods are made from
 * before the pods, and bindings last. Secrets are never among them, because whoever may list Secrets has their values.
 */
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import type { Call } from "../ports.js";
import type { Answer, KubernetesApi } from "./kubernetes-api.js";

const rbac = "rbac.authorization.k8s.io";

/** Kinds that every cluster has, by plural and group. */
const first = [`clusterroles.${rbac}`, `roles.${rbac}`, "configmaps"] as const;
const makers = ["replicasets.apps", "jobs.batch", "replicationcontrollers"] as const;
const users = [
  "pods",
  "deployments.apps",
  "statefulsets.apps",
  "daemonsets.apps",
  "cronjobs.batch",
  "serviceaccounts",
  "ingresses.networking.k8s.io",
  "storageclasses.storage.k8s.io",
  "persistentvolumes",
] as const;
/** Kinds that a cluster has where somebody installed them. */
const installed = [
  "gateways.gateway.networking.k8s.io",
  // Stores say what the keys mean of those that are filled from them.
  "secretstores.external-secrets.io",
  "clustersecretstores.external-secrets.io",
  "externalsecrets.external-secrets.io",
  "clusterexternalsecrets.external-secrets.io",
  "pushsecrets.external-secrets.io",
  "secretproviderclasses.secrets-store.csi.x-k8s.io",
  "vaultstaticsecrets.secrets.hashicorp.com",
  "vaultdynamicsecrets.secrets.hashicorp.com",
  "vaultpkisecrets.secrets.hashicorp.com",
  "csisecrets.secrets.hashicorp.com",
  "sealedsecrets.bitnami.com",
  "certificates.cert-manager.io",
  "issuers.cert-manager.io",
  "triggerauthentications.keda.sh",
  "clustertriggerauthentications.keda.sh",
  "helmreleases.helm.toolkit.fluxcd.io",
  "kustomizations.kustomize.toolkit.fluxcd.io",
  "clusters.postgresql.cnpg.io",
  "volumesnapshotclasses.snapshot.storage.k8s.io",
  // Behind those that make Secrets: the names of these are looked for among them.
  "gateways.networking.istio.io",
] as const;
const last = [`rolebindings.${rbac}`, `clusterrolebindings.${rbac}`] as const;

/** Everything that is listed unless the settings leave it out. */
export const usualKinds = [...first, ...makers, ...users, ...installed, ...last] as const;

/** What is asked for. */
export interface Wanted {
  readonly cluster: string;
  /** Empty for all of them. */
  readonly namespaces: readonly string[];
  readonly also: readonly string[];
  readonly leaveOut: readonly string[];
}

/** One listing: a kind in the whole cluster, or in one namespace. */
export interface Listing {
  /** Null for the whole cluster. */
  readonly namespace: string | null;
  /** `deployments.apps`, `deployments.apps in shop`; the same as long as the settings are. */
  readonly name: string;
  readonly resource: string;
  readonly path: string;
  /** In words: `every namespace`, `the namespace shop`. */
  readonly where: string;
}

/** What is missing of a cluster, and in which namespace; null where it may be in any. */
export interface ClusterGap {
  readonly namespace: string | null;
  readonly why: string;
}

interface Served {
  readonly path: string;
  readonly namespaced: boolean;
}

const groupsSchema = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      versions: z.array(z.object({ version: z.string() })),
      preferredVersion: z.object({ version: z.string() }),
    }),
  ),
});
const resourcesSchema = z.object({
  resources: z.array(z.object({ name: z.string(), namespaced: z.boolean(), verbs: z.array(z.string()) })),
});

/** The listings to make, and what of the wish cannot be listed. */
export async function listingsOf(
  wanted: Wanted,
  api: KubernetesApi,
  call: Call,
): Promise<{ readonly listings: readonly Listing[]; readonly gaps: readonly ClusterGap[] }> {
  const { cluster, also, leaveOut } = wanted;
  const kept = (names: readonly string[]) => names.filter((name) => !leaveOut.includes(name));
  const order = [
    ...new Set([...kept([...first, ...makers, ...users, ...installed]), ...also, ...kept(last)]),
  ];
  const { served, gaps } = await servedOf(order, cluster, api, call);
  const present = await namespacesOf(wanted, gaps, api, call);
  const optional: ReadonlySet<string> = new Set(installed);
  const listings = order.flatMap((resource): Listing[] => {
    const found = served.get(resource);
    if (found === undefined) {
      if (!optional.has(resource))
        gaps.push({
          namespace: null,
          why: `The cluster ${cluster} has no kind ${resource} that can be listed.`,
        });
      return [];
    }
    const plural = pluralOf(resource);
    const where = found.namespaced ? "every namespace" : "the whole cluster";
    if (!found.namespaced || present === null)
      return [{ name: resource, namespace: null, resource, path: `${found.path}/${plural}`, where }];
    return present.map((namespace) => ({
      name: `${resource} in ${namespace}`,
      namespace,
      resource,
      path: `${found.path}/namespaces/${namespace}/${plural}`,
      where: `the namespace ${namespace}`,
    }));
  });
  return { listings, gaps };
}

/** Why a listing says nothing, where it was not found. */
export function gapOf(
  { namespace, resource, where }: Listing,
  cluster: string,
  answer: Exclude<Answer<never>["is"], "found">,
): ClusterGap {
  const whys = {
    refused: `The engine's user lacks the right to list ${resource} in ${where} of ${cluster}.`,
    absent: `${cluster} no longer has ${resource} in ${where}.`,
    expired: `${resource} in ${where} of ${cluster} changed faster than they could be listed.`,
  };
  return { namespace, why: whys[answer] };
}

function groupOf(resource: string): string {
  const dot = resource.indexOf(".");
  return dot < 0 ? "" : resource.slice(dot + 1);
}

function pluralOf(resource: string): string {
  return resource.split(".", 1)[0] ?? "";
}

/** Where each kind is served, in the version that its group prefers of those that have it, and of which groups that is not told. */
async function servedOf(
  wanted: readonly string[],
  cluster: string,
  api: KubernetesApi,
  call: Call,
): Promise<{ served: Map<string, Served>; gaps: ClusterGap[] }> {
  const answer = await api.get(groupsSchema, "apis", call);
  if (answer.is !== "found")
    throw new RekeyError(
      "not-permitted",
      `The engine's user may not see which kinds the cluster ${cluster} has.`,
    );
  const served = new Map<string, Served>();
  const gaps: ClusterGap[] = [];
  for (const group of new Set(wanted.map(groupOf))) {
    const found = answer.value.groups.find(({ name }) => name === group);
    const versions = [found?.preferredVersion, ...(found?.versions ?? [])].flatMap(
      (one) => one?.version ?? [],
    );
    const paths =
      group === "" ? ["api/v1"] : [...new Set(versions)].map((version) => `apis/${group}/${version}`);
    const left = new Set(wanted.filter((resource) => groupOf(resource) === group));
    for (const path of paths) {
      if (left.size === 0) break;
      const resources = await api.get(resourcesSchema, path, call);
      // A kind that need not be there is only known to be away where the server says what there is.
      if (resources.is === "refused")
        gaps.push({
          namespace: null,
          why: `The engine's user lacks the right to see which kinds ${path} of the cluster ${cluster} has.`,
        });
      if (resources.is !== "found") continue;
      for (const resource of left) {
        const one = resources.value.resources.find(({ name }) => name === pluralOf(resource));
        if (one === undefined || !one.verbs.includes("list")) continue;
        served.set(resource, { path, namespaced: one.namespaced });
        left.delete(resource);
      }
    }
  }
  return { served, gaps };
}

/** The named namespaces that are there; null for all of them. A list in one that is not there is empty, and no error. */
async function namespacesOf(
  { cluster, namespaces }: Wanted,
  gaps: ClusterGap[],
  api: KubernetesApi,
  call: Call,
): Promise<readonly string[] | null> {
  if (namespaces.length === 0) return null;
  const present: string[] = [];
  for (const namespace of namespaces) {
    const { is } = await api.get(z.unknown(), `api/v1/namespaces/${namespace}`, call);
    if (is === "absent") {
      gaps.push({ namespace, why: `The cluster ${cluster} has no namespace ${namespace}.` });
      continue;
    }
    if (is === "refused")
      gaps.push({
        namespace,
        why: `The engine's user lacks the right to get the namespace ${namespace} of ${cluster}: it may not be there.`,
      });
    present.push(namespace);
  }
  return present;
}
