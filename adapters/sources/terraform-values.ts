/** The values of a state or a plan: which attributes of which resources hold secrets, and from which store a resource reads them. */
import {
  isMap,
  jsonDocument,
  listOf,
  mapOf,
  named,
  settingsIn,
  textOf,
  yamlDocuments,
} from "../shared/source-config.js";
import { metInText } from "../shared/source-held.js";
import { location, type Says } from "../shared/source-says.js";
import { type Met, valuesIn, valuesOfSecret } from "../shared/source-values.js";
import {
  attributeAt,
  generalOf,
  modeOf,
  pointedAt,
  resourceReader,
  saysStored,
  type TerraformFrame,
} from "./terraform-stores.js";
import {
  holdsSecret,
  isGiven,
  keysIn,
  namesSecret,
  pointersIn,
  withoutWriteOnly,
} from "./terraform-types.js";

type Body = Readonly<Record<string, unknown>>;

const depthMax = 30;

/** Resources of a module and of those below it, and outputs. */
export function saysValues(values: Body, frame: TerraformFrame, says: Says): void {
  for (const [name, output] of Object.entries(mapOf(values.outputs))) {
    const { sensitive, value } = mapOf(output);
    saysAttributes(
      { address: `output.${name}`, type: "", attributes: { [name]: value }, sensitive: sensitive === true },
      frame,
      says,
    );
  }
  saysModule(mapOf(values.root_module), 0, frame, says);
}

/** Values of a plan's own variables, which a plan keeps in clear; `declared` is what its configuration says of them. */
export function saysVariables(variables: unknown, declared: Body, frame: TerraformFrame, says: Says): void {
  for (const [name, variable] of Object.entries(mapOf(variables))) {
    const sensitive = mapOf(declared[name]).sensitive === true;
    const attributes = { [name]: mapOf(variable).value };
    saysAttributes({ address: `var.${name}`, type: "", attributes, sensitive }, frame, says);
  }
}

function saysModule(module: Body, depth: number, frame: TerraformFrame, says: Says): void {
  if (depth > depthMax) return;
  for (const resource of listOf(module.resources).map(mapOf)) {
    const address = named(resource.address);
    const type = named(resource.type) ?? "";
    if (address === null) continue;
    const attributes = mapOf(resource.values);
    frame.known.set(generalOf(address), { type, attributes });
    saysAttributes({ address, type, attributes, sensitive: resource.sensitive_values }, frame, says);
    const keys = keysIn(type, attributes, (path) => textAt(attributes, path));
    saysStored({ address, type, mode: modeOf(resource.mode), keys }, Object.keys(attributes), frame, says);
  }
  for (const child of listOf(module.child_modules).map(mapOf)) saysModule(child, depth + 1, frame, says);
}

/** An attribute's text, by its path; null where there is none. */
export function textAt(attributes: unknown, path: string): string | null {
  let value = attributes;
  for (const part of path.split(".")) value = Array.isArray(value) ? value[Number(part)] : mapOf(value)[part];
  return textOf(value);
}

interface Attributes {
  readonly address: string;
  readonly type: string;
  readonly attributes: unknown;
  /** `true` for all of it, or the same shape with `true` at what is sensitive. */
  readonly sensitive: unknown;
}

function saysAttributes(
  { address, type, attributes, sensitive }: Attributes,
  frame: TerraformFrame,
  says: Says,
): void {
  const isResource = type !== "";
  const general = generalOf(address);
  const namespace = namespaceOf(attributes);
  for (const leaf of leaves(attributes, sensitive, "", "", 0)) {
    const inside = within(leaf);
    // A document's values are told at their own paths, and the whole of it where all of it is a secret.
    const isDocument = inside.length > 0 && !leaf.isSensitive && !holdsSecret(type, leaf.path);
    for (const { path, name, text, isSensitive, beside } of isDocument ? inside : [leaf, ...inside]) {
      if (isResource) {
        for (const pointer of pointersIn({ type, path, text, isSensitive, beside, namespace }))
          for (const remote of pointedAt(frame, says, pointer))
            says.declared(
              resourceReader(frame, general),
              "uses",
              remote,
              `${path} of ${address} in ${frame.path} names ${pointer.key}`,
            );
      }
      const met = metAt(type, { path, name, text, isSensitive });
      const [first] = met;
      if (first === undefined) continue;
      const at = attributeAt(frame, address, path);
      const where = `${path} of ${address} in ${frame.path}`;
      says.declared(at, "stored-in", location(frame.files, frame.path), `${where} holds ${first.as}`);
      if (general !== address) {
        says.declared(at, "stored-in", attributeAt(frame, general, path), `${address} is one of ${general}`);
      }
      if (isResource && isGiven(type, path))
        says.declared(resourceReader(frame, general), "uses", at, `${where} holds ${first.as}`);
      // A state is a file in clear: what stands in it stands outside of every store.
      says.copy(at, met, true, where);
    }
  }
}

function metAt(type: string, { path, name, text, isSensitive }: Omit<Leaf, "beside">): readonly Met[] {
  const plain = withoutWriteOnly(name);
  if (isSensitive || holdsSecret(type, path)) return valuesOfSecret(plain, text);
  if (namesSecret(type, path)) return [];
  const met = valuesIn(plain, text);
  // A script, or a file of settings.
  return met.length > 0 || !text.trim().includes("\n") ? met : metInText("", text);
}

/** In which namespace of a cluster a resource is. */
function namespaceOf(attributes: unknown): string {
  const paths = ["metadata.0.namespace", "manifest.metadata.namespace", "namespace", "override_namespace"];
  return paths.flatMap((path) => textAt(attributes, path) ?? [])[0] ?? "default";
}

interface Leaf {
  readonly path: string;
  readonly name: string;
  readonly text: string;
  readonly isSensitive: boolean;
  /** The map in which it stands. */
  readonly beside: Body;
}

/** What stands in a text that is a document of its own: JSON anywhere, YAML where a provider takes a manifest or a chart's values. */
function within({ path, name, text, isSensitive }: Leaf): Leaf[] {
  const isYaml = /(?:^|\.)(?:yaml_body|values\.[0-9]+)$/.test(path);
  if (!isYaml && !/^\s*[[{]/.test(text)) return [];
  const parsed = isYaml ? yamlDocuments(text) : [jsonDocument(text)];
  return parsed.flatMap((one) =>
    "value" in one && typeof one.value === "object"
      ? [...settingsIn(one.value, path, name)].map((setting) => ({ ...setting, isSensitive, beside: {} }))
      : [],
  );
}

function* leaves(
  value: unknown,
  sensitive: unknown,
  path: string,
  name: string,
  depth: number,
  beside: Body = {},
): Generator<Leaf> {
  if (depth > depthMax) return;
  const below = (key: string) => (path === "" ? key : `${path}.${key}`);
  const sensitiveAt = (key: string | number) =>
    sensitive === true ||
    (Array.isArray(sensitive) ? sensitive[Number(key)] : isMap(sensitive) ? sensitive[key] : false);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      yield* leaves(item, sensitiveAt(index), below(String(index)), name, depth + 1, beside);
  } else if (isMap(value)) {
    // An entry `{name: X, value: Y}` is the setting X, as of a container.
    const called = "value" in value ? named(value.name) : null;
    for (const [key, item] of Object.entries(value))
      yield* leaves(
        item,
        sensitiveAt(key),
        below(key),
        key === "value" ? (called ?? key) : key,
        depth + 1,
        value,
      );
  } else {
    const text = textOf(value);
    if (text !== null) yield { path, name, text, isSensitive: sensitive === true, beside };
  }
}
