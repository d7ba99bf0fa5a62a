/** Who serves the certificate of a Secret to the outside: an Ingress, a Gateway of Kubernetes, and what Istio configures. */
import type { LocationThing } from "../../domain/discovery/said.js";
import { listOf, mapOf, named } from "./source-config.js";
import {
  type KubernetesFrame,
  type KubernetesObject,
  pathOf,
  readerOf,
  secretAt,
} from "./source-kubernetes-objects.js";
import { ofThatName } from "./source-kubernetes-rights.js";
import type { Says } from "./source-says.js";

/** Certificates at the edge: Ingress, the listeners of a Gateway, and what Istio's proxies are given. */
export function saysCertificates(object: KubernetesObject, frame: KubernetesFrame, says: Says): void {
  const spec = mapOf(object.body.spec);
  const where = pathOf(object);
  if (object.kind === "Ingress") {
    for (const entry of listOf(spec.tls)) {
      const secret = named(mapOf(entry).secretName);
      if (secret === null) continue;
      says.declared(
        readerOf(object, frame),
        "uses",
        certificate(secretAt(frame, says, object.namespace, secret)),
        `spec.tls of ${where} names it`,
      );
    }
  }
  if (object.group === "networking.istio.io") saysCredentials(spec, "spec", object, frame, says);
  if (object.kind === "Gateway" && object.group === "gateway.networking.k8s.io") {
    for (const listener of listOf(spec.listeners)) {
      for (const reference of listOf(mapOf(mapOf(listener).tls).certificateRefs)) {
        const { kind, name, namespace } = mapOf(reference);
        const secret = named(name);
        if (secret === null || (named(kind) ?? "Secret") !== "Secret") continue;
        const at = certificate(secretAt(frame, says, named(namespace) ?? object.namespace, secret));
        says.declared(
          readerOf(object, frame),
          "uses",
          at,
          `spec.listeners.tls.certificateRefs of ${where} names it`,
        );
      }
    }
  }
}

/**
 * `credentialName` of Istio's Gateway and DestinationRule. The Secret is one of the namespace in which the proxies run, which the object
 * only selects by their labels: it is taken for one of its own namespace, and every other of that name could be meant.
 */
function saysCredentials(
  value: unknown,
  path: string,
  object: KubernetesObject,
  frame: KubernetesFrame,
  says: Says,
): void {
  if (Array.isArray(value)) {
    for (const item of value) saysCredentials(item, path, object, frame, says);
    return;
  }
  for (const [field, item] of Object.entries(mapOf(value))) {
    const where = `${path}.${field}`;
    if (!/^credentialNames?$/.test(field)) {
      saysCredentials(item, where, object, frame, says);
      continue;
    }
    for (const text of [item, ...listOf(item)].flatMap((one) => named(one) ?? [])) {
      // `kubernetes-gateway://shop/web` says the namespace.
      const [name = "", namespace] = text
        .replace(/^[a-z-]+:\/\//, "")
        .split("/")
        .reverse();
      const sentence = `${where} of ${pathOf(object)} names it`;
      const own = `${namespace ?? object.namespace}/${name}`;
      const reader = readerOf(object, frame);
      const at = certificate(secretAt(frame, says, namespace ?? object.namespace, name));
      says.declared(reader, "uses", at, sentence);
      if (namespace !== undefined) continue;
      for (const other of ofThatName(frame, name)) {
        if (other === own) continue;
        const there = certificate(secretAt(frame, says, other.slice(0, other.indexOf("/")), name));
        says.claim(reader, "uses", there, "potential", `${sentence}, if its proxies run there`);
      }
    }
  }
}

/** What is served from there can be nothing else. */
function certificate(at: LocationThing): LocationThing {
  return { ...at, class: "certificate" };
}
