/** Personal fields against their commitments: what is still known has to be what was committed to. */
import { createHash } from "node:crypto";
import { bodyOf, commitment, type Opening } from "../domain/audit.js";
import type { Tx } from "../inventory/database.js";
import { sql } from "../inventory/orm.js";
import type { Findings } from "./row-findings.js";

const rowsInRead = 5_000;

/** Fields of an entry that are not what its text commits to. */
export function wrongOpenings(
  id: string,
  body: string,
  openings: Readonly<Record<string, Opening>>,
): string[] {
  const committed = committedIn(body);
  return Object.entries(openings).flatMap(([field, opening]) =>
    committed[field] === commitment(id, field, opening, sha256Hex) ? [] : [field],
  );
}

/** What the text commits to; nothing where it is no JSON, which its hash says then. */
function committedIn(body: string): Readonly<Record<string, string>> {
  try {
    return bodyOf(body).personal ?? {};
  } catch {
    return {};
  }
}

/** Adds a sentence for every personal field in the log that is not what was committed to, or belongs to no entry. */
export async function openingFindings(tx: Tx, findings: Findings): Promise<void> {
  let [entry, field] = ["", ""];
  for (;;) {
    const { rows } = await tx.execute<Row>(
      sql`select entry, field, salt, value, index, body from rekey_audit.openings
        left join rekey_audit.entries on id = entry
        where (entry, field) > (${entry}, ${field}) order by entry, field limit ${rowsInRead}`,
    );
    for (const row of rows) {
      if (row.body === null) findings.add(`A personal field ${row.field} belongs to no entry.`);
      else if (isWrong(row)) {
        findings.add(`The personal field ${row.field} of entry ${row.index} is not what was committed to.`);
      }
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < rowsInRead) return;
    [entry, field] = [last.entry, last.field];
  }
}

type Row = {
  readonly entry: string;
  readonly field: string;
  readonly salt: string;
  readonly value: string;
  readonly index: string | null;
  readonly body: string | null;
};

function isWrong({ entry, field, salt, value, body }: Row): boolean {
  return wrongOpenings(entry, body ?? "{}", { [field]: { salt, value } }).length > 0;
}

function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
