/** Rows of entries as the sections of an estate. */
import { type Section, sections } from "../domain/estate/schema.js";
import type { Sections } from "./estate-diff.js";

/** Every section with the bodies of these entries by their names. */
export function sectionsOf(
  rows: readonly {
    readonly section: Section;
    readonly name: string;
    readonly body: Readonly<Record<string, unknown>>;
  }[],
): Sections {
  const maps = sections.map((section) => [
    section,
    Object.fromEntries(rows.filter((row) => row.section === section).map((row) => [row.name, row.body])),
  ]);
  return Object.fromEntries(maps) as Sections;
}
