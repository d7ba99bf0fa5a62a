/**
 * Applies an estate: all of what it changes, in one transaction, by names that keep their ids for ever. Nothing is deleted; what
 * leaves the estate ends.
 */

import type { Shapes } from "../domain/estate/shapes.js";
import { mapped, onMap } from "../domain/graph/declared.js";
import { tellAudit } from "./audit-outbox.js";
import { recordAuthority } from "./authority-record.js";
import { type Database, patient, read, type Tx, transact } from "./database.js";
import { changesOf, changesStill, type EstateChanges, noChanges, nothing } from "./estate-changes.js";
import { type EstateDiff, touchedIn } from "./estate-diff.js";
import { renewStamp } from "./estate-pieces.js";
import { refuseUnderRotation } from "./estate-refuse.js";
import { estateRevisions } from "./estate-tables.js";
import { holdTouched, type NewId, writeEntries, writeMoved } from "./estate-write.js";
import { type LookScope, scopeOf } from "./finding-scope.js";
import { keepDeclared, type Names } from "./graph-estate.js";
import { desc, sql } from "./orm.js";
import { rematch } from "./rematch.js";
import type { Submission } from "./submission.js";

/** Who applies, and when. */
export interface Applying {
  readonly by: string;
  readonly now: number;
  readonly newId: NewId;
  /** What the registered kinds make of accounts and places, by which what sources saw is told anew; absent: it stays as it was. */
  readonly shapes?: Shapes;
}

/** What applying did; `revision` is the one that is in force now. */
export interface Applied {
  readonly revision: number;
  readonly diff: EstateDiff;
  /** Whose findings may be others now; null: everything's. */
  readonly scope: LookScope | null;
}

/** Serialises appliers; nothing else waits for it. */
const applyLock = 7_305_141_969;
/** The first estate of a large installation is a million rows. */
export const applyMsMax = 600_000;

/** After so many the database's statistics are of another estate, and what looks at this one next would read all of it. */
const manyWords = 10_000;
const countAnew = sql`analyze rekey_inventory.entries, rekey_inventory.graph_nodes, rekey_inventory.graph_edges,
  rekey_inventory.graph_evidence`;

/**
 * Makes the database say what the estate says. Applying the same digest again changes nothing. `told` is what it changes, as
 * whoever applies was told before: nothing else is applied. Null: nobody was shown anything. Throws `rotation-open` as
 * `refuseUnderRotation` does, and `conflict` where somebody else has applied another estate since it was told, or since the
 * submission was read.
 */
export async function applySubmission(
  db: Database,
  submission: Submission,
  applying: Applying,
  told: EstateChanges | null = null,
): Promise<Applied> {
  const { digest, header } = submission;
  const { by } = applying;
  return transact(patient(db, applyMsMax), async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(${applyLock})`);
    const [last] = await tx
      .select({
        number: estateRevisions.number,
        digest: estateRevisions.digest,
        changes: estateRevisions.changes,
        appliedAt: estateRevisions.appliedAt,
        appliedBy: estateRevisions.appliedBy,
      })
      .from(estateRevisions)
      .orderBy(desc(estateRevisions.number))
      .limit(1);
    if (last?.digest === digest) {
      // A release that had no map may have applied it.
      await keepDeclared(tx, applying, {});
      // The very same request once more: its first answer was lost, and is given again.
      const mine = last.appliedAt === applying.now && last.appliedBy === by;
      return { revision: last.number, diff: (mine ? last.changes : null) ?? nothing, scope: null };
    }
    const changes = await changesStill(tx, submission, told);
    await holdTouched(tx, changes);
    await refuseUnderRotation(tx, changes);
    const revision = (last?.number ?? 0) + 1;
    // Whoever applies may have a clock that is behind: what the estate no longer says is older than what it says (H38).
    const now = last === undefined ? applying.now : Math.max(applying.now, last.appliedAt + 1);
    const row = { number: revision, digest, header, changes: changes.diff, appliedAt: now, appliedBy: by };
    await tx.insert(estateRevisions).values(row);
    await recordAuthority(tx, changes, { revision, by, now });
    await writeEntries(tx, changes, { ...applying, revision, now });
    await keepDeclared(tx, { ...applying, now }, touchedBy(changes));
    if (changes.words.length > manyWords) await tx.execute(countAnew);
    const moved = applying.shapes ? await rematch(tx, applying.shapes, changes.diff, now) : new Set<string>();
    await tellAudit(tx, {
      kind: "estate",
      at: now,
      rotation: null,
      facts: { revision, digest },
      personal: { by },
    });
    return { revision, diff: changes.diff, scope: await scopeOf(tx, changes.diff, moved) };
  });
}

/** Digest of the estate in force; null before there is one. */
export async function digestIn(tx: Tx): Promise<string | null> {
  const [last] = await tx
    .select({ digest: estateRevisions.digest })
    .from(estateRevisions)
    .orderBy(desc(estateRevisions.number))
    .limit(1);
  return last?.digest ?? null;
}

/** What `applySubmission` would change now, without changing it. */
export async function planSubmission(db: Database, submission: Submission): Promise<EstateChanges> {
  return read(patient(db, applyMsMax), async (tx) =>
    (await digestIn(tx)) === submission.digest ? noChanges(tx) : changesOf(tx, submission),
  );
}

/**
 * Where nothing changes but how the text is cut into pieces: notes the pieces, so that they need not be read again. Makes no
 * revision, and does nothing where something would change after all. An estate that a release without a map has applied gets
 * its map by it.
 */
export async function notePieces(
  db: Database,
  submission: Submission,
  applying: Pick<Applying, "now" | "shapes">,
): Promise<void> {
  await transact(patient(db, applyMsMax), async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(${applyLock})`);
    await keepDeclared(tx, applying, {});
    if ((await digestIn(tx)) === submission.digest) return;
    const { diff, moved } = await changesOf(tx, submission);
    if (!diff.empty || moved.length === 0) return;
    await writeMoved(tx, moved);
    await renewStamp(tx);
  });
}

/** Names of what came, ended, or says something anew that is on the map. */
function touchedBy({ diff }: EstateChanges): Names {
  return Object.fromEntries(
    mapped.map((section) => {
      const part = diff.sections[section];
      const shown: readonly string[] = onMap[section];
      const changed = part.changed.filter(
        ({ fields }) => section === "stores" || fields.some((field) => shown.includes(field)),
      );
      return [section, touchedIn({ ...part, changed })];
    }),
  );
}
