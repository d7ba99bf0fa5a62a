/**
 * The typed handle to the workflows: the only place where a program that talks to Rekey talks to Temporal.
 * Every call has a deadline, every failure leaves as a `RekeyError`, and what goes in are references and
 * signed documents.
 */
import { createHash } from "node:crypto";
import {
  Client,
  Connection,
  type ConnectionOptions,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
} from "@temporalio/client";
import {
  type DataConverter,
  defineSearchAttributeKey,
  type QueryDefinition,
  type UpdateDefinition,
} from "@temporalio/common";
import type { ScanReport } from "../domain/discovery/report.js";
import { RekeyError } from "../domain/errors.js";
import type { StockTaking } from "../domain/reconcile.js";
import type { Plan } from "../domain/rotation/state.js";
import type { Diagnosis, EmergencyReport, Preview, PreviewRequest } from "../domain/rotation/work.js";
import {
  type CancelOrder,
  cancelUpdate,
  decideSignal,
  decideUpdate,
  emergencyQueue,
  expediteUpdate,
  type Facts,
  factsQuery,
  type Progress,
  planQuery,
  progressQuery,
  type Reasons,
  type Receipt,
  type ResumeOrder,
  type RotateInput,
  readingWorkflowId,
  reasonsQuery,
  resumeUpdate,
  rotationQueue,
  rotationWorkflowId,
  type TendOrder,
  takeoverWorkflowId,
} from "../workflows/messages.js";
import { buildsOf, makeCurrent, type WorkerBuild } from "./deployment.js";
import { fromTemporal, unlessAbsent } from "./temporal-errors.js";

/** A rotation's plan and what was added to it since; null before the first look at the world. */
interface Plans {
  readonly plan: Plan | null;
  readonly amendments: readonly Plan[];
}

/** A rotation that was started, or the one that was running already. */
export interface Started {
  readonly workflow: string;
  /** Nothing new was started: a rotation of this credential was running. */
  readonly joined: boolean;
}

/** How rotations are talked to. `workflow` arguments are workflow ids; see `rotationWorkflowId`. */
export interface RotationClient {
  /** Starts `rotate/<credential>`, or joins the one that runs. The credential is an id. */
  start(input: RotateInput): Promise<Started>;
  /** Starts the epoch after a lost one, under an id of its own (protocol.md, Emergency). Joins likewise. */
  takeOver(input: RotateInput, epoch: number): Promise<Started>;
  /** Whether the workflow runs; `lost` where Temporal knows none of that id. Throws what it failed with, where that is why. */
  standing(workflow: string): Promise<"running" | "ended" | "lost">;
  /** Has a worker start the workflow of an open rotation that has lost its own; answers with how many were started. */
  tend(order: TendOrder): Promise<number>;
  progress(workflow: string): Promise<Progress>;
  plan(workflow: string): Promise<Plans>;
  facts(workflow: string): Promise<Facts>;
  reasons(workflow: string): Promise<Reasons>;
  /** Sends a signed document and waits for the answer; `id` is the document's. The same document twice is one message. */
  decide(workflow: string, document: string, id: string): Promise<Receipt>;
  /** Leaves the document for a rotation whose worker does not answer now. */
  decideLater(workflow: string, document: string): Promise<void>;
  cancel(workflow: string, order: CancelOrder, id: string): Promise<Receipt>;
  resume(workflow: string, order: ResumeOrder, id: string): Promise<Receipt>;
  expedite(workflow: string, report: EmergencyReport, id: string): Promise<Receipt>;
  /** For an emergency whose rotation has ended: an owner's signed document, taken in without a rotation. */
  signOff(credential: string, document: string): Promise<Receipt>;
  preview(request: PreviewRequest): Promise<Preview>;
  doctor(): Promise<readonly Diagnosis[]>;
  /** A person's signed word that restored records are gone on with (H32). */
  acceptRestored(document: string): Promise<Receipt>;
  /** What exists of the credential (an id; null: of all) that the inventory does not know. */
  reconcile(credential: string | null): Promise<readonly StockTaking[]>;
  /**
   * Reads a source of the estate to its end, or waits with whoever has that done already. `null` where it takes longer than
   * anybody waits: it is read on, and asking again waits on. `anew`: from its beginning; throws `conflict` where it is being
   * read, because that reading is another.
   */
  discover(source: {
    readonly id: string;
    readonly name: string;
    readonly anew?: boolean;
  }): Promise<ScanReport | null>;
  /** The builds that workers run; none where they tell none. */
  builds(): Promise<readonly WorkerBuild[]>;
  /** Sends new rotations to a build. */
  makeCurrent(build: string): Promise<void>;
  /** Resolves when Temporal answers and knows the namespace, and throws otherwise; no worker is asked. */
  reachable(): Promise<void>;
  close(): Promise<void>;
}

/** Where Temporal is and how payloads are encrypted for it. */
export interface TemporalOptions {
  readonly connection: ConnectionOptions;
  readonly namespace: string;
  readonly dataConverter: DataConverter;
  /** Who this program is, in Temporal's own records. */
  readonly identity: string;
  /** A fresh id, for the short workflows. */
  readonly randomId: (prefix: string) => string;
  readonly deadlines?: Partial<Deadlines>;
}

interface Deadlines {
  readonly connectMs: number;
  /** For what Temporal itself answers. */
  readonly callMs: number;
  /** For what a worker answers. */
  readonly answerMs: number;
  /** For a short workflow, from start to result. */
  readonly workMs: number;
}

const usualDeadlines: Deadlines = { connectMs: 3_000, callMs: 5_000, answerMs: 10_000, workMs: 100_000 };

const phaseKey = defineSearchAttributeKey("RekeyPhase", "KEYWORD");
const emergencyKey = defineSearchAttributeKey("RekeyEmergency", "BOOL");

/** Makes the handle. Nothing is connected before the first call. */
export function rotationClient(options: TemporalOptions): RotationClient {
  const deadlines = { ...usualDeadlines, ...options.deadlines };
  const connection = Connection.lazy({ connectTimeout: deadlines.connectMs, ...options.connection });
  const { namespace, dataConverter, identity } = options;
  const client = new Client({ connection, namespace, dataConverter, identity });

  /** One request within its deadline, its failures in our words. `what` completes "asked …". */
  async function within<T>(ms: number, what: string, request: () => Promise<T>): Promise<T> {
    try {
      await connection.ensureConnected();
    } catch {
      throw new RekeyError("unreachable", "Temporal is not reachable.", "Start everything with `rekey up`.");
    }
    try {
      return await connection.withDeadline(Date.now() + ms, request);
    } catch (failure) {
      throw fromTemporal(failure, what);
    }
  }

  const handle = (workflow: string): WorkflowHandle => client.workflow.getHandle(workflow);

  const ask = <T>(workflow: string, query: QueryDefinition<T>, what: string): Promise<T> =>
    within(deadlines.answerMs, what, () => handle(workflow).query(query));

  const tell = <A>(workflow: string, update: UpdateDefinition<Receipt, [A]>, argument: A, id: string) =>
    within(deadlines.answerMs, `to take a message (${update.name})`, () =>
      handle(workflow).executeUpdate(update, { args: [argument], updateId: id }),
    );

  const startAs = (workflow: string, input: RotateInput): Promise<Started> =>
    within(deadlines.callMs, "to start a rotation", async () => {
      const urgent = input.emergency !== undefined;
      try {
        await client.workflow.start("rotate", {
          workflowId: workflow,
          taskQueue: urgent ? emergencyQueue : rotationQueue,
          args: [input],
          workflowIdConflictPolicy: "FAIL",
          priority: { priorityKey: urgent ? 1 : 3 },
          typedSearchAttributes: [
            { key: phaseKey, value: "planning" },
            { key: emergencyKey, value: urgent },
          ],
        });
        return { workflow, joined: false };
      } catch (failure) {
        if (failure instanceof WorkflowExecutionAlreadyStartedError) return { workflow, joined: true };
        throw failure;
      }
    });

  const shortly = <T>(
    type: string,
    workflow: string,
    args: unknown[],
    what: string,
    ms = deadlines.workMs,
  ): Promise<T> =>
    within(ms, what, () =>
      client.workflow.execute(type, {
        workflowId: workflow,
        taskQueue: rotationQueue,
        args,
        // Nobody waits for its answer after that, so it ends by itself.
        workflowExecutionTimeout: ms,
      }),
    );

  const standing: RotationClient["standing"] = (workflow) =>
    within(deadlines.callMs, "whether it runs", async () => {
      const described = await handle(workflow).describe().catch(unlessAbsent);
      if (described === null) return "lost";
      const { status } = described;
      if (status.name === "FAILED") await handle(workflow).result();
      return status.name === "RUNNING" ? "running" : "ended";
    });

  return {
    start: (input) => startAs(rotationWorkflowId(input.credential), input),
    takeOver: (input, epoch) => startAs(takeoverWorkflowId(input.credential, epoch), input),
    standing,
    tend: (order) =>
      shortly("tend", `tend/${order.credential}/${options.randomId("run")}`, [order], "for a lost rotation"),
    progress: (workflow) => ask(workflow, progressQuery, "for its progress"),
    plan: (workflow) => ask(workflow, planQuery, "for its plan"),
    facts: (workflow) => ask(workflow, factsQuery, "for its facts"),
    reasons: (workflow) => ask(workflow, reasonsQuery, "for its reasons"),
    // Another document under an id that was used must not get the answer of the first one.
    decide: (workflow, document, id) =>
      tell(workflow, decideUpdate, document, `${id}/${createHash("sha256").update(document).digest("hex")}`),
    decideLater: (workflow, document) =>
      within(deadlines.callMs, "to keep a message", () => handle(workflow).signal(decideSignal, document)),
    cancel: (workflow, order, id) => tell(workflow, cancelUpdate, order, id),
    resume: (workflow, order, id) => tell(workflow, resumeUpdate, order, id),
    expedite: (workflow, report, id) => tell(workflow, expediteUpdate, report, id),
    signOff: (credential, document) =>
      shortly(
        "signOff",
        `sign-off/${credential}/${options.randomId("run")}`,
        [credential, document],
        "to take a sign-off",
        deadlines.answerMs,
      ),
    preview: (request) =>
      shortly("preview", `preview/${request.credential}/${options.randomId("run")}`, [request], "for a plan"),
    doctor: () => shortly("doctor", `doctor/${options.randomId("run")}`, [], "for a diagnosis"),
    acceptRestored: (document) =>
      shortly("acceptRestored", `restored/${options.randomId("run")}`, [document], "to accept the records"),
    reconcile: (credential) =>
      shortly(
        "reconcile",
        `reconcile/${credential ?? "all"}/${options.randomId("run")}`,
        [credential],
        "for what exists",
      ),
    discover: async ({ id, name, anew = false }) => {
      const workflowId = readingWorkflowId(id);
      await within(deadlines.callMs, "to read a source", async () => {
        try {
          await client.workflow.start("discover", {
            ...{ workflowId, taskQueue: rotationQueue, args: anew ? [name, true] : [name] },
            workflowIdConflictPolicy: anew ? "FAIL" : "USE_EXISTING",
          });
        } catch (failure) {
          if (!(failure instanceof WorkflowExecutionAlreadyStartedError)) throw failure;
          const hint = `\`rekey discover ${name}\` waits for that; then ask again.`;
          throw new RekeyError("conflict", `The source ${name} is being read on just now.`, hint);
        }
      });
      try {
        return await within(deadlines.workMs, "for what is found", () => handle(workflowId).result());
      } catch (failure) {
        const isReading = (await standing(workflowId)) === "running";
        if (isReading) return null;
        throw failure;
      }
    },
    builds: () => within(deadlines.callMs, "for its workers", () => buildsOf(connection, namespace)),
    makeCurrent: (build) =>
      within(deadlines.callMs, "to change its workers", () => makeCurrent(connection, namespace, build)),
    reachable: () =>
      within(deadlines.callMs, "whether it is there", async () => {
        await connection.workflowService.describeNamespace({ namespace });
      }),
    close: () => connection.close(),
  };
}
