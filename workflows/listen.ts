/** The messages of a rotation: questions are answered from the state, and what people say becomes events. */
import { CancellationScope, condition, setHandler } from "@temporalio/workflow";
import { decide } from "../domain/decide.js";
import { refusals } from "../domain/finding.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import { legalExits } from "../domain/rotation/moves.js";
import type { Answered } from "../domain/rotation/work.js";
import {
  cancelUpdate,
  decideSignal,
  decideUpdate,
  expediteUpdate,
  factsQuery,
  planQuery,
  progressQuery,
  type Receipt,
  reasonsQuery,
  resumeUpdate,
} from "./messages.js";
import { messageWork, sentenceOfFailure } from "./proxies.js";
import type { Run } from "./run.js";
import { openingProgress, progressOf } from "./sentences.js";

/** Sets every handler. Messages that arrive before the rotation is open wait for it. */
export function listen(run: Run): void {
  setHandler(progressQuery, () =>
    run.ready
      ? progressOf(run.state, run.decide(), run.now(), run.timeline)
      : openingProgress(run.credential),
  );
  setHandler(planQuery, () =>
    run.ready ? { plan: run.state.plan, amendments: run.state.amendments } : { plan: null, amendments: [] },
  );
  setHandler(factsQuery, () => ({ now: run.now(), state: run.state }));
  setHandler(reasonsQuery, () => {
    const decision = decide(run.state, run.now());
    return {
      findings: run.state.findings,
      waitingFor:
        decision.kind === "wait" ? decision.for : (refusals(run.state.findings)[0]?.sentence ?? null),
      trouble: run.state.trouble?.sentence ?? null,
    };
  });

  const verify = async (document: string): Promise<Receipt> =>
    answer(run, () => messageWork.verify({ state: run.state, document }));
  setHandler(decideUpdate, verify);
  setHandler(decideSignal, async (document) => {
    await verify(document);
  });
  setHandler(expediteUpdate, async (report) =>
    answer(run, () => messageWork.report({ state: run.state, report })),
  );
  setHandler(cancelUpdate, async ({ by, reason }) => cancel(run, by, reason));
  CancellationScope.current().cancelRequested.catch(async () => {
    run.beingCancelled = true;
    await cancel(run, "Temporal", "the workflow was cancelled");
    run.beingCancelled = false;
  });
  setHandler(resumeUpdate, async ({ by, exit }) => {
    await opened(run);
    if (run.state.operator === null)
      return { accepted: false, sentence: "The rotation does not wait for an operator." };
    if (!legalExits(run.state).includes(exit)) {
      return {
        accepted: false,
        sentence: `The exit ${exit} is not legal now; these are: ${legalExits(run.state).join(", ")}.`,
      };
    }
    return keep(run, { type: "resumed", at: run.now(), exit, by }, `The rotation goes on: ${exit}.`);
  });
}

function cancel(run: Run, by: string, reason: string): Promise<Receipt> {
  const sentence = "The rotation is being cancelled; it goes back to a working state.";
  return keep(run, { type: "cancelled", at: run.now(), by, reason }, sentence);
}

/** Messages come in a scope that Temporal's cancel ends; they are heard all the same. */
async function opened(run: Run): Promise<void> {
  await CancellationScope.nonCancellable(() => condition(() => run.ready));
}

/** Keeps an event in the records first, and only then in the state. */
async function keep(run: Run, event: RotationEvent, sentence: string): Promise<Receipt> {
  return answer(run, async () => {
    const { events } = await messageWork.record({ state: run.state, event });
    return { events, accepted: true, sentence };
  });
}

async function answer(run: Run, ask: () => Promise<Answered>): Promise<Receipt> {
  await opened(run);
  if (run.state.closed) return { accepted: false, sentence: "The rotation has ended." };
  // Somebody's word must not be lost because the rotation is being wound up around it.
  const { events: told, accepted, sentence } = await CancellationScope.nonCancellable(ask).catch(refusal);
  // The same document may be under way twice; it is one decision, here as in the records.
  const known = new Set(run.state.decisions.map((decision) => decision.id));
  const events = told.filter((event) => event.type !== "decided" || !known.has(event.decision.id));
  if (events.length > 0) {
    for (const event of events) run.note(event.type, sentence);
    run.fold(events);
    run.interrupt();
  }
  return { accepted, sentence };
}

/** A refusal that no repetition changes. It is an answer to whoever asked, and must not end the rotation. */
function refusal(failure: unknown): Answered {
  return { events: [], accepted: false, sentence: sentenceOfFailure(failure) };
}
