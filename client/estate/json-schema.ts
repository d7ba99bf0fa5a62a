/** The estate's format for editors: completion, descriptions and red underlines while writing, from the same schemas. */
import { z } from "zod";
import type { EstateKinds } from "../../domain/estate/kinds.js";
import { estateSchema, type Section } from "../../domain/estate/schema.js";

/** A JSON Schema or a part of one. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Formats that draft 7 knows; the validator has words of its own besides, which checkers stumble over. */
const formats = new Set(["date", "date-time", "email", "hostname", "ipv4", "ipv6", "regex", "time", "uri"]);

/** Draft 7, because that is what editors' YAML support understands best. */
const options = {
  io: "input",
  target: "draft-07",
  override: ({ jsonSchema }: { jsonSchema: JsonSchema }) => {
    if (jsonSchema.format !== undefined && !formats.has(jsonSchema.format)) delete jsonSchema.format;
  },
} as const;

/**
 * JSON Schema of what may be written in `estate.yaml` for the registered kinds; the same kinds give the same
 * text. Which fields an `account` or a `place` has depends on another entry, which JSON Schema cannot say: any
 * kind's fields are accepted there.
 */
export function estateJsonSchema(kinds: EstateKinds): JsonSchema {
  const schema: JsonSchema = z.toJSONSchema(estateSchema(kinds), options);
  const credential = fieldsOf(fieldsOf(schema).credentials?.additionalProperties);
  const places = shapes(Object.values(kinds.stores).map(({ place }) => place));
  Object.assign(credential.account ?? {}, shapes(Object.values(kinds.issuers).map(({ account }) => account)));
  Object.assign(credential.place ?? {}, places);
  const alternatives = (credential.consumers?.items as JsonSchema | undefined)?.anyOf ?? [];
  for (const edge of alternatives) Object.assign(fieldsOf(edge).place ?? {}, places);
  return { ...schema, title: "Rekey estate" };
}

/** JSON Schema of one entry of a section. */
export function entrySchema(kinds: EstateKinds, section: Section): JsonSchema {
  return (fieldsOf(estateJsonSchema(kinds))[section]?.additionalProperties ?? {}) as JsonSchema;
}

function fieldsOf(schema: unknown): Record<string, JsonSchema> {
  return ((schema as JsonSchema | undefined)?.properties ?? {}) as Record<string, JsonSchema>;
}

function shapes(schemas: readonly z.ZodObject[]): JsonSchema {
  const anyOf = schemas.map((schema) => {
    const { $schema: _, ...shape } = z.toJSONSchema(schema.strict(), options);
    return shape;
  });
  return anyOf.length === 0 ? {} : { anyOf };
}
