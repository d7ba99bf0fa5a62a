/**
 * Secrets that an injector of Vault or OpenBao puts into pods, and what an Ingress asks for by its annotations: no field of the
 * objects names them, so whoever reads fields alone does not see their readers.
 */
import type { ReaderThing } from "../../domain/discovery/said.js";
import { mapOf, named } from "./source-config.js";
import { remotesAt } from "./source-kubernetes-filled.js";
import {
  type KubernetesFrame,
  type KubernetesObject,
  pathOf,
  readerOf,
  secretAt,
} from "./source-kubernetes-objects.js";
import type { Says } from "./source-says.js";

/** Under which name `stores` says what is behind the injector. */
const injector = "AgentInjector";

/** `vault.hashicorp.com/agent-inject-secret-FILE: secret/data/orders/db`; both vendors document theirs under "annotations". */
const injected = /^(?:vault\.hashicorp\.com|openbao\.openbao\.org)\/agent-inject-secret-/;

/** What the annotations of a pod, or of the template of one, have injected. `path`: where they stand in the object. */
export function saysInjected(
  metadata: unknown,
  path: string,
  reader: ReaderThing,
  { object, frame, says }: { object: KubernetesObject; frame: KubernetesFrame; says: Says },
): void {
  for (const [name, value] of Object.entries(mapOf(mapOf(metadata).annotations))) {
    const key = named(value);
    if (key === null || !injected.test(name)) continue;
    for (const remote of remotesAt(frame, says, injector, key))
      says.declared(
        reader,
        "uses",
        remote,
        `${path}.annotations.${name} of ${pathOf(object)} has it injected`,
      );
  }
}

/** Annotations of ingress-nginx that name a Secret, of its own namespace where they say no other. */
const asked = [
  "nginx.ingress.kubernetes.io/auth-secret",
  "nginx.ingress.kubernetes.io/auth-tls-secret",
  "nginx.ingress.kubernetes.io/proxy-ssl-secret",
];

/** What an Ingress asks for besides what it serves. */
export function saysAsked(object: KubernetesObject, frame: KubernetesFrame, says: Says): void {
  if (object.kind !== "Ingress") return;
  const annotations = mapOf(mapOf(object.body.metadata).annotations);
  for (const annotation of asked) {
    const [last, namespace = object.namespace] = named(annotations[annotation])?.split("/").reverse() ?? [];
    if (last === undefined || last === "") continue;
    const secret = secretAt(frame, says, namespace, last);
    says.declared(readerOf(object, frame), "uses", secret, `${annotation} of ${pathOf(object)} names it`);
  }
}
