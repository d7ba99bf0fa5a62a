/** The messages of a rotation: questions are answered from the state, and what people say becomes events. */

import { ApplicationFailure, CancellationScope, condition, setHandler } from "@temporalio/workflow";
import { count } from "../domain/count.js";
import { shown } from "../domain/decide.js";
import { declarable, declaredBy, personsNeeded } from "../domain/declaration.js";
import { refusals } from "../domain/finding.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import { holdOf, legalExits } from "../domain/rotation/moves.js";
import type { RotationState } from "../domain/rotation/state.js";
import type { Answered } from "../domain/rotation/work.js";
import { isUnsealed } from "../domain/unsealed.js";
import {
  type CancelOrder,
  cancelUpdate,
  decideSignal,
  decideUpdate,
  expediteUpdate,
  factsQuery,
  planQuery,
  progressQuery,
  type Receipt,
  type ResumeOrder,
  reasonsQuery,
  resumeUpdate,
} from "./messages.js";
import { messageWork, reportWork, sentenceOfFailure } from "./proxies.js";
import type { Run } from "./run.js";
import { openingProgress, progressOf } from "./sentences.js";
import { refuseUnsealed } from "./unsealed.js";

/** Sets every handler. Messages that arrive before the rotation is open wait for it. */
export function listen(run: Run): void {
  setHandler(progressQuery, () =>
    run.ready
      ? progressOf(run.state, shown(run.state, run.now()), run.now(), run.timeline)
      : openingProgress(run.credential),
  );
  setHandler(planQuery, () =>
    run.ready ? { plan: run.state.plan, amendments: run.state.amendments } : { plan: null, amendments: [] },
  );
  setHandler(factsQuery, () => ({ now: run.now(), state: run.state }));
  setHandler(reasonsQuery, () => {
    const decision = shown(run.state, run.now());
    return {
      findings: run.state.findings,
      waitingFor:
        decision.kind === "wait" ? decision.for : (refusals(run.state.findings)[0]?.sentence ?? null),
      trouble: run.state.trouble?.sentence ?? null,
    };
  });

  const verify = async (document: string): Promise<Receipt> =>
    answer(run, (state) => messageWork.verify({ state, document }));
  setHandler(decideUpdate, verify, sealedOnly);
  setHandler(decideSignal, async (document) => {
    // A signal cannot be refused; nobody waits for its answer.
    if (!isUnsealed(document)) await verify(document);
  });
  setHandler(
    expediteUpdate,
    async (report) => answer(run, (state) => reportWork().report({ state, report })),
    sealedOnly,
  );
  setHandler(
    cancelUpdate,
    async ({ rotation, by, reason }) => cancel(run, by, reason, rotation),
    namesItsRotation,
  );
  CancellationScope.current().cancelRequested.catch(async () => {
    run.beingCancelled = true;
    await cancel(run, "Temporal", "the workflow was cancelled");
    run.beingCancelled = false;
  });
  setHandler(
    resumeUpdate,
    async ({ rotation, hold, by, exit, version }) =>
      answer(run, async (state) => {
        if (isAnother(rotation, state)) return refused(anotherRotation);
        if (state.operator === null) return refused("The rotation does not wait for an operator.");
        if (hold !== undefined && hold !== holdOf(state)) return refused(anotherHold);
        if (exit === "declare") return declare(run, state, by, version ?? "");
        const legal = legalExits(state);
        if (!legal.includes(exit)) {
          return refused(`The exit ${exit} is not legal now; these are: ${legal.join(", ")}.`);
        }
        return keep(state, { type: "resumed", at: run.now(), exit, by }, `The rotation goes on: ${exit}.`);
      }),
    namesItsRotation,
  );
}

/** Refused before it is a part of the history: what was not sealed is nobody's message of ours (H7). */
const sealedOnly = {
  validator: (...given: readonly unknown[]): void => refuseUnsealed(given),
};

/**
 * What was sealed once can be sent again by whoever reads and writes Temporal's namespace: an order without the rotation
 * that it is for could be sent to any. Not asked of an order that is in a history already.
 */
const namesItsRotation = {
  validator: (order: CancelOrder | ResumeOrder): void => {
    refuseUnsealed([order]);
    if (typeof order.rotation === "string" && !("exit" in order && typeof order.hold !== "number")) return;
    throw ApplicationFailure.nonRetryable("The order does not say what it is for.", "bad-input");
  },
};

const lookAgain = "Look with `rekey status`, and order again what is wanted now.";
const anotherRotation = `The order is for another rotation of this credential. ${lookAgain}`;
const anotherHold = `The order is for an earlier moment at which this rotation waited. ${lookAgain}`;

/** True for an order to another rotation; in a history from before orders named theirs, none is. */
function isAnother(rotation: string | undefined, { id }: RotationState): boolean {
  return rotation !== undefined && rotation !== id;
}

/** Two persons have to have signed that this version is live; then the walk leads there, through every gate (H30). */
async function declare(run: Run, state: RotationState, by: string, version: string): Promise<Answered> {
  const can = declarable(state);
  if (!can.includes(version)) {
    const those = can.length === 0 ? "none" : can.join(", ");
    return refused(`Version ${version} cannot be declared live now; these can: ${those}.`);
  }
  const missing = personsNeeded - declaredBy(state, version, run.now()).length;
  if (missing > 0)
    return refused(
      `${count(missing, "more person has", "more persons have")} to sign that version ${version} is live.`,
    );
  const event: RotationEvent = { type: "resumed", at: run.now(), exit: "declare", by, version };
  return keep(state, event, `The rotation goes on to version ${version}, which was declared live.`);
}

function cancel(run: Run, by: string, reason: string, rotation?: string): Promise<Receipt> {
  const sentence = "The rotation is being cancelled; it goes back to a working state.";
  return answer(run, async (state) =>
    isAnother(rotation, state)
      ? refused(anotherRotation)
      : keep(state, { type: "cancelled", at: run.now(), by, reason }, sentence),
  );
}

/** Keeps an event in the records first, and only then in the state. */
async function keep(state: RotationState, event: RotationEvent, sentence: string): Promise<Answered> {
  const { events } = await messageWork.record({ state, event });
  return { events, accepted: true, sentence };
}

type Ask = (state: RotationState) => Promise<Answered>;

/** Messages come in a scope that Temporal's cancel ends; somebody's word must not be lost because of that. */
function answer(run: Run, ask: Ask): Promise<Receipt> {
  return CancellationScope.nonCancellable(async () => {
    await condition(() => run.ready);
    if (run.state.closed) return { accepted: false, sentence: "The rotation has ended." };
    const { epoch, answered } = await asked(run, ask);
    const { events: told, accepted, sentence } = answered;
    // What was kept before an adoption is in the state that the adoption brought.
    const news = epoch === run.state.epoch ? told : [];
    // The same document may be under way twice; it is one decision, here as in the records.
    const known = new Set(run.state.decisions.map((decision) => decision.id));
    const events = news.filter((event) => event.type !== "decided" || !known.has(event.decision.id));
    if (events.length > 0) {
      for (const event of events) run.note(event.type, sentence);
      run.fold(events);
      run.interrupt();
    }
    return { accepted, sentence };
  });
}

/** Asks, and once more when the run had to adopt the rotation in between. */
async function asked(run: Run, ask: Ask): Promise<{ readonly epoch: number; readonly answered: Answered }> {
  const { epoch } = run.state;
  try {
    return { epoch, answered: await ask(run.state) };
  } catch (failure) {
    if (!(await run.adoptedSince(epoch, failure))) return { epoch, answered: failed(failure) };
  }
  const again = run.state.epoch;
  return { epoch: again, answered: await ask(run.state).catch(failed) };
}

function refused(sentence: string): Answered {
  return { events: [], accepted: false, sentence };
}

/** A refusal that no repetition changes. It is an answer to whoever asked, and must not end the rotation. */
function failed(failure: unknown): Answered {
  return refused(sentenceOfFailure(failure));
}
