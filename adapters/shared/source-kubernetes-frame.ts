/**
 * What has to be known of a cluster before a binding or a pod can be read: roles, and which ConfigMaps have a value in them.
 * Collected the same way from a folder of manifests and from a live cluster.
 */
import type { Claim } from "../../domain/discovery/said.js";
import { configValues } from "./source-kubernetes.js";
import type { KubernetesFrame, KubernetesObject } from "./source-kubernetes-objects.js";
import { Rights } from "./source-kubernetes-rights.js";

/** Collects it, object by object; the frame grows with what was collected. */
export class KubernetesCollector {
  readonly #rights = new Rights();
  readonly #literals = new Map<string, readonly string[]>();
  readonly frame: KubernetesFrame;

  constructor(of: Omit<KubernetesFrame, "rights" | "literals">) {
    this.frame = { ...of, rights: this.#rights, literals: this.#literals };
  }

  /** Takes in what a Role, a ClusterRole or a ConfigMap adds; anything else is passed over. */
  add(object: KubernetesObject): void {
    this.#rights.add(object);
    if (object.group !== "" || object.kind !== "ConfigMap") return;
    const keys = configValues(object).map(({ key }) => key);
    if (keys.length > 0) this.#literals.set(`${object.namespace}/${object.name}`, keys);
  }

  /** Takes in the Secrets that these claims name. A binding's are not for here: a right to a name makes no Secret of it. */
  meet(claims: readonly Claim[]): void {
    for (const { from, type, to } of claims) {
      if (type !== "stored-in" || from.is !== "location" || to.is !== "location") continue;
      if (to.path.endsWith("/*") && !from.path.endsWith("/*")) this.#rights.secrets.add(from.path);
    }
  }
}
