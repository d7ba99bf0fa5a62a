/**
 * Values that an operator hands to a chart: maps, texts of YAML, and single ones by their path. What they name is named to the chart's
 * templates, which were not rendered where the operator's object stands.
 */
import { isMap, listOf, mapOf, named, yamlDocuments } from "./source-config.js";
import type { KubernetesObject } from "./source-kubernetes-objects.js";

/** Values of a chart as a map, where a field holds them in another form; null for every other field. */
export function chartValues(
  field: string,
  item: unknown,
  { group }: KubernetesObject,
): Readonly<Record<string, unknown>> | null {
  const text = named(item);
  const isText = group === "argoproj.io" ? field === "values" : field === "valuesContent";
  if (isText && text !== null && (group === "argoproj.io" || group === "helm.cattle.io")) {
    const [first] = yamlDocuments(text);
    return first !== undefined && "value" in first ? mapOf(first.value) : null;
  }
  if (group !== "argoproj.io" || field !== "parameters") return null;
  // `{ name: auth.existingSecret, value: orders-db }` is the last name with this value.
  const set = listOf(item)
    .map(mapOf)
    .flatMap(({ name, value }): [string, unknown][] => {
      const path = named(name);
      return path === null ? [] : [[path, value]];
    });
  return set.length === 0 ? null : Object.fromEntries(set);
}

/** True for a value that an Application of Argo CD hands to a chart: what comes of it stands in another namespace, and is none of its own. */
export function isChartValue(path: string, { group }: KubernetesObject): boolean {
  return group === "argoproj.io" && /\.(?:valuesObject|helm\.values|helm\.parameters)(?:\.|$)/.test(path);
}

/** Where the objects of a chart's release stand whose values are at this path; the object's own namespace for everything else. */
export function namespaceOf(path: string, { group, namespace, body }: KubernetesObject): string {
  const isReleased =
    (group === "helm.toolkit.fluxcd.io" && /^spec\.values(?:\.|$)/.test(path)) ||
    (group === "helm.cattle.io" && /^spec\.(?:valuesContent|set)(?:\.|$)/.test(path));
  const { targetNamespace } = isMap(body.spec) ? body.spec : {};
  return isReleased ? (named(targetNamespace) ?? namespace) : namespace;
}
