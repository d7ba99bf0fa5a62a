/**
 * The columns by which entries are looked for, against the texts that they are taken from. The database computes them,
 * and its owner can make it stop: an entry whose column names another rotation is whole, and nobody finds it.
 */
import { type AuditBody, bodyOf } from "../domain/audit.js";
import type { Findings } from "./row-findings.js";

/** An entry as it stands in its table. */
export interface EntryRow {
  readonly body: string;
  /** As texts; null where there is none. */
  readonly columns: Readonly<Record<Column, string | null>>;
}

/** Columns that are taken from the text. */
export type Column = "id" | "rotation" | "at";

/**
 * Adds a sentence for each column that is not what the text says, and answers with what that says; nothing where it is
 * no JSON object: such a text was changed, or written past the keeper.
 */
export function readRow(index: number, { body, columns }: EntryRow, findings: Findings): Partial<AuditBody> {
  const told = toldBy(body);
  for (const column of ["id", "rotation", "at"] as const) {
    const says = told[column];
    if ((says === undefined ? null : String(says)) !== columns[column])
      findings.add(
        `Entry ${index} is not found by its ${column}: the column does not say what its text says.`,
      );
  }
  return told;
}

function toldBy(body: string): Partial<AuditBody> {
  try {
    const told: unknown = bodyOf(body);
    return typeof told === "object" && told !== null ? told : {};
  } catch {
    return {};
  }
}
