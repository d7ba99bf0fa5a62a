/** Compares what a source's settings say of a system with what the estate says of it. */
import type { Contradiction } from "../../domain/estate/kinds.js";
import type { KindConfig } from "../../domain/estate/types.js";

/** Settings that have to be the system's own; nothing where no system is named. `field` names the system, `kind` is what it has to be of. */
export function differing(
  settings: Readonly<Record<string, unknown>>,
  system: KindConfig | undefined,
  { field, kind, same }: { readonly field: string; readonly kind: string; readonly same: readonly string[] },
): Contradiction[] {
  if (system === undefined) return [];
  if (system.kind !== kind) {
    const sentence = `it is of the kind ${system.kind}, and this source reads what one of the kind ${kind} does`;
    return [{ field, sentence, hint: `name one of the kind ${kind}` }];
  }
  return same.flatMap((name) => {
    const own = (system as Readonly<Record<string, unknown>>)[name];
    if (own === settings[name]) return [];
    const hint = own === undefined ? "leave it out" : `say ${JSON.stringify(own)}, or name another ${field}`;
    return [{ field: name, sentence: `the ${field} has another ${name}`, hint }];
  });
}
