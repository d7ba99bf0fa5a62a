/** Many rows in one statement: each column travels as an array, and the database puts the rows together. */
import { sql } from "drizzle-orm";

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
