/** What one look at the world changes in the state: facts with their ages, and never a wish (H10, H21, H39). */
import { declarationFindings } from "../declaration.js";
import { parseTag } from "../fence.js";
import { type Finding, refusals } from "../finding.js";
import { tightened } from "../stricter.js";
import { watchingAfter } from "../watchers.js";
import type { SurveyFacts } from "./events.js";
import { nothingIssued } from "./moves.js";
import type {
  ConsumerState,
  InstanceState,
  LastRead,
  RotationState,
  UseState,
  VersionState,
} from "./state.js";

/**
 * The state after a look taken at `at`. Tags are never taken from a look: what the next change expects is what
 * our own last one wrote, and another tag is somebody else's change, which becomes a finding (H8, H18).
 */
export function foldSurvey(state: RotationState, facts: SurveyFacts, at: number): RotationState {
  const consumers: Record<string, ConsumerState> = {};
  // A consumer that could not be listed this time was seen with no instance: it is not adopted, and not forgotten.
  for (const id of new Set([...Object.keys(state.consumers), ...Object.keys(facts.observations)])) {
    const instances = facts.observations[id] ?? [];
    consumers[id] = seen(state.consumers[id], instances, state.target, at, facts.since?.working[id]);
  }
  const uses: Record<string, UseState> = {};
  for (const version of Object.values(state.versions)) {
    const users = usersOf(state, facts, version.id);
    const seen = { users, read: facts.reads?.[version.id], recorded: facts.since?.unused[version.id] };
    uses[version.id] = used(state.uses[version.id], seen, facts.watermarkSeen, at);
  }
  const findings = [...facts.findings, ...changedOutside(state, facts), ...declarationFindings(state)];
  const planned = withPlan(state, facts);
  const watching = watchingAfter(planned, facts.watching);
  return {
    ...planned,
    ...(watching === undefined ? {} : { watching }),
    ...tightened(state, facts.policy, !nothingIssued(state)),
    consumers,
    uses,
    findings,
    blockedSince: refusals(findings).length > 0 ? (state.blockedSince ?? at) : null,
    unread: facts.unread ?? [],
    notBefore: facts.notBefore,
    surveyedAt: at,
    stale: false,
    trouble: state.trouble?.step === "survey" ? null : state.trouble,
    versions: asSeen(state, facts),
  };
}

/** All instances work on `version`. An empty listing proves nothing. */
export function allOn(instances: readonly InstanceState[], version: string): boolean {
  const isOn = (instance: InstanceState) =>
    instance.accepts?.includes(version) ?? instance.version === version;
  return instances.length > 0 && instances.every((instance) => isOn(instance) && instance.working);
}

/**
 * How many use a version. Where there are no sessions to count, that is what each instance was seen to hold;
 * one that does not say may hold any, and without a listing of every consumer there is no number (H21). What an issuer
 * without sessions lists all the same needs the version without being anybody's.
 */
function usersOf(state: RotationState, facts: SurveyFacts, version: string): number | undefined {
  if (!state.traits.sessionless) return facts.sessions[version];
  const listed = facts.plan.consumers.map(({ id }) => facts.observations[id]);
  if (listed.some((instances) => instances === undefined)) return undefined;
  return (
    listed
      .flatMap((instances) => instances ?? [])
      .filter(({ accepts, version: held }) => accepts === undefined && (held === version || held === null))
      .length + (facts.sessions[version] ?? 0)
  );
}

function seen(
  before: ConsumerState | undefined,
  instances: readonly InstanceState[],
  target: string,
  at: number,
  recorded = 0,
): ConsumerState {
  const names = (list: readonly InstanceState[]) =>
    list
      .map((instance) => instance.instance)
      .sort()
      .join("\n");
  const same = before !== undefined && names(before.instances) === names(instances);
  const on = allOn(instances, target);
  const since = on ? Math.max(before?.since ?? at, recorded) : null;
  const lost = before?.since != null && !on;
  return {
    at,
    instances,
    stable: same ? before.stable + 1 : 1,
    since,
    lostAt: lost ? at : (before?.lostAt ?? null),
  };
}

/** What was seen of a version's use: how many use it, who read it last, and since when the records have it unused. */
interface UseSeen {
  readonly users: number | undefined;
  readonly read: LastRead | undefined;
  readonly recorded: number | undefined;
}

function used(
  before: UseState | undefined,
  { users, read, recorded = 0 }: UseSeen,
  watermarkSeen: boolean,
  at: number,
): UseState {
  const known = before ?? { quietSince: null, watermarkAt: null, sessions: 0 };
  // Without our own mark in the listing, or without a listing, what was known stays as old as it was.
  if (users === undefined || !watermarkSeen) return known;
  // Whoever reads it uses it, session or not: nobody did since then.
  const unusedSince = Math.max(known.quietSince ?? at, recorded, read?.at ?? 0);
  return {
    quietSince: users > 0 ? null : unusedSince,
    watermarkAt: at,
    sessions: users,
    ...(read === undefined ? {} : { read }),
  };
}

/**
 * The first plan is the plan; before anything was issued a material change makes a new one, for which
 * earlier decisions do not count. Once a version was issued it becomes an amendment (H17).
 */
function withPlan(state: RotationState, facts: SurveyFacts): RotationState {
  const { plan } = facts;
  const current = state.amendments.at(-1) ?? state.plan;
  if (current?.digest === plan.digest) return state;
  if (state.plan === null || nothingIssued(state)) {
    return { ...state, plan, amendments: [], asked: [], askedAt: null, remindedAt: null };
  }
  // Back to what was planned before: what came in between asks nobody any more.
  const known = [state.plan, ...state.amendments].findIndex(({ digest }) => digest === plan.digest);
  if (known >= 0) return { ...state, amendments: state.amendments.slice(0, known) };
  return { ...state, amendments: [...state.amendments, plan], askedAt: null, remindedAt: null };
}

/**
 * A switch that somebody else moved makes a version's standing unknown, whatever our records say (H12). So does a server
 * on which our last change of the slot is missing: what stands there is from before, and names whom it had then (H16).
 */
function asSeen(state: RotationState, facts: SurveyFacts): RotationState["versions"] {
  const versions: Record<string, VersionState> = { ...state.versions };
  for (const { slot, tag, enabled } of facts.slots) {
    const version = Object.values(versions).find(
      (candidate) => candidate.slot === slot && candidate.issuer === (enabled ? "disabled" : "enabled"),
    );
    const named = parseTag(tag)?.version;
    const ours = parseTag(state.tags[slot])?.version;
    if (version && (named === undefined || named === version.id || ours === version.id)) {
      versions[version.id] = { ...version, issuer: "unknown", proved: false };
    }
  }
  return versions;
}

/** Whose tag is not the one that our last change left, or whose live version is another: not ours to go on with. */
function changedOutside(state: RotationState, facts: SurveyFacts): Finding[] {
  const finding = (subject: string): Finding => ({
    code: "changed-outside",
    severity: "refuse",
    subject,
    sentence: `${subject} was changed by somebody else during this rotation.`,
  });
  const slots = facts.slots.filter(({ slot, tag }) => (state.tags[slot] ?? tag) !== tag);
  const places = facts.places.filter(({ place, tag, liveVersion }) => {
    const known = state.places[place];
    return known !== undefined && (known.tag !== tag || known.liveVersion !== liveVersion);
  });
  return [...slots.map(({ slot }) => finding(slot)), ...places.map(({ place }) => finding(place))];
}
