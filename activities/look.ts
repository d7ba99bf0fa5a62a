/** Watches the world until there is something to do, so that waiting costs one activity and not one a second. */
import { setTimeout as pause } from "node:timers/promises";
import { Context } from "@temporalio/activity";
import { decide } from "../domain/decide.js";
import { refusals } from "../domain/finding.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import type { RotationState } from "../domain/rotation/state.js";
import type { LookRequest, StepResult } from "../domain/rotation/work.js";
import { callWithin, framed } from "./calls.js";
import type { ActivityDeps } from "./deps.js";
import { clearedAfter } from "./in-hand.js";
import { foldLook } from "./plans.js";
import { heldBy } from "./run-check.js";
import { survey } from "./survey.js";
import { surveyorFor } from "./surveyor.js";

/** The first looks follow quickly, because most consumers move within a second; later ones spare the systems. */
const firstPauseMs = 25;
const pauseMsMax = 5_000;
/** More of them than this say nothing that the last ones do not say. */
const eventsMax = 40;

type Seen = Extract<RotationEvent, { type: "surveyed" }>;

/** The activity `look`: surveys until `decide` asks for something else than looking on, or until the time is up. */
export function lookActivity(deps: ActivityDeps) {
  return ({ state: given, until }: LookRequest): Promise<StepResult> =>
    framed(async () => {
      const { record, state } = await heldBy(deps, given);
      let current: RotationState = state;
      let events: Seen[] = [];
      let pauseMs = firstPauseMs;
      for (;;) {
        // Anew each time: a look lasts minutes, and the estate may change meanwhile (H17).
        const systems = await deps.systems(state.credential);
        const surveyor = await surveyorFor(deps, systems, state, record);
        // The values of one look are not kept for the next, which may be minutes away.
        const look = await clearedAfter(() => survey(surveyor, current, callWithin()));
        const { state: next, seen } = await foldLook(deps, current, look);
        events = kept(events, seen);
        current = next;
        const decision = decide(current, deps.now());
        const looksOn = decision.kind === "wait" && decision.watch && inTheWay(current) === inTheWay(given);
        const leftMs = until - deps.now();
        if (!looksOn || leftMs <= 0) return { events };
        const untilDecided = decision.until === null ? leftMs : decision.until - deps.now();
        const waitMs = Math.max(1, Math.min(pauseMs, leftMs, Math.max(1, untilDecided)));
        await pause(waitMs, undefined, { signal: Context.current().cancellationSignal });
        pauseMs = Math.min(pauseMs * 1.5, pauseMsMax);
      }
    });
}

/** What refuses; whoever asked for the look waits for something else then, or has sources read, and people read why. */
function inTheWay({ findings, unread = [] }: RotationState): string {
  const refused = refusals(findings).map(({ code, subject = "" }) => `${code} ${subject}`);
  // A source that was read, and has not shown all, is in the way for another reason than before.
  const lacking = unread.map(({ name, lacks = "" }) => `unread ${name} ${lacks}`);
  return [...refused, ...lacking].sort().join("\n");
}

/**
 * Adds a look to those kept. Of a run of equal ones the first and the last say all: when something began, and
 * that it still holds. History stays short although the world was watched closely.
 */
export function kept(events: readonly Seen[], next: Seen): Seen[] {
  const [before, last] = [events.at(-2), events.at(-1)];
  const repeats = before !== undefined && last !== undefined && same(before, last) && same(last, next);
  return [...(repeats ? events.slice(0, -1) : events), next].slice(-eventsMax);
}

function same(a: Seen, b: Seen): boolean {
  const plain = ({ facts: { plan, ...facts } }: Seen) => JSON.stringify([plan.digest, facts]);
  return plain(a) === plain(b);
}
