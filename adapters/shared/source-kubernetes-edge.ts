/** Who serves the certificate of a Secret to the outside. */
import type { LocationThing } from "../../domain/discovery/said.js";
import { listOf, mapOf, named } from "./source-config.js";
import {
  type KubernetesFrame,
  type KubernetesObject,
  pathOf,
  readerOf,
  secretAt,
} from "./source-kubernetes-objects.js";
import type { Says } from "./source-says.js";

/** Certificates at the edge: Ingress, and the listeners of a Gateway. */
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

/** What is served from there can be nothing else. */
function certificate(at: LocationThing): LocationThing {
  return { ...at, class: "certificate" };
}
