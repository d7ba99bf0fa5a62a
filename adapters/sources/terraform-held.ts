/** Which variables and outputs of modules hold a secret, whatever they are called: by what the configuration says of them, and by what they are made of. */
import { isMap, listOf, mapOf, named } from "../shared/source-config.js";
import { secretName } from "../shared/source-values.js";
import { holdsSecret, namesSecret, storeTypeOf } from "./terraform-types.js";

type Body = Readonly<Record<string, unknown>>;

/** Deeper than this no configuration nests. */
export const depthMax = 30;

/** What a reference names: an attribute of a resource, a variable, an output, or something that a plan does not list. */
export interface Reference {
  readonly address: string;
  readonly attribute: string;
  /** Of a resource; "" for variables and outputs. */
  readonly type: string;
  readonly kind: "resource" | "variable" | "local";
}

/** A reference such as `module.db.random_password.main[0].result`; null for one that names no attribute. `prefix` is of its module. */
export function referenceOf(reference: string, prefix: string): Reference | null {
  const parts = reference.replace(/\[(?:"(?:[^"\\]|\\.)*"|[^\]])*\]/g, "").split(".");
  const [first = "", second, third] = parts;
  if (second === undefined) return null;
  if (first === "var")
    return { address: `${prefix}var.${second}`, attribute: second, type: "", kind: "variable" };
  if (first === "local")
    return { address: `${prefix}local.${second}`, attribute: second, type: "", kind: "local" };
  if (first === "module") {
    if (third === undefined) return null;
    return {
      address: `${prefix}module.${second}.output.${third}`,
      attribute: third,
      type: "",
      kind: "variable",
    };
  }
  const isMode = first === "data" || first === "ephemeral";
  const [type = "", name = "", ...attribute] = isMode ? parts.slice(1) : parts;
  if (attribute.length === 0) return null;
  const address = `${prefix}${isMode ? `${first}.` : ""}${type}.${name}`;
  return { address, attribute: attribute.join("."), type, kind: "resource" };
}

/** Whether what a reference names holds a secret, by what is known of variables and outputs. */
export function isHeld({ address, attribute, type, kind }: Reference, held: ReadonlySet<string>): boolean {
  if (kind !== "resource") return held.has(address) || secretName(attribute) !== null;
  return holdsSecret(type, attribute);
}

/** A reference that says which secret of a store it is, as an ARN or a name, and is none itself. */
export function isPointer({ attribute, type, kind }: Reference): boolean {
  if (kind !== "resource" || storeTypeOf(type) === undefined || holdsSecret(type, attribute)) return false;
  const ids = [
    "arn",
    "id",
    "name",
    "secret_id",
    "versionless_id",
    "resource_versionless_id",
    "metadata.name",
  ];
  return ids.includes(attribute) || namesSecret(type, attribute);
}

/** Addresses of variables and outputs that hold a secret although no name says so. */
export function heldIn(configuration: Body): ReadonlySet<string> {
  const held = new Set<string>();
  const made: { readonly address: string; readonly of: readonly Reference[] }[] = [];
  const module = (body: Body, prefix: string, depth: number): void => {
    if (depth > depthMax) return;
    for (const [name, variable] of Object.entries(mapOf(body.variables)))
      if (mapOf(variable).sensitive === true) held.add(`${prefix}var.${name}`);
    for (const [name, output] of Object.entries(mapOf(body.outputs))) {
      const address = `${prefix}output.${name}`;
      if (mapOf(output).sensitive === true) held.add(address);
      made.push({ address, of: referencesIn(mapOf(output).expression, prefix) });
    }
    for (const [name, call] of Object.entries(mapOf(body.module_calls))) {
      const inner = `${prefix}module.${name}.`;
      for (const [variable, expression] of Object.entries(mapOf(mapOf(call).expressions)))
        made.push({ address: `${inner}var.${variable}`, of: referencesIn(expression, prefix) });
      module(mapOf(mapOf(call).module), inner, depth + 1);
    }
  };
  module(mapOf(configuration.root_module), "", 0);
  // Each round finds at least one more, or nothing is left to find.
  for (let size = -1; size < held.size; ) {
    size = held.size;
    for (const { address, of } of made) if (of.some((one) => isHeld(one, held))) held.add(address);
  }
  return held;
}

function referencesIn(value: unknown, prefix: string): Reference[] {
  return [...expressionsIn(value, "", 0)].flatMap(({ expression }) =>
    listOf(expression.references).flatMap((item) => referenceOf(named(item) ?? "", prefix) ?? []),
  );
}

/** Every expression with the path of the attribute that it makes; blocks nest as lists and maps. */
export function* expressionsIn(
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
