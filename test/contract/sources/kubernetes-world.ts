/** The source `kubernetes` at the cluster of these tests, opened the same way by each of their files. */
import type { Source } from "../../../adapters/ports.js";
import { kubernetes } from "../../../adapters/sources/kubernetes.js";
import type { Cluster } from "../../support/kubernetes.js";
import { edgeText, scanned } from "../source.js";
import { depsOf } from "../stores/world.js";

/** The source, as the administrator unless the settings say otherwise. */
export function clusterSource({ url, caFile, token }: Cluster, settings: object = {}): Source {
  const connect = { method: "server", url, tls: { caFile }, token: "env:KUBERNETES_TOKEN" };
  return kubernetes.create(
    kubernetes.config.parse({ cluster: "prod", connect, ...settings }),
    depsOf({ "env:KUBERNETES_TOKEN": token.reveal() }),
  );
}

/** Settings for one namespace, without what a cluster has beside its namespaces. */
export function only(namespace: string, more: object = {}): object {
  const leaveOut = [
    ...["clusterroles", "clusterrolebindings"].map((name) => `${name}.rbac.authorization.k8s.io`),
    ...["storageclasses.storage.k8s.io", "persistentvolumes"],
  ];
  return { namespaces: [namespace], leaveOut, ...more };
}

/** Everything that a scan says, and its edges but for what stands in what. */
export async function saidOf(source: Source) {
  const parts = await scanned(source);
  const claims = parts.flatMap((part) => part.claims);
  const edges = [...new Set(claims.filter(({ type }) => type !== "stored-in").map(edgeText))];
  return { parts, claims, edges, gaps: parts.flatMap(({ gaps }) => gaps) };
}
