/**
 * How operators name Secrets in their own kinds. There is no rule for that in Kubernetes, only customs: they are collected here,
 * and what is no custom of many is bound to the groups that have it. A text that may be a value is never taken for a name.
 */
import type { ReaderThing } from "../../domain/discovery/said.js";
import { findLiteral } from "../../domain/estate/literals.js";
import { isMap, listOf, mapOf, named } from "./source-config.js";
import {
  type KubernetesFrame,
  type KubernetesObject,
  pathOf,
  secretAt,
} from "./source-kubernetes-objects.js";
import type { Says } from "./source-says.js";

type Fields = Readonly<Record<string, unknown>>;

/** A Secret that is named. `key` is null for all of it, `namespace` where the object's own is meant. */
interface Reference {
  readonly name: string;
  readonly key: string | null;
  readonly namespace: string | null;
}

/** Groups in which a map of `name` and `key` is a selector of a Secret's entry whatever its field is called, and `secrets` a list of names. */
const selectorGroups = new Set(["monitoring.coreos.com", "operator.victoriametrics.com"]);
const listGroups = new Set([...selectorGroups, "openfaas.com"]);
/** Groups in which these fields beside `secretName` name its entry. */
const entryFields: Readonly<Record<string, readonly string[]>> = {
  "kafka.strimzi.io": ["certificate", "key", "password"],
};
const selectorFields = new Set(["name", "key", "optional", "namespace"]);

/** Every Secret that one map of an object names. `path` says where it stands. */
export function saysReferences(
  value: Fields,
  path: string,
  reader: ReaderThing,
  { object, frame, says }: { object: KubernetesObject; frame: KubernetesFrame; says: Says },
): void {
  // What an Ingress serves is said by its own rule.
  if (object.kind === "Ingress") return;
  for (const [field, item] of Object.entries(value)) {
    for (const { name, key, namespace } of referencesIn(field, item, value, object.group)) {
      if (name.includes("{{")) continue;
      const where = `${path}.${field} of ${pathOf(object)}`;
      if (isChartValue(path, object)) {
        says.gaps.push(
          `${where} names a Secret to a chart that was not rendered: who uses it, and in which namespace, is not in what was read.`,
        );
        continue;
      }
      const at = namespace ?? object.namespace;
      if (at === "") {
        says.gaps.push(`${where} names a Secret in a namespace that it does not say.`);
        continue;
      }
      says.declared(reader, "uses", secretAt(frame, says, at, name, key), `${where} names it`);
    }
  }
}

/** An Application of Argo CD hands values to a chart: what comes of them stands in another namespace, and is none of its own. */
function isChartValue(path: string, { group }: KubernetesObject): boolean {
  return group === "argoproj.io" && /\.valuesObject(?:\.|$)/.test(path);
}

function referencesIn(field: string, item: unknown, beside: Fields, group: string): Reference[] {
  if (isMap(item)) return namesSecret(field, item, group) ? referenceOf(item) : [];
  if (field === "secrets" && listGroups.has(group))
    return listOf(item).flatMap((name) => (isName(name) ? [{ name, key: null, namespace: null }] : []));
  const name = named(item);
  if (name === null) return [];
  if (/secretName$/i.test(field) || field === "existingSecret") return byName(name, beside, group);
  // `tlsSecret: web-tls`, `secretRef: admin`. `clientSecret: ...` and the like may be the value itself.
  return /(?:(?:tls|ca|cert|certificate)_?secret|secret_?ref)$/i.test(field) && isName(name)
    ? [{ name, key: null, namespace: null }]
    : [];
}

/** A map that names one, by its field or by its shape. */
function namesSecret(field: string, item: Fields, group: string): boolean {
  if (/secret(?:key)?(?:ref|reference|selector)$/i.test(field)) return true;
  if (named(item.name) === null || !Object.keys(item).every((part) => selectorFields.has(part))) return false;
  if (/secret$/i.test(field)) return true;
  return selectorGroups.has(group) && named(item.key) !== null && !/config-?map/i.test(field);
}

function referenceOf({ name, key, namespace }: Fields): Reference[] {
  const found = named(name);
  return found === null ? [] : [{ name: found, key: named(key), namespace: named(namespace) }];
}

/** `secretName`, with the entries that stand beside it: `key`, the `items` of a volume, and what a group has of its own. */
function byName(name: string, beside: Fields, group: string): Reference[] {
  const keys = [
    ...(entryFields[group] ?? ["key"]).flatMap((field) => named(beside[field]) ?? []),
    ...listOf(beside.items).flatMap((entry) => named(mapOf(entry).key) ?? []),
  ];
  return (keys.length === 0 ? [null] : keys).map((key) => ({ name, key, namespace: null }));
}

/** As Kubernetes has names, and not as somebody makes a value: the longest digest that tools put behind a name has ten characters. */
function isName(value: unknown): value is string {
  return (
    typeof value === "string" &&
    /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(value) &&
    !/[0-9a-f]{16}/.test(value) &&
    findLiteral(value) === undefined
  );
}
