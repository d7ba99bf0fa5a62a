/** The values of a state or a plan: which attributes of which resources hold secrets, and from which store a resource reads them. */
import type { LocationThing, Thing } from "../../domain/discovery/said.js";
import { isMap, listOf, mapOf, named, textOf } from "../shared/source-config.js";
import { location, type Says } from "../shared/source-says.js";
import type { StoreMap } from "../shared/source-stores.js";
import { secretName, valuesIn, valuesOfSecret } from "../shared/source-values.js";

/** A file and what it is called on the map. */
export interface TerraformFrame {
  readonly path: string;
  readonly name: string;
  /** In what its files are. */
  readonly files: string;
  readonly places: StoreMap;
}

type Body = Readonly<Record<string, unknown>>;

const depthMax = 30;

/** Types that stand for a secret of a store, and the attributes that say which; `data.` is what is only read. */
const storeTypes: Readonly<Record<string, readonly string[]>> = {
  aws_secretsmanager_secret_version: ["secret_id"],
  aws_ssm_parameter: ["name"],
  azurerm_key_vault_secret: ["key_vault_id", "name"],
  google_secret_manager_secret_version: ["secret"],
  vault_generic_secret: ["path"],
  vault_kv_secret: ["path"],
  vault_kv_secret_v2: ["mount", "name"],
};

/** Attributes by which providers give out what they hold, whatever they are called. */
const valueAttributes = new Set([
  "secret_string",
  "secret_data",
  "data_json",
  "value",
  "result",
  "plaintext",
]);

/** Attributes of random resources and of stores hold a secret even where no name says so. */
const secretTypes =
  /^(?:random_password|tls_private_key|aws_iam_access_key|.*_secret(?:_version|_v2)?|aws_ssm_parameter|vault_generic_secret)$/;

/** An attribute of a resource, by its address without the numbers of instances where `address` is without. */
export function attributeAt({ name }: TerraformFrame, address: string, attribute: string): LocationThing {
  return location(`terraform ${name}`, `${address}#${attribute}`);
}

/** True for an attribute of a type that holds a secret by what both are called. */
export function holdsSecret(type: string, attribute: string): boolean {
  const last = attribute.split(".").at(-1) ?? attribute;
  return secretName(last) !== null || (secretTypes.test(type) && valueAttributes.has(last));
}

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

function saysModule(module: Body, depth: number, frame: TerraformFrame, says: Says): void {
  if (depth > depthMax) return;
  for (const resource of listOf(module.resources).map(mapOf)) {
    const address = named(resource.address);
    const type = named(resource.type) ?? "";
    if (address === null) continue;
    const attributes = mapOf(resource.values);
    saysAttributes({ address, type, attributes, sensitive: resource.sensitive_values }, frame, says);
    saysStore(address, type, resource.mode === "data", attributes, frame, says);
  }
  for (const child of listOf(module.child_modules).map(mapOf)) saysModule(child, depth + 1, frame, says);
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
  for (const { path, name, text, isSensitive } of leaves(attributes, sensitive, "", "", 0)) {
    const met = isSensitive || holdsSecret(type, path) ? valuesOfSecret(name, text) : valuesIn(name, text);
    const [first] = met;
    if (first === undefined) continue;
    const at = attributeAt(frame, address, path);
    const where = `${path} of ${address} in ${frame.path}`;
    says.declared(at, "stored-in", location(frame.files, frame.path), `${where} holds ${first.as}`);
    const general = address.replace(/\[[^\]]*\]/g, "");
    if (general !== address) {
      says.declared(at, "stored-in", attributeAt(frame, general, path), `${address} is one of ${general}`);
    }
    // A state is a file in clear: what stands in it stands outside of every store.
    says.copy(at, met, true, where);
  }
}

interface Leaf {
  readonly path: string;
  readonly name: string;
  readonly text: string;
  readonly isSensitive: boolean;
}

function* leaves(
  value: unknown,
  sensitive: unknown,
  path: string,
  name: string,
  depth: number,
): Generator<Leaf> {
  if (depth > depthMax) return;
  const below = (key: string) => (path === "" ? key : `${path}.${key}`);
  const sensitiveAt = (key: string | number) =>
    sensitive === true ||
    (Array.isArray(sensitive) ? sensitive[Number(key)] : isMap(sensitive) ? sensitive[key] : false);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      yield* leaves(item, sensitiveAt(index), below(String(index)), name, depth + 1);
  } else if (isMap(value)) {
    for (const [key, item] of Object.entries(value))
      yield* leaves(item, sensitiveAt(key), below(key), key, depth + 1);
  } else {
    const text = textOf(value);
    if (text !== null) yield { path, name, text, isSensitive: sensitive === true };
  }
}

/** A resource of a store: what it holds is there, and what it only reads comes from there. */
function saysStore(
  address: string,
  type: string,
  isRead: boolean,
  attributes: Body,
  frame: TerraformFrame,
  says: Says,
): void {
  const names = storeTypes[type];
  if (names === undefined) return;
  const key = names.map((name) => textOf(attributes[name]) ?? "").join("/");
  if (key.replaceAll("/", "") === "") return;
  // A state has whole ARNs, so what comes first is the name.
  const [remote = location(type, key)]: readonly Thing[] =
    frame.places(`${isRead ? "data." : ""}${type}`, key) ?? [];
  const whole = location(`terraform ${frame.name}`, address);
  if (isRead) says.declared(whole, "depends-on", remote, `${address} in ${frame.path} reads ${key}`);
  else says.declared(remote, "depends-on", whole, `${address} in ${frame.path} writes ${key}`);
  for (const attribute of Object.keys(attributes)) {
    if (!holdsSecret(type, attribute)) continue;
    const [from, to] = isRead
      ? [attributeAt(frame, address, attribute), whole]
      : [whole, attributeAt(frame, address, attribute)];
    says.declared(from, "depends-on", to, `${attribute} of ${address} in ${frame.path} is that`);
  }
}
