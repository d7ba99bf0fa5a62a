/** A finding as it stands at a moment: what it is about, in words that are the same at every look as long as nothing has changed. */
import type { Severity } from "../finding.js";
import type { FindingCode } from "./codes.js";

/** What a finding is about. `id` is that of a node of the map, of a source, or of nothing that anybody is shown. */
export interface Subject {
  readonly id: string;
  readonly type: string;
  /** As people call it. */
  readonly name: string;
}

/** A finding that is there. Its code with the ids of `subject` and `about` is what makes it the same one at every look. */
export interface Present {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly subject: Subject;
  /** Whom or what else it is about: the reader of a credential, the place that is wider than what is used of it. */
  readonly about: Subject | null;
  /** Id of the credential that it concerns; null where nobody knows of one. */
  readonly credential: string | null;
  readonly sentence: string;
  /** Names of who answers for it: for the subject, and where nobody does and it concerns no credential, for the sources that show it. */
  readonly owners: readonly string[];
  /** Names of the places that it is about, where these are several. */
  readonly places: readonly string[];
  /** Ids of the sources whose exceptions count: those that show it, where it concerns no credential of the estate. */
  readonly sources: readonly string[];
  /** Ids of all sources that show it, and `estate` where that says it; empty where it follows from what nobody shows. */
  readonly shownBy: readonly string[];
}

/** The sources of these, each once, as `shownBy` has them. */
export function sourcesIn(said: readonly { readonly source: string }[]): string[] {
  return [...new Set(said.map(({ source }) => source))].sort();
}

/** What makes it the same one at every look. */
export function keyOf({ code, subject, about }: Pick<Present, "code" | "subject" | "about">): string {
  return `${code} ${subject.id} ${about?.id ?? ""}`.trimEnd();
}

/**
 * The finding with somebody to ask: what concerns no credential and is nobody's is for the owners of the sources that show it, as its
 * exceptions are. Of a credential that nobody answers for, just that is to be said. `ownerOf` knows sources by their ids.
 */
export function withSomebody(present: Present, ownerOf: ReadonlyMap<string, string>): Present {
  const { credential, owners, sources } = present;
  if (credential !== null || owners.length > 0) return present;
  const asked = sources.flatMap((source) => ownerOf.get(source) ?? []);
  return { ...present, owners: [...new Set(asked)].sort() };
}
