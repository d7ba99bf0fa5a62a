/** What a look needs besides the credential's systems: people's words, and whose sign-off does not count. */
import type { Confirmation } from "../adapters/ports.js";
import { type DocumentPayload, objectionToConfirmation } from "../domain/documents.js";
import type { RotationState } from "../domain/rotation/state.js";
import { documentsOf } from "../inventory/decisions.js";
import { changesSince } from "../inventory/estate.js";
import type { RotationSummary } from "../inventory/rotations.js";
import { keptPayload } from "../inventory/signatures.js";
import type { ActivityDeps, Systems } from "./deps.js";
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
  const confirmations = documents
    .filter((document) => document.says === "confirm")
    .flatMap(({ jws }) => confirmationIn(keptPayload(jws), systems, state));
  return { deps, systems, confirmations, excluded };
}

/** The confirmation as it counts now; none where the walk has turned, or has delivered anew, since it was signed. */
function confirmationIn(payload: DocumentPayload, systems: Systems, state: RotationState): Confirmation[] {
  const { consumer, version, person, issuedAt } = payload;
  const place = systems.consumers.find(({ id }) => id === consumer)?.place;
  const told = place === undefined ? undefined : state.places[place];
  if (consumer === undefined || version === undefined) return [];
  if (objectionToConfirmation(payload, state.target, told) !== null) return [];
  return [{ consumer, version, person, at: issuedAt }];
}
