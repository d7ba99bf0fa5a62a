/** Rules about policies and about who uses a credential: times that can be kept, and waves that mean what they say (H1, H22, H29). */
import { formatDuration } from "../duration.js";
import { useWindowMs } from "../graph/current.js";
import { evidenceMaxAgeMs } from "../watched.js";
import { type EstateIssue, issue, repeats } from "./issues.js";
import { emptyPeriod } from "./people.js";
import { lookUp } from "./shape.js";
import type { Consumer, Credential, Edge, Estate, Policy } from "./types.js";

/** Times within one policy that contradict each other. */
export function checkPolicies(estate: Estate): EstateIssue[] {
  return Object.entries(estate.policies).flatMap(([name, policy]) => {
    const path = ["policies", name];
    const freezes = policy.freezes.flatMap(({ from, until }, i) =>
      from >= until ? [emptyPeriod([...path, "freezes", i])] : [],
    );
    return [...freezes, ...closedWindow(path, policy), ...contradictions(path, policy)];
  });
}

function closedWindow(path: string[], { window }: Policy): EstateIssue[] {
  if (window === undefined || window.from !== window.to) return [];
  const hint = "leave the window out to allow any time, or use 00:00 and 23:59";
  return [
    issue({
      path: [...path, "window", "to"],
      code: "empty-window",
      message: "the window closes when it opens",
      hint,
    }),
  ];
}

function contradictions(path: string[], policy: Policy): EstateIssue[] {
  const { approval } = policy;
  const rules: readonly [boolean, string[], string][] = [
    [
      approval.reminderMs >= approval.deadlineMs,
      ["approval", "reminder"],
      "the first reminder would come after the deadline",
    ],
    [
      approval.validForMs < approval.deadlineMs,
      ["approval", "validFor"],
      "the first signature could expire before the last is due",
    ],
    [
      policy.adoptionSoakMs >= policy.adoptionTimeoutMs,
      ["adoptionSoak"],
      "the soak is not over before `adoptionTimeout`",
    ],
    [policy.quietPeriodMs >= policy.drainTimeoutMs, ["quietPeriod"], "it is not over before `drainTimeout`"],
    [
      policy.adoptionSoakMs + policy.quietPeriodMs >= policy.overlapMaxMs,
      ["overlapMax"],
      "soak and quiet period together take longer, so no rotation could finish",
    ],
    [
      policy.intervalMs !== undefined &&
        policy.intervalMs <= policy.adoptionSoakMs + policy.quietPeriodMs + policy.disableSoakMs,
      ["interval"],
      "a rotation takes longer than this, so the next would be due before it ends",
    ],
    [
      (policy.useWindowMs ?? useWindowMs) < (policy.evidenceMaxAgeMs ?? evidenceMaxAgeMs),
      ["useWindow"],
      "sources may be read more rarely than that (`evidenceMaxAge`), and whom they saw would not count any more",
    ],
  ];
  return rules.flatMap(([broken, field, message]) =>
    broken ? [issue({ path: [...path, ...field], code: "contradicting-times", message })] : [],
  );
}

/** What rules about a credential ask of its consumers: whatever else a consumer changes breaks no credential. */
export const askedOfConsumers = [
  "canary",
  "reversible",
  "match",
  "cadenceMs",
  "maxPoolLifeMs",
  "maxCacheLifeMs",
] as const satisfies readonly (keyof Consumer)[];

interface UsedBy {
  readonly edge: Edge;
  readonly consumer: Pick<Consumer, (typeof askedOfConsumers)[number]>;
  readonly path: readonly (string | number)[];
}

/** Rules about the edges of each credential. Edges to consumers that are not known are left to the reference check. */
export function checkEdges(estate: Estate): EstateIssue[] {
  return Object.entries(estate.credentials).flatMap(([name, credential]) => {
    const used = credential.consumers.flatMap((edge, i): UsedBy[] => {
      const consumer = lookUp(estate.consumers, edge.consumer);
      return consumer === undefined ? [] : [{ edge, consumer, path: ["credentials", name, "consumers", i] }];
    });
    return [
      ...repeated(credential, name),
      ...placesOfTheirOwn(used),
      ...splitWaves(used),
      ...falseCanaries(used),
      ...irreversibleFirst(used),
      ...ambiguous(used),
      ...neverQuiet(estate, name, credential, used),
    ];
  });
}

function repeated(credential: Credential, name: string): EstateIssue[] {
  const names = credential.consumers.map(({ consumer }) => consumer);
  return repeats(names).map(([consumer, i]) => {
    const path = ["credentials", name, "consumers", i, "consumer"];
    return issue({ path, code: "duplicate-consumer", message: `"${consumer}" is listed twice` });
  });
}

/** H1: pinned means a place of one's own, and only that. */
function placesOfTheirOwn(used: readonly UsedBy[]): EstateIssue[] {
  return used.flatMap(({ edge, path }) => {
    if ((edge.isolation === "pinned") === (edge.place !== undefined)) return [];
    if (edge.place !== undefined) {
      const hint = "remove the place, or write `isolation: pinned`";
      const message = `"${edge.consumer}" is shared and reads the credential's place, not one of its own`;
      return [issue({ path: [...path, "place"], code: "shared-with-place", message, hint })];
    }
    const hint = "add a `place` that only this consumer reads, or write `isolation: shared`";
    const message = `"${edge.consumer}" is pinned and has no place of its own, so it cannot be moved alone`;
    return [issue({ path: [...path, "isolation"], code: "pinned-without-place", message, hint })];
  });
}

/** H1: all that read one place move at the moment in which it changes, whatever the waves say. */
function splitWaves(used: readonly UsedBy[]): EstateIssue[] {
  const shared = used.filter(({ edge }) => edge.isolation === "shared" && edge.wave !== undefined);
  const first = shared[0]?.edge;
  return shared.flatMap(({ edge, path }) => {
    if (edge.wave === first?.wave) return [];
    const message = `"${first?.consumer}" reads the same place in wave ${first?.wave}, and both move when it changes`;
    const hint = "give them one wave, or make one of them `pinned`";
    return [issue({ path: [...path, "wave"], code: "split-wave", message, hint })];
  });
}

/** H1: a canary that moves together with others protects nobody. */
function falseCanaries(used: readonly UsedBy[]): EstateIssue[] {
  return used.flatMap(({ edge, consumer, path }) => {
    if (!consumer.canary || edge.isolation === "pinned" || used.length === 1) return [];
    const message = `"${edge.consumer}" is a canary and moves together with everybody on its path`;
    const hint = "make this edge `pinned`, or the consumer no canary";
    return [issue({ path: [...path, "consumer"], code: "canary-not-pinned", message, hint })];
  });
}

/** H29: what cannot go back goes last. */
function irreversibleFirst(used: readonly UsedBy[]): EstateIssue[] {
  const reversible = ({ edge, consumer }: UsedBy) => edge.reversible ?? consumer.reversible;
  const last = Math.max(0, ...used.filter(reversible).map(({ edge }) => edge.wave ?? 0));
  return used.flatMap((one) => {
    const { wave, consumer } = one.edge;
    if (reversible(one) || wave === undefined || wave >= last) return [];
    const message = `"${consumer}" cannot be moved back and moves before wave ${last}, in which others still can`;
    return [
      issue({
        path: [...one.path, "wave"],
        code: "irreversible-early",
        message,
        hint: `use wave ${last} or later`,
      }),
    ];
  });
}

/** A session that could be either of two consumers' is evidence for none. */
function ambiguous(used: readonly UsedBy[]): EstateIssue[] {
  const seen = new Map<string, string>();
  return used.flatMap(({ edge, consumer }) => {
    const { applicationName, address, host = [] } = consumer.match;
    const places = [...address, ...host];
    const patterns = applicationName.flatMap((application) =>
      (places.length === 0 ? ["any"] : places).map((from) => `${application} ${from}`),
    );
    const twin = patterns
      .map((pattern) => seen.get(pattern))
      .find((other) => other !== undefined && other !== edge.consumer);
    for (const pattern of patterns) seen.set(pattern, seen.get(pattern) ?? edge.consumer);
    if (twin === undefined) return [];
    const message = `sessions of "${edge.consumer}" and of "${twin}" look the same at a credential that both use`;
    const hint = "give each its own application name, or tell them apart by address or host";
    return [issue({ path: ["consumers", edge.consumer, "match"], code: "ambiguous-match", message, hint })];
  });
}

/** H22: quiet has to last at least as long as the slowest consumer is silent, and still end in time. */
function neverQuiet(
  estate: Estate,
  name: string,
  credential: Credential,
  used: readonly UsedBy[],
): EstateIssue[] {
  const policy = lookUp(estate.policies, credential.policy);
  if (policy === undefined) return [];
  return used.flatMap(({ edge, consumer }) => {
    const lives = [edge.cadenceMs ?? consumer.cadenceMs, consumer.maxPoolLifeMs, consumer.maxCacheLifeMs];
    const slowestMs = Math.max(0, ...lives.filter((life) => life !== undefined));
    if (slowestMs < policy.drainTimeoutMs) return [];
    const message = `"${edge.consumer}" may be silent for ${formatDuration(slowestMs)} and policy "${credential.policy}" waits ${formatDuration(policy.drainTimeoutMs)} for quiet`;
    const hint =
      "raise `drainTimeout` (and `overlapMax`), or shorten the consumer's cadence, pool or cache life";
    return [issue({ path: ["credentials", name, "policy"], code: "never-quiet", message, hint })];
  });
}
