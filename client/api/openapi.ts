/** The description of the API for programs (OpenAPI 3.1), made from the table of routes and the shapes that are checked. */
import { z } from "zod";
import { type Route, routes } from "./routes.js";
import { failure } from "./shapes.js";

const meaning: Readonly<Record<number, string>> = {
  200: "Done",
  202: "Taken in; no worker has verified it yet",
  400: "The request is not valid",
  401: "No token, or one that is not known",
  404: "There is no such thing",
  409: "It cannot be done as things stand",
  413: "The body is too large",
  422: "The decision does not count",
  429: "Too many requests",
  503: "Something is out of reach",
};

/** The whole document. `version` is the program's. */
export function describeApi(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [operationId, route] of Object.entries<Route>(routes)) {
    const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: "path",
      required: true,
      schema: { type: "string" },
    }));
    const parameters = [...inPath, ...(route.query === undefined ? [] : queryOf(route.query))];
    paths[route.path] = {
      ...paths[route.path],
      [route.method]: {
        operationId,
        summary: route.summary,
        ...(parameters.length === 0 ? {} : { parameters }),
        ...(route.access === "token" ? { security: [{ token: [] }] } : {}),
        ...(route.body === undefined
          ? {}
          : { requestBody: { required: true, content: contentOf(route.body, "input") } }),
        responses: responsesOf(route),
      },
    };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Rekey",
      version,
      description: "Reads need a bearer token of the installation. Decisions are signed, and need none.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    paths,
    components: {
      schemas: { Failure: schemaOf(failure) },
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}

function responsesOf({ answers, failures, text }: Route): object {
  const told = Object.entries(answers).map(([status, shape]) => [
    status,
    { description: meaning[Number(status)], content: contentOf(shape, "output") },
  ]);
  const written = { description: meaning[200], content: { [text ?? ""]: { schema: { type: "string" } } } };
  const good = text === undefined ? told : [...told, ["200", written]];
  const bad = failures.map((status) => [
    String(status),
    {
      description: meaning[status],
      content: { "application/json": { schema: { $ref: "#/components/schemas/Failure" } } },
    },
  ]);
  const plain = good.length + bad.length === 0 ? [["200", { description: "An OpenAPI document" }]] : [];
  return Object.fromEntries([...plain, ...good, ...bad]);
}

function queryOf(query: z.ZodObject): object[] {
  const { properties = {} } = z.toJSONSchema(query, { io: "input" });
  return Object.entries(properties).map(([name, schema]) => ({ name, in: "query", required: false, schema }));
}

function contentOf(shape: z.ZodType, io: "input" | "output"): object {
  return { "application/json": { schema: schemaOf(shape, io) } };
}

function schemaOf(shape: z.ZodType, io: "input" | "output" = "output"): object {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, { io });
  return schema;
}
