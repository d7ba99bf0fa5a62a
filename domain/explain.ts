/**
 * Why a rotation is where it is, in sentences: asked at 3 a.m. by somebody who did not build it. Everything here
 * is read out of `decide`, the gates and the facts, so that it cannot say something else than the engine does.
 */
import { count } from "./count.js";
import { currentGate, decide, shown } from "./decide.js";
import { personsNeeded } from "./declaration.js";
import { span } from "./duration.js";
import { ago, factsTold, type Ways } from "./explain-facts.js";
import { gates } from "./gates.js";
import { isGoingBack, mayReturn } from "./rotation/moves.js";
import type { Outcome, RotationState } from "./rotation/state.js";
import type { Decision, Exit, Step } from "./rotation/steps.js";

/** A rotation, and who was asked about it. */
export interface Case {
  /** As the records tell it. */
  readonly recorded: RotationState;
  /** As its workflow tells it, which has seen more than it needs to keep; null where it did not answer. */
  readonly told: RotationState | null;
  readonly workflow: { readonly id: string; readonly standing: "live" | "silent" | "gone" };
  /** The change that was begun and whose end nobody has told. */
  readonly openChange: { readonly change: number; readonly step: Step; readonly at: number } | null;
  /** What happened last. */
  readonly last: { readonly at: number; readonly sentence: string } | null;
  readonly ways: Ways;
  /** Name of the credential, for commands. */
  readonly credential: string;
  readonly now: number;
}

/** Sentences about one side of it. */
export interface Explained {
  readonly about:
    | "where it is"
    | "what is known"
    | "what happens next"
    | "who can do what"
    | "last"
    | "records";
  readonly sentences: readonly string[];
}

/** The explanation. Versions, consumers and owners are named by their ids. */
export function explain(one: Case): readonly Explained[] {
  const { told, recorded, now } = one;
  const state = told?.id === recorded.id && told.epoch === recorded.epoch ? told : recorded;
  const decision = shown(state, now);
  const open = state.closed === null;
  const sides: Explained[] = [
    { about: "where it is", sentences: whereTold(state, decision, now) },
    { about: "what is known", sentences: open ? factsTold(state, one.ways, now) : [] },
    { about: "what happens next", sentences: nextTold(state, decision, one) },
    { about: "who can do what", sentences: open ? peopleTold(state, decision, one.credential) : [] },
    {
      about: "last",
      sentences: one.last === null ? [] : [`${upper(ago(one.last.at, now))}: ${one.last.sentence}`],
    },
    { about: "records", sentences: recordsTold(one) },
  ];
  return sides.filter(({ sentences }) => sentences.length > 0);
}

const ends: Readonly<Record<Outcome, string>> = {
  rotated: "It has ended: the old version is destroyed, the new one is in use.",
  "went-back": "It has ended where it began: the version that was live at the start is in use.",
  refused: "It has ended before anything was changed.",
};

function whereTold(state: RotationState, decision: Decision, now: number): string[] {
  if (state.closed !== null) return [ends[state.closed]];
  const name = currentGate(state, now);
  const place = gates.findIndex((gate) => gate.name === name);
  const asks = gates[place]?.asks ?? "";
  return [
    `It stands at gate ${place + 1} of ${gates.length}, ${name}, which asks: ${asks}`,
    directionTold(state, now),
    ...decisionTold(decision),
    ...(state.irreversible
      ? ["The point of no return is behind it: nothing leads to the old version any more."]
      : []),
  ];
}

function directionTold(state: RotationState, now: number): string {
  const { emergency, turned, target, origin } = state;
  if (emergency !== null)
    return `It is an emergency since ${span(now - emergency.startedAt)}, reported by ${emergency.responders.join(" and ")}: ${emergency.reason} It leads to version ${target}.`;
  if (turned !== null)
    return `It was turned towards version ${target} ${ago(turned.at, now)}: ${turned.reason}`;
  return isGoingBack(state)
    ? `It is going back to version ${target}.`
    : `It leads from version ${origin} to version ${target}.`;
}

function decisionTold(decision: Decision): string[] {
  if (decision.kind === "wait") return [`It waits for ${withStop(decision.for)}`];
  if (decision.kind === "needs-operator") return [`It waits for an operator: ${withStop(decision.reason)}`];
  return decision.kind === "do" ? [`Its next step is to ${decision.step.do}.`] : [];
}

/** What would make it go on, and what becomes of it where nothing does: the rule itself is asked about that moment. */
function nextTold(state: RotationState, decision: Decision, { now, workflow, credential }: Case): string[] {
  if (decision.kind === "done") return [];
  const stands =
    workflow.standing === "gone"
      ? [
          `Nothing happens by itself now: its workflow has ended. \`rekey adopt-rotation ${credential}\` takes it up where it is.`,
        ]
      : [];
  if (decision.kind === "do")
    return stands.length > 0 ? stands : ["It goes on by itself; nobody is waited for."];
  const who = decision.kind === "wait" ? decision.who : "an operator, by one of the exits below";
  const { until } = decision;
  const ended = `It goes on as soon as that has come about. Who can bring it about: ${withStop(who)}`;
  if (until === null) return [...stands, ended, "It waits for that without an end."];
  return [
    ...stands,
    ended,
    `If nothing changes, in ${span(until - now)}: ${thenTold(decide(asIfSeenAt(state, until), until))}`,
  ];
}

/** The same world, looked at later: what is waited for did not come about, and nothing else did. */
function asIfSeenAt(state: RotationState, at: number): RotationState {
  const consumers = Object.entries(state.consumers).map(([id, seen]) => [id, { ...seen, at }]);
  const uses = Object.entries(state.uses).map(([id, use]) => [
    id,
    use.watermarkAt === null ? use : { ...use, watermarkAt: at },
  ]);
  const seen = state.surveyedAt === null ? {} : { surveyedAt: at, stale: false };
  return { ...state, ...seen, consumers: Object.fromEntries(consumers), uses: Object.fromEntries(uses) };
}

function thenTold(decision: Decision): string {
  if (decision.kind === "do") return stepTold(decision.step);
  return decision.kind === "wait"
    ? `it goes on and waits for ${withStop(decision.for)}`
    : "it stands as it does now.";
}

function stepTold(step: Step): string {
  switch (step.do) {
    case "turn":
      return `it turns to version ${step.target}. ${withStop(step.reason)}`;
    case "hold":
      return `an operator is called. ${withStop(step.reason)}`;
    case "close":
      return `it ends as ${step.outcome}. ${withStop(step.reason)}`;
    case "ask":
      return step.reminder ? "the owners are reminded." : "the owners are asked again.";
    default:
      return `the next step is to ${step.do}.`;
  }
}

const exitsTold: Readonly<Record<Exit, string>> = {
  retry: "tries the same way again",
  back: "goes back to the version before",
  forward: "goes forward to the newer version",
  declare: `goes to the version that ${personsNeeded} persons have signed to be live`,
};

function peopleTold(state: RotationState, decision: Decision, credential: string): string[] {
  if (decision.kind === "needs-operator") {
    return decision.exits.map(
      (exit) => `An operator: \`rekey resume ${credential} --exit ${exit}\` ${exitsTold[exit]}.`,
    );
  }
  const plan = state.amendments.at(-1) ?? state.plan;
  const asked = decision.kind === "wait" && /^[0-9]+ sign-off/.test(decision.for);
  const owners = (plan?.approvers ?? []).join(", ");
  const back = !isGoingBack(state) && mayReturn(state) && state.turned === null;
  return [
    ...(asked
      ? [`Whoever speaks for ${owners}: \`rekey approve ${credential}\` or \`rekey reject ${credential}\`.`]
      : []),
    ...(back
      ? [
          `Anybody with access to Temporal: \`rekey cancel ${credential}\`; it goes back, and both versions work meanwhile.`,
        ]
      : []),
    ...(state.emergency === null
      ? [`A responder who knows of a leak: \`rekey expedite ${credential}\`.`]
      : [`The owners, afterwards: \`rekey sign-off ${credential}\`.`]),
  ];
}

/** What the records say against what Temporal says. */
function recordsTold({ recorded, told, workflow, openChange, now }: Case): string[] {
  const change =
    openChange === null
      ? []
      : [
          `Change ${openChange.change} (${openChange.step.do}) was begun ${ago(openChange.at, now)} and its end is not recorded: it is under way, or its answer was lost and will be asked for.`,
        ];
  const kept = `The records have epoch ${recorded.epoch} and ${count(recorded.change, "change")}.`;
  if (recorded.closed !== null) return [kept];
  if (workflow.standing === "gone")
    return [`${kept} Temporal has no running workflow ${workflow.id}.`, ...change];
  if (told === null)
    return [
      `${kept} The workflow ${workflow.id} did not answer, so the above is what the records say; looks that changed nothing are not kept there.`,
      ...change,
    ];
  const same = told.id === recorded.id && told.epoch === recorded.epoch && told.change === recorded.change;
  return [
    same
      ? `${kept} The workflow ${workflow.id} says the same.`
      : `${kept} The workflow ${workflow.id} says otherwise: rotation ${told.id}, epoch ${told.epoch}, ${count(told.change, "change")}. What is recorded leads; the next step settles it.`,
    ...change,
  ];
}

function withStop(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
