/**
 * Objects of Kubernetes, and how they, their Secrets and their readers are called on the map. The same for manifests and for a
 * live cluster, so that both speak of one thing.
 */
import type { LocationThing, ReaderThing } from "../../domain/discovery/said.js";
import { isMap, mapOf, named } from "./source-config.js";
import { location, type Says } from "./source-says.js";
import type { StoreMap } from "./source-stores.js";

/** An object as it is written, with what every one has. */
export interface KubernetesObject {
  readonly kind: string;
  /** Without the version: `apps`, `""` for the core. */
  readonly group: string;
  readonly name: string;
  readonly namespace: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a role lets read: every Secret in its reach, or those of these names. */
export interface Reading {
  readonly all: boolean;
  readonly names: readonly string[];
}

/** The rights of a cluster, as far as Secrets are concerned. */
export interface Readers {
  /** By `ClusterRole/name` or `namespace/Role/name`. */
  reading(role: string): Reading;
  /** Secrets that somebody names, as `namespace/name`. */
  readonly secrets: ReadonlySet<string>;
}

/** What a store of External Secrets says of its Vault. */
export interface VaultStore {
  /** The mount, where the store says it. */
  readonly path: string | null;
  /** Whether the engine has versions; it has unless the store says otherwise. */
  readonly isVersioned: boolean;
}

/** What templates of an agent read. */
export interface TemplateReads {
  readonly paths: readonly string[];
  /** True where a path is put together when the template is rendered, or whatever a folder has is read. */
  readonly isMore: boolean;
}

/** What has to be known besides the object itself. */
export interface KubernetesFrame {
  /** The cluster's name on the map. */
  readonly cluster: string;
  /** Secrets that are written down: in manifests they are literals, in a cluster they are where they belong. */
  readonly literal: boolean;
  readonly rights: Readers;
  /** Entries with a value in them of each ConfigMap, by `namespace/name`. */
  readonly literals: ReadonlyMap<string, readonly string[]>;
  /** What stores of External Secrets say of their Vault, by how `stores` names them. */
  readonly vaultStores: ReadonlyMap<string, VaultStore>;
  /** What the templates of Vault's agent in a ConfigMap read, by `namespace/name`. */
  readonly templates: ReadonlyMap<string, TemplateReads>;
  /** Where what a store of an operator has is kept, when the settings say so. */
  readonly places: StoreMap;
}

/** Kinds without a namespace whose name would otherwise be taken for one of the default's. */
const clusterKinds = new Set([
  "ClusterRole",
  "ClusterRoleBinding",
  "ClusterSecretStore",
  "ClusterExternalSecret",
  "ClusterIssuer",
  "StorageClass",
  "VolumeSnapshotClass",
  "PersistentVolume",
  "Namespace",
  "CustomResourceDefinition",
]);

/** `ClusterPolicy`, `ClusterGenerator`: by custom of one of an operator's kinds that no namespace has, but those that are about clusters. */
function isClusterWide(kind: string, group: string): boolean {
  return /^Cluster[A-Z]/.test(kind) && group.includes(".") && !group.endsWith("cluster.x-k8s.io");
}

/** The object, or null for what is none; a namespaced one without a namespace stands in `namespace`. */
function kubernetesObject(value: unknown, namespace: string): KubernetesObject | null {
  if (!isMap(value)) return null;
  const version = named(value.apiVersion);
  const kind = named(value.kind);
  if (version === null || kind === null) return null;
  const metadata = mapOf(value.metadata);
  const group = version.includes("/") ? version.slice(0, version.indexOf("/")) : "";
  return {
    kind,
    group,
    name: named(metadata.name) ?? named(metadata.generateName) ?? "",
    namespace: clusterKinds.has(kind)
      ? ""
      : (named(metadata.namespace) ?? (isClusterWide(kind, group) ? "" : namespace)),
    body: value,
  };
}

/** The objects of a document: the items of a list, or the document itself. */
export function objectsOf(value: unknown, namespace: string): KubernetesObject[] {
  const one = kubernetesObject(value, namespace);
  if (one === null) return [];
  if (!one.kind.endsWith("List") || !Array.isArray(one.body.items)) return [one];
  return one.body.items.flatMap((item) => {
    // A list of one kind leaves kind and version out of its items.
    const whole = isMap(item)
      ? { apiVersion: one.body.apiVersion, kind: one.kind.slice(0, -"List".length), ...item }
      : item;
    return objectsOf(whole, namespace);
  });
}

/** `shop/Deployment/orders`: how an object is named in sentences and as a reader. */
export function pathOf({ namespace, kind, name }: KubernetesObject): string {
  return namespace === "" ? `${kind}/${name}` : `${namespace}/${kind}/${name}`;
}

/** An object as the one who uses something. */
export function readerOf(
  object: KubernetesObject,
  frame: KubernetesFrame,
  serviceAccount?: string,
): ReaderThing {
  const workload = `${scopeOf(frame)} ${pathOf(object)}`;
  const reader = { is: "reader", name: `${pathOf(object)} of ${scopeOf(frame)}` } as const;
  if (serviceAccount === undefined) return { ...reader, traits: { workload } };
  return { ...reader, traits: { workload, serviceAccount }, class: "workload-identity" };
}

/** In which cluster something is: it begins what a reader shows of itself, and ends its name, so that neither is said twice. */
export function scopeOf({ cluster }: Pick<KubernetesFrame, "cluster">): string {
  return `kubernetes ${cluster}`;
}

/** How a service account shows itself: with its cluster, as another has accounts of the same name. */
export function accountOf(frame: KubernetesFrame, namespace: string, name: string): string {
  return `${scopeOf(frame)} ${namespace}/${name}`;
}

/** What a service account is called. */
export function accountName(frame: KubernetesFrame, namespace: string, name: string): string {
  return `service account ${namespace}/${name} of ${scopeOf(frame)}`;
}

/** A Secret, or one entry of it, with the edges to what it stands in. */
export function secretAt(
  frame: KubernetesFrame,
  says: Says,
  namespace: string,
  name: string,
  key: string | null = null,
): LocationThing {
  const scope = scopeOf(frame);
  const whole = location(scope, `${namespace}/${name}`);
  const all = location(scope, `${namespace}/*`);
  says.declared(whole, "stored-in", all, `the Secret ${name} is one of the namespace ${namespace}`);
  says.declared(
    all,
    "stored-in",
    location(scope, "*/*"),
    `the namespace ${namespace} is one of the cluster ${frame.cluster}`,
  );
  if (key === null) return whole;
  const entry = location(scope, `${namespace}/${name}#${key}`);
  says.declared(entry, "stored-in", whole, `${key} is an entry of the Secret ${name}`);
  return entry;
}

/** An entry of a ConfigMap. */
export function configAt(
  frame: KubernetesFrame,
  namespace: string,
  name: string,
  key: string,
): LocationThing {
  return location(scopeOf(frame), `${namespace}/ConfigMap/${name}#${key}`);
}
