/**
 * Secrets that an injector of Vault or OpenBao puts into pods, and what an Ingress asks for by its annotations: no field of the
 * objects names them, so whoever reads fields alone does not see their readers.
 */
import type { ReaderThing } from "../../domain/discovery/said.js";
import { mapOf, named } from "./source-config.js";
import {
  type KubernetesFrame,
  type KubernetesObject,
  pathOf,
  readerOf,
  secretAt,
  type TemplateReads,
} from "./source-kubernetes-objects.js";
import { templateReads } from "./source-kubernetes-templates.js";
import { remotesAt, wholePath } from "./source-kubernetes-vault.js";
import type { Says } from "./source-says.js";

/** Under which names `stores` says what is behind the injectors. */
const injector = "AgentInjector";
const bankVaults = "BankVaults";

/** `vault.hashicorp.com/agent-inject-secret-FILE: secret/data/orders/db`; both vendors document theirs under "annotations". */
const agents = /^(?:vault\.hashicorp\.com|openbao\.openbao\.org)\/(.+)$/;
/** Of the webhook of Bank-Vaults, by its name of before and the one of now. */
const webhook = /^(?:vault\.security\.banzaicloud\.io|secrets-webhook\.security\.bank-vaults\.io)\/(.+)$/;

/** Where it is said, and of whom. */
interface Said {
  readonly object: KubernetesObject;
  readonly frame: KubernetesFrame;
  readonly says: Says;
}

/** What the annotations of a pod, or of the template of one, have injected. `path`: where they stand in the object. */
export function saysInjected(metadata: unknown, path: string, reader: ReaderThing, said: Said): void {
  const { object } = said;
  for (const [name, value] of Object.entries(mapOf(mapOf(metadata).annotations))) {
    const text = named(value);
    if (text === null) continue;
    const where = `${path}.annotations.${name} of ${pathOf(object)}`;
    const [, agent = ""] = agents.exec(name) ?? [];
    const [, hook = ""] = webhook.exec(name) ?? [];
    if (agent.startsWith("agent-inject-secret-")) saysRead(injector, [text], where, reader, said);
    else if (agent.startsWith("agent-inject-template-file-"))
      said.says.gaps.push(
        `${where} renders a template that stands in a container: what that reads is not in what was read.`,
      );
    else if (agent.startsWith("agent-inject-template"))
      saysTemplates(injector, templateReads(text), where, reader, said);
    else if (agent === "agent-configmap") saysConfigMap(injector, text, where, reader, said);
    else if (agent === "agent-extra-secret" || agent === "tls-secret") {
      const secret = secretAt(said.frame, said.says, object.namespace, text);
      said.says.declared(reader, "uses", secret, `${where} names it`);
    } else if (hook === "vault-env-from-path")
      saysRead(
        bankVaults,
        text.split(",").map((one) => one.trim()),
        where,
        reader,
        said,
      );
    else if (hook === "vault-ct-configmap") saysConfigMap(bankVaults, text, where, reader, said);
  }
}

function saysRead(
  store: string,
  paths: readonly string[],
  where: string,
  reader: ReaderThing,
  { frame, says }: Said,
): void {
  for (const path of paths) {
    for (const remote of remotesAt(frame, says, store, path, wholePath(path)))
      says.declared(reader, "uses", remote, `${where} has it injected`);
  }
}

function saysTemplates(
  store: string,
  { paths, isMore }: TemplateReads,
  where: string,
  reader: ReaderThing,
  said: Said,
): void {
  saysRead(store, paths, where, reader, said);
  if (isMore)
    said.says.gaps.push(
      `${where} renders a template that puts a path together, or reads all of a folder: what that is was not in what was read.`,
    );
}

function saysConfigMap(store: string, name: string, where: string, reader: ReaderThing, said: Said): void {
  const { object, frame, says } = said;
  const reads = frame.templates.get(`${object.namespace}/${name}`);
  if (reads !== undefined) saysTemplates(store, reads, where, reader, said);
  else
    says.gaps.push(
      `${where} names the ConfigMap ${object.namespace}/${name} for its templates, which was not read: what they read is not known.`,
    );
}

/** `vault:secret/data/orders/db#password` as a whole, with `>>` before it where Vault is written to for it; or inside of a text as `${vault:...}`. */
const whole = /^(?:>>)?vault:([^#\s{}$]+)#/;
const inside = /\$\{(?:>>)?vault:([^#\s{}$]+)#[^}]{0,500}\}/g;

/** Paths that the webhook of Bank-Vaults puts the values of into a text. Source: its manual, "Configuration examples and scenarios". */
export function vaultPathsIn(text: string): readonly string[] {
  const trimmed = text.trim();
  const [, only] = whole.exec(trimmed) ?? [];
  const paths = only === undefined ? [...trimmed.matchAll(inside)].map(([, path = ""]) => path) : [only];
  return [...new Set(paths)];
}

/** Where the values of such a text come from. */
export function vaultValuesAt(text: string, frame: KubernetesFrame, says: Says) {
  return vaultPathsIn(text).flatMap((path) => remotesAt(frame, says, bankVaults, path, wholePath(path)));
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
