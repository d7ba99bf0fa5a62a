/** The example estates are sound for the real kinds, and the editors' schema agrees with the loader. */
import { readdirSync, readFileSync } from "node:fs";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { kinds } from "../../../adapters/registry.js";
import { formatProblems } from "../../../client/estate/format.js";
import { estateJsonSchema, type JsonSchema } from "../../../client/estate/json-schema.js";
import { readEstate } from "../../../client/estate/load.js";
import { kinds as fakeKinds, sound } from "../../domain/estate/fixtures.js";

const folder = new URL("../../../examples/estates/", import.meta.url);
const examples = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

function validator(schema: JsonSchema) {
  const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false });
  addFormats.default(ajv);
  return ajv.compile(schema);
}

describe("the example estates", () => {
  it.each(examples)("%s is sound", (name) => {
    const result = readEstate(readFileSync(new URL(name, folder)), name, kinds);
    expect(result.ok ? "" : formatProblems(result.problems)).toBe("");
  });

  it.each(examples)("%s is sound for editors", (name) => {
    const validate = validator(estateJsonSchema(kinds));
    validate(parse(readFileSync(new URL(name, folder), "utf8")));
    expect(validate.errors).toBeNull();
  });
});

describe("the schema for editors", () => {
  const schema = estateJsonSchema(fakeKinds);

  it("accepts what the loader accepts, and refuses what it refuses", () => {
    const validate = validator(schema);
    const errors = (value: unknown) =>
      validate(value) ? [] : (validate.errors ?? []).map((e) => e.instancePath);
    expect(errors(sound())).toEqual([]);
    expect(errors({ ...sound(), polices: {} })).toEqual([""]);
    expect(errors({ ...sound(), policies: { calm: { quietPeriod: 30 } } })).toContain(
      "/policies/calm/quietPeriod",
    );
    expect(errors({ ...sound(), policies: { Calm: {} } })).toContain("/policies");
    expect(errors({ ...sound(), issuers: { books: { kind: "ledgre", host: "h" } } })).toContain(
      "/issuers/books/kind",
    );
    const orders = { ...(sound().credentials.orders as object), place: { path: "orders", colour: "red" } };
    expect(errors({ ...sound(), credentials: { orders } })).toContain("/credentials/orders/place");
  });

  it("is the same every time, and for kinds that are not there yet", () => {
    expect(JSON.stringify(estateJsonSchema(fakeKinds))).toBe(JSON.stringify(schema));
    const none = estateJsonSchema({ issuers: {}, stores: {}, consumers: {}, notifiers: {}, sources: {} });
    expect(validator(none)({ version: 1, installation: "new" })).toBe(true);
  });

  it.each([
    ["made-up kinds", schema],
    ["the real kinds", estateJsonSchema(kinds)],
  ])("describes every field: %s", (_, whole) => {
    expect(undescribed(whole, "")).toEqual([]);
  });
});

/** Paths of all fields without a description. */
function undescribed(schema: JsonSchema, path: string): string[] {
  const fields = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>).flatMap(
    ([name, field]) => [
      ...(field.description === undefined ? [`${path}/${name}`] : []),
      ...undescribed(field, `${path}/${name}`),
    ],
  );
  const parts = [schema.items, schema.additionalProperties, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  const inner = parts.filter((part) => typeof part === "object" && !Array.isArray(part)) as JsonSchema[];
  return [...fields, ...inner.flatMap((part) => undescribed(part, `${path}/*`))];
}

describe("docs/estate.md", () => {
  const page = readFileSync(new URL("../../../docs/estate.md", import.meta.url), "utf8");

  it("shows an estate that is sound for the real kinds", () => {
    const [, text = ""] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
    const result = readEstate(Buffer.from(text), "docs/estate.md", kinds);
    expect(result.ok ? "" : formatProblems(result.problems)).toBe("");
  });

  it("names every field, and every default of a policy as it is", () => {
    const schema = estateJsonSchema({ issuers: {}, stores: {}, consumers: {}, notifiers: {}, sources: {} });
    const named = (name: string) =>
      page.includes(`\`${name}\``) || page.includes(`.${name}\``) || page.includes(`\`${name}.`);
    expect(fieldNames(schema).filter((name) => !named(name))).toEqual([]);
    const policy = (((schema.properties ?? {}) as Record<string, JsonSchema>).policies ?? {}) as JsonSchema;
    const stale = defaultsIn(policy.additionalProperties as JsonSchema).filter(([name, value]) => {
      return !page.split("\n").some((line) => line.includes(`${name}\``) && line.includes(`\`${value}\``));
    });
    expect(stale).toEqual([]);
  });
});

/** Fields that have a text or a number as default, with it. */
function defaultsIn(schema: JsonSchema): [string, unknown][] {
  return Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>).flatMap(([name, field]) => [
    ...(["string", "number"].includes(typeof field.default)
      ? [[name, field.default] as [string, unknown]]
      : []),
    ...defaultsIn(field),
  ]);
}

/** Names of the fields of a section's entries, of their parts and alternatives; a JSON Web Key has its own standard. */
function fieldNames(schema: JsonSchema): string[] {
  const own = Object.keys(schema.properties ?? {}).filter(
    (name) => !["kty", "crv", "x", "kid"].includes(name),
  );
  const inner = [
    ...Object.values(schema.properties ?? {}),
    schema.items,
    schema.additionalProperties,
    ...(schema.anyOf ?? []),
    ...(schema.oneOf ?? []),
  ];
  return [
    ...own,
    ...inner.flatMap((part) =>
      typeof part === "object" && !Array.isArray(part) ? fieldNames(part as JsonSchema) : [],
    ),
  ];
}
