/**
 * Taking the steps of an adoption one by one: the issuer is looked at anew, the intent is written with the
 * signatures that it uses up, the signed statements are run, and what came of them is read and kept. Interrupted
 * anywhere, the next run sees what stands and goes on from there.
 */
import type { Adopter, AdopterView, Call } from "../adapters/ports.js";
import {
  type AdoptionOutcome,
  type AdoptionPlan,
  type AdoptionProgress,
  type AdoptionRecord,
  isSameWork,
  type StandingStep,
  stepsInOrder,
} from "../domain/adopt-plan.js";
import { RekeyError } from "../domain/errors.js";
import {
  intendStep,
  noticeSteps,
  restAdoption,
  type SpeaksFor,
  settleStep,
  stepsOf,
} from "../inventory/adoption-steps.js";
import { adoptionWith, closeAdoption } from "../inventory/adoptions.js";
import { type AdoptedCredential, type AdoptionDeps, planFrom, standingSteps } from "./adopt-open.js";
import { speakersOf } from "./speakers.js";
import { excludedFor } from "./surveyor.js";

/**
 * Goes on with an open adoption as far as it may: to its end, to the step that is a rotation, or to the
 * statements that somebody else has to run. Throws `decision-refused` when the signatures do not suffice,
 * `wrong-server` or `refused-by-policy` where the issuer is no longer what was signed, `conflict` while another
 * run is at it, and whatever a step ends with; the record says how far it came. `call` makes the frame of one
 * outside call.
 */
export async function* carryOut(
  deps: AdoptionDeps,
  credential: AdoptedCredential,
  adopter: Adopter,
  record: AdoptionRecord,
  call: () => Call,
): AsyncGenerator<AdoptionProgress> {
  if (adopter.mayRun && !(await adopter.hold(call()))) {
    throw new RekeyError(
      "conflict",
      "Another run of this adoption is at work.",
      "Wait until it has ended; should it hang, end its process or its session.",
    );
  }
  let steps = await seen(deps, credential, adopter, record, call());
  yield* noticed(deps, record, steps);
  let epoch: number | null = null;
  for (;;) {
    const next = steps.find(({ left }) => left);
    if (next === undefined) {
      yield { what: "closed", outcome: await close(deps, record) };
      return;
    }
    if (next.by === "engine") {
      await restAdoption(deps.db, record.id);
      yield { what: "rests", sentence: next.sentence };
      return;
    }
    const ahead = steps.slice(steps.indexOf(next));
    const stop = ahead.findIndex(({ by, left }) => by === "engine" && left);
    const batch = (stop === -1 ? ahead : ahead.slice(0, stop)).filter(({ left }) => left);
    const mine = adopter.mayRun ? [next] : batch;
    epoch = await intend(deps, credential, adopter, record, epoch, mine);
    if (!adopter.mayRun) {
      yield { what: "handed", steps: mine };
      return;
    }
    await take(deps, adopter, record, epoch, next, call);
    yield { what: "done", sentence: next.sentence };
    steps = await seen(deps, credential, adopter, record, call());
    if (steps.find(({ id }) => id === next.id)?.left) {
      throw new RekeyError("proof-failed", `The step was run and does not stand: ${next.sentence}`);
    }
  }
}

/** What stands at the issuer, if it is still the one that was signed for. */
async function seen(
  deps: AdoptionDeps,
  credential: AdoptedCredential,
  adopter: Adopter,
  { plan }: AdoptionRecord,
  call: Call,
): Promise<StandingStep[]> {
  const view = await adopter.read(call);
  refuseOther(deps, credential, adopter, plan, view);
  // The statements that were signed, and no others.
  const signed = new Map(stepsInOrder(plan).map((step) => [step.id, step]));
  return standingSteps(view, plan.direction).map((step) => ({ ...step, ...signed.get(step.id) }));
}

function refuseOther(
  deps: AdoptionDeps,
  credential: AdoptedCredential,
  adopter: Adopter,
  plan: AdoptionPlan,
  view: AdopterView,
): void {
  if (view.identity !== plan.identity) {
    const shown = view.identity ?? "nothing that says who it is";
    throw new RekeyError("wrong-server", `Signed was ${plan.identity}; what answers is ${shown}.`);
  }
  if (isSameWork(plan, planFrom(deps, credential, adopter.account, view, plan))) return;
  throw new RekeyError(
    "refused-by-policy",
    "The steps, or the account, are no longer those that were signed.",
    "Take the adoption back with --undo, or ask for it anew.",
  );
}

/** Keeps what somebody did by hand, or what an interrupted run had done without being able to say so. */
async function* noticed(
  deps: AdoptionDeps,
  record: AdoptionRecord,
  steps: readonly StandingStep[],
): AsyncGenerator<AdoptionProgress> {
  const standing = steps.filter(({ left, by }) => !left && by === "administrator");
  // On the way back what never stood is not news.
  const known = await stepsOf(deps.db, record.id);
  const begun = new Set(known.map(({ step }) => step));
  const about = record.plan.direction === "adopt" ? standing : standing.filter(({ id }) => begun.has(id));
  const news = await noticeSteps(
    deps.db,
    record.id,
    about.map(({ id }) => id),
    deps.now(),
  );
  for (const { id, sentence } of about) if (news.includes(id)) yield { what: "found", sentence };
}

async function intend(
  deps: AdoptionDeps,
  credential: AdoptedCredential,
  adopter: Adopter,
  record: AdoptionRecord,
  epoch: number | null,
  steps: readonly StandingStep[],
): Promise<number> {
  return intendStep(deps.db, {
    record,
    epoch,
    steps: steps.map(({ id }) => id),
    way: adopter.mayRun ? "run" : "hand",
    lockKeys: credential.lockKeys,
    speaksFor: await whoCounts(deps, credential, record),
    coverSpeaksFor:
      record.cover === null
        ? () => []
        : await whoCounts(deps, credential, await adoptionWith(deps.db, record.cover.plan.adoption)),
    at: deps.now(),
  });
}

/** Whose words count now for an adoption (H37). */
async function whoCounts(
  deps: AdoptionDeps,
  credential: AdoptedCredential,
  { id, requestedBy, plan }: AdoptionRecord,
): Promise<SpeaksFor> {
  const excluded = await excludedFor(deps, credential, { credential: credential.id, requestedBy });
  return speakersOf(deps, credential.estate, id, plan.approval.approvers, excluded);
}

/** Runs the step. A lost answer is settled by asking; where nobody answers, the intent stays open for the next run. */
async function take(
  deps: AdoptionDeps,
  adopter: Adopter,
  { id, plan }: AdoptionRecord,
  epoch: number,
  step: StandingStep,
  call: () => Call,
): Promise<void> {
  try {
    await adopter.run(step.run, call());
  } catch (error) {
    const view = await adopter.read(call()).catch(() => null);
    if (view === null) throw error;
    const left = standingSteps(view, plan.direction).find((one) => one.id === step.id)?.left ?? true;
    await settleStep(deps.db, id, epoch, step.id, left ? "not-done" : "done", deps.now());
    if (left) throw error;
    return;
  }
  await settleStep(deps.db, id, epoch, step.id, "done", deps.now());
}

async function close(deps: AdoptionDeps, { id, plan }: AdoptionRecord): Promise<AdoptionOutcome> {
  const outcome = plan.direction === "adopt" ? "adopted" : "taken-back";
  const reason = outcome === "adopted" ? "Every step stands." : "Nothing of it is left.";
  await closeAdoption(deps.db, id, outcome, reason, deps.now());
  return outcome;
}
