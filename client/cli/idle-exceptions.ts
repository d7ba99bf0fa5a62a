/** Exceptions that meet nobody: a name that is mistyped excepts nothing, and whoever relies on it learns that at night. */

import type { Section } from "../../domain/estate/schema.js";
import type { CredentialException } from "../../domain/estate/types.js";
import { isOfRotations } from "../../domain/findings/codes.js";
import type { SubmittedEntry } from "../../inventory/submission.js";
import type { Inventory } from "./inventory.js";
import { meant } from "./node.js";

/** An exception that names whom or what it is about, with the entry in which it stands. */
interface Named extends Pick<SubmittedEntry, "section" | "name"> {
  readonly code: string;
  readonly about: string;
}

/**
 * A sentence for each exception that names whom or what it is about, holds at `now` (milliseconds since the epoch), and of which
 * the inventory has no such finding, ended ones among them; with the name that was probably meant. Of what only a rotation asks no
 * finding is kept, so that it is told where nobody of that name could be found. Of a credential that it does not know yet, and
 * before anybody has looked, nothing is said.
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
      if (filter === null) continue;
      const named = { section, name, code, about };
      const idle = isOfRotations(code)
        ? await idleInRotations(inventory, named, entries)
        : await idleInRecords(inventory, named, filter);
      if (idle !== null) told.push(`The exception of ${name} excepts nothing${idle}`);
    }
  }
  return told;
}

async function idleInRecords(
  inventory: Inventory,
  { code, about }: Named,
  filter: { readonly credential?: string },
): Promise<string | null> {
  const { findings, at } = await inventory.findings({ ...filter, code, ended: true });
  if (at === null) return null;
  const named = findings.flatMap(({ subject, about: other, places }) => [
    { name: other?.name ?? subject.name, type: other?.type ?? subject.type },
    ...places.map((place) => ({ name: place, type: "location" })),
  ]);
  if (named.some((one) => one.name === about)) return null;
  const { alike } = await inventory.nodesNamed(about);
  const idle = ` now: no finding ${code} is about "${about}".`;
  const hint = meant(about, named, null) ?? meant(about, alike, null);
  return withHint(idle, hint ?? (about.includes("*") ? "`about` is one name, and no pattern." : undefined));
}

/** What these entries bring is known, too. A rotation also asks for a source that has left the estate since it was agreed to. */
async function idleInRotations(
  inventory: Inventory,
  { section, code, about }: Named,
  entries: readonly SubmittedEntry[],
): Promise<string | null> {
  if (section !== "credentials")
    return `: only rotations ask for ${code}, and they go by the exceptions of their credential.`;
  const told = (of: Section) => entries.filter((entry) => entry.section === of).map(({ name }) => name);
  if (code === "last-reading") {
    const names = [...new Set([...told("sources"), ...(await inventory.sourceNames()).values()])];
    if (names.includes(about)) return null;
    const sources = names.map((name) => ({ name, type: "source" }));
    const idle = ` now: ${code} is about a source, and none is called "${about}".`;
    return withHint(idle, meant(about, sources, null));
  }
  const { at } = await inventory.findings({ code });
  const { found, alike } = await inventory.nodesNamed(about);
  if (at === null || found.length > 0 || told("consumers").includes(about)) return null;
  const idle = ` now: ${code} is about a reader, and nobody on the map is called "${about}".`;
  return withHint(idle, meant(about, alike, ["consumer", "identity"]));
}

function withHint(sentence: string, hint: string | undefined): string {
  return hint === undefined ? sentence : `${sentence} ${hint}`;
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
