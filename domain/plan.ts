/**
 * The plan: what a rotation will do and to whom, in one form that people sign. Two plans with the same digest
 * do the same; ages of evidence are left out, so that looking again does not void a signature (H17).
 */
import { covers } from "./allowances.js";
import type { IssuerTraits } from "./kinds.js";
import { isChecker, rolesOf } from "./roles.js";
import type { Allowances, Plan, PlannedConsumer, PlanTerms, RotationPolicy, Wave } from "./rotation/state.js";

/** What a plan is made from. */
export interface PlanInput {
  readonly installation: string;
  readonly rotation: string;
  readonly nonce: string;
  readonly credential: string;
  readonly identity: string;
  readonly origin: { readonly version: string; readonly slot: string; readonly fingerprint: string | null };
  readonly target: { readonly slot: string };
  readonly systems?: readonly string[];
  readonly consumers: readonly (PlannedConsumer & {
    readonly canary: boolean;
    readonly wave: number | null;
  })[];
  readonly policy: RotationPolicy;
  readonly traits: IssuerTraits;
  readonly approvers: readonly string[];
  readonly emergency: boolean;
  readonly allows?: Allowances;
}

/** A deterministic text of any JSON value: keys sorted, no spaces (RFC 8785's order, for the values that occur here). */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([, field]) => field !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join(",")}}`;
  }
  return JSON.stringify(value ?? null);
}

/**
 * Consumers in the order in which they move. All that share a place are one wave, because promoting the place
 * moves them together (H1); pinned ones come first, canaries before the rest, irreversible ones last (H29).
 */
export function wavesOf(consumers: PlanInput["consumers"], traits: IssuerTraits): Wave[] {
  const places = new Map<string, PlanInput["consumers"][number][]>();
  const checking = consumers.filter((consumer) => isChecker(traits, consumer));
  for (const consumer of consumers.filter((each) => !checking.includes(each))) {
    places.set(consumer.place, [...(places.get(consumer.place) ?? []), consumer]);
  }
  const rank = (group: PlanInput["consumers"]): number[] => [
    group.some((consumer) => !consumer.reversible) ? 1 : 0,
    Math.min(...group.map((consumer) => consumer.wave ?? Number.MAX_SAFE_INTEGER)),
    group.some((consumer) => consumer.canary) ? 0 : 1,
    group.some((consumer) => consumer.isolation === "shared") ? 1 : 0,
  ];
  const waves = [...places.entries()].map(([place, group]) => ({ place, group, rank: rank(group) }));
  waves.sort((a, b) => compare(a.rank, b.rank) || (a.place < b.place ? -1 : 1));
  const ordered = waves.map(({ place, group }) => ({
    place,
    consumers: group.map((consumer) => consumer.id).sort(),
  }));
  // A credential that nobody was declared to use still has its main place to be written.
  const using: Wave[] = ordered.length > 0 ? ordered : [{ place: "main", consumers: [] }];
  const heard: Wave = { place: null, consumers: checking.map(({ id }) => id).sort() };
  // In the order of the kind's roles; whoever checks without being declared is waited for all the same (H28).
  return rolesOf(traits).flatMap(({ takes }) => (takes === "issuer" ? [heard] : using));
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a.map((value, index) => value - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

/** The first step of the walk that cannot be undone, in words; it is shown, signed, and guarded hardest (H29). */
export function pointOfNoReturn(input: Pick<PlanInput, "traits" | "consumers">): string {
  if (input.traits.overlap === "none") return "issue";
  const stuck = input.consumers.filter((consumer) => !consumer.reversible).map((consumer) => consumer.id);
  if (stuck.length > 0) return `deliver to ${stuck.sort().join(", ")}`;
  return input.traits.disableReversible ? "destroy" : "disable";
}

/** Makes the plan. `sha256Hex` hashes a text; it is an argument because this room has no cryptography of its own. */
export function planOf(input: PlanInput, now: number, sha256Hex: (text: string) => string): Plan {
  const consumers = [...input.consumers].sort((a, b) => (a.id < b.id ? -1 : 1));
  const { identity, approvers, consumers: _consumers, ...more } = input;
  const order = consumers.map(({ id, canary, wave }) => [id, { canary, wave }] as const);
  const plan = {
    identity,
    waves: wavesOf(consumers, input.traits),
    consumers: consumers.map(({ canary: _canary, wave: _wave, ...consumer }) => consumer),
    approvers: [...new Set(approvers)].sort(),
    pointOfNoReturn: pointOfNoReturn(input),
    terms: { ...more, order: Object.fromEntries(order) },
  };
  return { digest: sha256Hex(signedText(plan)), ...plan, madeAt: now };
}

/**
 * The text whose digest people sign, from the plan that they are shown: whoever signs computes it anew, and needs to
 * trust nobody that the digest is that of this plan (H7).
 */
export function signedText(plan: Omit<Plan, "digest" | "madeAt" | "terms"> & { terms: PlanTerms }): string {
  const { identity, waves, approvers, pointOfNoReturn: point, terms } = plan;
  const { order, ...more } = terms;
  const consumers = plan.consumers.map((consumer) => ({ ...consumer, ...order[consumer.id] }));
  return canonical({
    form: "rekey-plan/1",
    ...more,
    identity,
    consumers,
    waves,
    approvers,
    pointOfNoReturn: point,
  });
}

/**
 * Whom an amendment asks: the owners of the consumers that it adds or changes, and where it changes something else,
 * those whom the policy names. Where more than one has to agree these are asked too, for one owner may be one person. What
 * lets a gate pass for those who were agreed to already is not a new consumer's owner's to allow (H37).
 */
export function amendmentApprovers(
  agreed: Pick<Plan, "consumers" | "terms">,
  consumers: readonly PlannedConsumer[],
  allows: Allowances | undefined,
  asked: readonly string[],
  quorum: number,
): string[] {
  const known = new Set(agreed.consumers.map(canonical));
  const owners = consumers.filter((consumer) => !known.has(canonical(consumer))).map(({ owner }) => owner);
  const named = [...new Set(owners)].filter((owner) => owner !== "");
  if (named.length === 0 || quorum > 1) return [...named, ...asked];
  return allowsMore(agreed, allows) ? [...asked] : named;
}

/** Exceptions that were not agreed to, or claims that were not, of a consumer that was. */
function allowsMore(
  { consumers, terms }: Pick<Plan, "consumers" | "terms">,
  now: Allowances | undefined,
): boolean {
  if (terms?.allows === undefined || now === undefined) return false;
  const claims = consumers.map(({ id }) => [id, now.claims[id] ?? []] as const);
  return !covers(terms.allows, { ...now, claims: Object.fromEntries(claims) });
}
