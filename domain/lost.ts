/** What is left of a rotation whose workflow is lost, in sentences: what the records know, and what has to be asked anew (H8). */

import { needsSignOff } from "./approval.js";
import { count } from "./count.js";
import { currentGate } from "./decide.js";
import { ago } from "./explain-facts.js";
import type { RotationState } from "./rotation/state.js";
import type { Step } from "./rotation/steps.js";

/** The two sides of it. Versions and places are named by their ids. */
export interface Left {
  readonly known: readonly string[];
  readonly unknown: readonly string[];
}

/** What is left. `openChange` is the change that was begun and whose end nobody has told. */
export function leftOf(
  state: RotationState,
  openChange: { readonly change: number; readonly step: Step; readonly at: number } | null,
  last: { readonly at: number; readonly sentence: string } | null,
  now: number,
): Left {
  const versions = Object.values(state.versions)
    .filter(({ issuer }) => issuer !== "absent")
    .map(({ id, slot, issuer }) => `Version ${id} is ${issuer} in ${slot}.`);
  const places = Object.entries(state.places).map(
    ([place, { liveVersion }]) =>
      `Consumers read ${liveVersion === null ? "a version without an id" : `version ${liveVersion}`} in ${place}.`,
  );
  const begun =
    openChange === null
      ? "No change was under way."
      : `Change ${openChange.change} (${openChange.step.do}) was begun ${ago(openChange.at, now)}; whether it was made is asked of issuer and store before anything else, and no late write of it counts.`;
  return {
    known: [
      `Epoch ${state.epoch}, ${count(state.change, "change")}, at gate ${currentGate(state, now)}.`,
      ...(last === null ? [] : [`What was recorded last, ${ago(last.at, now)}: ${last.sentence}`]),
      ...versions,
      ...places,
    ],
    unknown: [
      begun,
      "Who holds which version is looked at anew; times of quiet and of soak count from then on.",
      ...(state.decisions.length > 0 && needsSignOff(state)
        ? [
            "What was signed was signed for the lost run: owners are asked again where their word has to hold.",
          ]
        : []),
    ],
  };
}
