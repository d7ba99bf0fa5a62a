/**
 * Who stands behind a pod. Its name is made up and gone with the next rollout; what a consumer is known by is the workload that
 * somebody wrote down. Read from the pod all the same, because only there is seen what was put in when it was made.
 */
import { isMap, listOf, mapOf, named, textOf } from "../shared/source-config.js";
import type { KubernetesObject } from "../shared/source-kubernetes-objects.js";

/** Kinds whose names are made up where something stands above them. */
const passing = new Set(["/Pod", "apps/ReplicaSet", "batch/Job", "/ReplicationController"]);
/** More makers above one another than any cluster has: a ring of them ends here. */
const stepsMax = 8;

/** How an object is called. */
type Name = Pick<KubernetesObject, "group" | "kind" | "name">;

/** The makers of pods, collected before the pods are read. */
export class Owners {
  readonly #above = new Map<string, Name>();

  /** Takes in who stands above an object. */
  add(object: KubernetesObject): void {
    const above = aboveOf(object);
    // Of pods there are many, and nothing stands below them.
    if (above !== null && object.kind !== "Pod") this.#above.set(keyOf(object.namespace, object), above);
  }

  /** The object by the name of whoever it was made by and for, or as it is. */
  rootOf(object: KubernetesObject): KubernetesObject {
    let root: Name = object;
    let above = aboveOf(object);
    for (let steps = 0; above !== null && steps < stepsMax; steps++) {
      root = above;
      above = this.#above.get(keyOf(object.namespace, root)) ?? null;
    }
    return { ...object, group: root.group, kind: root.kind, name: root.name };
  }
}

/** True for what is a pod, or only there to make some. */
export function isPassing(object: KubernetesObject): boolean {
  return passing.has(`${object.group}/${object.kind}`);
}

/** True for what will never run again, or what a workload keeps only to go back to: it uses nothing. */
export function isOver(object: KubernetesObject): boolean {
  const status = mapOf(object.body.status);
  switch (`${object.group}/${object.kind}`) {
    case "/Pod":
      return status.phase === "Succeeded" || status.phase === "Failed";
    case "apps/ReplicaSet":
      return aboveOf(object) !== null && textOf(mapOf(object.body.spec).replicas) === "0";
    case "batch/Job":
      return listOf(status.conditions)
        .map(mapOf)
        .some(({ type, status: is }) => (type === "Complete" || type === "Failed") && is === "True");
    default:
      return false;
  }
}

function aboveOf(object: KubernetesObject): Name | null {
  if (!isPassing(object)) return null;
  const controller = listOf(mapOf(object.body.metadata).ownerReferences)
    .filter(isMap)
    .find((reference) => reference.controller === true);
  const kind = named(controller?.kind);
  const name = named(controller?.name);
  const version = named(controller?.apiVersion) ?? "";
  // The pods that a node starts by itself stand for themselves.
  if (kind === null || name === null || kind === "Node") return null;
  return { group: version.includes("/") ? version.slice(0, version.indexOf("/")) : "", kind, name };
}

function keyOf(namespace: string, { group, kind, name }: Name): string {
  return `${namespace}/${group}/${kind}/${name}`;
}
