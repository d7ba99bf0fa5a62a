/**
 * The columns by which entries are looked for, against the texts that they are taken from. The database computes them,
 * and its owner can make it stop: an entry whose column names another rotation is whole, and nobody finds it.
 */
import { sql } from "drizzle-orm";
import { bodyOf } from "../domain/audit.js";
import type { Tx } from "../inventory/database.js";
import type { Findings } from "./row-findings.js";

const point = sql.raw("rekey_columns");

type Row = {
  readonly index: string;
  readonly body: string;
  readonly id: string | null;
  readonly rotation: string | null;
  readonly at: string | null;
};

/** Adds a sentence for every entry from `start` to `end` that has a column which is not what its text says. */
export async function columnFindings(tx: Tx, start: number, end: number, findings: Findings): Promise<void> {
  const between = sql`index >= ${start} and index < ${end}`;
  if (await allAgree(tx, between)) return;
  const { rows } = await tx.execute<Row>(
    sql`select index, body, id, rotation, at from rekey_audit.entries where ${between} order by index`,
  );
  for (const row of rows) {
    for (const column of wrongColumns(row)) {
      findings.add(
        `Entry ${row.index} is not found by its ${column}: the column does not say what its text says.`,
      );
    }
  }
}

/** False where some do not agree, or the database cannot read a text: one that no column is computed of may be anything. */
async function allAgree(tx: Tx, between: ReturnType<typeof sql>): Promise<boolean> {
  await tx.execute(sql`savepoint ${point}`);
  try {
    // Read once and as a whole: three members taken one by one cost three times as much.
    const { rows } = await tx.execute<{ wrong: boolean }>(
      sql`select exists (select from rekey_audit.entries e,
          lateral json_to_record(e.body::json) as told (id text, rotation text, at bigint)
        where ${between} and (e.id, e.rotation, e.at) is distinct from (told.id, told.rotation, told.at)) as wrong`,
    );
    return rows[0]?.wrong === false;
  } catch {
    await tx.execute(sql`rollback to savepoint ${point}`);
    return false;
  }
}

function wrongColumns({ body, id, rotation, at }: Row): string[] {
  const columns = { id, rotation, at };
  const told = toldBy(body);
  return Object.entries(columns).flatMap(([column, value]) => {
    const says = told[column];
    return (says === undefined || says === null ? null : String(says)) === value ? [] : [column];
  });
}

/** What the text says; nothing where it is no JSON object, which was changed then, or was written past the keeper. */
function toldBy(body: string): Readonly<Record<string, unknown>> {
  try {
    return { ...bodyOf(body) };
  } catch {
    return {};
  }
}
