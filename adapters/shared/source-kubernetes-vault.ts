/**
 * How those who read Vault or OpenBao for a cluster name a document: by its mount and path, by the path of the API with `data/` in it,
 * or by a key of which their store says the first part. All of these are one document, and are one place on the map.
 */
import type { LocationThing, PlaceThing } from "../../domain/discovery/said.js";
import { isMap, mapOf, named } from "./source-config.js";
import {
  type KubernetesFrame,
  type KubernetesObject,
  scopeOf,
  type VaultStore,
} from "./source-kubernetes-objects.js";
import { location, type Says, told } from "./source-says.js";
import type { StoreKey, VaultDocument } from "./source-stores.js";

/** A path without the slashes that Vault does not tell apart. */
function clean(path: string): string {
  return path.replace(/\/{2,}/g, "/").replace(/^\/|\/$/g, "");
}

/** A store of External Secrets by its object, and what it says of its Vault; null for any other object, and for another provider. */
export function vaultStoreOf(object: KubernetesObject): readonly [string, VaultStore] | null {
  if (object.group !== "external-secrets.io" || !/^(?:Cluster)?SecretStore$/.test(object.kind)) return null;
  const { vault } = mapOf(mapOf(object.body.spec).provider);
  if (!isMap(vault)) return null;
  const name =
    object.kind === "ClusterSecretStore"
      ? `ClusterSecretStore/${object.name}`
      : `SecretStore/${object.namespace}/${object.name}`;
  const path = clean(named(vault.path) ?? "");
  return [name, { path: path === "" ? null : path, isVersioned: vault.version !== "v1" }];
}

/**
 * The document that a key of External Secrets means. Source: `buildPath` of its provider for Vault: the store's path is put before the
 * key unless it is there, and so is `data`; without a path of the store the key's first part is the mount.
 */
export function externalKey(text: string, { path, isVersioned }: VaultStore): StoreKey {
  const key = clean(text);
  if (path === null) return isVersioned ? wholePath(key) : key;
  if (!key.startsWith(`${path}/`)) return { mount: path, path: key };
  const rest = key.slice(path.length + 1);
  return { mount: path, path: isVersioned && rest.startsWith("data/") ? rest.slice("data/".length) : rest };
}

/** The document of a path as the API and its clients have it, with its mount: what is before `/data/`, or its first part. */
export function wholePath(text: string): VaultDocument {
  const path = clean(text);
  const between = path.includes("/data/") ? "/data/" : "/";
  const at = path.indexOf(between);
  return at < 0
    ? { mount: path, path: "" }
    : { mount: path.slice(0, at), path: path.slice(at + between.length) };
}

/** Paths of engines that make what is read there for whoever asks: no document, and no place of an estate. */
const made = /(?:^|\/)(?:creds|static-creds|issue|sign|sts)\//;

/**
 * Where a store has something: places of the estate where the settings say so, otherwise a place on the map. A store of which they
 * say nothing is a gap, and so is a key that begins as none of theirs: what it holds may be the estate's, and then its readers are
 * not seen. `text`: the key as it stands; `key`: what it means, where that is known.
 */
export function remotesAt(
  frame: KubernetesFrame,
  says: Says,
  store: string,
  text: string,
  key: StoreKey = text,
): readonly (LocationThing | PlaceThing)[] {
  const found = frame.places(store, key);
  if (found === null) saysUnknown(frame, says, store);
  else if (!found.isSaid && !made.test(text))
    saysGap(
      says,
      typeof key === "string"
        ? `${told(text)} of ${store} of ${frame.cluster} begins with no \`prefix\` that \`stores\` has for it, so which place that is was guessed: give it an entry, without a prefix where keys stand without their mount.`
        : `Which store of the estate has what ${store} of ${frame.cluster} reads of the mount ${told(key.mount)} is not known: give that mount an entry in \`stores\`.`,
    );
  const places = found?.places ?? [];
  return places.length === 0 ? [location(`${scopeOf(frame)} ${store}`, text)] : places;
}

/** Says that the settings do not name a store. */
export function saysUnknown(frame: KubernetesFrame, says: Says, store: string): void {
  saysGap(
    says,
    `Which store of the estate is behind ${store} of ${frame.cluster} is not known, or whether any is: name it in \`stores\`.`,
  );
}

function saysGap({ gaps }: Says, sentence: string): void {
  if (!gaps.includes(sentence)) gaps.push(sentence);
}
