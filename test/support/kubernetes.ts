/** A live cluster as a test asks it: objects are put into namespaces of a test's own and taken away again. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import type { Secret } from "../../domain/secret.js";

/** Where the API is, and how a test asks it. */
export interface Cluster {
  readonly url: string;
  readonly caFile: string;
  readonly token: Secret;
}

/** An object as YAML has it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** Kinds of these tests by how their paths are called; the others add an `s`. */
const plurals: Readonly<Record<string, string>> = {
  Ingress: "ingresses",
  SecretProviderClass: "secretproviderclasses",
  StorageClass: "storageclasses",
};

/** A connection each is most of what a question costs. */
const agent = new Agent({ keepAlive: true });
const askedAtOnce = 8;

/** A name that nobody had before. */
export function freshName(prefix: string): string {
  return `${prefix}-${randomBytes(5).toString("hex")}`;
}

/** The documents of a YAML text. */
export function manifestsOf(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

/** Asks the API as its administrator, or by another token. */
export async function asked(
  { url, caFile, token }: Cluster,
  method: string,
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const text = body === undefined ? "" : JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${token.reveal()}`,
    "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
    "content-length": Buffer.byteLength(text),
  };
  return new Promise((resolve, reject) => {
    const options = { method, headers, ca: readFileSync(caFile), agent } as const;
    const question = request(new URL(path, url), options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          body: jsonOf(Buffer.concat(chunks).toString("utf8")),
        }),
      );
    });
    question.on("error", reject);
    question.end(text);
  });
}

/** The answer; none where the server says in plain text that it has no such path yet. */
function jsonOf(text: string): Record<string, unknown> {
  return text.startsWith("{") ? JSON.parse(text) : {};
}

/** Where an object of a kind stands, or with an empty name, where its kind does. */
function pathOf({ apiVersion, kind, metadata: { namespace } }: Manifest, name = ""): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const inside = namespace === undefined ? "" : `/namespaces/${namespace}`;
  const plural = plurals[kind] ?? `${kind.toLowerCase()}s`;
  return `${root}${inside}/${plural}${name === "" ? "" : `/${name}`}`;
}

/** What others have to find when they are made: namespaces before all, accounts before pods. */
const ranks = ["Namespace", "ServiceAccount"];

/** Makes the objects, some at once, and gives them back as the server has them, in their order. */
export async function applied(
  cluster: Cluster,
  manifests: readonly Manifest[],
): Promise<Record<string, unknown>[]> {
  const made: Record<string, unknown>[] = [];
  const left = [...manifests.entries()];
  const make = async (index: number, manifest: Manifest) => {
    const { status, body } = await asked(cluster, "POST", pathOf(manifest), manifest);
    if (status !== 201)
      throw new Error(`${manifest.kind} was answered with ${status}: ${String(body.message)}`);
    made[index] = body;
  };
  for (const rank of [...ranks, ""]) {
    const now = left.filter(([, { kind }]) => (ranks.includes(kind) ? kind : "") === rank);
    for (let at = 0; at < now.length; at += askedAtOnce)
      await Promise.all(now.slice(at, at + askedAtOnce).map(([index, manifest]) => make(index, manifest)));
  }
  return made;
}

/** Takes an object away at once. */
export async function removed(cluster: Cluster, manifest: Manifest): Promise<void> {
  const options = { gracePeriodSeconds: 0, propagationPolicy: "Background" };
  const { status } = await asked(cluster, "DELETE", pathOf(manifest, manifest.metadata.name), options);
  if (status !== 200) throw new Error(`deleting ${manifest.metadata.name} was answered with ${status}`);
}

/** Changes an object by a merge patch; `part` is one of its subresources, such as `status`. */
export async function patched(cluster: Cluster, manifest: Manifest, patch: object, part = ""): Promise<void> {
  const path = `${pathOf(manifest, manifest.metadata.name)}${part === "" ? "" : `/${part}`}`;
  const { status } = await asked(cluster, "PATCH", path, patch);
  if (status !== 200) throw new Error(`changing ${manifest.metadata.name} was answered with ${status}`);
}

/** A new namespace with the service account that pods have by themselves. */
export async function newNamespace(cluster: Cluster, prefix = "shop"): Promise<string> {
  const namespace = freshName(prefix);
  await applied(cluster, [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace } },
  ]);
  return namespace;
}

/** Makes a kind that an operator would bring, as far as its objects are kept as they are written, and waits until the server says that it has it. */
async function defined(
  cluster: Cluster,
  group: string,
  versions: readonly string[],
  kind: string,
  scope: "Namespaced" | "Cluster" = "Namespaced",
): Promise<void> {
  const plural = plurals[kind] ?? `${kind.toLowerCase()}s`;
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  const { status, body } = await asked(
    cluster,
    "POST",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    {
      metadata: { name: `${plural}.${group}` },
      spec: {
        ...{ group, scope, names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` } },
        versions: versions.map((name, index) => ({ name, served: true, storage: index === 0, schema })),
      },
    },
  );
  if (status !== 201) throw new Error(`the kind was answered with ${status}: ${String(body.message)}`);
  for (const version of versions) while (!(await isServed(cluster, group, version, plural))) await sleep(50);
}

/** True when all three places that tell of a kind do: its objects, its version's kinds, and last the list of all groups. */
async function isServed(cluster: Cluster, group: string, version: string, plural: string): Promise<boolean> {
  const path = `/apis/${group}/${version}`;
  const listed = await asked(cluster, "GET", `${path}/${plural}?limit=1`);
  const kinds = (await asked(cluster, "GET", path)).body as { resources?: { name: string }[] };
  const groups = (await asked(cluster, "GET", "/apis")).body as {
    groups?: { name: string; versions: { version: string }[] }[];
  };
  return (
    listed.status === 200 &&
    kinds.resources?.some(({ name }) => name === plural) === true &&
    groups.groups?.some(
      ({ name, versions }) => name === group && versions.some((one) => one.version === version),
    ) === true
  );
}

/** Kinds of operators that these tests speak of; whoever starts the server makes them, so that no scan meets one that is just being made. */
export async function operatorsKinds(cluster: Cluster): Promise<void> {
  // Two of one group: one in several versions, the other in none that the group prefers.
  await defined(cluster, "external-secrets.io", ["v1", "v1beta1"], "ExternalSecret");
  await defined(cluster, "external-secrets.io", ["v1alpha1"], "PushSecret");
  await defined(cluster, "secrets-store.csi.x-k8s.io", ["v1"], "SecretProviderClass");
  await defined(cluster, "external-secrets.io", ["v1"], "SecretStore");
  await defined(cluster, "secrets.hashicorp.com", ["v1beta1"], "VaultStaticSecret");
  await defined(cluster, "secrets.hashicorp.com", ["v1beta1"], "VaultPKISecret");
  await defined(cluster, "keda.sh", ["v1alpha1"], "TriggerAuthentication");
  await defined(cluster, "db.example.com", ["v1"], "Cluster");
}
