/**
 * What a rotation may cost whom, said before anybody signs or reports: computed from the plan and the policy
 * alone, so that a dry run and a person who signs read the same (protocol.md, Emergency: the plan says who breaks).
 */
import { formatDuration } from "./duration.js";
import type { Emergency, Plan, PlannedConsumer, RotationState } from "./rotation/state.js";

/** Sentences for people: who may fail and when, and which of the ordinary waits do not happen. */
export interface Forecast {
  readonly breaks: readonly string[];
  readonly skipped: readonly string[];
}

/** What is known when it is made: a rotation that has a plan, and has not moved anybody. */
export type Foreseen = Pick<RotationState, "policy" | "traits" | "emergency" | "versions" | "target"> & {
  readonly plan: Plan;
};

/** The forecast for this plan. `nameOf` turns a consumer's id into its name. */
export function forecastOf(state: Foreseen, nameOf: (id: string) => string): Forecast {
  const { emergency } = state;
  return emergency === null
    ? { breaks: ordinary(state, nameOf), skipped: [] }
    : { breaks: urgent(state, emergency, nameOf), skipped: skippedBy(state, emergency) };
}

function ordinary({ plan, policy, traits }: Foreseen, nameOf: (id: string) => string): string[] {
  const bound = plan.consumers.filter(({ reversible }) => !reversible);
  const quietMs = Math.max(policy.quietPeriodMs, 0, ...plan.consumers.map(({ memoryMs }) => memoryMs));
  return [
    ...(traits.overlap === "none"
      ? [`Old and new are never valid together: ${everybody(plan, nameOf)} until the new one is taken up.`]
      : []),
    ...bound.map(
      ({ id }) => `${nameOf(id)} cannot be moved back: once it was told, there is only the way forward.`,
    ),
    `Whoever uses it and is not declared fails when the old version is switched off, unless seen in the ${formatDuration(quietMs)} before.`,
  ];
}

function urgent(state: Foreseen, emergency: Emergency, nameOf: (id: string) => string): string[] {
  const { plan, policy } = state;
  const all = everybody(plan, nameOf);
  if ((state.versions[state.target]?.slot ?? "") === "") {
    return [
      `No slot is free, so the leaked version is switched off first: ${all} until the new one is there.`,
    ];
  }
  if (emergency.containment === "revoke-now") {
    return [
      `The leaked version is switched off before anybody has moved: ${all} until the new one is taken up.`,
    ];
  }
  const deadlineMs = policy.containmentDeadlineMs;
  const deadline = formatDuration(deadlineMs);
  return [
    `Whoever has not moved ${deadline} after the report fails from then on until it has.`,
    ...cutShort(plan.consumers, deadlineMs).map(
      ({ id, memoryMs }) =>
        `${nameOf(id)} may hold the leaked version for ${formatDuration(memoryMs)}, which is longer than that.`,
    ),
  ];
}

/** Those whose pools, caches or pauses may outlast the time that they are given. */
function cutShort(consumers: readonly PlannedConsumer[], deadlineMs: number): PlannedConsumer[] {
  return consumers.filter(({ memoryMs }) => memoryMs > deadlineMs);
}

function skippedBy({ policy }: Foreseen, { containment }: Emergency): string[] {
  return [
    "No window and no freeze is waited for, and no canary: all waves are told at once.",
    `No signature is waited for; owners sign within ${formatDuration(policy.signOffDeadlineMs)} afterwards.`,
    `Not waited for: the adoption soak (${formatDuration(policy.adoptionSoakMs)}), the quiet period (${formatDuration(policy.quietPeriodMs)}) and the soak of what leaked (${formatDuration(policy.disableSoakMs)}).`,
    ...(containment === "revoke-now"
      ? ["Nobody's adoption is waited for before the leaked version is off."]
      : []),
  ];
}

function everybody({ consumers }: Plan, nameOf: (id: string) => string): string {
  if (consumers.length === 0) return "nobody is declared to use it; whoever does fails";
  const names = consumers.map(({ id }) => nameOf(id)).sort();
  return `${names.join(", ")} ${names.length === 1 ? "fails" : "fail"}`;
}
