/**
 * What the roles of a kind mean for the walk. Most kinds have one: whoever uses the credential reads it in the
 * store. A kind whose versions are also checked by others declares both, in the order in which they come to a
 * version, and from that alone the gates wait for the ones before they serve the others (H28).
 */
import type { IssuerTraits, Role } from "./kinds.js";
import type { PlannedConsumer, RotationState } from "./rotation/state.js";

/** What a rule here needs of a state. */
type Planned = Pick<RotationState, "traits" | "plan" | "amendments">;

/** The roles of a kind, in their order. */
export function rolesOf(traits: IssuerTraits): readonly Role[] {
  return traits.roles ?? [{ role: "user", takes: "store", memoryMs: 0 }];
}

/** The role that a consumer has by its plan: the named one, or the first that reads the store. */
export function roleOf(traits: IssuerTraits, name: string | undefined): Role | null {
  const roles = rolesOf(traits);
  const own = name === undefined ? roles.find(({ takes }) => takes === "store") : undefined;
  return own ?? roles.find(({ role }) => role === name) ?? null;
}

/** True for a consumer that only checks what others do with a version, and takes it from the issuer. */
export function isChecker(traits: IssuerTraits, consumer: Pick<PlannedConsumer, "role">): boolean {
  return roleOf(traits, consumer.role)?.takes === "issuer";
}

/** True where a version has to be known to those who check it before anybody may use it. */
export function isChecked(traits: IssuerTraits): boolean {
  return rolesOf(traits).some(({ takes }) => takes === "issuer");
}

/** How long whoever checks may go on with what it knew before a change at the issuer; 0 where nobody does. */
export function checkersMemoryMs(state: Planned): number {
  const { traits } = state;
  const floors = rolesOf(traits).filter(({ takes }) => takes === "issuer");
  const known = planned(state).filter((consumer) => isChecker(traits, consumer));
  return Math.max(0, ...floors.map(({ memoryMs }) => memoryMs), ...known.map(({ memoryMs }) => memoryMs));
}

/** Longest memory of the consumers that use a version themselves. */
export function usersMemoryMs(state: Planned): number {
  const users = planned(state).filter((consumer) => !isChecker(state.traits, consumer));
  return Math.max(0, ...users.map(({ memoryMs }) => memoryMs));
}

/**
 * How long what was made with a version lives on where no look can show it, and where switching the version off
 * would end it: so long nothing may be switched off after its last use (H27).
 */
export function derivedLifeMs(traits: IssuerTraits): number {
  const broken = traits.derives.filter(({ endedByDisable }) => endedByDisable);
  return Math.max(0, ...broken.map(({ maxLifeMs }) => maxLifeMs ?? 0));
}

/** Names of the instances that were last seen to let a version in although they only check it. */
export function stillAccepting(state: RotationState, version: string): string[] {
  return Object.values(state.consumers)
    .flatMap(({ instances }) => instances)
    .filter(({ accepts }) => accepts?.includes(version))
    .map(({ instance }) => instance);
}

function planned(state: Planned): readonly PlannedConsumer[] {
  return (state.amendments.at(-1) ?? state.plan)?.consumers ?? [];
}
