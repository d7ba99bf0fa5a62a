/**
 * The pieces of text that the estate in force comes from: whoever reads a folder is told all of them at once, and afterwards only
 * what has become of those that are not there any more is asked. Hashes of a hundred thousand pieces travel once.
 */

import { RekeyError } from "../domain/errors.js";
import type { Section } from "../domain/estate/schema.js";
import type { Tx } from "./database.js";
import { estateRevisions, pieceNotes } from "./estate-tables.js";
import { sql } from "./orm.js";
import type { Base } from "./submission.js";

/** An entry that the inventory has, in force or ended. */
export interface Standing {
  readonly id: string;
  readonly section: Section;
  readonly name: string;
  /** Null where an earlier release has written it. */
  readonly digest: string | null;
  readonly piece: string | null;
  readonly ended: boolean;
}

/** Pieces at one moment. */
export interface KnownPieces {
  /** The same as long as nobody has applied anything, and nobody has noted other pieces. */
  readonly stamp: string;
  /** Their names, each of them once, with a space between them. */
  readonly pieces: string;
}

/** Pieces of one statement, which come as one text: as rows of their own they would cost more than everything else about them. */
const piecesMax = 50_000;

/** Every piece that something in force comes from. */
export async function piecesIn(tx: Tx): Promise<KnownPieces> {
  const stamp = await stampIn(tx);
  const found: string[] = [];
  for (let after = ""; ; ) {
    const { rows } = await tx.execute<{ all: string | null; last: string }>(sql`
      select string_agg(piece, ' ') as all, max(piece) as last from (
        select distinct piece from rekey_inventory.entries
        where ended_at is null and piece > ${after} order by piece limit ${piecesMax}) part`);
    const [{ all, last } = { all: null, last: "" }] = rows;
    if (all === null) return { stamp, pieces: found.join(" ") };
    found.push(all);
    after = last;
  }
}

/** Throws `conflict` where somebody has applied, or has noted other pieces, since the stamp was read. */
export async function refuseStale(tx: Tx, { stamp }: Pick<Base, "stamp">): Promise<void> {
  if (stamp !== (await stampIn(tx)))
    throw new RekeyError(
      "conflict",
      "Somebody else has applied an estate meanwhile.",
      "Apply again: the difference is told anew.",
    );
}

/**
 * What is in force and in no piece that the estate still has: it was read anew, or it ends. Without a base, everything. Throws
 * `conflict` as `refuseStale` does.
 */
export async function leftIn(tx: Tx, base: Base | null): Promise<readonly Standing[]> {
  if (base !== null) await refuseStale(tx, base);
  const { rows } = await tx.execute<Standing & Record<string, unknown>>(sql`
    select id, section, name, digest, piece, false as ended from rekey_inventory.entries
    where ended_at is null and (${base === null} or piece is null or piece = any(${sql.param(base?.gone ?? [])}::text[]))`);
  return rows;
}

/** By what it is recognised that nobody has applied anything since, or noted other pieces. */
export async function stampIn(tx: Tx): Promise<string> {
  const { rows } = await tx.execute<{ stamp: string }>(sql`
    select concat((select max(number) from ${estateRevisions}), ' ', (select times from ${pieceNotes})) as stamp`);
  return rows[0]?.stamp ?? "";
}

/** To be called by whoever notes pieces without a revision: nothing that was read before holds any more. */
export async function renewStamp(tx: Tx): Promise<void> {
  await tx
    .insert(pieceNotes)
    .values({ times: 1 })
    .onConflictDoUpdate({ target: pieceNotes.onlyRow, set: { times: sql`${pieceNotes.times} + 1` } });
}
