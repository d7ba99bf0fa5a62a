/**
 * Who could read Secrets by RBAC. A right is no use, but a reader whom no manifest names may have one: it is evidence of the
 * kind `potential`. By the rules of Kubernetes: verbs and resources with `*`, `resourceNames`, roles aggregated by labels.
 */
import type { ReaderThing } from "../../domain/discovery/said.js";
import { listOf, mapOf, named, textOf } from "./source-config.js";
import {
  accountName,
  accountOf,
  type KubernetesFrame,
  type KubernetesObject,
  pathOf,
  type Readers,
  type Reading,
  scopeOf,
  secretAt,
} from "./source-kubernetes-objects.js";
import { location, type Says } from "./source-says.js";

/** A role as far as Secrets are concerned. */
interface Role extends Reading {
  readonly labels: Readonly<Record<string, unknown>>;
  /** Selectors of the roles whose rules it has as well; empty for an ordinary one. */
  readonly selectors: readonly Readonly<Record<string, unknown>>[];
}

/** Roles that every cluster has and no manifest shows. `view` leaves Secrets out, but takes in what others label for it. */
const wellKnown: readonly [string, Role][] = [
  ...["cluster-admin", "admin", "edit"].map((name): [string, Role] => [
    `ClusterRole/${name}`,
    { all: true, names: [], labels: {}, selectors: [] },
  ]),
  [
    "ClusterRole/view",
    {
      all: false,
      names: [],
      labels: {},
      selectors: [{ matchLabels: { "rbac.authorization.k8s.io/aggregate-to-view": "true" } }],
    },
  ],
];

const readingVerbs = new Set(["get", "list", "watch", "*"]);

/** The roles of a cluster, collected before a binding is read. */
export class Rights implements Readers {
  readonly #roles = new Map<string, Role>(wellKnown);
  /** Secrets that somebody names, as `namespace/name`: for a right to those of one name in every namespace. */
  readonly secrets = new Set<string>();

  /** Takes a Role or a ClusterRole in; anything else is passed over. */
  add(object: KubernetesObject): void {
    if (object.group !== "rbac.authorization.k8s.io" || !/^(?:Cluster)?Role$/.test(object.kind)) return;
    const names: string[] = [];
    let all = false;
    for (const rule of listOf(object.body.rules).map(mapOf)) {
      if (!isReading(rule)) continue;
      const only = texts(rule.resourceNames);
      if (only.length === 0) all = true;
      names.push(...only);
    }
    const selectors = listOf(mapOf(object.body.aggregationRule).clusterRoleSelectors).map((selector) =>
      mapOf(selector),
    );
    // Only what lets read, or what could be made to by others' labels, has to be kept; and what is seen goes before what is known.
    const labels = mapOf(mapOf(object.body.metadata).labels);
    const path = pathOf(object);
    if (all || names.length > 0 || selectors.length > 0 || this.#roles.has(path))
      this.#roles.set(path, { all, names, labels, selectors });
  }

  /** What a role lets read, with the rules of the roles that are aggregated into it, and into those. */
  reading(path: string): Reading {
    const names = new Set<string>();
    let all = false;
    const met = new Set([path]);
    for (const at of met) {
      const role = this.#roles.get(at);
      if (role === undefined) continue;
      all ||= role.all;
      for (const name of role.names) names.add(name);
      for (const [other, { labels }] of this.#roles) {
        const isPart =
          other.startsWith("ClusterRole/") && role.selectors.some((selector) => selects(selector, labels));
        if (isPart) met.add(other);
      }
    }
    return { all, names: [...names] };
  }
}

function isReading(rule: Readonly<Record<string, unknown>>): boolean {
  return (
    texts(rule.apiGroups).some((group) => group === "" || group === "*") &&
    texts(rule.resources).some((resource) => resource === "secrets" || resource === "*") &&
    texts(rule.verbs).some((verb) => readingVerbs.has(verb))
  );
}

function texts(value: unknown): string[] {
  return listOf(value).flatMap((item) => textOf(item) ?? []);
}

/** A label selector, by `matchLabels` and by `matchExpressions`; an empty one selects everything. */
function selects(
  selector: Readonly<Record<string, unknown>>,
  labels: Readonly<Record<string, unknown>>,
): boolean {
  const equal = Object.entries(mapOf(selector.matchLabels)).every(
    ([name, value]) => textOf(labels[name]) === textOf(value),
  );
  return (
    equal &&
    listOf(selector.matchExpressions)
      .map(mapOf)
      .every(({ key, operator, values }) => {
        const label = textOf(labels[textOf(key) ?? ""]);
        switch (operator) {
          case "In":
            return label !== null && texts(values).includes(label);
          case "NotIn":
            return label === null || !texts(values).includes(label);
          case "Exists":
            return label !== null;
          case "DoesNotExist":
            return label === null;
          default:
            return false;
        }
      })
  );
}

/** Everybody of a binding with what its role lets them read. */
export function saysBinding(object: KubernetesObject, frame: KubernetesFrame, says: Says): void {
  const { kind, name } = mapOf(object.body.roleRef);
  const role = named(name);
  if (role === null) return;
  const path = kind === "ClusterRole" ? `ClusterRole/${role}` : `${object.namespace}/Role/${role}`;
  const { all, names } = frame.rights.reading(path);
  const where = object.kind === "ClusterRoleBinding" ? "*" : object.namespace;
  const scope = scopeOf(frame);
  const sentence = `${pathOf(object)} binds ${path}, which may read ${all ? "every Secret" : "Secrets by name"} of ${where === "*" ? "every namespace" : where}`;
  for (const subject of listOf(object.body.subjects).map(mapOf)) {
    const reader = subjectOf(subject, object.namespace, frame);
    if (reader === null) continue;
    if (all) {
      const everything = location(scope, `${where}/*`);
      if (where !== "*")
        says.declared(
          everything,
          "stored-in",
          location(scope, "*/*"),
          `the namespace ${where} is one of the cluster ${frame.cluster}`,
        );
      says.claim(reader, "can-read", everything, "potential", sentence);
    }
    for (const secret of names) {
      for (const at of where === "*" ? ofThatName(frame, secret) : [`${where}/${secret}`]) {
        const [namespace = "", one = ""] = at.split("/");
        says.claim(reader, "can-read", secretAt(frame, says, namespace, one), "potential", sentence);
      }
    }
  }
}

/** The Secrets of a name in any namespace, as `namespace/name`: those that somebody names. */
export function ofThatName({ rights }: KubernetesFrame, name: string): string[] {
  return [...rights.secrets].filter((secret) => secret.endsWith(`/${name}`));
}

/** Whom a binding names. Users and groups of a cluster are told by their names in it. */
function subjectOf(
  subject: Readonly<Record<string, unknown>>,
  ownNamespace: string,
  frame: KubernetesFrame,
): ReaderThing | null {
  const name = named(subject.name);
  if (name === null) return null;
  const kind = named(subject.kind) ?? "User";
  // A service account is a user by this name, too, and has what is bound to either.
  const [, ofUser, asUser] = (kind === "User" && /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name)) || [];
  if (kind === "ServiceAccount" || asUser !== undefined) {
    const namespace = ofUser ?? named(subject.namespace) ?? ownNamespace;
    const account = asUser ?? name;
    // A cluster refuses one without: it would be nobody.
    if (namespace === "") return null;
    return {
      is: "reader",
      name: accountName(frame, namespace, account),
      traits: { serviceAccount: accountOf(frame, namespace, account) },
      class: "workload-identity",
    };
  }
  return {
    is: "reader",
    name: `${kind}/${name} of ${scopeOf(frame)}`,
    traits: { role: `${scopeOf(frame)} ${kind}/${name}` },
  };
}
