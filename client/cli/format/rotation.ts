/** A rotation for the eye: the gates it has passed, the waves and their instances, the versions, and what happened. */

import { currentGate, shown } from "../../../domain/decide.js";
import { span } from "../../../domain/duration.js";
import { gates } from "../../../domain/gates.js";
import { isGoingBack } from "../../../domain/rotation/moves.js";
import type { RotationState, VersionState, Wave } from "../../../domain/rotation/state.js";
import { changes, type Decision, type Step } from "../../../domain/rotation/steps.js";
import { allOn } from "../../../domain/rotation/survey.js";
import type { TimelineEntry } from "../../../workflows/messages.js";
import type { Look } from "../look.js";
import { count, fields, section, table } from "./layout.js";
import { type Names, namesOf } from "./names.js";
import type { Paint } from "./style.js";
import { clock, moment, relative } from "./time.js";

/** What is shown of one rotation. */
export interface Shown {
  readonly look: Look;
  readonly credential: string;
  readonly names: Names;
  readonly paint: Paint;
}

/** The whole picture. `timelineMax`: how many of the last lines of the timeline. */
export function rotationText({ look, credential, names: given, paint }: Shown, timelineMax: number): string {
  const { state, timeline } = look;
  const names = withVersions(given, state);
  return [
    headline(look, credential, names, paint),
    gatesText(look, paint),
    ...section("Consumers", consumersText(state, names, paint), paint),
    ...section("Versions", versionsText(state, paint), paint),
    ...section("Timeline", timelineText(timeline.slice(-timelineMax), names, paint), paint),
  ].join("\n\n");
}

/** People call versions old and new; ids are for records. */
export function withVersions(names: Names, state: RotationState): Names {
  const versions = namesOf(Object.keys(state.versions).map((id) => [id, versionWord(state, id)]));
  return { of: (id) => versions.of(names.of(id)), in: (text) => versions.in(names.in(text)) };
}

/** `old` for the one that was live at the start, `new` for the first one made, `new-2` for a later one. */
function versionWord(state: RotationState, id: string): string {
  if (id === state.origin) return "old";
  const made = Object.keys(state.versions).filter((one) => one !== state.origin);
  const place = made.indexOf(id);
  return place < 0 ? id : place === 0 ? "new" : `new-${place + 1}`;
}

/** Where it goes and what it waits for. */
function headline(
  { state, now, workflow, doing, told }: Look,
  credential: string,
  names: Names,
  paint: Paint,
): string {
  const decision = shown(state, now);
  const waits = waitTold(decision, told);
  const lines = fields(
    [
      [
        "rotation",
        `${state.id}${paint("quiet", `  epoch ${state.epoch}, started ${relative(state.startedAt, now)}`)}`,
      ],
      ["direction", directionOf(state)],
      ["now", waits === null ? nowText(decision, doing, names, paint) : names.in(lowered(waits.sentence))],
      [
        "ended by",
        waits?.who ? names.in(waits.who) : decision.kind === "wait" ? names.in(decision.who) : null,
      ],
      ["until", untilText(waits?.until ?? (decision.kind === "wait" ? decision.until : null), now)],
      ["next", nextText(decision, state, now, credential)],
      ["seen", state.closed ? null : seenText(workflow, credential, paint)],
    ],
    paint,
  );
  return `${paint("strong", credential)}\n${lines}`;
}

/**
 * What its workflow waits for, where the records alone would say that it is about to look: they do not have what is merely seen. Null
 * where they tell as much, or it does something now.
 */
function waitTold(decision: Decision, told: Look["told"]): Look["told"] {
  const isBehind = decision.kind === "do" && !changes(decision.step);
  return isBehind && told !== null && told.who != null ? told : null;
}

function lowered(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, "");
}

/** Why it stands where it stands, whatever is in hand meanwhile: it looks again and again while it waits. */
function nowText(decision: Decision, doing: Step | null, names: Names, paint: Paint): string {
  if (doing === null) return standingText(decision, names, paint);
  const inHand = `doing: ${doing.do}`;
  return decision.kind === "do"
    ? inHand
    : `${standingText(decision, names, paint)}${paint("quiet", `  (${inHand})`)}`;
}

function seenText(workflow: Look["workflow"], credential: string, paint: Paint): string | null {
  switch (workflow) {
    case "live":
      return null;
    case "silent":
      return paint("quiet", "in the records; its workflow did not answer");
    case "gone":
      return paint(
        "warn",
        `in the records; its workflow has ended: \`rekey adopt-rotation ${credential}\` takes it up again`,
      );
  }
}

function directionOf(state: RotationState): string {
  if (state.emergency) return `emergency, ${state.emergency.containment}: ${state.emergency.reason}`;
  if (state.turned) return `${isGoingBack(state) ? "going back" : "turned"}: ${state.turned.reason}`;
  return isGoingBack(state) ? "going back" : "forward";
}

function untilText(until: number | null, now: number): string | null {
  return until === null ? null : `${moment(until)} (${relative(until, now)})`;
}

/** The command that a person could give now; null where nothing is asked of anybody. */
function nextText(decision: Decision, state: RotationState, now: number, credential: string): string | null {
  if (decision.kind === "needs-operator")
    return `rekey resume ${credential} --exit ${decision.exits.join("|")}`;
  const asks = decision.kind === "wait" && currentGate(state, now) === "approved";
  return asks ? `rekey approve ${credential}` : null;
}

/** What `decide` says, for people. */
export function standingText(decision: Decision, names: Names, paint: Paint): string {
  switch (decision.kind) {
    case "do":
      return `doing: ${decision.step.do}`;
    case "wait":
      return `waiting for ${names.in(decision.for)}`;
    case "needs-operator":
      return paint("bad", `needs an operator: ${names.in(decision.reason)}`);
    case "done":
      return paint(decision.outcome === "rotated" ? "good" : "warn", outcomeWord(decision.outcome));
  }
}

/** How it ended, in words. */
export function outcomeWord(outcome: string): string {
  const words: Readonly<Record<string, string>> = {
    rotated: "rotated; the old one is gone",
    "went-back": "went back; the old one is in use, as before",
    refused: "refused; nothing was changed",
    "taken-over": "taken over by a newer epoch",
  };
  return words[outcome] ?? outcome;
}

/** One line: passed, current and coming gates. What was refused has passed none, and has come to its end all the same. */
function gatesText({ state, now, told }: Look, paint: Paint): string {
  const those = gates.filter((gate) => gate.name !== "contained" || state.emergency !== null);
  if (state.closed === "refused") {
    const coming = those.filter(({ name }) => name !== "closed").map(({ name }) => `· ${name}`);
    return [...coming.map((text) => paint("quiet", text)), paint("warn", "✗ refused")].join("  ");
  }
  const current = waitTold(shown(state, now), told)?.gate ?? currentGate(state, now);
  const at = state.closed ? those.length : those.findIndex((gate) => gate.name === current);
  return those
    .map(({ name }, index) => {
      if (index < at) return paint("good", `✓ ${name}`);
      return index === at ? paint("strong", `▸ ${name}`) : paint("quiet", `· ${name}`);
    })
    .join("  ");
}

function consumersText(state: RotationState, names: Names, paint: Paint): string {
  const plan = state.amendments.at(-1) ?? state.plan;
  const rows = (plan?.waves ?? []).flatMap((wave, index) =>
    wave.consumers.map((id) => consumerRow(state, wave, index, id, names, paint)),
  );
  return table(["  wave", "consumer", "on target", "instances"], rows, paint);
}

function consumerRow(
  state: RotationState,
  wave: Wave,
  index: number,
  id: string,
  names: Names,
  paint: Paint,
): string[] {
  const instances = state.consumers[id]?.instances ?? [];
  const there = instances.filter((instance) => allOn([instance], state.target)).length;
  const told = wave.place === null || state.places[wave.place]?.told === state.target;
  const tone = !told ? "quiet" : there === instances.length && there > 0 ? "good" : "warn";
  const each = instances.map(({ instance, version, working, accepts }) => {
    const on = accepts?.map(names.of).join("+") ?? (version === null ? "?" : names.of(version));
    return paint(working ? "quiet" : "bad", `${instance}:${on}${working ? "" : "!"}`);
  });
  return [`  ${index + 1}`, names.of(id), paint(tone, `${there}/${instances.length}`), each.join(" ")];
}

function versionsText(state: RotationState, paint: Paint): string {
  const marks = (version: VersionState) =>
    [
      version.id === state.target ? "target" : "",
      version.leaked ? paint("bad", "leaked") : "",
      version.refused ? "refused everywhere" : "",
      state.uses[version.id]?.sessions ? count(state.uses[version.id]?.sessions ?? 0, "session") : "",
    ]
      .filter((mark) => mark !== "")
      .join(", ");
  const rows = Object.values(state.versions).map((version) => [
    `  ${versionWord(state, version.id)}`,
    version.id,
    version.slot,
    version.life,
    version.issuer,
    marks(version),
  ]);
  return table(["  version", "id", "slot", "life", "at the issuer", ""], rows, paint);
}

/** The timeline, a line each. */
function timelineText(entries: readonly TimelineEntry[], names: Names, paint: Paint): string {
  return entries.map((entry) => `  ${timelineLine(entry, names, paint)}`).join("\n");
}

/** One line of it. */
export function timelineLine({ at, tookMs, sentence }: TimelineEntry, names: Names, paint: Paint): string {
  const took = tookMs === null ? "" : paint("quiet", `  ${span(tookMs)}`);
  return `${paint("quiet", clock(at))}  ${names.in(sentence)}${took}`;
}
