/** The configuration in a plan: which resource is given what another one holds, by the references of its expressions. */
import { listOf, mapOf, named, settingsIn, textOf } from "../shared/source-config.js";
import { location, type Says } from "../shared/source-says.js";
import { secretName, valuesIn } from "../shared/source-values.js";
import {
  depthMax,
  expressionsIn,
  heldIn,
  isHeld,
  isPointer,
  type Reference,
  referenceOf,
} from "./terraform-held.js";
import {
  attributeAt,
  type Mode,
  modeOf,
  resourceReader,
  saysStored,
  type TerraformFrame,
  wholeAt,
} from "./terraform-stores.js";
import {
  aboutRights,
  holdsSecret,
  isGiven,
  keysIn,
  storeTypeOf,
  withoutWriteOnly,
} from "./terraform-types.js";
import { textAt } from "./terraform-values.js";

type Body = Readonly<Record<string, unknown>>;

/** A configuration while it is read. */
interface Reading {
  readonly frame: TerraformFrame;
  readonly says: Says;
  /** Variables and outputs that hold a secret. */
  readonly held: ReadonlySet<string>;
}

/** References of every resource of every module, and settings of providers. */
export function saysConfiguration(configuration: Body, frame: TerraformFrame, says: Says): void {
  const reading: Reading = { frame, says, held: heldIn(configuration) };
  for (const [name, provider] of Object.entries(mapOf(configuration.provider_config))) {
    const module = textOf(mapOf(provider).module_address);
    const prefix = module === null ? "" : `${module}.`;
    saysExpressions({ address: `provider.${name}`, type: "", prefix }, mapOf(provider).expressions, reading);
  }
  saysModule(mapOf(configuration.root_module), "", 0, reading);
}

function saysModule(module: Body, prefix: string, depth: number, reading: Reading): void {
  if (depth > depthMax) return;
  for (const resource of listOf(module.resources).map(mapOf)) {
    const address = named(resource.address);
    if (address === null) continue;
    saysResource(`${prefix}${address}`, prefix, resource, reading);
  }
  for (const [name, output] of Object.entries(mapOf(module.outputs))) {
    const { expression } = mapOf(output);
    saysExpressions(
      { address: `${prefix}output.${name}`, type: "", prefix },
      { [name]: expression },
      reading,
    );
  }
  for (const [name, call] of Object.entries(mapOf(module.module_calls))) {
    const inner = `${prefix}module.${name}.`;
    const each = eachOf(mapOf(call));
    // What a module is given is a variable in it.
    for (const [variable, expression] of Object.entries(mapOf(mapOf(call).expressions))) {
      const address = `${inner}var.${variable}`;
      saysExpressions({ address, type: "", prefix, each }, { [variable]: expression }, reading);
    }
    saysModule(mapOf(mapOf(call).module), inner, depth + 1, reading);
  }
}

function saysResource(address: string, prefix: string, resource: Body, reading: Reading): void {
  const type = named(resource.type) ?? "";
  const each = eachOf(resource);
  const given = { address, type, prefix, each };
  saysExpressions(given, resource.expressions, reading);
  saysExpressions(given, { for_each: resource.for_each_expression }, reading);
  // What a provisioner is given is used by whoever runs it.
  for (const [index, provisioner] of listOf(resource.provisioners).map(mapOf).entries()) {
    const { expressions, connection } = provisioner;
    saysExpressions(given, { provisioners: { [index]: { ...mapOf(expressions), connection } } }, reading);
  }
  saysExpressions(given, { connection: resource.connection }, reading);
  if (storeTypeOf(type) !== undefined)
    saysStoreOf({ address, type, mode: modeOf(resource.mode), prefix }, resource.expressions, reading);
}

/** Which secret a resource stands for of which no values are known: one that is ephemeral, or not made yet. */
function saysStoreOf(
  { address, type, mode, prefix }: { address: string; type: string; mode: Mode; prefix: string },
  expressions: unknown,
  { frame, says }: Reading,
): void {
  if (frame.stored.has(address)) return;
  let made: string | null = null;
  const keys = keysIn(type, {}, (path) => {
    const at = [...expressionsIn(expressions, "", 0)].find((one) => one.path === path);
    if (at === undefined) return null;
    const text = constantOf(at.expression) ?? resolved(at.expression, prefix, frame);
    made ??= text === null ? path : null;
    return text;
  });
  if (keys.length === 0 || made !== null) {
    // What is in a cluster is shown by the cluster.
    if (storeTypeOf(type)?.as === "kubernetes_secret") return;
    says.gaps.push(
      `Which secret ${address} of terraform ${frame.name} is, is not known${made === null ? "" : `: ${made} is made of what the plan does not tell`}.`,
    );
    return;
  }
  saysStored({ address, type, mode, keys }, Object.keys(mapOf(expressions)), frame, says);
}

function constantOf(expression: Body): string | null {
  return textOf(expression.constant_value);
}

/** What a single reference comes to: an attribute that is known, or the key of the secret that its resource stands for. */
function resolved(expression: Body, prefix: string, { known }: TerraformFrame): string | null {
  for (const item of listOf(expression.references)) {
    const reference = referenceOf(named(item) ?? "", prefix);
    if (reference === null) continue;
    const resource = known.get(reference.address);
    if (resource === undefined) continue;
    const text = textAt(resource.attributes, reference.attribute);
    if (text !== null) return text;
    // Not made yet: its id is not known, and its name is.
    const [key] = keysIn(resource.type, resource.attributes, (path) => textAt(resource.attributes, path));
    if (key !== undefined) return key;
  }
  return null;
}

interface Given {
  readonly address: string;
  readonly type: string;
  /** Of the module in which its references count. */
  readonly prefix: string;
  /** What `each.value` comes from. */
  readonly each?: readonly string[];
}

function eachOf(body: Body): readonly string[] {
  return listOf(mapOf(body.for_each_expression).references).flatMap((item) => named(item) ?? []);
}

function saysExpressions(given: Given, expressions: unknown, reading: Reading): void {
  const { frame, says, held } = reading;
  for (const { path, expression } of expressionsIn(expressions, "", 0)) {
    saysConstant(given, path, expression.constant_value, reading);
    const references = listOf(expression.references)
      .flatMap((item) => named(item) ?? [])
      .flatMap((item) => (/^each\.value\b/.test(item) ? (given.each ?? []) : item))
      .flatMap((item) => referenceOf(item, given.prefix) ?? []);
    const isHolder =
      !/^(?:provisioners|connection)\./.test(path) &&
      (holdsSecret(given.type, path) || /(?:^|\.)(?:var|output)\.[^.]+$/.test(given.address));
    for (const reference of references) {
      if (reference.kind === "local") saysLocal(given, path, reference, isHolder, reading);
      else if (isHeld(reference, held)) saysMade(given, path, reference, isHolder, reading);
      else if (
        isPointer(reference) &&
        storeTypeOf(given.type) === undefined &&
        !aboutRights.test(given.type)
      ) {
        if (given.type === "") continue;
        const sentence = `${path} of ${given.address} in ${frame.path} names ${reference.address}`;
        says.declared(
          resourceReader(frame, given.address),
          "uses",
          wholeAt(frame, reference.address),
          sentence,
        );
      }
    }
  }
}

/** A value in the configuration itself, also inside of a map or a list. */
function saysConstant(given: Given, path: string, constant: unknown, { frame, says }: Reading): void {
  const name = withoutWriteOnly(path.split(".").at(-1) ?? path);
  for (const setting of settingsIn(constant, path, name)) {
    const met = valuesIn(withoutWriteOnly(setting.name), setting.text);
    if (met.length === 0) continue;
    const own = attributeAt(frame, given.address, setting.path);
    const where = `${setting.path} of ${given.address} in ${frame.path}`;
    says.copy(own, met, true, where);
    says.declared(own, "stored-in", location(frame.files, frame.path), `${where} holds ${met[0]?.as}`);
    const isProvisioner = /^(?:provisioners|connection)\./.test(path);
    if (given.type !== "" && (isProvisioner || isGiven(given.type, setting.path)))
      says.declared(resourceReader(frame, given.address), "uses", own, `${where} holds ${met[0]?.as}`);
  }
}

/** An attribute that is made of what another one holds: that one's copy where it holds a secret itself, and otherwise a use of it. */
function saysMade(
  given: Given,
  path: string,
  held: Reference,
  isHolder: boolean,
  { frame, says }: Reading,
): void {
  const target = attributeAt(frame, held.address, held.attribute);
  const where = `${path} of ${given.address} in ${frame.path}`;
  const sentence = `${where} is made of ${held.address}`;
  if (isHolder) says.declared(attributeAt(frame, given.address, path), "depends-on", target, sentence);
  else says.declared(resourceReader(frame, given.address), "uses", target, sentence);
  // What is only read comes from where it is read.
  if (storeTypeOf(held.type) !== undefined && /(?:^|\.)(?:data|ephemeral)\./.test(held.address))
    says.declared(
      target,
      "depends-on",
      wholeAt(frame, held.address),
      `${held.attribute} of ${held.address} in ${frame.path} is that`,
    );
  // Into a store it goes as what the resource writes there.
  if (isHolder && storeTypeOf(given.type) !== undefined)
    says.declared(
      wholeAt(frame, given.address),
      "depends-on",
      attributeAt(frame, given.address, path),
      `${path} of ${given.address} in ${frame.path} is that`,
    );
}

/** A local value, of which a plan tells neither what it is nor what it is made of. */
function saysLocal(given: Given, path: string, local: Reference, isHolder: boolean, reading: Reading): void {
  const holds = holdsSecret(given.type, path) || secretName(local.attribute) !== null;
  if (!holds) return;
  saysMade(given, path, local, isHolder, reading);
  const { frame, says } = reading;
  const sentence = `What ${local.address} of terraform ${frame.name} is made of is not known: a plan does not list locals.`;
  if (!says.gaps.includes(sentence)) says.gaps.push(sentence);
}
