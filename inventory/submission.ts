/**
 * An estate as it is handed over for being applied: what was read of it now, and which pieces of it stand as the inventory has
 * them already. So that of a hundred thousand credentials only those are read, checked and written that are new.
 */
import { createHash } from "node:crypto";
import { type Section, sections } from "../domain/estate/schema.js";
import type { Estate } from "../domain/estate/types.js";
import { canonical } from "../domain/plan.js";

/** What an entry says. */
export type Body = Readonly<Record<string, unknown>>;

/** What stands beside the sections of an estate. */
export type Header = Pick<Estate, "version" | "installation">;

/** An entry that was read. */
export interface SubmittedEntry {
  readonly section: Section;
  readonly name: string;
  readonly body: Body;
  /** As `bodyDigest` makes it. */
  readonly digest: string;
  /** Hash of the piece of text that says it, and of how this release reads it; null where the estate is one file. */
  readonly piece: string | null;
  /** Accounts and places that no other credential may have; null where there is no piece. */
  readonly claims: readonly string[] | null;
  /** It was not read: its piece is known, and says something else now because of what another one says. */
  readonly followed?: boolean;
}

/** An estate, whole or as far as it was read. */
export interface Submission {
  /** Of the whole estate: applied again it changes nothing. */
  readonly digest: string;
  readonly header: Header;
  readonly entries: readonly SubmittedEntry[];
  /** What was not read, because the inventory has it. Null: everything is in `entries`. */
  readonly base: Base | null;
}

/** What the inventory had when an estate was read. */
export interface Base {
  /** As of `KnownPieces`. */
  readonly stamp: string;
  /** The pieces that the estate has no more. Every entry of another piece says what it said. */
  readonly gone: readonly string[];
}

/** A whole estate, handed over entry by entry. */
export function submissionOf(estate: Estate, digest: string): Submission {
  const { version, installation } = estate;
  const entries = sections.flatMap((section) =>
    Object.entries(estate[section]).map(([name, entry]): SubmittedEntry => {
      const body = entry as unknown as Body;
      return { section, name, body, digest: bodyDigest(body), piece: null, claims: null };
    }),
  );
  return { digest, header: { version, installation }, entries, base: null };
}

/** By what a body is recognised; the order of its fields does not count. */
export function bodyDigest(body: Body): string {
  return createHash("sha256").update(canonical(body)).digest("base64url");
}

/** An entry by its section and its name. */
export const entryKey = ({ section, name }: Pick<SubmittedEntry, "section" | "name">): string =>
  `${section} ${name}`;
