/**
 * A source that reads a system of the estate repeats some of what the system's own entry says: where something is mounted, which account
 * it is. Where the two differ, the source sees another thing than it is taken to see, and nothing seen would be no evidence.
 */
import { type EstateIssue, issue } from "./issues.js";
import type { EstateKinds } from "./kinds.js";
import { lookUp } from "./shape.js";
import type { Estate } from "./types.js";

/** Every setting of a source that contradicts the store or the issuer that the source names. */
export function checkSources(estate: Estate, kinds: EstateKinds): EstateIssue[] {
  return Object.entries(estate.sources).flatMap(([name, source]) => {
    const named = <System>(section: Readonly<Record<string, System>>, field: string): System | undefined => {
      const entry = (source as Readonly<Record<string, unknown>>)[field];
      return typeof entry === "string" ? lookUp(section, entry) : undefined;
    };
    const systems = { store: named(estate.stores, "store"), issuer: named(estate.issuers, "issuer") };
    const found = lookUp(kinds.sources, source.kind)?.contradicts?.(source, systems) ?? [];
    return found.map(({ field, sentence, hint }) =>
      issue({ path: ["sources", name, field], code: "other-system", message: sentence, hint }),
    );
  });
}
