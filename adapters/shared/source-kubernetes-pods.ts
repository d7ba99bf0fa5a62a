/** What pods use, wherever their description stands: in a Pod, in the template of any workload, in one of an operator's own kinds. */
import type { ReaderThing } from "../../domain/discovery/said.js";
import { argumentsIn } from "./source-arguments.js";
import { isMap, listOf, mapOf, named, textOf } from "./source-config.js";
import { chartValues } from "./source-kubernetes-charts.js";
import { saysInjected, vaultValuesAt } from "./source-kubernetes-injected.js";
import {
  accountOf,
  configAt,
  type KubernetesFrame,
  type KubernetesObject,
  pathOf,
  readerOf,
  scopeOf,
  secretAt,
} from "./source-kubernetes-objects.js";
import { saysReferences } from "./source-kubernetes-references.js";
import { storageGroups } from "./source-kubernetes-storage.js";
import { location, type Says } from "./source-says.js";
import { valuesIn } from "./source-values.js";

const containerFields = ["containers", "initContainers", "ephemeralContainers"];
const podFields = new Set([...containerFields, "volumes", "imagePullSecrets"]);

/** Objects nest a pod's description four deep at most (CronJob); an operator's kinds a little more. */
const depthMax = 12;

interface Frame {
  readonly object: KubernetesObject;
  readonly frame: KubernetesFrame;
  readonly says: Says;
}

/** Every pod in the object, and references of an operator's kind to Secrets outside of pods. */
export function saysPods(object: KubernetesObject, frame: KubernetesFrame, says: Says): void {
  const whole = { object, frame, says };
  saysInjections(object.body, "", whole);
  walk(object.body.spec, "spec", 0, whole);
  // A core PodTemplate has no `spec`, and an operator's kind may have fields beside it.
  const { template } = object.body;
  if (object.group === "" && object.kind === "PodTemplate") walk(template, "template", 0, whole);
  if (!object.group.includes(".") || object.name === "" || storageGroups.has(object.group)) return;
  const others = Object.entries(object.body).filter(([field]) => !commonFields.has(field));
  saysReferences(Object.fromEntries(others), "", readerOf(object, frame), whole);
  for (const [field, item] of others) walk(item, field, 0, whole);
}

/** Of every object, and no settings of an operator's kind beside its `spec`; `data` is what somebody keeps in it. */
const commonFields = new Set(["apiVersion", "kind", "metadata", "spec", "status", "data"]);

function walk(value: unknown, path: string, depth: number, frame: Frame): void {
  if (depth > depthMax) return;
  if (Array.isArray(value)) {
    for (const item of value) walk(item, path, depth + 1, frame);
    return;
  }
  // Annotations have rules of their own.
  if (!isMap(value) || /(?:^|\.)metadata\.(?:annotations|labels)$/.test(path)) return;
  const isWithPod = isPod(value);
  const reader = isWithPod ? podReader(value, frame) : readerOf(frame.object, frame.frame);
  if (isWithPod) saysPod(value, path, reader, frame);
  saysInjections(value, `${path}.`, frame);
  // A kind of an operator has its own fields beside those of a pod.
  const others = Object.entries(value).filter(([key]) => !isWithPod || !podFields.has(key));
  saysReferences(Object.fromEntries(others), path, reader, frame);
  for (const [key, item] of others) {
    if (/env$/i.test(key)) saysVariables(item, `${path}.${key}`, reader, frame);
    walk(chartValues(key, item, frame.object) ?? item, `${path}.${key}`, depth + 1, frame);
  }
}

/** Variables that an operator's kind hands to the pods that it makes: a list as that of a container, and in none. */
function saysVariables(list: unknown, path: string, reader: ReaderThing, whole: Frame): void {
  for (const variable of listOf(list).map(mapOf)) {
    const name = textOf(variable.name) ?? "";
    const text = textOf(variable.value);
    if (text !== null) saysLiteral(name, text, `${path}.${name}`, reader, whole);
  }
}

/** A literal of an object stands in the object; `part` says where in it. */
function saysLiteral(
  name: string,
  text: string,
  part: string,
  reader: ReaderThing,
  { object, frame, says }: Frame,
  where = `${part} of ${pathOf(object)}`,
): void {
  for (const remote of vaultValuesAt(text, frame, says))
    says.declared(reader, "uses", remote, `${where} names what is put in its place`);
  const met = valuesIn(name, text);
  if (met.length === 0) return;
  const place = location(scopeOf(frame), `${pathOf(object)}#${part}`);
  says.copy(place, met, true, where);
  says.declared(reader, "uses", place, `${where} holds ${met[0]?.as}`);
}

/** A pod or the template of one has its annotations beside its description. */
function saysInjections(
  { metadata, spec }: Readonly<Record<string, unknown>>,
  path: string,
  frame: Frame,
): void {
  if (isMap(spec) && isPod(spec)) saysInjected(metadata, `${path}metadata`, podReader(spec, frame), frame);
}

/** A list of containers is what makes it one; other lists of that name have entries without a name or variables. */
function isPod({ containers }: Readonly<Record<string, unknown>>): boolean {
  return (
    Array.isArray(containers) &&
    containers.some(
      (item) =>
        isMap(item) && (named(item.name) !== null || Array.isArray(item.env) || Array.isArray(item.envFrom)),
    )
  );
}

function podReader(pod: Readonly<Record<string, unknown>>, { object, frame }: Frame): ReaderThing {
  const account = named(pod.serviceAccountName) ?? named(pod.serviceAccount) ?? "default";
  return readerOf(object, frame, accountOf(frame, object.namespace, account));
}

function saysPod(
  pod: Readonly<Record<string, unknown>>,
  path: string,
  reader: ReaderThing,
  { object, frame, says }: Frame,
): void {
  const { namespace } = object;
  const at = (where: string) => `${path}.${where} of ${pathOf(object)}`;
  const uses = (name: unknown, key: unknown, where: string) => {
    const secret = named(name);
    if (secret === null) return;
    says.declared(
      reader,
      "uses",
      secretAt(frame, says, namespace, secret, named(key)),
      `${at(where)} names it`,
    );
  };
  for (const entry of listOf(pod.imagePullSecrets)) uses(mapOf(entry).name, null, "imagePullSecrets");
  for (const field of containerFields) {
    for (const container of listOf(pod[field]).map(mapOf)) {
      saysContainer(container, `${field}.${textOf(container.name) ?? ""}`, reader, uses, at, {
        object,
        frame,
        says,
      });
    }
  }
  for (const volume of listOf(pod.volumes).map(mapOf)) {
    saysVolume(volume, `volumes.${textOf(volume.name) ?? ""}`, reader, uses, at, { object, frame, says });
  }
}

type Uses = (name: unknown, key: unknown, where: string) => void;
type At = (where: string) => string;

function saysContainer(
  container: Readonly<Record<string, unknown>>,
  where: string,
  reader: ReaderThing,
  uses: Uses,
  at: At,
  { object, frame, says }: Frame,
): void {
  for (const variable of listOf(container.env).map(mapOf)) {
    const name = textOf(variable.name) ?? "";
    const from = mapOf(variable.valueFrom);
    const { name: secret, key } = mapOf(from.secretKeyRef);
    uses(secret, key, `${where}.env.${name}`);
    const config = mapOf(from.configMapKeyRef);
    usesConfig(config.name, config.key, `${where}.env.${name}`);
    const literal = textOf(variable.value);
    if (literal !== null) holds(name, literal, `${where}.env.${name}`);
  }
  for (const source of listOf(container.envFrom).map(mapOf)) {
    uses(mapOf(source.secretRef).name, null, `${where}.envFrom`);
    usesConfig(mapOf(source.configMapRef).name, null, `${where}.envFrom`);
  }
  for (const field of ["command", "args"]) {
    const words = listOf(container[field]).map((word) => textOf(word) ?? "");
    for (const { name, text } of argumentsIn(words))
      holds(name ?? field, text, `${where}.${field}${name === null ? "" : `.${name}`}`);
  }

  function usesConfig(config: unknown, key: unknown, part: string): void {
    saysConfig(reader, config, key, at(part), { object, frame, says });
  }
  function holds(name: string, text: string, part: string): void {
    saysLiteral(name, text, part, reader, { object, frame, says }, at(part));
  }
}

function saysVolume(
  volume: Readonly<Record<string, unknown>>,
  where: string,
  reader: ReaderThing,
  uses: Uses,
  at: At,
  { object, frame, says }: Frame,
): void {
  const saysKeys = (name: unknown, items: unknown, part: string) => {
    const keys = listOf(items).flatMap((item) => named(mapOf(item).key) ?? []);
    if (keys.length === 0) uses(name, null, part);
    for (const key of keys) uses(name, key, part);
  };
  const secret = mapOf(volume.secret);
  saysKeys(secret.secretName, secret.items, where);
  saysConfig(reader, mapOf(volume.configMap).name, null, at(where), { object, frame, says });
  for (const source of listOf(mapOf(volume.projected).sources).map(mapOf)) {
    const projected = mapOf(source.secret);
    saysKeys(projected.name, projected.items, `${where}.projected`);
    saysConfig(reader, mapOf(source.configMap).name, null, at(where), { object, frame, says });
  }
  const csi = mapOf(volume.csi);
  uses(mapOf(csi.nodePublishSecretRef).name, null, `${where}.csi`);
  const provider = named(mapOf(csi.volumeAttributes).secretProviderClass);
  if (provider !== null) {
    const place = location(
      `kubernetes ${frame.cluster}`,
      `${object.namespace}/SecretProviderClass/${provider}`,
    );
    says.declared(reader, "uses", place, `${at(`${where}.csi`)} names it`);
  }
  const attributes = mapOf(csi.volumeAttributes);
  const collection = named(attributes.csiSecretsName);
  if (collection !== null) {
    const namespace = named(attributes.csiSecretsNamespace) ?? object.namespace;
    const place = location(scopeOf(frame), `${namespace}/CSISecrets/${collection}`);
    says.declared(reader, "uses", place, `${at(`${where}.csi`)} names it`);
  }
  // Of the storage systems: `cephfs.secretRef`, `azureFile.secretName`, `iscsi.secretRef` and their like.
  for (const [kind, body] of Object.entries(volume)) {
    if (kind === "secret" || kind === "csi" || !isMap(body)) continue;
    uses(mapOf(body.secretRef).name, null, `${where}.${kind}`);
    uses(body.secretName, null, `${where}.${kind}`);
  }
}

/** A ConfigMap is only worth a line where a value stands in it; `key` is null for all of its entries. */
function saysConfig(
  reader: ReaderThing,
  config: unknown,
  key: unknown,
  where: string,
  { object, frame, says }: Frame,
): void {
  const { namespace } = object;
  for (const entry of frame.literals.get(`${namespace}/${textOf(config)}`) ?? []) {
    if (key !== null && key !== entry) continue;
    says.declared(reader, "uses", configAt(frame, namespace, String(config), entry), `${where} names it`);
  }
}
