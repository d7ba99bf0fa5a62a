/**
 * Looks into a schema at a path, because a message that names the fields which would have been right, or says
 * what a missing one is for, needs more than the validator's own report carries.
 */
import { z } from "zod";
import type { EstatePath } from "./issues.js";

/** What stands at a path of parsed text; `undefined` when nothing does. Own fields only. */
export function valueAt(root: unknown, path: EstatePath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** A map as it was read. */
export type Fields = Record<string, unknown>;

/** True for a map, and for nothing else that a file may hold. */
export function isMap(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The list at a path; empty where there is none. */
export function listAt(root: unknown, path: EstatePath): unknown[] {
  const value = valueAt(root, path);
  return Array.isArray(value) ? value : [];
}

/** Names and contents of a section's entries; none where the section is absent or not a map. */
export function entriesOf(root: unknown, section: string): [string, unknown][] {
  const entries = valueAt(root, [section]);
  return isMap(entries) ? Object.entries(entries) : [];
}

/** The entry of that very name: `constructor` is a name like any other, and not what every object inherits. */
export function lookUp<T>(entries: Readonly<Record<string, T>>, name: unknown): T | undefined {
  return typeof name === "string" && Object.hasOwn(entries, name) ? entries[name] : undefined;
}

/** The schema that what stands at the path is held to; `undefined` where the path leaves the schema. */
function schemaAt(root: z.core.$ZodType, value: unknown, path: EstatePath): z.core.$ZodType | undefined {
  let schema: z.core.$ZodType | undefined = root;
  path.forEach((step, depth) => {
    const inner: z.core.$ZodType | undefined = schema && unwrap(schema, valueAt(value, path.slice(0, depth)));
    if (inner instanceof z.ZodObject) schema = inner.shape[step];
    else if (inner instanceof z.ZodRecord) schema = inner.valueType;
    else if (inner instanceof z.ZodArray) schema = inner.element;
    else schema = undefined;
  });
  return schema;
}

/** Names of the fields that may stand in the map at the path. */
export function fieldsAt(root: z.core.$ZodType, value: unknown, path: EstatePath): string[] {
  const schema = schemaAt(root, value, path);
  const inner = schema && unwrap(schema, valueAt(value, path));
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

/** What the field at the path is for, as its schema describes it. */
export function descriptionAt(root: z.core.$ZodType, value: unknown, path: EstatePath): string | undefined {
  const schema = schemaAt(root, value, path);
  return schema instanceof z.ZodType ? schema.description : undefined;
}

/** The object, record, list or scalar under optional marks, defaults, transformations and alternatives. */
function unwrap(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
  if (schema instanceof z.ZodPipe) return unwrap(schema.in, value);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault) {
    return unwrap(schema.def.innerType, value);
  }
  if (schema instanceof z.ZodDiscriminatedUnion || schema instanceof z.ZodUnion) {
    const options: z.core.$ZodType[] = schema.options.map((option: z.core.$ZodType) => unwrap(option, value));
    const meant = options.filter((option) => accepts(option, value));
    return meant.toSorted((one, other) => familiarity(other, value) - familiarity(one, value))[0] ?? schema;
  }
  return schema;
}

/** Whether an alternative is the one that was meant: the right sort of value and, in a map, the right fixed words. */
function accepts(option: z.core.$ZodType, value: unknown): boolean {
  if (option instanceof z.ZodArray) return Array.isArray(value);
  if (!(option instanceof z.ZodObject) || !isMap(value)) return false;
  return Object.entries(option.shape).every(
    ([field, schema]) =>
      !(schema instanceof z.ZodLiteral) || schema.values.has(lookUp(value, field) as string),
  );
}

/** How many of a map's fields an alternative knows. */
function familiarity(option: z.core.$ZodType, value: unknown): number {
  if (!(option instanceof z.ZodObject) || !isMap(value)) return 0;
  return Object.keys(value).filter((field) => Object.hasOwn(option.shape, field)).length;
}
