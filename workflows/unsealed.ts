/** What Temporal hands to a workflow was sealed by one of ours; what was not is nobody's message, and begins or changes nothing (H7). */
import { ApplicationFailure } from "@temporalio/workflow";
import { isUnsealed, unsealedSentence } from "../domain/unsealed.js";

/** Throws where one of them was never sealed. Throwing fails a workflow that begins with such, and refuses an update. */
export function refuseUnsealed(given: readonly unknown[]): void {
  if (given.some(isUnsealed)) throw ApplicationFailure.nonRetryable(unsealedSentence, "not-permitted");
}
