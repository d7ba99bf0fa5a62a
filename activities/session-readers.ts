/** Whose sessions an issuer shows: told by the rules of the map, so that a rotation and a source know somebody by the same. */
import type { IssuerView, SessionGroup } from "../adapters/ports.js";
import type { UnmappedReader } from "../domain/checks.js";
import type { Claimant } from "../domain/discovery/claims.js";
import { cameFrom, matchReader } from "../domain/discovery/match.js";
import { type CountedSessions, sessionsOf } from "../domain/drain.js";
import type { IssuerTraits } from "../domain/kinds.js";
import type { RotationState } from "../domain/rotation/state.js";
import { isAddress, isWithin } from "../inventory/within.js";
import type { Systems } from "./deps.js";

/** How many sessions may still be of each version, by its id, at `now` in milliseconds since the epoch. */
export function sessionsByVersion(
  view: IssuerView,
  consumers: Systems["consumers"],
  state: RotationState,
  now: number,
): Record<string, number> {
  const sessions = view.sessions.map(
    (group): CountedSessions => ({
      slot: group.slot,
      consumer: consumerOf(consumers, group),
      count: group.count,
      // By its age: the issuer's clock and ours need not agree.
      oldestAt: now - (view.at - group.oldestAt),
    }),
  );
  return Object.fromEntries(
    Object.values(state.versions).map((version) => [version.id, sessionsOf(state, version, sessions)]),
  );
}

/** Id of the consumer that the session belongs to, told as on the map; null where that is nobody, or could be several. */
export function consumerOf(
  consumers: readonly Claimant[],
  { application, address }: Pick<SessionGroup, "application" | "address">,
): string | null {
  const traits = { applicationName: application, ...cameFrom(address, isAddress(address)) };
  return matchReader(traits, consumers, isWithin).consumer?.id ?? null;
}

/** Sessions of the credential's accounts that no declared consumer accounts for. */
export function unmappedReaders(
  sessions: readonly SessionGroup[],
  consumers: readonly Claimant[],
  { sessionsTellVersions }: Pick<IssuerTraits, "sessionsTellVersions"> = { sessionsTellVersions: true },
): UnmappedReader[] {
  const strangers = sessions.filter(
    (group) =>
      // One that does not show yet whose it is; where no session tells its version, all of them are the account's.
      (group.slot !== null || !sessionsTellVersions) && consumerOf(consumers, group) === null,
  );
  const merged = new Map<string, UnmappedReader>();
  for (const { application, address, count } of strangers) {
    const key = `${application}\n${address}`;
    merged.set(key, { application, address, count: (merged.get(key)?.count ?? 0) + count });
  }
  return [...merged.values()];
}
