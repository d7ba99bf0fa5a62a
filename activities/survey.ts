/**
 * One look at the world: issuer, store and every consumer at once, in parallel, read-only. What it answers is
 * facts; what they mean is decided in `domain/`.
 */
import type { Call, Candidate, Confirmation, IssuerView, SecretDocument } from "../adapters/ports.js";
import { ownFields } from "../adapters/ports.js";
import { allowancesOf, plannedAllowances } from "../domain/allowances.js";
import { type Excluded, personOf, signersFor, withKeys } from "../domain/authority.js";
import { assess } from "../domain/checks.js";
import { quietSpan } from "../domain/drain.js";
import { startableAt } from "../domain/due.js";
import { RekeyError } from "../domain/errors.js";
import { bounded } from "../domain/exceptions.js";
import { parseTag } from "../domain/fence.js";
import type { Finding } from "../domain/finding.js";
import { toRead } from "../domain/last-reading.js";
import { lastReads, oldReads } from "../domain/old-reads.js";
import { amendmentApprovers, planOf } from "../domain/plan.js";
import { isChecker } from "../domain/roles.js";
import type { PlaceFact, RotationEvent, SurveyFacts } from "../domain/rotation/events.js";
import { mayReturn, nothingIssued, targetOf } from "../domain/rotation/moves.js";
import type { InstanceState, RotationPolicy, RotationState } from "../domain/rotation/state.js";
import { stricter } from "../domain/stricter.js";
import { isEnded } from "../domain/version.js";
import { type WatchRules, watchRulesOf } from "../domain/watched.js";
import { agreedWatchers, watchersIn } from "../domain/watchers.js";
import { askedOwners } from "./approvers.js";
import type { ActivityDeps, Systems } from "./deps.js";
import { secretValues } from "./documents.js";
import type { MappedFacts, ValueAsked } from "./mapped.js";
import type { PlaceSeen, VersionReads } from "./read-versions.js";
import { sessionsByVersion, unmappedReaders } from "./session-readers.js";

/** What one look needs besides the state. */
export interface Surveyor {
  readonly deps: Pick<ActivityDeps, "installation" | "now" | "sha256Hex" | "fingerprint">;
  readonly systems: Systems;
  readonly confirmations: readonly Confirmation[];
  readonly excluded: Excluded;
  /** Asks the map, once it is known which value is to be revoked. */
  readonly mapped: (asked: ValueAsked) => Promise<MappedFacts>;
  /** What stood where, and who read what since a time in milliseconds since the epoch; what is live now is kept, unless nothing is. */
  readonly versionReads: (seen: readonly PlaceSeen[], since: number) => Promise<VersionReads>;
}

/** Looks once. Throws `unreachable` when the issuer or a place of the store cannot be read; a silent consumer is a fact. */
export async function survey(
  { deps, systems, confirmations, excluded, mapped, versionReads }: Surveyor,
  state: RotationState,
  call: Call,
): Promise<Extract<RotationEvent, { type: "surveyed" }>> {
  const { issuer, stores } = systems;
  // What was agreed to, or what the estate asks now where that is stricter (H17).
  const policy = stricter(state.policy, systems.rules);
  const viewing = issuer.survey(call);
  const copies = copiesOf(systems, state, call);
  // What is live matters until something is issued; then the walk knows what it wrote.
  const reading = nothingIssued(state) ? stores.main.live(call) : Promise.resolve(null);
  const hashing = reading.then((live) => hmacsOf(deps, live));
  const looking = placesOf(stores, call);
  const [view, seen, kept, observations, origin, preflight, known, versions] = await Promise.all([
    viewing,
    looking,
    copies,
    Promise.all([viewing, copies]).then(([seen, known]) =>
      observe(systems, state, candidatesOf(known, seen), confirmations, deps.installation, call),
    ),
    reading.then((live) => proveOrigin(systems, state, live, call)),
    preflightOf(systems, call),
    hashing.then((hmacs) => {
      const value = { version: state.origin, rotation: state.id, hmacs };
      return mapped({ value, policy, agreed: agreedWatchers(state) });
    }),
    looking.then((live) => versionReads(live, readsSince(state, watchRulesOf(policy), deps.now()))),
  ]);
  const now = deps.now();
  const places = seen.map(({ storeVersion: _, ...fact }): PlaceFact => fact);
  const exceptions = bounded(systems.estate.credentials[systems.name]?.exceptions, policy);
  const stale = oldReads(versions.reads, versions.known, state, { exceptions, now });
  const reads = lastReads(stale);
  const asked = askedOwners(systems);
  const fingerprint = originFingerprint(deps, state, await hashing);
  const { able, keyless } = withKeys(systems.estate, signersFor(systems.estate, asked, excluded, now));
  const quiet = quietSpan(state);
  const revokesNext = quiet !== null && quiet.until <= now;
  const unread = toRead(known.sources, revokesNext ? quiet : null);
  const facts: SurveyFacts = {
    slots: view.slots.map(({ slot, tag, enabled }) => ({ slot, tag, enabled })),
    places,
    findings: assess({
      installation: deps.installation,
      owner: systems.owner,
      approvers: able.length,
      keyless: keyless.map((person) => ({
        person,
        manager: personOf(systems.estate, person)?.manager ?? null,
      })),
      quorum: policy.approval.quorum,
      consumers: systems.consumers.map((consumer) => ({
        name: consumer.name,
        owner: consumer.owner === "" ? null : consumer.owner,
        observable: consumer.observe.length > 0,
        instances: observations[consumer.id]?.length ?? null,
        memoryKnown: consumer.memoryKnown,
        memoryMs: consumer.memoryMs,
        checks: isChecker(state.traits, consumer),
      })),
      unmapped: state.traits.sessionless
        ? []
        : unmappedReaders(view.sessions, systems.consumers, state.traits),
      unmappedReaders: policy.unmappedReaders ?? systems.policy.unmappedReaders,
      mapped: {
        ...known,
        unread,
        revokesNext,
        quietPeriodMs: policy.quietPeriodMs,
        oldReads: stale,
        exceptions,
        now,
      },
      traits: state.traits,
      slots: view.slots,
      places,
      freeSlots: targetOf(state).slot === "" ? 0 : 1,
      originProof: origin,
      watermarkSeen: view.watermarkSeen,
      identityChanged: state.plan !== null && state.plan.identity !== view.identity,
      holdCopyKept:
        !needsHoldCopy(state) || kept.some(({ version, copy }) => version === state.origin && copy !== null),
      preflight,
      emergency: state.emergency !== null,
    }),
    notBefore: notBefore(systems, now),
    observations,
    sessions: sessionsByVersion(view, systems.consumers, state, now),
    ...(Object.keys(reads).length === 0 ? {} : { reads }),
    watermarkSeen: view.watermarkSeen,
    plan: planFor(deps, systems, state, view, policy, fingerprint, now),
    policy: systems.rules,
    ...(unread.length === 0 ? {} : { unread }),
    watching: watchersIn(known.sources),
  };
  return { type: "surveyed", at: now, facts };
}

function notBefore(systems: Systems, now: number): number | null {
  const opens = startableAt(systems.policy, now);
  // Nothing opens within the horizon: a date far away says so better than an error would.
  return opens === null ? Number.MAX_SAFE_INTEGER : opens > now ? opens : null;
}

function planFor(
  deps: Surveyor["deps"],
  systems: Systems,
  state: RotationState,
  view: IssuerView,
  stricterPolicy: RotationPolicy,
  fingerprint: string | null,
  now: number,
): SurveyFacts["plan"] {
  const origin = state.versions[state.origin];
  const asked = askedOwners(systems);
  const consumers = systems.consumers.map(
    ({ id, owner, isolation, reversible, place, memoryMs, role, evidence, canary, wave }) => ({
      id,
      owner,
      isolation,
      reversible,
      place,
      memoryMs,
      ...(role === undefined ? {} : { role }),
      ...(evidence === undefined ? {} : { evidence }),
      canary,
      wave,
    }),
  );
  const exceptions = systems.estate.credentials[systems.name]?.exceptions ?? [];
  const allows = plannedAllowances(state, allowancesOf(exceptions, systems.consumers));
  const planned = consumers.map(({ canary: _canary, wave: _wave, ...consumer }) => consumer);
  return planOf(
    {
      installation: deps.installation,
      rotation: state.id,
      nonce: state.nonce,
      credential: state.credential,
      identity: state.plan?.identity ?? view.identity,
      origin: { version: state.origin, slot: origin?.slot ?? "", fingerprint },
      target: { slot: forwardSlot(state) },
      systems: [...systems.lockKeys].sort(),
      consumers,
      // Nobody is asked to agree to more care: once something was issued the plan stays what was signed.
      policy: nothingIssued(state) ? stricterPolicy : (state.agreedPolicy ?? state.policy),
      traits: state.traits,
      approvers:
        state.plan === null || nothingIssued(state)
          ? asked
          : amendmentApprovers(state.plan, planned, allows, asked, state.policy.approval.quorum),
      emergency: state.emergency !== null,
      ...(allows === undefined ? {} : { allows }),
    },
    now,
    deps.sha256Hex,
  );
}

/**
 * What the value was when the plan was made, so that one which was changed by hand makes another plan (H17). Hashed
 * once more: the keyed hash itself is evidence of a leak, and a plan is read by many.
 */
function originFingerprint(
  deps: Pick<Surveyor["deps"], "sha256Hex">,
  state: RotationState,
  hmacs: readonly string[],
): string | null {
  if (!nothingIssued(state)) return state.plan?.terms?.origin.fingerprint ?? null;
  return hmacs.length === 0 ? null : deps.sha256Hex(hmacs.toSorted().join());
}

/** The keyed hashes of the values of what is live; none where it was not read, or is not there. */
async function hmacsOf(
  deps: Pick<Surveyor["deps"], "fingerprint">,
  live: SecretDocument | null,
): Promise<readonly string[]> {
  return live === null ? [] : Promise.all(secretValues(live).map((value) => deps.fingerprint(value)));
}

/** The slot that the rotation moves to, also while it is on its way back: turning round is not another plan. */
function forwardSlot(state: RotationState): string {
  const forward = Object.values(state.versions).find((version) => version.id !== state.origin);
  return forward?.slot ?? "";
}

/** What was read before the first place was told is of no old version; before that who pins one is told by what they read of late. */
function readsSince(
  { places }: RotationState,
  { useWindowMs }: Pick<WatchRules, "useWindowMs">,
  now: number,
): number {
  const told = Object.values(places).map(({ toldAt }) => toldAt ?? 0);
  return Math.max(now - useWindowMs, Math.min(...told));
}

async function placesOf(
  stores: Systems["stores"],
  call: Call,
): Promise<(PlaceFact & Pick<PlaceSeen, "storeVersion">)[]> {
  return Promise.all(
    Object.entries(stores).map(async ([place, store]) => ({ place, ...(await store.view(call)) })),
  );
}

async function preflightOf({ issuer, stores, consumers }: Systems, call: Call): Promise<Finding[]> {
  const ways = consumers.flatMap(({ observe, deliver }) =>
    deliver === null ? [...observe] : [...observe, deliver],
  );
  const all = await Promise.all([
    issuer.preflight(call),
    ...Object.values(stores).map((store) => store.preflight(call)),
    ...ways.map((way) => way.preflight(call)),
  ]);
  return all.flat();
}

/** Before anything is issued, the value that going back needs has to log in (H12); afterwards it is the walk's to prove. */
async function proveOrigin(
  { issuer }: Systems,
  state: RotationState,
  live: SecretDocument | null,
  call: Call,
): Promise<{ node: string; ok: boolean }[] | null> {
  const origin = state.versions[state.origin];
  if (!nothingIssued(state) || !origin) return [];
  if (!live) return null;
  const proofs = await issuer.prove(origin.slot, live, call);
  return proofs.map(({ node, ok }) => ({ node, ok }));
}

/** A version that may be in use, and the copy of it that the engine keeps; null where there is none. */
interface Copy {
  readonly version: string;
  readonly slot: string;
  readonly copy: SecretDocument | null;
}

async function copiesOf({ stores }: Systems, state: RotationState, call: Call): Promise<Copy[]> {
  const living = Object.values(state.versions).filter(
    (version) => !isEnded(version.life) && version.issuer !== "absent",
  );
  return Promise.all(
    living.map(async ({ id, slot }) => ({
      version: id,
      slot,
      copy: await stores.main.staged(id, call),
    })),
  );
}

/** The versions that an instance may turn out to hold, with the keys by which it can answer. */
function candidatesOf(copies: readonly Copy[], view: IssuerView): Candidate[] {
  return copies.map(({ version, slot, copy }) => {
    const attestKey = copy?.[ownFields.attestKey];
    const { tag = "", publicName } = view.slots.find((candidate) => candidate.slot === slot) ?? {};
    // The slot may hold another version by now.
    const named = publicName !== undefined && (parseTag(tag)?.version ?? version) === version;
    return {
      version,
      slot,
      ...(attestKey === undefined ? {} : { attestKey }),
      ...(named ? { publicName } : {}),
    };
  });
}

/** True from the issue on, which makes the copy, for as long as the walk could still lead back to the origin (H19). */
function needsHoldCopy(state: RotationState): boolean {
  return !nothingIssued(state) && mayReturn(state);
}

async function observe(
  { consumers, name }: Systems,
  state: RotationState,
  candidates: readonly Candidate[],
  confirmations: readonly Confirmation[],
  installation: string,
  call: Call,
): Promise<Record<string, InstanceState[]>> {
  const seen = await Promise.all(
    consumers.map(async (consumer): Promise<[string, InstanceState[]] | null> => {
      const request = {
        installation,
        credential: name,
        consumer: consumer.name,
        rotation: state.id,
        candidates,
        // A word is signed for the consumer's id; an adapter is asked about it by its name.
        confirmations: confirmations
          .filter((word) => word.consumer === consumer.id)
          .map((word) => ({ ...word, consumer: consumer.name })),
      };
      try {
        const ways = await Promise.all(consumer.observe.map((way) => way.observe(request, call)));
        // Every way has to see the version: its instances are named apart, so that none stands in for another.
        const instances = ways.flatMap((way, index) =>
          way.map(({ instance, version, working, accepts }) => ({
            instance: ways.length > 1 ? `${index + 1}/${instance}` : instance,
            version,
            working,
            ...(accepts === undefined ? {} : { accepts }),
          })),
        );
        const everyWaySaw = ways.length > 0 && ways.every((way) => way.length > 0);
        return [consumer.id, everyWaySaw ? instances : []];
      } catch (error) {
        // No listing is a fact about this consumer, not about the rotation; it is not adopted, and named.
        if (error instanceof RekeyError && error.retry !== "never") return null;
        throw error;
      }
    }),
  );
  return Object.fromEntries(seen.filter((entry) => entry !== null));
}

/** The document of a version as the engine keeps it. Throws `value-missing` where there is none. */
export async function keptDocument(systems: Systems, version: string, call: Call): Promise<SecretDocument> {
  const document = await systems.stores.main.staged(version, call);
  if (!document) throw new RekeyError("value-missing", `The store keeps no copy of version ${version}.`);
  return document;
}
