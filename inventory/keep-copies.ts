/**
 * Keeps where values were met. What is kept is a function of all that was ever told of a value at a place: whoever met it last has
 * the word, of two at one moment the graver one, so that neither the order nor the cut of the parts decides. A new reading of what is
 * there now says all that there is to say.
 */
import type { ScanPart, Thing } from "../domain/discovery/said.js";
import type { Tx } from "./database.js";
import { sql } from "./orm.js";
import { column, isAfter, iso, parts } from "./rows.js";

interface CopyRow {
  readonly mark: string;
  readonly thing: string;
  readonly record: string;
  readonly literal: boolean;
  readonly past: boolean;
  readonly verified: boolean;
  readonly sentence: string;
  readonly first: number;
  readonly last: number;
}

/** Takes over the copies of a part at `learntAt`; their things are kept already. `idOf` gives the ids of those. */
export async function keepCopies(
  tx: Tx,
  { id, source, shows }: { readonly id: string; readonly source: string; readonly shows: "now" | "log" },
  copies: ScanPart["copies"],
  { idOf, learntAt }: { readonly idOf: (thing: Thing) => string; readonly learntAt: string },
): Promise<void> {
  const merged = new Map<string, CopyRow>();
  for (const { at, seen, past = false, verified = false, ...copy } of copies) {
    const row = { ...copy, past, verified, thing: idOf(at), first: seen.first, last: seen.last };
    const key = JSON.stringify([row.mark, row.thing, row.record]);
    const before = merged.get(key) ?? row;
    const first = Math.min(row.first, before.first);
    merged.set(key, { ...(isLater(row, before) ? row : before), first });
  }
  const rank = (row: "excluded" | "marks") =>
    sql.raw(
      `(${row}.last_seen, ${row}.verified, ${row}.literal, not ${row}.past, ${row}.sentence collate "C")`,
    );
  const isAnew = sql`${shows === "now"} and marks.scan <> excluded.scan`;
  const word = (name: "literal" | "past" | "verified" | "sentence") => {
    const [told, kept] = [sql.raw(`excluded.${name}`), sql.raw(`marks.${name}`)];
    return sql`${sql.raw(name)} = case when ${isAnew} or ${rank("excluded")} > ${rank("marks")} then ${told} else ${kept} end`;
  };
  for (const rows of parts([...merged.values()]))
    await tx.execute(sql`
      insert into rekey_inventory.marks (mark, thing, source, record, literal, past, verified, sentence, scan, learnt_at, first_seen, last_seen)
      select mark, thing, ${source}, record, literal, past, verified, sentence, ${id}, ${learntAt}::timestamptz, first_seen, last_seen from unnest(
        ${column(rows, ({ mark }) => mark)}::text[], ${column(rows, ({ thing }) => thing)}::text[],
        ${column(rows, ({ record }) => record)}::text[], ${column(rows, ({ literal }) => literal)}::boolean[],
        ${column(rows, ({ past }) => past)}::boolean[], ${column(rows, ({ verified }) => verified)}::boolean[],
        ${column(rows, ({ sentence }) => sentence)}::text[], ${column(rows, ({ first }) => iso(first))}::timestamptz[],
        ${column(rows, ({ last }) => iso(last))}::timestamptz[]
      ) as met (mark, thing, record, literal, past, verified, sentence, first_seen, last_seen)
      on conflict (mark, thing, source, record) do update set
        ${word("literal")}, ${word("past")}, ${word("verified")}, ${word("sentence")},
        scan = excluded.scan, ended_at = null,
        learnt_at = case when marks.ended_at is null then marks.learnt_at else excluded.learnt_at end,
        first_seen = least(marks.first_seen, excluded.first_seen),
        last_seen = case when ${isAnew} then excluded.last_seen else greatest(marks.last_seen, excluded.last_seen) end`);
}

/** As `rank` has it for the database. */
function isLater(one: CopyRow, other: CopyRow): boolean {
  const rank = ({ last, verified, literal, past }: CopyRow) => [last, +verified, +literal, +!past];
  const others = rank(other);
  const [decided] = rank(one).flatMap((value, index) =>
    value === others[index] ? [] : [value > Number(others[index])],
  );
  return decided ?? isAfter(one.sentence, other.sentence);
}
