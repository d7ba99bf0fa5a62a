/**
 * Secrets that an operator fills from elsewhere, and elsewhere that is filled from Secrets: External Secrets, the Secrets Store
 * CSI driver, sealed Secrets, cert-manager; Vault's own has a file beside this one. Whoever uses such a Secret depends on the place that it comes from.
 */
import { isMap, listOf, mapOf, named, textOf, yamlDocuments } from "./source-config.js";
import {
  type KubernetesFrame,
  type KubernetesObject,
  pathOf,
  scopeOf,
  secretAt,
} from "./source-kubernetes-objects.js";
import { externalKey, remotesAt, saysUnknown, wholePath } from "./source-kubernetes-vault.js";
import { saysVaultOperator } from "./source-kubernetes-vso.js";
import { location, type Says } from "./source-says.js";
import type { StoreKey } from "./source-stores.js";

/** True where the object is of a kind that fills, and has been said. */
export function saysFilled(object: KubernetesObject, frame: KubernetesFrame, says: Says): boolean {
  const spec = mapOf(object.body.spec);
  switch (`${object.group}/${object.kind}`) {
    case "external-secrets.io/ExternalSecret":
      saysExternal(object, spec, object.name, [object.namespace], frame, says);
      return true;
    case "external-secrets.io/ClusterExternalSecret": {
      const namespaces = listOf(spec.namespaces).flatMap((item) => named(item) ?? []);
      // By labels of namespaces that no manifest has to show.
      if (namespaces.length === 0)
        says.gaps.push(`${pathOf(object)} makes Secrets in namespaces that it selects by their labels.`);
      saysExternal(
        object,
        mapOf(spec.externalSecretSpec),
        named(spec.externalSecretName) ?? object.name,
        namespaces,
        frame,
        says,
      );
      return true;
    }
    case "external-secrets.io/PushSecret":
      saysPush(object, spec, frame, says);
      return true;
    case "secrets-store.csi.x-k8s.io/SecretProviderClass":
      saysProvider(object, spec, frame, says);
      return true;
    case "bitnami.com/SealedSecret": {
      const at = location(scopeOf(frame), pathOf(object));
      const name = named(mapOf(mapOf(spec.template).metadata).name) ?? object.name;
      says.declared(
        secretAt(frame, says, object.namespace, name),
        "depends-on",
        at,
        `${pathOf(object)} is unsealed into it`,
      );
      return true;
    }
    case "cert-manager.io/Certificate":
    // As the group was called before its first release.
    case "certmanager.k8s.io/Certificate": {
      const secret = named(spec.secretName);
      const { kind, name } = mapOf(spec.issuerRef);
      if (secret === null || named(name) === null) return true;
      const issuer =
        kind === "ClusterIssuer"
          ? `ClusterIssuer/${name}`
          : `${object.namespace}/${named(kind) ?? "Issuer"}/${name}`;
      const at = location(scopeOf(frame), issuer);
      says.declared(
        secretAt(frame, says, object.namespace, secret),
        "depends-on",
        at,
        `${pathOf(object)} has it issued`,
      );
      return true;
    }
    default:
      return saysVaultOperator(object, spec, frame, says);
  }
}

/** A store of External Secrets by its reference: `ClusterSecretStore/vault`, `SecretStore/shop/vault`. */
function storeOf(reference: unknown, namespace: string): string | null {
  const { kind, name } = mapOf(reference);
  const store = named(name);
  if (store === null) return null;
  return kind === "ClusterSecretStore" ? `ClusterSecretStore/${store}` : `SecretStore/${namespace}/${store}`;
}

/** What a key of a store means, where the store itself was seen. */
function keyIn(frame: KubernetesFrame, store: string, key: string): StoreKey {
  const vault = frame.vaultStores.get(store);
  return vault === undefined ? key : externalKey(key, vault);
}

function saysExternal(
  object: KubernetesObject,
  spec: Readonly<Record<string, unknown>>,
  name: string,
  namespaces: readonly string[],
  frame: KubernetesFrame,
  says: Says,
): void {
  const target = named(mapOf(spec.target).name) ?? name;
  const from = [...listOf(spec.data), ...listOf(spec.dataFrom)].map(mapOf);
  for (const namespace of namespaces) {
    const secret = secretAt(frame, says, namespace, target);
    for (const entry of from) {
      const own = mapOf(entry.sourceRef);
      const generator = named(mapOf(own.generatorRef).name);
      if (generator !== null) {
        const kind = named(mapOf(own.generatorRef).kind) ?? "Generator";
        const at = location(scopeOf(frame), `${namespace}/${kind}/${generator}`);
        says.declared(secret, "depends-on", at, `${pathOf(object)} has it made`);
        continue;
      }
      const store = storeOf(own.storeRef ?? own.generatorRef ?? spec.secretStoreRef, namespace);
      if (store === null) continue;
      const find = mapOf(entry.find);
      const key = named(mapOf(entry.remoteRef).key) ?? named(mapOf(entry.extract).key);
      if (key !== null) {
        for (const remote of remotesAt(frame, says, store, key, keyIn(frame, store, key)))
          says.declared(secret, "depends-on", remote, `${pathOf(object)} fills it from ${key} of ${store}`);
      } else if (isMap(entry.find)) {
        const everything = `${named(find.path) ?? ""}*`;
        // Which of the estate's places match is known to the operator alone.
        const found = frame.places(store, everything);
        if (found === null) saysUnknown(frame, says, store);
        const [first] = found?.places ?? [];
        if (first !== undefined)
          says.gaps.push(
            `${pathOf(object)} fills ${namespace}/${target} from whatever ${first.store} has that it looks for: which places those are is not known.`,
          );
        const at = location(`${scopeOf(frame)} ${store}`, everything);
        says.declared(
          secret,
          "depends-on",
          at,
          `${pathOf(object)} fills it from whatever ${store} has that it looks for`,
        );
      }
    }
  }
}

function saysPush(
  object: KubernetesObject,
  spec: Readonly<Record<string, unknown>>,
  frame: KubernetesFrame,
  says: Says,
): void {
  const name = named(mapOf(mapOf(spec.selector).secret).name);
  if (name === null) return;
  const secret = secretAt(frame, says, object.namespace, name);
  for (const reference of listOf(spec.secretStoreRefs)) {
    const store = storeOf(reference, object.namespace);
    if (store === null) continue;
    for (const entry of listOf(spec.data).map(mapOf)) {
      const key = named(mapOf(mapOf(entry.match).remoteRef).remoteKey);
      if (key === null) continue;
      for (const remote of remotesAt(frame, says, store, key, keyIn(frame, store, key)))
        says.declared(remote, "depends-on", secret, `${pathOf(object)} writes it to ${key} of ${store}`);
    }
  }
}

/** Fields by which the drivers' providers name what they fetch; `objects` is a text of YAML in each of them but one. */
const objectNames = ["secretPath", "objectName", "resourceName", "path"];

function saysProvider(
  object: KubernetesObject,
  spec: Readonly<Record<string, unknown>>,
  frame: KubernetesFrame,
  says: Says,
): void {
  const provider = `SecretProviderClass/${object.namespace}/${object.name}`;
  const at = location(scopeOf(frame), pathOf(object));
  for (const entry of fetched(spec)) {
    const key = objectNames.flatMap((field) => named(entry[field]) ?? [])[0];
    if (key === undefined) continue;
    const means = spec.provider === "vault" ? wholePath(key) : key;
    for (const remote of remotesAt(frame, says, provider, key, means))
      says.declared(
        at,
        "depends-on",
        remote,
        `${pathOf(object)} fetches ${key} from ${named(spec.provider) ?? "its provider"}`,
      );
  }
  for (const entry of listOf(spec.secretObjects).map(mapOf)) {
    const secret = named(entry.secretName);
    if (secret === null) continue;
    says.declared(
      secretAt(frame, says, object.namespace, secret),
      "depends-on",
      at,
      `${pathOf(object)} keeps it as a Secret`,
    );
  }
}

/** What a class fetches: a list, or (Azure) a map with a list of texts that are YAML again. */
function fetched(spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>[] {
  const parameters = mapOf(spec.parameters);
  const top = parse(textOf(parameters.objects) ?? textOf(parameters.secrets) ?? "");
  const list = Array.isArray(top) ? top : listOf(mapOf(top).array);
  return list.map((item) => mapOf(typeof item === "string" ? parse(item) : item));
}

function parse(text: string): unknown {
  const [first] = yamlDocuments(text);
  return first === undefined || "why" in first ? null : first.value;
}
