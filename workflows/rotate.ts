/**
 * One rotation, from its lock to its close. Everything that matters is said by `decide`; this loop asks it
 * what to do, has that done by one activity, folds what came of it into the state, and asks again. It runs
 * for milliseconds or for months, and holds no value, only references.
 */
import { ApplicationFailure, CancellationScope, continueAsNew, workflowInfo } from "@temporalio/workflow";
import { RekeyError } from "../domain/errors.js";
import type { RotationResult } from "../domain/rotation/work.js";
import { listen } from "./listen.js";
import type { RotateInput } from "./messages.js";
import { Run } from "./run.js";
import { refuseUnsealed } from "./unsealed.js";

/**
 * The workflow `rotate/<credentialId>`. It ends when the rotation is closed, or when a newer epoch has taken over.
 * Temporal's cancel is a message like ours and stops nothing by itself: the way back has to be walked, too.
 */
export async function rotate(input: RotateInput): Promise<RotationResult> {
  refuseUnsealed([input]);
  const run = new Run(input);
  listen(run);
  return CancellationScope.nonCancellable(() => toItsEnd(run));
}

async function toItsEnd(run: Run): Promise<RotationResult> {
  await run.open();
  try {
    await walk(run);
  } catch (error) {
    // A bug in the rules must end this run loudly; the lock stays, and a new start adopts the rotation.
    throw error instanceof RekeyError ? ApplicationFailure.nonRetryable(error.message, error.code) : error;
  }
  run.show();
  await run.heard();
  return run.result();
}

async function walk(run: Run): Promise<void> {
  for (;;) {
    if (run.reopen) await run.open();
    if (run.takenOver) return;
    const decision = run.decide();
    if (decision.kind === "done") return;
    switch (decision.kind) {
      case "do":
        await run.take(decision.step);
        break;
      case "wait":
        await run.wait(decision.until, decision.watch);
        break;
      case "needs-operator":
        await run.wait(decision.until, false);
        break;
    }
    const isDue = !run.over && (workflowInfo().continueAsNewSuggested || run.outgrown);
    run.putOff = isDue && !run.quiet;
    if (isDue && run.quiet) await continueAsNew<typeof rotate>(run.carriedOver());
  }
}
