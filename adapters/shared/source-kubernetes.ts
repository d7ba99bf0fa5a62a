/**
 * What one object of Kubernetes says of Secrets: pure, for manifests and for a live cluster alike. Who may read by RBAC,
 * pods and operators that fill Secrets have files of their own beside this one.
 */
import type { LocationThing, ReaderThing } from "../../domain/discovery/said.js";
import type { CredentialClass } from "../../domain/estate/classes.js";
import { isMap, jsonDocuments, listOf, mapOf, named, textOf } from "./source-config.js";
import { saysSettings, withoutReferences } from "./source-kubernetes-argocd.js";
import { saysCertificates } from "./source-kubernetes-edge.js";
import { saysFilled } from "./source-kubernetes-filled.js";
import { saysAsked, vaultPathsIn, vaultValuesAt } from "./source-kubernetes-injected.js";
import {
  accountName,
  accountOf,
  configAt,
  type KubernetesFrame,
  type KubernetesObject,
  pathOf,
  secretAt,
} from "./source-kubernetes-objects.js";
import { saysPods } from "./source-kubernetes-pods.js";
import { saysBinding } from "./source-kubernetes-rights.js";
import { saysClass } from "./source-kubernetes-storage.js";
import { location, type Says } from "./source-says.js";
import { valuesInSecretText, valuesInText } from "./source-texts.js";
import { valuesIn } from "./source-values.js";

/** Everything that one object says. */
export function saysObject(object: KubernetesObject, frame: KubernetesFrame, says: Says): void {
  switch (`${object.group}/${object.kind}`) {
    case "/Secret":
      saysSecret(object, frame, says);
      return;
    case "/ConfigMap":
      saysSettings(object, frame, says);
      for (const { key, met } of configValues(object)) {
        says.copy(
          configAt(frame, object.namespace, object.name, key),
          met,
          true,
          `an entry of the ConfigMap ${object.namespace}/${object.name}`,
        );
      }
      for (const { key, text } of configPaths(object))
        saysPutIn(configAt(frame, object.namespace, object.name, key), text, object, frame, says);
      return;
    case "/ServiceAccount":
      saysServiceAccount(object, frame, says);
      return;
    case "rbac.authorization.k8s.io/RoleBinding":
    case "rbac.authorization.k8s.io/ClusterRoleBinding":
      saysBinding(object, frame, says);
      return;
    case "rbac.authorization.k8s.io/Role":
    case "rbac.authorization.k8s.io/ClusterRole":
    case "apiextensions.k8s.io/CustomResourceDefinition":
      return;
  }
  if (saysFilled(object, frame, says)) return;
  saysCertificates(object, frame, says);
  saysAsked(object, frame, says);
  saysClass(object, frame, says);
  saysPods(object, frame, says);
}

/** Types of Secrets that say what is in them; `Opaque` may be anything. */
const classesOfTypes: ReadonlyMap<string, CredentialClass> = new Map([
  ["kubernetes.io/tls", "certificate"],
  ["kubernetes.io/service-account-token", "token"],
  ["bootstrap.kubernetes.io/token", "token"],
]);

/** A Secret with its entries, of which base64 or plain text stands in it. */
function saysSecret(object: KubernetesObject, frame: KubernetesFrame, says: Says): void {
  const { namespace, name, body } = object;
  const at = secretAt(frame, says, namespace, name);
  const kind = classesOfTypes.get(textOf(body.type) ?? "");
  if (kind !== undefined) says.lists({ ...at, class: kind });
  for (const { key, met } of entriesOf(body)) {
    says.copy(
      secretAt(frame, says, namespace, name, key),
      met,
      frame.literal,
      `${key} of the Secret ${namespace}/${name}`,
    );
  }
  for (const [key, text] of textsOf(body)) {
    if (vaultPathsIn(text).length > 0)
      saysPutIn(secretAt(frame, says, namespace, name, key), text, object, frame, says);
  }
  const applied = entriesOf(appliedOf(body)).flatMap(({ met }) => met);
  if (applied.length === 0) return;
  says.copy(
    location(`kubernetes ${frame.cluster}`, `${pathOf(object)}#metadata.annotations.${lastApplied}`),
    applied,
    frame.literal,
    `the annotation ${lastApplied} of the Secret ${namespace}/${name}`,
  );
}

/** Where `kubectl apply` keeps what was applied, values of a Secret included; it stays when an entry is changed by another way. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** The Secret as it was applied; empty where nothing says so, or where what is kept there is no object. */
function appliedOf(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const [document] = jsonDocuments(textOf(mapOf(mapOf(body.metadata).annotations)[lastApplied]) ?? "");
  return document !== undefined && "value" in document ? mapOf(document.value) : {};
}

/** The entries of a Secret, as their text. */
function textsOf(body: Readonly<Record<string, unknown>>): [string, string][] {
  return [
    ...Object.entries(mapOf(body.data)).map(([key, value]): [string, string] => [
      key,
      fromBase64(textOf(value) ?? ""),
    ]),
    ...Object.entries(mapOf(body.stringData)).map(([key, value]): [string, string] => [
      key,
      textOf(value) ?? "",
    ]),
  ];
}

/** The entries of a Secret in which a value stands. */
function entriesOf(body: Readonly<Record<string, unknown>>) {
  return textsOf(body).flatMap(([key, text]) => {
    const met = key.startsWith(".docker") ? registryPasswords(text) : valuesInSecretText(key, text);
    return met.length === 0 ? [] : [{ key, met }];
  });
}

/** `""` for what is no text. */
function fromBase64(text: string): string {
  const bytes = Buffer.from(text, "base64");
  const decoded = bytes.toString("utf8");
  return Buffer.from(decoded, "utf8").equals(bytes) ? decoded : "";
}

/** Passwords of registries in a Docker configuration. */
function registryPasswords(text: string): ReturnType<typeof valuesIn> {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    return [];
  }
  const all = isMap(config) && isMap(config.auths) ? config.auths : mapOf(config);
  return Object.values(all).flatMap((entry) => {
    const { auth, password } = mapOf(entry);
    const both = fromBase64(textOf(auth) ?? "");
    return valuesIn("password", textOf(password) ?? both.slice(both.indexOf(":") + 1));
  });
}

/** Values in the entries of a ConfigMap: an entry is one setting, or a whole file of them. */
export function configValues(object: KubernetesObject) {
  return Object.entries(mapOf(object.body.data)).flatMap(([key, value]) => {
    const met = valuesInText(key, withoutReferences(object, key, textOf(value) ?? ""));
    return met.length === 0 ? [] : [{ key, met }];
  });
}

/** Entries of a ConfigMap in whose place the webhook of Bank-Vaults puts values, with their text. */
export function configPaths({ body }: KubernetesObject): { key: string; text: string }[] {
  return Object.entries(mapOf(body.data)).flatMap(([key, value]) => {
    const text = textOf(value) ?? "";
    return vaultPathsIn(text).length === 0 ? [] : [{ key, text }];
  });
}

/** An entry into which values of Vault are put depends on where they come from. */
function saysPutIn(
  at: LocationThing,
  text: string,
  object: KubernetesObject,
  frame: KubernetesFrame,
  says: Says,
): void {
  for (const remote of vaultValuesAt(text, frame, says))
    says.declared(at, "depends-on", remote, `an entry of ${pathOf(object)} names what is put in its place`);
}

function saysServiceAccount(
  { namespace, name, body }: KubernetesObject,
  frame: KubernetesFrame,
  says: Says,
): void {
  const serviceAccount = `${namespace}/${name}`;
  const reader: ReaderThing = {
    is: "reader",
    name: accountName(frame, namespace, name),
    traits: { serviceAccount: accountOf(frame, namespace, name) },
    class: "workload-identity",
  };
  for (const field of ["secrets", "imagePullSecrets"]) {
    for (const entry of listOf(body[field])) {
      const secret = named(mapOf(entry).name);
      if (secret === null) continue;
      says.declared(
        reader,
        "uses",
        secretAt(frame, says, namespace, secret),
        `${field} of the ServiceAccount ${serviceAccount} names it`,
      );
    }
  }
}
