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
  const maps = Object.fromEntries(sections.map((section) => [section, {} as Record<string, unknown>]));
  // A name that every object inherits is an entry's name like any other.
  const own = { configurable: true, enumerable: true, writable: true };
  for (const { section, name, body } of rows) {
    const map = maps[section];
    if (map !== undefined) Object.defineProperty(map, name, { ...own, value: body });
  }
  return maps as unknown as Sections;
}
