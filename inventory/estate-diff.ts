/** What applying an estate would change, as names: shown before anything is done, and recorded nowhere else. */
import { type Section, sections } from "../domain/estate/schema.js";
import type { Estate } from "../domain/estate/types.js";
import { canonical } from "../domain/plan.js";

/** The sections of an estate, of which each is a map from names to entries. */
export type Sections = Pick<Estate, Section>;

/** An entry that is there before and after; `fields` are the top-level ones that differ, sorted. */
export interface ChangedEntry {
  readonly name: string;
  readonly fields: readonly string[];
}

/** The changes of one section, each list sorted by name. */
export interface SectionDiff {
  readonly created: readonly string[];
  readonly changed: readonly ChangedEntry[];
  readonly ended: readonly string[];
}

/** Names of whatever came, changed or ended. */
export function touchedIn({ created, changed, ended }: SectionDiff): string[] {
  return [...created, ...changed.map(({ name }) => name), ...ended];
}

/** The changes of all sections. `empty`: nothing would change. `renamed`: the estate is that of an installation of another name. */
export interface EstateDiff {
  readonly empty: boolean;
  readonly renamed?: { readonly from: string; readonly to: string };
  readonly sections: Readonly<Record<Section, SectionDiff>>;
}

/** The changes from `before` (null: nothing was ever applied) to `after`. The order of fields does not count. */
export function diffEstate(before: Sections | null, after: Sections): EstateDiff {
  const parts = sections.map(
    (section) => [section, diffSection(before?.[section] ?? {}, after[section])] as const,
  );
  return {
    empty: parts.every(([, part]) => part.created.length + part.changed.length + part.ended.length === 0),
    sections: Object.fromEntries(parts) as Record<Section, SectionDiff>,
  };
}

type Entries = Readonly<Record<string, object>>;

function diffSection(before: Entries, after: Entries): SectionDiff {
  const has = (map: Entries, name: string) => Object.hasOwn(map, name);
  const kept = Object.keys(after).filter((name) => has(before, name));
  return {
    created: Object.keys(after)
      .filter((name) => !has(before, name))
      .sort(),
    changed: kept
      .map((name) => ({ name, fields: changedFields(before[name] ?? {}, after[name] ?? {}) }))
      .filter(({ fields }) => fields.length > 0)
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    ended: Object.keys(before)
      .filter((name) => !has(after, name))
      .sort(),
  };
}

/** Top-level fields in which two bodies differ, sorted. */
export function changedFields(before: object, after: object): string[] {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]);
  const read = (entry: object, field: string): unknown => (entry as Record<string, unknown>)[field];
  // What is written alike is the same; only of the rest the order of fields has to be left out.
  const isSame = (a: unknown, b: unknown) =>
    JSON.stringify(a) === JSON.stringify(b) || canonical(a) === canonical(b);
  return [...fields].filter((field) => !isSame(read(before, field), read(after, field))).sort();
}
