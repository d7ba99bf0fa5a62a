/** How rows travel: many in one statement, each column as an array; and moments as milliseconds since the epoch. */
import { sql } from "./orm.js";

/** Rows of one statement; more of them make no statement faster, and need more memory. */
const rowsMax = 5_000;

/** A list in lists that are short enough for one statement each. */
export function parts<T>(list: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(list.length / rowsMax) }, (_, index) =>
    list.slice(index * rowsMax, (index + 1) * rowsMax),
  );
}

/** One column of the rows, as an array parameter for `unnest`. */
export function column<T>(rows: readonly T[], of: (row: T) => string | number | boolean | null) {
  return sql.param(rows.map(of));
}

/** A moment of a row, an expression in SQL, as milliseconds since the epoch: a number that JSON can carry. */
export const ms = (moment: string) => sql.raw(`(extract(epoch from ${moment}) * 1000)::float8`);

/** Milliseconds since the epoch as the database reads them. */
export const iso = (at: number): string => new Date(at).toISOString();

/** Whether a text comes after another one as the database has it by the collation "C": by their bytes. */
export const isAfter = (one: string, other: string): boolean =>
  Buffer.compare(Buffer.from(one), Buffer.from(other)) > 0;
