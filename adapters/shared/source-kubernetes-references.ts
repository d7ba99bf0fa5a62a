/**
 * How operators name Secrets in their own kinds. There is no rule for that in Kubernetes, only customs: they are collected here, and
 * what one group has alone stands in the file of customs beside this one. A text that may be a value is never taken for a name.
 */
import type { ReaderThing } from "../../domain/discovery/said.js";
import { findLiteral } from "../../domain/estate/literals.js";
import { isMap, listOf, mapOf, named, textOf } from "./source-config.js";
import { isChartValue, namespaceOf } from "./source-kubernetes-charts.js";
import { customOf } from "./source-kubernetes-customs.js";
import {
  type KubernetesFrame,
  type KubernetesObject,
  pathOf,
  scopeOf,
  secretAt,
} from "./source-kubernetes-objects.js";
import { location, type Says } from "./source-says.js";
import { secretName } from "./source-values.js";

type Fields = Readonly<Record<string, unknown>>;

/** A Secret that is named. `key` is null for all of it, `namespace` where the object's own is meant. */
interface Reference {
  readonly name: string;
  readonly key: string | null;
  readonly namespace: string | null;
  /** Why it is only taken for one; left out where the field or its shape says so. */
  readonly doubt?: string;
}

/** Where a field stands. */
interface Field {
  readonly name: string;
  /** The map that it is in. */
  readonly beside: Fields;
  readonly group: string;
  /** True for the name of a Secret that somebody else names as well. */
  readonly isKnown: (name: string, namespace: string | null) => boolean;
}

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
  const own = namespaceOf(path, object);
  const isKnown = (name: string, namespace: string | null) =>
    frame.rights.secrets.has(`${namespace ?? own}/${name}`);
  for (const [field, item] of Object.entries(value)) {
    const at = { name: field, beside: value, group: object.group, isKnown };
    for (const { name, key, namespace, doubt } of referencesIn(item, at)) {
      if (name.includes("{{")) continue;
      const where = `${path === "" ? "" : `${path}.`}${field} of ${pathOf(object)}`;
      if (isChartValue(`${path}.${field}`, object)) {
        says.gaps.push(
          `${where} names a Secret to a chart that was not rendered: who uses it, and in which namespace, is not in what was read.`,
        );
        continue;
      }
      const home = namespace ?? own;
      if (home === "") {
        says.gaps.push(`${where} names a Secret in a namespace that it does not say.`);
        continue;
      }
      const secret = secretAt(frame, says, home, name, key);
      if (isWritten.test(field)) {
        const from = location(scopeOf(frame), pathOf(object));
        says.declared(secret, "depends-on", from, `${where} has it written`);
      } else if (doubt === undefined) says.declared(reader, "uses", secret, `${where} names it`);
      else says.claim(reader, "uses", secret, "potential", `${where} ${doubt}`);
    }
  }
}

/** `writeConnectionSecretToRef` of Crossplane: the operator keeps there what it made. */
const isWritten = /^write\w*secretToRef$/i;

function referencesIn(item: unknown, field: Field): readonly Reference[] {
  if (isMap(item)) return ofMap(item, field);
  if (Array.isArray(item)) return item.flatMap((one) => ofEntry(one, field));
  const text = named(item);
  return text === null ? [] : ofText(text, field);
}

function ofMap(item: Fields, field: Field): readonly Reference[] {
  const { name, group, isKnown } = field;
  const { names, selectors } = customOf(group);
  const secret = named(item.name);
  const reference = { name: secret ?? "", key: named(item.key), namespace: named(item.namespace) };
  if (/secret(?:key|target|to)?(?:ref|reference|selector)s?$/i.test(name))
    return secret === null ? [] : [reference];
  if (secret === null) return [];
  // Of External Secrets it is a `type`.
  if (item.kind === "Secret" || item.type === "Secret")
    return isThing.test(name) ? [] : [{ ...reference, key: keyOf(item) }];
  const isSelector = Object.keys(item).every((part) => selectorFields.has(part));
  if (/secret$/i.test(name)) return isSelector || isNaming(item) ? [reference] : [];
  if (!isSelector || elsewhere.test(name)) return [];
  // Objects with nothing but a name may be of any kind: the field has to say it, or somebody who knows the Secret.
  if (/(?:credentials?|secrets)(?:ref)?$/i.test(name)) return [reference];
  if (secretly.test(name) && isKnown(secret, reference.namespace)) return [reference];
  if (reference.key === null || !isName(secret)) return [];
  if (selectors || names?.test(name) || secretName(name) !== null || keys.test(name)) return [reference];
  return [{ ...reference, doubt: "has a name and a key, as an entry of a Secret would be named" }];
}

/** One of a list: as the list's field says, and what is in it besides is read by itself. */
function ofEntry(one: unknown, field: Field): readonly Reference[] {
  const text = named(one);
  if (text !== null) {
    if (!isName(text)) return [];
    const isNamed = /secret_?names$/i.test(field.name) || customOf(field.group).lists?.test(field.name);
    const isOne = isNamed || (secretly.test(field.name) && field.isKnown(text, null));
    return isOne ? [{ name: text, key: null, namespace: null }] : [];
  }
  return isMap(one) ? ofMap(one, field).filter(({ doubt }) => doubt === undefined) : [];
}

function ofText(text: string, { name, beside, group, isKnown }: Field): readonly Reference[] {
  if (/secretName$/i.test(name) || /existingSecret$/.test(name)) return byName(text, name, beside, group);
  if (!isName(text)) return [];
  // `tlsSecret: web-tls`, `secretRef: admin`. `clientSecret: ...` and the like may be the value itself, unless a Secret is called so.
  const isNamed =
    /(?:(?:tls|ca|cert|certificate)_?secret|secret_?ref)$/i.test(name) ||
    customOf(group).names?.test(name) ||
    (secretly.test(name) && isKnown(text, null));
  return isNamed ? [{ name: text, key: null, namespace: null }] : [];
}

/** Fields that hold a Secret's name where there is a Secret of that name. */
const secretly = /(?:secret|credential|tls|cert|certificate|auth|password|token|keystore|truststore)s?$/i;
/** Fields beside `...Secret` and the words of `secretName` in which a selector is one of a Secret's entry. */
const keys = /(?:tls|ssl|ca|cert|certificate|key|user|username|auth|dsn|uri|keystore|truststore|clientid)$/i;
/** Fields that hold selectors of something else. */
const elsewhere = /config-?map|label|annotation|header|field|taint|toleration|topology|metric|tag|param/i;
/** Fields that speak of an object and do not read it. */
const isThing =
  /^(?:targets?|targetRefs?|healthChecks|ignoreDifferences|resources?|generate|objectRefs?|involvedObject|match|regarding|related)$/i;

/** `secret: { name: orders-db, create: false }`, and no pair of a name and a value, nor the description of a Secret. */
function isNaming(item: Fields): boolean {
  const parts = Object.entries(item);
  return !("value" in item) && parts.every(([, part]) => textOf(part) !== null) && isName(item.name);
}

/** The entry of a `{ kind: Secret, name }`: of Flux by `valuesKey`. */
function keyOf(item: Fields): string | null {
  return named(item.key) ?? named(item.valuesKey);
}

/** `secretName`, with what stands beside it: `key`, the `items` of a volume, what a group has of its own, and `secretNamespace`. */
function byName(name: string, field: string, beside: Fields, group: string): readonly Reference[] {
  const keys = [
    ...(customOf(group).entries ?? ["key"]).flatMap((entry) => named(beside[entry]) ?? []),
    ...listOf(beside.items).flatMap((entry) => named(mapOf(entry).key) ?? []),
  ];
  const namespace = /Name$/.test(field) ? named(beside[field.replace(/Name$/, "Namespace")]) : null;
  return (keys.length === 0 ? [null] : keys).map((key) => ({ name, key, namespace }));
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
