/** What applying an estate changes, a line an entry, in the signs that everybody knows from version control. */
import { sections } from "../../../domain/estate/schema.js";
import type { EstateDiff } from "../../../inventory/estate-diff.js";
import type { Paint } from "./style.js";

/** The difference as text; says so where there is none. */
export function diffText(diff: EstateDiff, paint: Paint): string {
  if (diff.empty) return "The inventory says what the estate says; nothing would change.";
  const lines = sections.flatMap((section) => {
    const { created, changed, ended } = diff.sections[section];
    return [
      ...created.map((name) => paint("good", `  + ${section} › ${name}`)),
      ...changed.map(({ name, fields }) => paint("warn", `  ~ ${section} › ${name}  (${fields.join(", ")})`)),
      ...ended.map((name) => paint("bad", `  - ${section} › ${name}`)),
    ];
  });
  const { renamed } = diff;
  const title = renamed && paint("warn", `  ~ installation  (${renamed.from} is called ${renamed.to})`);
  return [...(title === undefined ? [] : [title]), ...lines].join("\n");
}
