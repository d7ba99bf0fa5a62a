/** Steps that are about people: asking for sign-offs, holding for an operator, turning round, closing; each is told to somebody. */
import type { Notice } from "../adapters/ports.js";
import { personOf, signersFor } from "../domain/authority.js";
import { mayAct } from "../domain/decide.js";
import { RekeyError } from "../domain/errors.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import type { Step } from "../domain/rotation/steps.js";
import type { StepRequest, StepResult } from "../domain/rotation/work.js";
import { closeRotation } from "../inventory/close.js";
import { appendEvent } from "../inventory/events.js";
import { markNoticeSent, recordNotice } from "../inventory/notices.js";
import { callWithin, framed } from "./calls.js";
import type { ActivityDeps, Systems } from "./deps.js";
import { checkRun } from "./run-check.js";
import { signingOwners } from "./sign-off.js";
import { excludedFor } from "./surveyor.js";

type Told = Extract<Step, { do: "ask" | "turn" | "hold" | "close" }>;

/** What a step says, and to whom. */
interface Message {
  readonly event: RotationEvent;
  readonly notice: Pick<Notice, "kind" | "subject" | "text"> | null;
}

/** The activity for one of these steps. Its event is kept first; a notice that cannot be sent delays nothing. */
export function peopleActivity(deps: ActivityDeps) {
  return ({ state, step }: StepRequest): Promise<StepResult> =>
    framed(async () => {
      const record = await checkRun(deps, state);
      if (!mayAct(state, step, deps.now())) return { events: [] };
      const systems = await deps.systems(state.credential);
      const { event, notice } = messageOf(step as Told, systems.name, deps.now());
      if (event.type === "closed") {
        const { outcome, reason, at } = event;
        const versions = Object.values(state.versions).filter((version) => version.life !== "planned");
        const active = outcome === "refused" ? state.origin : state.target;
        await closeRotation(deps.db, {
          rotation: state.id,
          epoch: state.epoch,
          outcome,
          reason,
          active,
          versions,
          at,
        });
      } else {
        await appendEvent(deps.db, state.id, state.epoch, event);
      }
      if (notice) {
        const excluded = await excludedFor(deps, systems, record);
        const persons = signersFor(systems.estate, signingOwners(systems), excluded, deps.now());
        const emails = persons.flatMap((name) => personOf(systems.estate, name)?.email ?? []);
        const id = `${state.id}/${step.do}/${state.change}/${state.remindedAt ?? state.askedAt ?? 0}`;
        await tell(deps, systems, { ...notice, id, recipients: emails, rotation: state.id });
      }
      return { events: [event] };
    });
}

function messageOf(step: Told, name: string, at: number): Message {
  switch (step.do) {
    case "ask":
      return {
        event: { type: "asked", at, digests: step.digests, reminder: step.reminder },
        notice: {
          kind: step.reminder ? "reminder" : "approval-asked",
          subject: `Sign-off asked: ${name}`,
          text: `A rotation of ${name} waits for your decision. Read the plan with \`rekey plan ${name}\`, sign with \`rekey approve ${name}\`.`,
        },
      };
    case "turn":
      return {
        event: { type: "turned", at, target: step.target, slot: step.slot, reason: step.reason },
        notice: null,
      };
    case "hold":
      return {
        event: { type: "held", at, reason: step.reason },
        notice: {
          kind: "needs-operator",
          subject: `Needs an operator: ${name}`,
          text: `The rotation of ${name} holds with both versions valid: ${step.reason} \`rekey status ${name}\` names the legal exits.`,
        },
      };
    case "close":
      return {
        event: { type: "closed", at, outcome: step.outcome, reason: step.reason },
        notice: {
          kind: "closed",
          subject: `Rotation ended: ${name}`,
          text: `The rotation of ${name} ended as ${step.outcome}: ${step.reason}`,
        },
      };
  }
}

/** Sends a notice once. What no notifier takes stays unsent in the records, where `rekey status` shows it. */
async function tell(deps: ActivityDeps, systems: Systems, notice: Notice): Promise<void> {
  const { id, rotation, kind, recipients } = notice;
  const kept = await recordNotice(deps.db, { id, rotation, kind, recipients, at: deps.now() });
  if (kept.sentAt !== null || systems.notifiers.length === 0) return;
  const sent = await Promise.allSettled(
    systems.notifiers.map((notifier) => notifier.notify(notice, callWithin())),
  );
  const failed = sent.find((result) => result.status === "rejected");
  if (failed === undefined) await markNoticeSent(deps.db, id, deps.now());
  else if (!(failed.reason instanceof RekeyError)) throw failed.reason;
}

/** The activity `record`: keeps an event that a message made. */
export function recordActivity(deps: ActivityDeps) {
  return ({ state, event }: { state: StepRequest["state"]; event: RotationEvent }): Promise<StepResult> =>
    framed(async () => {
      await checkRun(deps, state);
      await appendEvent(deps.db, state.id, state.epoch, event);
      return { events: [event] };
    });
}
