/** What one look at the world changes in the state: facts with their ages, and never a wish (H10, H21, H39). */
import { parseTag } from "../fence.js";
import type { SurveyFacts } from "./events.js";
import type { ConsumerState, InstanceState, RotationState, UseState, VersionState } from "./state.js";

/** The state after a look taken at `at`. A change that we did not make shows here: tags are kept as seen. */
export function foldSurvey(state: RotationState, facts: SurveyFacts, at: number): RotationState {
  const consumers: Record<string, ConsumerState> = {};
  // A consumer that could not be listed this time was seen with no instance: it is not adopted, and not forgotten.
  for (const id of new Set([...Object.keys(state.consumers), ...Object.keys(facts.observations)])) {
    consumers[id] = seen(state.consumers[id], facts.observations[id] ?? [], state.target, at);
  }
  const uses: Record<string, UseState> = {};
  for (const version of Object.values(state.versions)) {
    uses[version.id] = used(state.uses[version.id], facts.sessions[version.id], facts.watermarkSeen, at);
  }
  return {
    ...withPlan(state, facts),
    consumers,
    uses,
    findings: facts.findings,
    notBefore: facts.notBefore,
    surveyedAt: at,
    trouble: state.trouble?.step === "survey" ? null : state.trouble,
    versions: asSeen(state, facts),
  };
}

/** All instances work on `version`. An empty listing proves nothing. */
export function allOn(instances: readonly InstanceState[], version: string): boolean {
  return (
    instances.length > 0 && instances.every((instance) => instance.version === version && instance.working)
  );
}

function seen(
  before: ConsumerState | undefined,
  instances: readonly InstanceState[],
  target: string,
  at: number,
): ConsumerState {
  const names = (list: readonly InstanceState[]) =>
    list
      .map((instance) => instance.instance)
      .sort()
      .join("\n");
  const same = before !== undefined && names(before.instances) === names(instances);
  const on = allOn(instances, target);
  const since = on ? (before?.since ?? at) : null;
  const lost = before?.since != null && !on;
  return {
    at,
    instances,
    stable: same ? before.stable + 1 : 1,
    since,
    lostAt: lost ? at : (before?.lostAt ?? null),
  };
}

function used(
  before: UseState | undefined,
  sessions: number | undefined,
  watermarkSeen: boolean,
  at: number,
): UseState {
  const known = before ?? { quietSince: null, watermarkAt: null, sessions: 0 };
  // Without our own mark in the listing, or without a listing, what was known stays as old as it was.
  if (sessions === undefined || !watermarkSeen) return known;
  return { quietSince: sessions > 0 ? null : (known.quietSince ?? at), watermarkAt: at, sessions };
}

/**
 * The first plan is the plan; before anything was issued a material change makes a new one, for which
 * earlier decisions do not count. Once a version was issued it becomes an amendment (H17).
 */
function withPlan(state: RotationState, facts: SurveyFacts): RotationState {
  const { plan } = facts;
  const current = state.amendments.at(-1) ?? state.plan;
  if (current?.digest === plan.digest) return state;
  const issued = Object.values(state.versions).some(
    (version) => version.id !== state.origin && version.life !== "planned",
  );
  if (state.plan === null || !issued) {
    return { ...state, plan, amendments: [], asked: [], askedAt: null, remindedAt: null };
  }
  return { ...state, amendments: [...state.amendments, plan], askedAt: null, remindedAt: null };
}

/** An enabled slot that was switched off by somebody else is not enabled, whatever our records say. */
function asSeen(state: RotationState, facts: SurveyFacts): RotationState["versions"] {
  const versions: Record<string, VersionState> = { ...state.versions };
  for (const slot of facts.slots) {
    const version = Object.values(versions).find(
      (candidate) => candidate.slot === slot.slot && candidate.issuer === "enabled",
    );
    const tag = parseTag(slot.tag);
    if (version && !slot.enabled && (tag === null || tag.version === version.id)) {
      versions[version.id] = { ...version, issuer: "unknown", proved: false };
    }
  }
  return versions;
}
