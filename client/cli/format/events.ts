/** What happened in a rotation, told from its records, for when its workflow cannot be asked. */
import type { RotationEvent } from "../../../domain/rotation/events.js";
import type { LoadedRotation } from "../../../inventory/rotations.js";
import type { TimelineEntry } from "../../../workflows/messages.js";

/** A line for each recorded event; looks at the world are left out, for there are many and they say little. */
export function timelineOf({ events, openedAt, requestedBy, reason }: LoadedRotation): TimelineEntry[] {
  const opened = {
    at: openedAt,
    tookMs: null,
    what: "open",
    sentence: `Opened by ${requestedBy}: ${reason}.`,
  };
  const happened = events.flatMap((event): TimelineEntry[] => {
    const sentence = sentenceOf(event);
    return sentence === null ? [] : [{ at: event.at, tookMs: null, what: event.type, sentence }];
  });
  return [opened, ...happened];
}

function sentenceOf(event: RotationEvent): string | null {
  switch (event.type) {
    case "surveyed":
      return null;
    case "asked":
      return event.reminder ? "Reminded the owners of the sign-off." : "Asked the owners to sign the plan.";
    case "decided":
      return `${event.decision.person} signed: ${event.decision.verdict}.`;
    case "seized":
      return "Settled what an earlier attempt had done, and fenced it off.";
    case "issued":
    case "enabled":
    case "destroyed":
      return `Version ${event.version} was ${event.type}.`;
    case "disabled":
      return `Version ${event.version} was disabled${event.untried ? "; no copy of it was left to try" : ""}.`;
    case "proved":
      return `Version ${event.version} was proved at every node.`;
    case "refused":
      return event.untried
        ? `Version ${event.version} could not be tried again: no copy of it was left.`
        : `Version ${event.version} was tried again, and every node refused it.`;
    case "renewed":
      return `Sessions from before version ${event.version} was given up were ended, so that consumers connected anew.`;
    case "delivered":
      return `Version ${event.version} was delivered to ${event.place}.`;
    case "failed":
      return event.sentence;
    case "turned":
      return `Turned to version ${event.target}: ${event.reason}`;
    case "held":
      return `Holding for an operator: ${event.reason}`;
    case "resumed":
      return `${event.by} ordered it to go on: ${event.exit}.`;
    case "cancelled":
      return `${event.by} cancelled: ${event.reason}`;
    case "incident":
      return `A leak was reported: ${event.emergency.reason}`;
    case "adopted":
      return `Epoch ${event.epoch} took over.`;
    case "closed":
      return `Closed as ${event.outcome}: ${event.reason}`;
  }
}
