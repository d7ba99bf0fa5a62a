/**
 * Who may decide on a credential, and by which rules: compared before and after an estate is applied, because
 * whoever changed it may not use the change to sign for themselves (H37).
 */
import { rotationRules } from "../domain/estate/class-policies.js";
import type { Credential, Estate, Owner } from "../domain/estate/types.js";
import { canonical } from "../domain/plan.js";

/** The parts of an estate that say who may decide what. */
export type Authorities = Pick<Estate, "owners" | "policies" | "credentials">;

/** One credential's authority changed: its owner, its policy (or what the policy says), or the people behind them. */
export interface AuthorityChange {
  readonly credential: string;
  readonly what: "owner" | "policy" | "people";
  /** Name of the owner or policy until now; for `people`, names of those whose record changed, joined by commas. */
  readonly previously: string;
}

/**
 * The changes for every credential that `before` and `after` both know. A credential that is new has no
 * authority that could have been taken from anybody. Give `before` with everything that has ended, so that
 * leaving out an entry and bringing it back otherwise counts as the change that it is.
 */
export function authorityChanges(before: Authorities, after: Authorities): AuthorityChange[] {
  return Object.entries(after.credentials).flatMap(([name, credential]) => {
    const known = Object.hasOwn(before.credentials, name) ? before.credentials[name] : undefined;
    return known === undefined ? [] : changesOf(name, known, credential, before, after);
  });
}

function changesOf(
  name: string,
  known: Credential,
  credential: Credential,
  before: Authorities,
  after: Authorities,
): AuthorityChange[] {
  const changes: AuthorityChange[] = [];
  if (known.owner !== credential.owner) {
    changes.push({ credential: name, what: "owner", previously: known.owner });
  }
  // Which classes take a policy changes nobody's rules but theirs whose policy it is from then on.
  const [was, is] = [before.policies[known.policy], after.policies[credential.policy]];
  const rules = canonical(rotationRules(was)) !== canonical(rotationRules(is));
  // What is excepted is no longer refused: whoever wrote that does not sign what it lets through.
  const excepted = canonical(known.exceptions ?? []) !== canonical(credential.exceptions ?? []);
  // So are uses of an account that is the credential's no more.
  const unseen = canonical(known.seenAs ?? []) !== canonical(credential.seenAs ?? []);
  if (known.policy !== credential.policy || rules || excepted || unseen) {
    changes.push({ credential: name, what: "policy", previously: known.policy });
  }
  const involved = [...deciders(known, before), ...deciders(credential, after)];
  const altered = [...new Set(involved)].filter(
    (person) => person in before.owners && canonical(mark(before, person)) !== canonical(mark(after, person)),
  );
  if (altered.length > 0) {
    changes.push({ credential: name, what: "people", previously: altered.sort().join(", ") });
  }
  return changes;
}

/** Names of everybody whose record says who may sign: owner, the policy's own list, their members and deputies. */
function deciders(credential: Credential, estate: Authorities): string[] {
  const from = estate.policies[credential.policy]?.approval.from;
  const asked = from === undefined || from === "owner" ? [] : from;
  const found = new Set<string>();
  const add = (name: string): void => {
    const owner = estate.owners[name];
    if (found.has(name) || owner === undefined) return;
    found.add(name);
    const next = owner.kind === "team" ? owner.members : owner.delegates.map(({ to }) => to);
    for (const other of next) add(other);
  };
  for (const name of [credential.owner, ...asked]) add(name);
  return [...found];
}

/** What of a person or team decides whose signature counts; an address or a display name does not. */
function mark(estate: Authorities, name: string): unknown {
  const owner: Owner | undefined = estate.owners[name];
  if (owner === undefined) return null;
  if (owner.kind === "team") return { members: [...owner.members].sort() };
  return { subject: owner.subject, manager: owner.manager, keys: owner.keys, delegates: owner.delegates };
}
