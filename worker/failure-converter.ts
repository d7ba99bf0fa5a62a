/** Loaded by path, also into the workflow bundle: failures travel with their messages and stacks sealed (temporal.md, Secrets). */
import { DefaultFailureConverter } from "@temporalio/common";

/** The name under which Temporal's SDK looks for it. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
