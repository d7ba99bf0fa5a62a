/**
 * What has to be known of a cluster before a binding or a pod can be read: roles, which ConfigMaps have a value in them or templates
 * that read some, and what stores of External Secrets say of their Vault.
 * Collected the same way from a folder of manifests and from a live cluster.
 */
import type { Claim } from "../../domain/discovery/said.js";
import { configPaths, configValues } from "./source-kubernetes.js";
import type {
  KubernetesFrame,
  KubernetesObject,
  TemplateReads,
  VaultStore,
} from "./source-kubernetes-objects.js";
import { Rights } from "./source-kubernetes-rights.js";
import { configReads } from "./source-kubernetes-templates.js";
import { vaultStoreOf } from "./source-kubernetes-vault.js";

/** Collects it, object by object; the frame grows with what was collected. */
export class KubernetesCollector {
  readonly #rights = new Rights();
  readonly #literals = new Map<string, readonly string[]>();
  readonly #templates = new Map<string, TemplateReads>();
  readonly #vaultStores = new Map<string, VaultStore>();
  readonly frame: KubernetesFrame;

  constructor(of: Pick<KubernetesFrame, "cluster" | "literal" | "places">) {
    const [literals, templates, vaultStores] = [this.#literals, this.#templates, this.#vaultStores];
    this.frame = { ...of, rights: this.#rights, literals, templates, vaultStores };
  }

  /** Takes in what a Role, a ClusterRole, a ConfigMap or a store adds; anything else is passed over. */
  add(object: KubernetesObject): void {
    this.#rights.add(object);
    const store = vaultStoreOf(object);
    if (store !== null) this.#vaultStores.set(...store);
    if (object.group !== "" || object.kind !== "ConfigMap") return;
    const name = `${object.namespace}/${object.name}`;
    const keys = [...configValues(object), ...configPaths(object)].map(({ key }) => key);
    if (keys.length > 0) this.#literals.set(name, [...new Set(keys)]);
    const reads = configReads(object);
    if (reads !== null) this.#templates.set(name, reads);
  }

  /** Takes in the Secrets that these claims name. A binding's are not for here: a right to a name makes no Secret of it. */
  meet(claims: readonly Claim[]): void {
    for (const { from, type, to } of claims) {
      if (type !== "stored-in" || from.is !== "location" || to.is !== "location") continue;
      if (to.path.endsWith("/*") && !from.path.endsWith("/*")) this.#rights.secrets.add(from.path);
    }
  }
}
