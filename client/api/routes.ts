/** Every route in one table, because the server, its description and its documentation must not disagree. */
import type { z } from "zod";
import * as map from "./map-shapes.js";
import * as shapes from "./shapes.js";

/** One route. Paths are written as in OpenAPI. */
export interface Route {
  readonly method: "get" | "post";
  readonly path: string;
  readonly summary: string;
  /** `token`: a bearer token of the installation; `signature`: what is sent is signed; `open`: nothing to protect. */
  readonly access: "open" | "token" | "signature";
  /** Parameters of the query. */
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly answers: Readonly<Record<number, z.ZodType>>;
  /** A type that is none of JSON's: what it answers with. */
  readonly text?: string;
  /** Statuses that it may fail with. */
  readonly failures: readonly number[];
}

/** The table. */
export const routes = {
  health: {
    method: "get",
    path: "/healthz",
    summary: "The process is there",
    access: "open",
    answers: { 200: shapes.health },
    failures: [],
  },
  ready: {
    method: "get",
    path: "/readyz",
    summary: "Inventory and Temporal can be reached",
    access: "open",
    answers: { 200: shapes.readiness, 503: shapes.readiness },
    failures: [],
  },
  description: {
    method: "get",
    path: "/openapi.json",
    summary: "This description",
    access: "open",
    answers: {},
    failures: [],
  },
  credentials: {
    method: "get",
    path: "/v1/credentials",
    summary: "Every credential, and what is open, due or unsigned",
    access: "token",
    answers: { 200: shapes.credentialList },
    failures: [401, 503],
  },
  credential: {
    method: "get",
    path: "/v1/credentials/{name}",
    summary: "One credential and its latest rotation",
    access: "token",
    answers: { 200: shapes.credentialDetail },
    failures: [401, 404, 503],
  },
  rotation: {
    method: "get",
    path: "/v1/rotations/{id}",
    summary: "One rotation: where it stands, the plans to sign, and why it does not go on",
    access: "token",
    answers: { 200: shapes.rotationDetail },
    failures: [401, 404, 503],
  },
  consumers: {
    method: "get",
    path: "/v1/consumers/{name}",
    summary: "Who uses a credential, or reads at a place, and how that is known",
    access: "token",
    query: map.thingQuery,
    answers: { 200: map.consumerList },
    failures: [400, 401, 404, 503],
  },
  blast: {
    method: "get",
    path: "/v1/blast/{name}",
    summary: "What breaks when something is taken away, and what is exposed with it",
    access: "token",
    query: map.thingQuery,
    answers: { 200: map.radius },
    failures: [400, 401, 404, 503],
  },
  findings: {
    method: "get",
    path: "/v1/findings",
    summary: "What is wrong or missing, the gravest first, as it was found last",
    access: "token",
    query: map.findingsQuery,
    answers: { 200: map.findingList },
    failures: [400, 401, 404, 503],
  },
  finding: {
    method: "get",
    path: "/v1/findings/{number}",
    summary: "One finding: what it means, what mends it, and what became of it",
    access: "token",
    answers: { 200: map.findingDetail },
    failures: [401, 404, 503],
  },
  metrics: {
    method: "get",
    path: "/metrics",
    summary:
      "Figures of the programme, each with its whole, for Prometheus; computed for all who ask at once",
    access: "token",
    answers: {},
    text: "text/plain",
    failures: [401, 503],
  },
  decide: {
    method: "post",
    path: "/v1/decisions",
    summary: "Give a signed decision to its rotation; the same one twice is once",
    access: "signature",
    body: shapes.decisionBody,
    answers: { 200: shapes.decisionAnswer, 202: shapes.decisionAnswer },
    failures: [400, 409, 413, 422, 429, 503],
  },
} as const satisfies Record<string, Route>;

/** The same path in the router's spelling. */
export function patternOf({ path }: Pick<Route, "path">): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}
