/**
 * The query builder, in its CommonJS form. As ES modules it has a hundred files, and for each of them Node reads the package's
 * description once more, which has 180 kB: every command would begin a third of a second later.
 */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const queries = require("drizzle-orm") as typeof import("drizzle-orm");
const tables = require("drizzle-orm/pg-core") as typeof import("drizzle-orm/pg-core");
const postgres = require("drizzle-orm/node-postgres") as typeof import("drizzle-orm/node-postgres");

export type { SQL } from "drizzle-orm";
export type { NodePgDatabase } from "drizzle-orm/node-postgres";
export type { PgTable } from "drizzle-orm/pg-core";

export const { and, asc, count, desc, eq, gt, inArray, isNotNull, isNull, lt, max, ne, or, sql } = queries;
export const { DrizzleQueryError } = queries;
export const { bigint, boolean, customType, getTableConfig, integer, json, jsonb, pgSchema, text } = tables;
export const { drizzle } = postgres;
