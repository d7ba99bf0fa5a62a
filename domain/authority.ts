/** Whose word counts: which persons stand behind an owner's name now, and for which owners a person may speak (H37). */
import type { Delegate, Estate, Person } from "./estate/types.js";

/** Who is left out of the count, however many groups they are in. */
export interface Excluded {
  readonly requestedBy: string;
  /** Persons who changed this credential's owner or policy within the cool-down. */
  readonly recentEditors: readonly string[];
}

/** The person's record, or undefined where the name is no person of the estate. */
export function personOf(estate: Estate, name: string): Person | undefined {
  const owner = Object.hasOwn(estate.owners, name) ? estate.owners[name] : undefined;
  return owner?.kind === "person" ? owner : undefined;
}

/** Nobody is left out; for what is not an agreement to a plan. */
const nobody: Excluded = { requestedBy: "", recentEditors: [] };

/**
 * Owners among `asked` for whom `person` may sign at `at`: themself, their teams, and whoever has named them
 * as a delegate for that time. Delegation is one level deep: a delegate of a delegate speaks for nobody, and
 * neither does the delegate of somebody who is left out.
 */
export function speaksFor(
  estate: Estate,
  person: string,
  asked: readonly string[],
  at: number,
  excluded: Excluded = nobody,
): string[] {
  return asked.filter((name) => standIns(estate, name, at, excluded).includes(person));
}

/** Every person who may sign for these owners at `at`, without those who are excluded. */
export function signersFor(
  estate: Estate,
  asked: readonly string[],
  excluded: Excluded,
  at: number,
): string[] {
  return [...new Set(asked.flatMap((name) => standIns(estate, name, at, excluded)))].sort();
}

/** E-mail addresses at which an owner is told: a team's own where it has one, else those of every person who may sign for it. */
export function toldFor(estate: Estate, name: string, at: number): string[] {
  const owner = Object.hasOwn(estate.owners, name) ? estate.owners[name] : undefined;
  if (owner?.kind === "team" && owner.email !== undefined) return [owner.email];
  return addressesOf(estate, [name], at);
}

/**
 * E-mail addresses of whoever the policies name for the case that something has leaked: they are told of what nobody answers for.
 * None where no policy names anybody; a notifier is told all the same.
 */
export function respondersOf(estate: Estate, at: number): string[] {
  const named = new Set(Object.values(estate.policies).flatMap(({ responders }) => responders));
  return addressesOf(estate, [...named], at);
}

/** E-mail addresses of everybody who stands behind these owners at `at`; whoever is barred from signing is told all the same. */
export function addressesOf(estate: Estate, owners: readonly string[], at: number): string[] {
  return signersFor(estate, owners, nobody, at).flatMap((name) => personOf(estate, name)?.email ?? []);
}

/** Those who have a key to sign with, and those who have none: who has left keeps a name in the estate, and no key. */
export function withKeys(
  estate: Estate,
  persons: readonly string[],
): { readonly able: readonly string[]; readonly keyless: readonly string[] } {
  const hasKey = (name: string) => (personOf(estate, name)?.keys.length ?? 0) > 0;
  return {
    able: persons.filter(hasKey),
    keyless: persons.filter((name) => !hasKey(name)),
  };
}

function standIns(estate: Estate, name: string, at: number, excluded: Excluded): string[] {
  const owner = Object.hasOwn(estate.owners, name) ? estate.owners[name] : undefined;
  if (!owner) return [];
  const barred = new Set([excluded.requestedBy, ...excluded.recentEditors]);
  const own = owner.kind === "person" ? [name] : [...owner.members];
  return own
    .filter((person) => !barred.has(person))
    .flatMap((person) => [person, ...delegatesOf(estate, person, at)])
    .filter((person) => !barred.has(person));
}

function delegatesOf(estate: Estate, person: string, at: number): string[] {
  const delegates = personOf(estate, person)?.delegates ?? [];
  return delegates.filter((delegate) => isActive(delegate, at)).map((delegate) => delegate.to);
}

function isActive(delegate: Delegate, at: number): boolean {
  return Date.parse(delegate.from) <= at && at < Date.parse(delegate.until);
}
