/** Workflows that answer the rotation's messages and do nothing else: what the client does with answers is tested, not the engine. */
import { ApplicationFailure, condition, setHandler, sleep } from "@temporalio/workflow";
import type { Preview, PreviewRequest } from "../../domain/rotation/work.js";
import {
  cancelUpdate,
  decideSignal,
  decideUpdate,
  expediteUpdate,
  type Progress,
  progressQuery,
  type RotateInput,
  resumeUpdate,
} from "../../workflows/messages.js";

/** Lists every document that arrived in its progress, until it is cancelled. */
export async function rotate(input: RotateInput): Promise<void> {
  const documents: string[] = [];
  let over = false;
  setHandler(decideUpdate, (document) => {
    documents.push(document);
    return { accepted: true, sentence: `document ${documents.length}` };
  });
  setHandler(decideSignal, (document) => void documents.push(document));
  setHandler(progressQuery, () => {
    if (input.reason === "not ready") throw new Error("postgres://rekey:hunter2@db");
    return { rotation: documents.join(",") } as Progress;
  });
  setHandler(cancelUpdate, ({ reason }) => {
    over = true;
    return { accepted: true, sentence: reason };
  });
  setHandler(resumeUpdate, () => {
    throw ApplicationFailure.nonRetryable("The engine lacks a right.", "not-permitted");
  });
  setHandler(expediteUpdate, () => {
    throw ApplicationFailure.nonRetryable("postgres://rekey:hunter2@db", "PostgresError");
  });
  if (input.reason === "fails") {
    throw ApplicationFailure.nonRetryable("The report needs 2 responders.", "decision-refused");
  }
  await condition(() => over);
}

/** Answers with the credential's id; for `slow`, too late. */
export async function preview({ credential }: PreviewRequest): Promise<Preview> {
  if (credential === "slow") await sleep("1 minute");
  const forecast = { breaks: [], skipped: [] };
  return { credential, plan: null, findings: [], notBefore: null, names: {}, sentences: [], forecast };
}

/** Tells how it was asked; the source `slow` takes long. */
export async function discover(source: string, anew?: boolean): Promise<unknown> {
  if (source === "slow") await sleep("1 minute");
  return { source, anew: anew ?? "not asked" };
}

/** Fails in somebody else's words. */
export async function doctor(): Promise<never> {
  throw ApplicationFailure.nonRetryable("postgres://rekey:hunter2@db", "PostgresError");
}
