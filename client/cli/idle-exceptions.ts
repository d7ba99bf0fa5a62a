/** Exceptions that meet nobody: a name that is mistyped excepts nothing, and whoever relies on it learns that at night. */
import type { CredentialException } from "../../domain/estate/types.js";
import type { SubmittedEntry } from "../../inventory/submission.js";
import type { Inventory } from "./inventory.js";
import { meant } from "./node.js";

/**
 * A sentence for each exception that names whom or what it is about, holds at `now` (milliseconds since the epoch), and of which
 * the inventory has no such finding, ended ones among them; with the name that was probably meant. Of a credential that it does not
 * know yet, and before anybody has looked, nothing is said.
 */
export async function idleExceptions(
  inventory: Inventory,
  entries: readonly SubmittedEntry[],
  now: number,
): Promise<string[]> {
  const told: string[] = [];
  for (const { section, name, body } of entries) {
    for (const { finding: code, about, until } of exceptionsIn(body)) {
      if (about === undefined || Date.parse(until) <= now) continue;
      const filter = section === "credentials" ? await withCredential(inventory, name) : {};
      const { findings, at } =
        filter === null
          ? { findings: [], at: null }
          : await inventory.findings({ ...filter, code, ended: true });
      if (at === null) continue;
      const named = findings.flatMap(({ subject, about: other, places }) => [
        { name: other?.name ?? subject.name, type: other?.type ?? subject.type },
        ...places.map((place) => ({ name: place, type: "location" })),
      ]);
      if (named.some((one) => one.name === about)) continue;
      const { alike } = await inventory.nodesNamed(about);
      const hint = meant(about, named, null) ?? meant(about, alike, null);
      const idle = `The exception of ${name} excepts nothing now: no finding ${code} is about "${about}".`;
      told.push(hint === undefined ? idle : `${idle} ${hint}`);
    }
  }
  return told;
}

function exceptionsIn({ exceptions }: SubmittedEntry["body"]): readonly CredentialException[] {
  return Array.isArray(exceptions) ? (exceptions as readonly CredentialException[]) : [];
}

async function withCredential(
  inventory: Inventory,
  name: string,
): Promise<{ readonly credential: string } | null> {
  const { found } = await inventory.nodesNamed(name);
  const node = found.find(({ type }) => type === "credential");
  return node === undefined ? null : { credential: node.id };
}
