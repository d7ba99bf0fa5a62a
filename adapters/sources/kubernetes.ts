/** The kind `kubernetes`: a cluster as its API shows it now. docs/kinds/kubernetes.md is its page for users. */
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { refusalOf } from "../../domain/finding.js";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import { gapFindings } from "../shared/source-sessions.js";
import { kubernetesStores, storeMap, storesSetting } from "../shared/source-stores.js";
import { accessSchema } from "./kubernetes-access.js";
import { type KubernetesApi, kubernetesApi } from "./kubernetes-api.js";
import { gapOf, listingsOf, usualKinds, type Wanted } from "./kubernetes-listings.js";
import { scanCluster } from "./kubernetes-scan.js";

const kindName = z
  .string()
  .regex(/^[a-z0-9-]+(?:\.[a-z0-9.-]+)?$/, {
    error: "expected a plural and its group, such as rollouts.argoproj.io",
  })
  .refine((name) => name !== "secrets", { error: "Secrets are never listed: the list holds their values" });

const config = z.strictObject({
  cluster: z
    .string()
    .regex(/^[^\s]{1,100}$/)
    .describe("The cluster's name on the map; the same name for every source of that cluster."),
  connect: accessSchema.describe("How the API is reached, and as whom."),
  namespaces: z
    .array(
      z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, { error: "expected a namespace's name" }),
    )
    .default([])
    .describe("Namespaces that are read; all of them unless given."),
  stores: storesSetting(kubernetesStores),
  also: z
    .array(kindName)
    .default([])
    .describe("Further kinds that are listed, by plural and group: `rollouts.argoproj.io`."),
  leaveOut: z
    .array(z.enum(usualKinds))
    .default([])
    .describe(
      "Kinds that are not listed although they usually are; that is no gap, so nobody is told what they hide.",
    ),
  pageSize: z.int().min(1).max(1_000).default(250).describe("Objects that are asked for at once."),
});

type Config = z.output<typeof config>;

/** The kind's entry in the registry. */
export const kubernetes: SourceKind<typeof config> = {
  shows: "now",
  sees: "configuration",
  config,
  create: (settings, deps) => createCluster(settings, deps),
  grants: () => grants,
};

function createCluster(settings: Config, deps: AdapterDeps): Source {
  const api = kubernetesApi(settings.cluster, settings.connect, deps, process.env);
  const places = storeMap(settings.stores);
  return {
    async preflight(call) {
      try {
        return gapFindings("kubernetes-incomplete", await gapsNow(settings, api, call));
      } catch (error) {
        if (!(error instanceof RekeyError)) throw error;
        return [refusalOf(error)];
      }
    },
    scan: (cursor, call) =>
      scanCluster(
        {
          ...{ wanted: settings, api, places, pageSize: settings.pageSize },
          marking: { mark: deps.mark, at: deps.now() },
        },
        cursor,
        call,
      ),
    close: async () => {},
  };
}

/** What would be missing of a scan now: each listing is asked for one object. */
async function gapsNow(wanted: Wanted, api: KubernetesApi, call: Call): Promise<string[]> {
  const { listings, gaps } = await listingsOf(wanted, api, call);
  const found = gaps.map(({ why }) => why);
  for (const listing of listings) {
    const { is } = await api.page(listing.path, {}, 1, call);
    if (is !== "found") found.push(gapOf(listing, wanted.cluster, is).why);
  }
  return found;
}

const grants = `# Lets Rekey see who is given which Secret, and never a Secret itself. Apply it with kubectl, and give the
# engine a token of the service account, or run the engine's pod as it.
apiVersion: v1
kind: Namespace
metadata: { name: rekey }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: rekey-discovery, namespace: rekey }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: rekey-discovery }
rules:
  - { apiGroups: [""], resources: [namespaces], verbs: [get] }
  - { apiGroups: [""], resources: [configmaps, persistentvolumes, pods, replicationcontrollers, serviceaccounts], verbs: [list] }
  - { apiGroups: [apps], resources: [daemonsets, deployments, replicasets, statefulsets], verbs: [list] }
  - { apiGroups: [batch], resources: [cronjobs, jobs], verbs: [list] }
  - { apiGroups: [networking.k8s.io], resources: [ingresses], verbs: [list] }
  - { apiGroups: [storage.k8s.io], resources: [storageclasses], verbs: [list] }
  - { apiGroups: [gateway.networking.k8s.io, networking.istio.io], resources: [gateways], verbs: [list] }
  - { apiGroups: [rbac.authorization.k8s.io], resources: [clusterrolebindings, clusterroles, rolebindings, roles], verbs: [list] }
  - { apiGroups: [external-secrets.io], resources: [clusterexternalsecrets, clustersecretstores, externalsecrets, pushsecrets, secretstores], verbs: [list] }
  - { apiGroups: [secrets-store.csi.x-k8s.io], resources: [secretproviderclasses], verbs: [list] }
  - { apiGroups: [secrets.hashicorp.com], resources: [csisecrets, vaultdynamicsecrets, vaultpkisecrets, vaultstaticsecrets], verbs: [list] }
  - { apiGroups: [bitnami.com], resources: [sealedsecrets], verbs: [list] }
  - { apiGroups: [cert-manager.io], resources: [certificates, issuers], verbs: [list] }
  - { apiGroups: [keda.sh], resources: [clustertriggerauthentications, triggerauthentications], verbs: [list] }
  - { apiGroups: [helm.toolkit.fluxcd.io], resources: [helmreleases], verbs: [list] }
  - { apiGroups: [kustomize.toolkit.fluxcd.io], resources: [kustomizations], verbs: [list] }
  - { apiGroups: [postgresql.cnpg.io], resources: [clusters], verbs: [list] }
  - { apiGroups: [snapshot.storage.k8s.io], resources: [volumesnapshotclasses], verbs: [list] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: rekey-discovery }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: rekey-discovery }
subjects: [ { kind: ServiceAccount, name: rekey-discovery, namespace: rekey } ]
`;
