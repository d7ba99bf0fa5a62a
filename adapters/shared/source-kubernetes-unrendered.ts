/**
 * Files that something has to render before they are manifests: a kustomization, a chart of Helm, its templates. What a kustomization
 * makes of literals and files is read as the Secret that it would be; whatever only rendering shows is said to be missing.
 */
import { posix } from "node:path";
import { isMap, listOf, mapOf, named, textOf } from "./source-config.js";
import type { ReadBeside } from "./source-files.js";
import { type KubernetesObject, objectsOf } from "./source-kubernetes-objects.js";
import { told } from "./source-says.js";

/** What a file that was not rendered says: objects that it would make, and what is missing in them. */
export interface Unrendered {
  readonly objects: readonly KubernetesObject[];
  readonly gaps: readonly string[];
}

/** Names of files that are read, besides those of manifests. */
export const kustomizationName = /(?:^|\/)(?:kustomization\.ya?ml|Kustomization)$/;

/** Settings of a kustomization that change nothing in which Secret is used by whom, or are followed here. */
const followed = new Set(
  "apiVersion kind metadata resources bases components crds labels commonLabels commonAnnotations images replicas sortOptions buildMetadata openapi validators configurations generatorOptions secretGenerator configMapGenerator".split(
    " ",
  ),
);

/** True for a document that Kustomize builds; Flux has a kind of that name which is an object of the cluster. */
export function isKustomization(path: string, value: unknown): value is Record<string, unknown> {
  if (!isMap(value)) return false;
  const version = textOf(value.apiVersion);
  return version === null ? kustomizationName.test(path) : version.startsWith("kustomize.config.k8s.io/");
}

/** What one kustomization makes by itself. Its resources are files of the folder, and read where they stand. */
export async function kustomized(
  path: string,
  value: Readonly<Record<string, unknown>>,
  namespace: string,
  beside: ReadBeside,
): Promise<Unrendered> {
  const folder = posix.dirname(path);
  const missing = Object.entries(value).flatMap(([name, set]) => {
    const isSaid = !followed.has(name) && /^[A-Za-z0-9]{1,40}$/.test(name) && !isEmpty(set);
    return isSaid && !(name === "namespace" && set === namespace) ? [name] : [];
  });
  const away: string[] = [];
  for (const list of ["resources", "bases", "components"]) {
    for (const entry of listOf(value[list])) {
      const name = named(entry);
      if (name !== null && !(await isRead(posix.join(folder, name), beside))) away.push(told(name));
    }
  }
  if (away.length > 0) missing.push(`what it takes from ${away.join(", ")}`);
  const objects: KubernetesObject[] = [];
  const gaps: string[] = [];
  let hashed = false;
  for (const [field, kind] of generators) {
    for (const entry of listOf(value[field]).map(mapOf)) {
      const name = named(entry.name);
      if (name === null) {
        gaps.push(`A ${field} of ${path} has no name; nothing of it was read.`);
        continue;
      }
      const options = { ...mapOf(value.generatorOptions), ...mapOf(entry.options) };
      hashed ||= textOf(options.disableNameSuffixHash) !== "true";
      const { entries, absent } = await entriesOf(entry, folder, beside);
      if (absent.length > 0)
        gaps.push(`The ${kind} ${name} of ${path} is made of what could not be read: ${absent.join(", ")}.`);
      const metadata = { name, namespace: named(entry.namespace) ?? named(value.namespace) ?? namespace };
      const body = { apiVersion: "v1", kind, metadata, type: entry.type };
      objects.push(
        ...objectsOf({ ...body, [kind === "Secret" ? "stringData" : "data"]: entries }, namespace),
      );
    }
  }
  if (hashed) missing.push("the hashes behind the names of what it generates");
  if (missing.length > 0)
    gaps.push(
      `${path} was not rendered, so this is not in what was read: ${missing.join("; ")}. Read what \`kustomize build ${folder}\` prints.`,
    );
  return { objects, gaps };
}

const generators = [
  ["secretGenerator", "Secret"],
  ["configMapGenerator", "ConfigMap"],
] as const;

function isEmpty(set: unknown): boolean {
  return set === null || set === "" || (typeof set === "object" && Object.keys(set).length === 0);
}

/** A folder, or a file of manifests, that is there: the source comes by. */
async function isRead(path: string, beside: ReadBeside): Promise<boolean> {
  const found = await beside(path);
  if (found === null || path.startsWith("..")) return false;
  return !("text" in found) || /\.(?:ya?ml|json)$/i.test(path);
}

/** Entries of what a generator makes, as Kustomize reads its settings: quotes around a literal are taken off, and those in a file stay. */
async function entriesOf(
  generator: Readonly<Record<string, unknown>>,
  folder: string,
  beside: ReadBeside,
): Promise<{ entries: Record<string, string>; absent: readonly string[] }> {
  const entries: Record<string, string> = {};
  const absent: string[] = [];
  const put = (line: string, clean = (value: string) => value) => {
    const at = line.indexOf("=");
    if (at > 0) entries[line.slice(0, at)] = clean(line.slice(at + 1));
  };
  const read = async (name: string): Promise<string> => {
    const path = posix.join(folder, name);
    const found = await beside(path);
    if (found !== null && "text" in found) return found.text;
    absent.push(`${told(name)} (${found === null ? "no file is there" : found.why})`);
    return "";
  };
  for (const literal of listOf(generator.literals).flatMap((item) => textOf(item) ?? []))
    put(literal, (value) => value.replace(/^["']+|["']+$/g, ""));
  for (const name of [...listOf(generator.envs), generator.env].flatMap((item) => named(item) ?? [])) {
    for (const line of (await read(name)).split("\n")) {
      if (!line.trimStart().startsWith("#")) put(line.trimStart());
    }
  }
  for (const item of listOf(generator.files).flatMap((file) => named(file) ?? [])) {
    const at = item.indexOf("=");
    const name = item.slice(at + 1);
    entries[at === -1 ? posix.basename(name) : item.slice(0, at)] = await read(name);
  }
  return { entries, absent };
}

/** What a chart's own file and objects with placeholders in their names say: that nobody rendered them. */
export async function unrenderedGaps(
  path: string,
  values: readonly unknown[],
  objects: readonly KubernetesObject[],
  beside: ReadBeside,
): Promise<readonly string[]> {
  const gaps: string[] = [];
  const isChart =
    posix.basename(path) === "Chart.yaml" && values.some((value) => isMap(value) && !value.kind);
  const folder = posix.dirname(path);
  if (isChart && !(await isSubchart(folder, beside)))
    gaps.push(
      `${path} is of a chart that was not rendered, so what it makes is not in what was read. Read what \`helm template\` prints, and leave the chart out by \`skip\`.`,
    );
  if (objects.some(({ name, namespace }) => `${name}${namespace}`.includes("{{")))
    gaps.push(
      `${path} is a template that was not rendered: names in it are none of the cluster's. Read what its program prints.`,
    );
  return gaps;
}

/** A chart in another one is rendered with it. */
async function isSubchart(folder: string, beside: ReadBeside): Promise<boolean> {
  const above = posix.dirname(folder);
  return posix.basename(above) === "charts" && (await beside(posix.join(above, "..", "Chart.yaml"))) !== null;
}
