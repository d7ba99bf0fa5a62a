/**
 * Sees to it that restored records are noticed before anything is done on them (H32): a note outside the database
 * that is further than the records, or a tag of ours that they do not reach. Once noticed it is kept in the records
 * themselves, so that every worker refuses, until a person has looked and accepted them.
 */
import type { RekeyError } from "../domain/errors.js";
import type { FenceTag } from "../domain/fence.js";
import {
  aheadTold,
  type Generation,
  type Halt,
  type HighWater,
  haltError,
  isFurther,
  type KnownRotation,
  objectionToRecords,
  ownTags,
  tagsAhead,
} from "../domain/restore.js";
import type { Database, Tx } from "./database.js";
import { generationIn, generationOf, knownIn, knownRotations, noteRestore } from "./restores.js";

/** What the guard is made of. */
export interface GuardParts {
  readonly db: Database;
  readonly installation: string;
  readonly outside: HighWater;
  readonly now: () => number;
  readonly newId: (prefix: string) => string;
}

/** The guard. */
export interface RestoreGuard {
  /**
   * Why nothing may be changed, or null. Throws `unreachable` where the records cannot be read, and `audit-down`
   * where the note cannot be read or written.
   */
  objection(): Promise<RekeyError | null>;
  /** Compares the texts of tags with the records, which were read after them. Throws `restored`. */
  compare(texts: readonly string[]): Promise<void>;
  /** Notes outside how far the records have come; on the disk when this resolves. Throws `audit-down`. */
  raised(generation: Generation | null): Promise<void>;
  /** The newest generation that was noted outside. Throws `audit-down`. */
  noted(): Promise<Generation | null>;
}

/** The guard of one process. */
export function restoreGuard({ db, installation, outside, now, newId }: GuardParts): RestoreGuard {
  let last: Promise<void> = Promise.resolve();

  const halted = (evidenceIn: (tx: Tx) => Promise<readonly string[]>): Promise<Halt | null> =>
    noteRestore(db, { id: newId("rst"), noticedAt: now() }, evidenceIn);

  const raised = (generation: Generation | null): Promise<void> => {
    if (generation === null) return Promise.resolve();
    const mine = last.then(async () => {
      // Another process may share the note; the further one stays.
      if (isFurther(generation, await outside.read())) await outside.write(generation);
    });
    last = mine.catch(() => undefined);
    return mine;
  };

  return {
    raised,
    noted: () => outside.read(),
    objection: async () => {
      // The note first: what it says was in the records before, so records that are read after it reach it, whoever
      // changes something meanwhile. The other way round their progress would look like a restore.
      const noted = await outside.read();
      const inside = await generationOf(db);
      if (inside === null) return null;
      const { halt, ...generation } = inside;
      if (halt !== null) return haltError(halt);
      if (objectionToRecords(generation, noted) === null) {
        await raised(generation);
        return null;
      }
      const kept = await halted(async (tx) => {
        const there = await generationIn(tx);
        const sentence = there && objectionToRecords(there, noted);
        return sentence === null ? [] : [sentence];
      });
      return kept && haltError(kept);
    },
    compare: async (texts) => {
      const tags = ownTags(texts, installation);
      if (tags.length === 0) return;
      const ids = tags.map(({ rotation }) => rotation);
      if (tagsAhead(tags, await knownRotations(db, ids)).length === 0) return;
      const kept = await halted(async (tx) => toldAhead(tags, await knownIn(tx, ids)));
      if (kept !== null) throw haltError(kept);
    },
  };
}

function toldAhead(tags: readonly FenceTag[], known: ReadonlyMap<string, KnownRotation>): string[] {
  return tagsAhead(tags, known).map((tag) => aheadTold(tag, known.get(tag.rotation)));
}
