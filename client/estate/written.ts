/** An entry with its durations as somebody writes them: what was read has them in milliseconds, which nobody reads. */
import { durationPattern, formatDuration } from "../../domain/duration.js";
import type { JsonSchema } from "./json-schema.js";

/** The `body` of an entry with every field that `schema` has for a duration written with its unit, under the name that it has there. */
export function asWritten(body: unknown, schema: JsonSchema): unknown {
  return written(body, [schema]);
}

/** `schemas` is everything that may hold of the value. */
function written(value: unknown, schemas: readonly JsonSchema[]): unknown {
  const those = schemas.flatMap((schema) => branches(schema, value));
  if (typeof value === "number") return isDuration(those) ? formatDuration(value) : value;
  if (Array.isArray(value)) {
    const items = those.flatMap(({ items: each }) => (isSchema(each) ? [each] : []));
    return value.map((one) => written(one, items));
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, field]) => {
    const short = key.replace(/Ms$/, "");
    const isRenamed = short !== key && typeof field === "number" && isDuration(fields(those, short));
    const name = isRenamed ? short : key;
    return [name, written(field, fields(those, name))];
  });
  return Object.fromEntries(entries);
}

function fields(schemas: readonly JsonSchema[], key: string): JsonSchema[] {
  return schemas.flatMap(({ properties, additionalProperties }) => {
    const own = properties?.[key];
    if (own !== undefined) return isSchema(own) ? [own] : [];
    return isSchema(additionalProperties) ? [additionalProperties] : [];
  });
}

/** The schema and its alternatives, without those that are for another kind of thing than the value says it is. */
function branches(schema: JsonSchema, value: unknown): JsonSchema[] {
  const parts = [schema.anyOf, schema.oneOf, schema.allOf].flatMap((list) => list ?? []).filter(isSchema);
  const fitting = parts.filter(({ properties }) =>
    Object.entries(properties ?? {}).every(([key, field]) => {
      const wanted = isSchema(field) ? field.const : undefined;
      return wanted === undefined || (value as Record<string, unknown> | null)?.[key] === wanted;
    }),
  );
  return [schema, ...fitting.flatMap((part) => branches(part, value))];
}

function isDuration(schemas: readonly JsonSchema[]): boolean {
  return schemas
    .flatMap((schema) => branches(schema, null))
    .some(({ pattern }) => pattern === durationPattern.source);
}

function isSchema(schema: unknown): schema is JsonSchema {
  return typeof schema === "object" && schema !== null;
}
