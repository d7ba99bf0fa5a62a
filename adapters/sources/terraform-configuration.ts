/** The configuration in a plan: which resource is given what another one holds, by the references of its expressions. */
import type { ReaderThing } from "../../domain/discovery/said.js";
import { isMap, listOf, mapOf, named, textOf } from "../shared/source-config.js";
import { location, type Says } from "../shared/source-says.js";
import { secretName, valuesIn } from "../shared/source-values.js";
import { attributeAt, holdsSecret, type TerraformFrame } from "./terraform-values.js";

type Body = Readonly<Record<string, unknown>>;

const depthMax = 30;

/** References of every resource of every module, and settings of providers. */
export function saysConfiguration(configuration: Body, frame: TerraformFrame, says: Says): void {
  for (const [name, provider] of Object.entries(mapOf(configuration.provider_config))) {
    const prefix = textOf(mapOf(provider).module_address);
    const address = `provider.${name}`;
    saysExpressions(
      { address, type: "", prefix: prefix === null ? "" : `${prefix}.` },
      mapOf(provider).expressions,
      frame,
      says,
    );
  }
  saysModule(mapOf(configuration.root_module), "", 0, frame, says);
}

function saysModule(module: Body, prefix: string, depth: number, frame: TerraformFrame, says: Says): void {
  if (depth > depthMax) return;
  for (const resource of listOf(module.resources).map(mapOf)) {
    const address = named(resource.address);
    if (address === null) continue;
    const type = named(resource.type) ?? "";
    saysExpressions({ address: `${prefix}${address}`, type, prefix }, resource.expressions, frame, says);
  }
  for (const [name, output] of Object.entries(mapOf(module.outputs))) {
    const { expression } = mapOf(output);
    saysExpressions(
      { address: `${prefix}output.${name}`, type: "", prefix },
      { [name]: expression },
      frame,
      says,
    );
  }
  for (const [name, call] of Object.entries(mapOf(module.module_calls))) {
    const inner = `${prefix}module.${name}.`;
    // What a module is given is a variable in it.
    for (const [variable, expression] of Object.entries(mapOf(mapOf(call).expressions))) {
      saysExpressions(
        { address: `${inner}var.${variable}`, type: "", prefix },
        { [variable]: expression },
        frame,
        says,
      );
    }
    saysModule(mapOf(mapOf(call).module), inner, depth + 1, frame, says);
  }
}

interface Given {
  readonly address: string;
  readonly type: string;
  /** Of the module in which its references count. */
  readonly prefix: string;
}

function saysExpressions(given: Given, expressions: unknown, frame: TerraformFrame, says: Says): void {
  for (const { path, expression } of expressionsIn(expressions, "", 0)) {
    const name = path.split(".").at(-1) ?? path;
    const constant = textOf(expression.constant_value);
    const where = `${path} of ${given.address} in ${frame.path}`;
    const own = attributeAt(frame, given.address, path);
    if (constant !== null) {
      const met = valuesIn(name, constant);
      says.copy(own, met, true, where);
      if (met.length > 0)
        says.declared(own, "stored-in", location(frame.files, frame.path), `${where} holds ${met[0]?.as}`);
    }
    const references = listOf(expression.references).flatMap((item) => named(item) ?? []);
    for (const held of references.flatMap((reference) => holderOf(reference, given.prefix))) {
      const target = attributeAt(frame, held.address, held.attribute);
      const isHolder = holdsSecret(given.type, path) || /(?:^|\.)(?:var|output)\.[^.]+$/.test(given.address);
      if (isHolder) {
        says.declared(own, "depends-on", target, `${where} is made of ${held.address}`);
        continue;
      }
      const workload = `terraform ${frame.name}/${given.address}`;
      const reader: ReaderThing = {
        is: "reader",
        name: `${given.address} of ${frame.name}`,
        traits: { workload },
      };
      says.declared(reader, "uses", target, `${where} is made of ${held.address}`);
    }
  }
}

/** Every expression with the path of the attribute that it makes; blocks nest as lists and maps. */
function* expressionsIn(
  value: unknown,
  path: string,
  depth: number,
): Generator<{ path: string; expression: Body }> {
  if (depth > depthMax) return;
  const below = (key: string) => (path === "" ? key : `${path}.${key}`);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* expressionsIn(item, below(String(index)), depth + 1);
  } else if (isMap(value)) {
    if ("references" in value || "constant_value" in value) yield { path, expression: value };
    else for (const [key, item] of Object.entries(value)) yield* expressionsIn(item, below(key), depth + 1);
  }
}

/** What a reference such as `random_password.db.result` names, when that holds a secret; `random_password.db` alone names nothing. */
function holderOf(reference: string, prefix: string): { address: string; attribute: string }[] {
  const parts = reference.replace(/\[[^\]]*\]/g, "").split(".");
  if (parts[0] === "var" && parts[1] !== undefined) {
    const [, variable] = parts;
    if (secretName(variable) === null) return [];
    // In a module its caller says what it is; at the top whoever runs it does.
    return [{ address: `${prefix}var.${variable}`, attribute: variable }];
  }
  if (parts[0] === "module" && parts[2] !== undefined) {
    return secretName(parts[2]) === null
      ? []
      : [{ address: `${prefix}module.${parts[1]}.output.${parts[2]}`, attribute: parts[2] }];
  }
  const isData = parts[0] === "data";
  const [type = "", name = "", attribute] = isData ? parts.slice(1) : parts;
  if (attribute === undefined || !holdsSecret(type, attribute)) return [];
  return [{ address: `${prefix}${isData ? "data." : ""}${type}.${name}`, attribute }];
}
