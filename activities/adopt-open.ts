/**
 * Asking for an adoption: what would be done is read at the issuer, written down as a plan, and put before the
 * owners. Asked again it is the same request, for as long as it would still do the same.
 */

import type { AdopterView } from "../adapters/ports.js";
import {
  type AdoptionAsk,
  type AdoptionDirection,
  type AdoptionPlan,
  type AdoptionRecord,
  adoptionDigest,
  adoptionPlanOf,
  adoptionStanding,
  asksAlike,
  isSameWork,
  type StandingStep,
} from "../domain/adopt-plan.js";
import { count } from "../domain/count.js";
import { RekeyError } from "../domain/errors.js";
import { refusals } from "../domain/finding.js";
import {
  type AdoptionRequest,
  adoptionOf,
  askAgain,
  closeAdoption,
  lastBegunAdoption,
  openAdoption,
} from "../inventory/adoptions.js";
import { askedOwners } from "./approvers.js";
import type { ActivityDeps, Systems } from "./deps.js";

/** What an adoption is given; the same as activities get, without what belongs to versions. */
export type AdoptionDeps = Pick<ActivityDeps, "db" | "installation" | "now" | "newId" | "sha256Hex">;

/** The credential as an adoption sees it; `lockKeys` are those of its account. */
export type AdoptedCredential = Pick<Systems, "id" | "name" | "estate" | "owner" | "policy" | "lockKeys">;

/** The steps of a direction as the issuer shows them. */
export function standingSteps({ steps }: AdopterView, direction: AdoptionDirection): StandingStep[] {
  if (direction === "adopt") {
    return steps.map(({ id, by, sentence, run, done }) => ({ id, by, sentence, run, left: !done }));
  }
  return [...steps].reverse().map(({ id, by, undoSentence, undo, touched }) => ({
    id,
    by,
    sentence: undoSentence,
    run: undo,
    left: touched,
  }));
}

/** The plan for what the issuer shows. Throws `missing-setup` while the issuer cannot tell who it is. */
export function planFrom(
  deps: Pick<AdoptionDeps, "installation">,
  credential: AdoptedCredential,
  account: Readonly<Record<string, unknown>>,
  view: AdopterView,
  request: Pick<AdoptionPlan, "adoption" | "nonce" | "direction">,
): AdoptionPlan {
  if (view.identity === null) {
    throw new RekeyError("missing-setup", "The issuer cannot say which one it is.", "See `rekey grants`.");
  }
  const { quorum, deadlineMs } = credential.policy.approval;
  return adoptionPlanOf({
    ...request,
    installation: deps.installation,
    credential: credential.id,
    identity: view.identity,
    account,
    steps: view.steps.map(({ id, by, sentence, run, undoSentence, undo }) => ({
      id,
      by,
      sentence,
      run,
      undoSentence,
      undo,
    })),
    approval: { quorum, approvers: askedOwners(credential), deadlineMs },
  });
}

/**
 * The open adoption in this direction, opened now where there is none. Null where nothing is to be done. A
 * request of the other direction gives way: withdrawn where no step was taken, turned where one was. Throws
 * `refused-by-policy` where a finding refuses, `rotation-open` while the credential is being rotated.
 */
export async function askAdoption(
  deps: AdoptionDeps,
  credential: AdoptedCredential,
  account: Readonly<Record<string, unknown>>,
  view: AdopterView,
  ask: AdoptionAsk,
): Promise<AdoptionRecord | null> {
  const open = await adoptionOf(deps.db, credential.id);
  const ids = { adoption: deps.newId("adp"), nonce: deps.newId("run"), direction: ask.direction };
  if (open !== null && open.plan.direction !== ask.direction && open.begunAt === null) {
    return withdraw(deps, open, ask);
  }
  if (open === null && !standingSteps(view, ask.direction).some(({ left }) => left)) return null;
  // What has been begun is finished or taken back whatever the checks say by now; each statement refuses by itself.
  const [refused] = open?.begunAt == null ? refusals(view.findings) : [];
  if (refused) throw new RekeyError("refused-by-policy", refused.sentence);
  const plan = planFrom(deps, credential, account, view, ids);
  if (open === null) return begin(deps, plan, ask);
  if (open.plan.direction !== ask.direction) {
    const reason = `${ask.requestedBy} asked for the other direction: ${ask.reason}`;
    return begin(deps, plan, ask, { id: open.id, outcome: "turned", reason });
  }
  const standing = adoptionStanding(open, deps.now());
  const overdue = standing.is === "waiting" && standing.overdue;
  // A signature that was good for the first steps may have expired since: the owners are asked once more (H38).
  if (open.begunAt !== null) return overdue ? askAgain(deps.db, open.id, deps.now()) : open;
  if (overdue) {
    const reason = `${count(standing.missing, "sign-off was", "sign-offs were")} still missing at the deadline.`;
    return begin(deps, plan, ask, { id: open.id, outcome: "refused", reason });
  }
  if (isSameWork(open.plan, plan) && asksAlike(open.plan, plan)) return open;
  const reason = "What would be done, or who is asked, is no longer what the plan says.";
  return begin(deps, plan, ask, { id: open.id, outcome: "outdated", reason });
}

function withdraw(deps: AdoptionDeps, open: AdoptionRecord, ask: AdoptionAsk): Promise<AdoptionRecord> {
  const reason = `${ask.requestedBy} took it back before its first step: ${ask.reason}`;
  return closeAdoption(deps.db, open.id, "withdrawn", reason, deps.now());
}

async function begin(
  deps: AdoptionDeps,
  plan: AdoptionPlan,
  { requestedBy, reason }: AdoptionAsk,
  replaces?: AdoptionRequest["replaces"],
): Promise<AdoptionRecord> {
  const last = plan.direction === "undo" ? await lastBegunAdoption(deps.db, plan.credential) : null;
  const under = last?.plan.direction === "adopt" && isSameWork(last.plan, plan) ? last.id : null;
  return openAdoption(deps.db, {
    plan,
    digest: adoptionDigest(plan, deps.sha256Hex),
    under,
    requestedBy,
    reason,
    at: deps.now(),
    ...(replaces ? { replaces } : {}),
  });
}
