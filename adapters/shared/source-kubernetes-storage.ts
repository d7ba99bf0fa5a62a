/**
 * Secrets that classes of storage name to their drivers by parameters, in two of them: one for the name and one for the namespace.
 * Source: the manual of Kubernetes' CSI, "Secrets & Credentials"; the drivers of before have `adminSecretName` and its like.
 */
import { mapOf, named } from "./source-config.js";
import {
  type KubernetesFrame,
  type KubernetesObject,
  pathOf,
  readerOf,
  secretAt,
} from "./source-kubernetes-objects.js";
import type { Says } from "./source-says.js";

/** Groups whose classes have nothing to say but their parameters. */
export const storageGroups: ReadonlySet<string> = new Set([
  "storage.k8s.io",
  "snapshot.storage.k8s.io",
  "groupsnapshot.storage.k8s.io",
]);

/** What a StorageClass or a VolumeSnapshotClass hands to its driver; nothing for any other object. */
export function saysClass(object: KubernetesObject, frame: KubernetesFrame, says: Says): void {
  if (!storageGroups.has(object.group)) return;
  const parameters = mapOf(object.body.parameters);
  for (const [parameter, value] of Object.entries(parameters)) {
    const secret = named(value);
    if (secret === null || !/secret-?name$/i.test(parameter)) continue;
    const where = `parameters.${parameter} of ${pathOf(object)}`;
    const beside = parameter.replace(/name$/i, (end) => (end === "Name" ? "Namespace" : "namespace"));
    const namespace = named(parameters[beside]);
    // `${pvc.name}`: of each claim its own.
    if (namespace === null || `${secret}${namespace}`.includes("${"))
      says.gaps.push(
        `${where} names ${namespace === null ? "a Secret in a namespace that it does not say" : "another Secret for each volume"}.`,
      );
    else
      says.declared(
        readerOf(object, frame),
        "uses",
        secretAt(frame, says, namespace, secret),
        `${where} names it`,
      );
  }
}
