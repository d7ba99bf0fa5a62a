/**
 * Which class a thing has of which sources speak: each source's latest word, and of several sources the one that tells most.
 * Both are maxima, so that no order of readings decides, and none that is done twice.
 */
import { type CredentialClass, credentialClasses } from "../estate/classes.js";

/**
 * That a source took a thing for this. `last`: when that was seen last, and `first`: since when the source has taken it for
 * something, in milliseconds since the epoch.
 */
export interface ClassSaid {
  readonly class: CredentialClass;
  readonly first: number;
  readonly last: number;
}

/** Of two words of one source the later one, since the first of both; of two at one moment the one that tells more. */
export function laterWord(one: ClassSaid, other: ClassSaid): ClassSaid {
  const later = one.last - other.last || rank(one) - rank(other);
  return { ...(later >= 0 ? one : other), first: Math.min(one.first, other.first) };
}

/** What a thing is by the words of different sources; null where there is none. */
export function classOf(said: readonly Pick<ClassSaid, "class">[]): CredentialClass | null {
  return credentialClasses[Math.max(...said.map(rank))] ?? null;
}

/**
 * What a consumer is by what the readers are that it claims: theirs, where all of which anything is said are one; null where they
 * differ, as what tells most of two readers tells nothing of the other.
 */
export function classOfReaders(readers: readonly (CredentialClass | null)[]): CredentialClass | null {
  const [one = null, ...others] = new Set(readers.filter((kind) => kind !== null));
  return others.length === 0 ? one : null;
}

function rank({ class: kind }: Pick<ClassSaid, "class">): number {
  return credentialClasses.indexOf(kind);
}
