/**
 * What is wrong with an estate, as data: a path and words for people, without a position in a file, so that the
 * rules can be tested on plain objects and the loader only has to say where each thing stands.
 */

/** Where in the estate: names of sections, entries and fields, and indexes into lists. */
export type EstatePath = readonly (string | number)[];

/** One thing that is wrong. */
export interface EstateIssue {
  readonly path: EstatePath;
  /** Whether the name at the end of the path is wrong, or what stands behind it. */
  readonly at: "key" | "value";
  /** Stable, for programs. */
  readonly code: string;
  /** One sentence without a full stop. */
  readonly message: string;
  readonly expected?: string;
  /** What stands there instead; never shown where it may be a secret. */
  readonly found?: string;
  readonly hint?: string;
  /** What stands there must not be shown, not even as an excerpt of the file. */
  readonly secret: boolean;
}

/** An issue with the usual values for what is not given. */
export function issue(
  given: Pick<EstateIssue, "path" | "code" | "message"> & Partial<EstateIssue>,
): EstateIssue {
  return { at: "value", secret: false, ...given };
}

/** `a, b or c`, cut after a score; for expectations and hints. */
export function listed(words: readonly string[]): string {
  if (words.length > 20) return `${words.slice(0, 20).join(", ")} and ${words.length - 20} more`;
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} or ${last}`;
}

/** The words that stand in the list before, with their places in it. */
export function repeats(words: readonly string[]): [string, number][] {
  const seen = new Set<string>();
  return words.flatMap((word, i): [string, number][] => {
    if (seen.has(word)) return [[word, i]];
    seen.add(word);
    return [];
  });
}
