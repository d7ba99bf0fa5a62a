/**
 * How a restored inventory is recognised (H32): whatever stands outside was told to the records first, so nothing
 * outside can be ahead of them. Where something is, the records are from an earlier time, and nothing they say may
 * be acted on.
 */
import { count } from "./count.js";
import { RekeyError } from "./errors.js";
import { type FenceTag, parseTag } from "./fence.js";

/** How far records have come. */
export interface Generation {
  /** Grows with every restore that was accepted. */
  readonly number: number;
  /** Drawn anew with it, so that two that went on from one backup are told apart. */
  readonly id: string;
  /** Grows with every intent. */
  readonly mark: number;
}

/** Where the newest generation is noted besides the database. */
export interface HighWater {
  /** Null where none was noted yet. Throws `audit-down` where it cannot be read. */
  read(): Promise<Generation | null>;
  /** Replaces it; on the disk when this resolves. Throws `audit-down`. */
  write(generation: Generation): Promise<void>;
}

/** Restored records, while nobody has accepted that: every change is refused. */
export interface Halt {
  readonly id: string;
  readonly noticedAt: number;
  /** What stands outside and is not in the records. */
  readonly evidence: readonly string[];
}

/** How far the records know a rotation. */
export interface KnownRotation {
  readonly epoch: number;
  readonly change: number;
}

/** Why the records are older than what was noted, as a sentence; null where they are not. */
export function objectionToRecords(inside: Generation, noted: Generation | null): string | null {
  if (noted === null || noted.number < inside.number) return null;
  const there = `This machine has noted generation ${noted.number} and ${count(noted.mark, "change")}`;
  if (noted.number > inside.number) return `${there}; the records are of generation ${inside.number}.`;
  if (noted.id !== inside.id) return `${there} of another line of records than this one.`;
  return noted.mark > inside.mark ? `${there}; the records have ${inside.mark}.` : null;
}

/** True where `a` is further than `b`. */
export function isFurther(a: Generation, b: Generation | null): boolean {
  return b === null || a.number > b.number || (a.number === b.number && a.id === b.id && a.mark > b.mark);
}

/** Our own tags among the texts. */
export function ownTags(texts: readonly string[], installation: string): FenceTag[] {
  return texts.flatMap((text) => {
    const tag = parseTag(text);
    return tag !== null && tag.installation === installation ? [tag] : [];
  });
}

/** The tags that the records do not reach: of a rotation that they do not know, or not that far. */
export function tagsAhead(
  tags: readonly FenceTag[],
  known: ReadonlyMap<string, KnownRotation>,
): readonly FenceTag[] {
  return tags.filter(({ rotation, epoch, change }) => {
    const there = known.get(rotation);
    if (there === undefined) return true;
    return epoch > there.epoch || change > there.change;
  });
}

/** What a tag that is ahead says, for people. */
export function aheadTold({ rotation, epoch, change }: FenceTag, known: KnownRotation | undefined): string {
  const there = `A tag outside is of rotation ${rotation}, epoch ${epoch}, change ${change}`;
  return known === undefined
    ? `${there}; the records know no such rotation.`
    : `${there}; the records know it up to epoch ${known.epoch} and change ${known.change}.`;
}

/** The refusal of every change while records are not accepted. */
export function haltError({ evidence }: Halt): RekeyError {
  return new RekeyError(
    "restored",
    `The inventory was restored to an earlier time. ${evidence[0] ?? ""}`.trim(),
  );
}

/** What is signed to accept the records as they are. */
export function restoreDigest({ id }: Pick<Halt, "id">): string {
  return `restored/${id}`;
}
