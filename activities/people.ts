/** Steps that are about people: asking for sign-offs, holding for an operator, turning round, closing; each is told to somebody. */

import type { Notice } from "../adapters/ports.js";
import { count } from "../domain/count.js";
import { mayAct } from "../domain/decide.js";
import { declaredBy, personsNeeded } from "../domain/declaration.js";
import { formatDuration } from "../domain/duration.js";
import { RekeyError } from "../domain/errors.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import type { Outcome, RotationState, VersionState } from "../domain/rotation/state.js";
import type { Step } from "../domain/rotation/steps.js";
import type { StepRequest, StepResult } from "../domain/rotation/work.js";
import { isEnded, reservationOf } from "../domain/version.js";
import { closeRotation } from "../inventory/close.js";
import { appendEvent, eventUnder } from "../inventory/events.js";
import { callWithin, framed } from "./calls.js";
import type { ActivityDeps, Systems } from "./deps.js";
import { ownersAddresses, respondersAddresses, tell } from "./notices.js";
import { type Held, heldBy } from "./run-check.js";
import { speakersOf } from "./speakers.js";
import { excludedFor } from "./surveyor.js";

type Told = Extract<Step, { do: "ask" | "turn" | "hold" | "close" }>;

/** What a step says, and to whom. */
interface Message {
  readonly event: RotationEvent;
  readonly notice: Pick<Notice, "kind" | "subject" | "text">;
}

/** The activity for one of these steps. Its event is kept first; a notice that cannot be sent delays nothing. */
export function peopleActivity(deps: ActivityDeps) {
  return ({ state: given, step }: StepRequest): Promise<StepResult> =>
    framed(async () => {
      const { record, state } = await heldBy(deps, given);
      if (state.closed && step.do !== "close")
        return { events: record.events.filter((event) => event.type === "closed") };
      const key = keyOf(given, step as Told);
      // An attempt before this one may have got so far, and its answer was lost.
      const known = await eventUnder(deps.db, state.id, key);
      if (known === null && !mayAct(state, step, deps.now())) return { events: [] };
      const systems = await deps.systems(state.credential);
      const { event, notice } = messageOf(
        step as Told,
        systems.name,
        deps.now(),
        heldForMs(state, deps.now()),
      );
      if (known === null && event.type === "closed") {
        const { outcome, reason, at } = event;
        const ended = await closeRotation(deps.db, {
          rotation: state.id,
          epoch: state.epoch,
          outcome,
          reason,
          active: outcome === "refused" ? null : state.target,
          versions: endsOf(state, outcome),
          read: record.events.length,
          at,
        });
        // A leak was reported, or somebody has turned it round, while this was about to end.
        if (ended === null) return { events: [] };
      } else if (known === null) {
        await appendEvent(deps.db, state.id, state.epoch, event, key);
      }
      if (event.type === "closed") await purgeUnused(systems, state);
      // Who may sign, and, when they have not come in the time that a sign-off may take, whoever may report a leak (H30).
      const overdue = step.do === "hold" && heldForMs(state, deps.now()) >= state.policy.approval.deadlineMs;
      const owners = ownersAddresses(systems, deps.now(), ownersOfAsked(state, step as Told));
      const recipients = overdue
        ? [...new Set([...owners, ...respondersAddresses(systems, deps.now())])]
        : owners;
      await tell(deps, systems, { ...notice, id: `${state.id}/${key}`, recipients, rotation: state.id });
      return { events: [known ?? event] };
    });
}

/** Owners whom an amendment asks besides the credential's own. */
function ownersOfAsked({ amendments }: RotationState, step: Told): string[] {
  if (step.do !== "ask") return [];
  return amendments
    .filter(({ digest }) => step.digests.includes(digest))
    .flatMap(({ approvers }) => approvers);
}

/**
 * Copies of a version that never came to be, and what its place was reserved with: staged before the issuer refused it
 * for good (I3). Only once the end is recorded, which says that they were given up: nobody makes them valid after that.
 */
async function purgeUnused({ stores }: Systems, { versions, change }: RotationState): Promise<void> {
  // Before the first change nothing was staged, and a store that cannot be reached must not keep this open.
  if (change === 0) return;
  const unused = Object.values(versions).filter(({ life }) => life === "planned" || life === "abandoned");
  const copies = unused.flatMap(({ id }) => [id, reservationOf(id)]);
  await Promise.all(
    copies.flatMap((copy) => Object.values(stores).map((store) => store.purge(copy, callWithin()))),
  );
}

/** What is recorded of the versions. A rotation that was refused left in use what it found, whatever that was. */
function endsOf({ versions }: RotationState, outcome: Outcome): VersionState[] {
  const made = Object.values(versions).filter((version) => version.life !== "planned");
  return outcome === "refused" ? made.filter(({ life }) => life === "disabled" || isEnded(life)) : made;
}

/**
 * What tells a step from the same step later on, and is equal for each attempt at it: how the run stood when it
 * chose the step. Whatever ends or repeats a hold, or allows another turn, moves one of these.
 */
function keyOf(given: RotationState, step: Told): string {
  // The end is one event, and its key is the records' own.
  if (step.do === "close") return "closed";
  const { epoch, change, resumedAt, askedAt, remindedAt, turned, operator } = given;
  // A hold moves the last of them, so that an operator who does not come is called again.
  const times = [resumedAt, askedAt, remindedAt, turned?.at, operator?.since].map((at) => at ?? 0);
  return [step.do, epoch, change, ...times].join("/");
}

/** How long an operator has been waited for; 0 where none was called yet. */
function heldForMs({ operator }: RotationState, now: number): number {
  return operator === null ? 0 : now - (operator.first ?? operator.since);
}

function messageOf(step: Told, name: string, at: number, forMs: number): Message {
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
        notice: {
          kind: "turned",
          subject: `Goes another way: ${name}`,
          text: `The rotation of ${name} does not go on to its version: ${step.reason} \`rekey status ${name}\` shows where it leads.`,
        },
      };
    case "hold":
      return {
        event: { type: "held", at, reason: step.reason },
        notice: {
          kind: "needs-operator",
          subject: `Needs an operator: ${name}`,
          text: `The rotation of ${name} holds with both versions valid: ${step.reason} \`rekey status ${name}\` names the legal exits.${
            forMs > 0 ? ` It has waited for an operator for ${formatDuration(forMs)}.` : ""
          }`,
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

/** What an operator can order without a signature: both lead only where the gates allow. */
const ordered: ReadonlySet<RotationEvent["type"]> = new Set(["cancelled", "resumed"]);

/** The activity `record`: keeps an event that a message made. */
export function recordActivity(deps: ActivityDeps) {
  return ({ state, event }: { state: StepRequest["state"]; event: RotationEvent }): Promise<StepResult> =>
    framed(async () => {
      const held = await heldBy(deps, state);
      // What allows or forbids a change is recorded where it is verified, and nowhere else (H7).
      if (!ordered.has(event.type))
        throw new RekeyError("refused-by-policy", `Nobody may order ${event.type}.`);
      if (event.type === "resumed" && event.exit === "declare") {
        // Counted by the records, like every signature, and with today's authority and keys (H37).
        const by = declaredBy(await heard(deps, held), event.version ?? "", deps.now());
        if (by.length < personsNeeded)
          throw new RekeyError(
            "decision-refused",
            `${count(by.length, "person has", "persons have")} signed, and ${personsNeeded} have to.`,
          );
      }
      await appendEvent(deps.db, state.id, state.epoch, event);
      return { events: [event] };
    });
}

/** The state with the decisions as they count now. */
async function heard(deps: ActivityDeps, { record, state }: Held): Promise<RotationState> {
  const systems = await deps.systems(state.credential);
  const asked = [state.plan, ...state.amendments].flatMap((plan) => plan?.approvers ?? []);
  const excluded = await excludedFor(deps, systems, record);
  const speaks = await speakersOf(deps, systems.estate, state.id, asked, excluded);
  const decisions = state.decisions.map((decision) => ({
    ...decision,
    owners: speaks(decision.person, decision.id),
  }));
  return { ...state, decisions };
}
