/** What a look needs besides the credential's systems: people's words, and whose sign-off does not count. */
import type { Confirmation } from "../adapters/ports.js";
import { speaksFor } from "../domain/authority.js";
import { objectionToConfirmation } from "../domain/documents.js";
import type { RotationState } from "../domain/rotation/state.js";
import { documentsOf } from "../inventory/decisions.js";
import { changesSince } from "../inventory/estate.js";
import type { RotationSummary } from "../inventory/rotations.js";
import type { ActivityDeps, Systems } from "./deps.js";
import { mappedAsSeen, type ValueAsked } from "./mapped.js";
import { keptVersionReads } from "./read-versions.js";
import { signedNow } from "./speakers.js";
import type { Surveyor } from "./survey.js";

/** Who is left out when decisions are counted: the requester, and recent editors of this credential's rules (H37). */
export async function excludedFor(
  deps: Pick<ActivityDeps, "db" | "now">,
  systems: Pick<Systems, "policy">,
  record: Pick<RotationSummary, "credential" | "requestedBy">,
): Promise<Surveyor["excluded"]> {
  const since = deps.now() - systems.policy.cooldownMs;
  const changes = await changesSince(deps.db, record.credential, since);
  return { requestedBy: record.requestedBy, recentEditors: changes.map((change) => change.by) };
}

/** Everything for one look at this rotation's world. */
export async function surveyorFor(
  deps: ActivityDeps,
  systems: Systems,
  state: RotationState,
  record: Pick<RotationSummary, "credential" | "requestedBy">,
): Promise<Surveyor> {
  const [documents, excluded] = await Promise.all([
    documentsOf(deps.db, state.id),
    excludedFor(deps, systems, record),
  ]);
  const confirmed = documents.filter((document) => document.says === "confirm");
  const confirmations = await Promise.all(
    confirmed.map(({ jws }) => confirmationIn(jws, systems, state, deps.now())),
  );
  const mapped = (asked: ValueAsked) => mappedAsSeen(deps, systems, asked);
  return {
    ...{ deps, systems, confirmations: confirmations.flat(), excluded, mapped },
    versionReads: (seen, since) => keptVersionReads({ deps, systems }, seen, since),
  };
}

/**
 * The confirmation as it counts now: none where the walk has turned, or has delivered anew, since it was signed, where
 * it has expired, and where the key that signed it is no longer its person's, or the consumer no longer theirs (H7, H10).
 */
async function confirmationIn(
  jws: string,
  systems: Systems,
  state: RotationState,
  now: number,
): Promise<Confirmation[]> {
  const payload = await signedNow(systems.estate, jws);
  const consumer = systems.consumers.find(({ id }) => id === payload?.consumer);
  if (payload?.version === undefined || consumer === undefined || payload.expiresAt <= now) return [];
  const { version, person, issuedAt } = payload;
  if (speaksFor(systems.estate, person, [consumer.owner], now).length === 0) return [];
  if (objectionToConfirmation(payload, state.target, state.places[consumer.place]) !== null) return [];
  return [{ consumer: consumer.id, version, person, at: issuedAt }];
}
