/**
 * Puts a credential's adapters together from the estate in force, and keeps them open between activities: a
 * rotation's dozen steps should not pay for a dozen logins. A changed estate makes new ones.
 */

import type { ActivityDeps, ConsumerSystem, Systems } from "../activities/deps.js";
import type { AdapterDeps, Consumer as ConsumerAdapter, Notifier } from "../adapters/ports.js";
import { type Kinds, kinds as registered } from "../adapters/registry.js";
import { RekeyError } from "../domain/errors.js";
import type { Consumer, Edge, KindConfig, Policy } from "../domain/estate/types.js";
import { canonical } from "../domain/plan.js";
import type { RotationPolicy } from "../domain/rotation/state.js";
import type { Database } from "../inventory/database.js";
import { entryNamed, entryOf } from "../inventory/estate.js";
import { currentRevision, estateAround } from "../inventory/estate-load.js";
import { sha256Hex } from "../inventory/hash.js";
import { settingsDigest, settingsOf } from "../inventory/source-settings.js";

interface Kept {
  readonly revision: number;
  /** Kept before it is fulfilled: who asks meanwhile gets the same ones. */
  readonly systems: Promise<Systems>;
  usedAt: number;
}

/** Longer than any activity lasts (ten minutes, a look): nobody can still be using what was last given out before. */
const unusedMsMax = 11 * 60_000;

/** Opens the systems of credentials, and closes all of them at the end. */
export function systemsKeeper(
  db: Database,
  adapterDeps: AdapterDeps,
  kinds: Kinds = registered,
): { readonly open: ActivityDeps["systems"]; readonly close: () => Promise<void> } {
  const current = new Map<string, Kept>();
  /** Of an earlier estate: given to nobody any more, and closed once nobody can be using them. */
  const retired = new Set<Kept>();

  const closeUnused = async (now: number): Promise<void> => {
    const isUnused = ({ usedAt }: Kept) => now - usedAt > unusedMsMax;
    const unused = [...retired].filter(isUnused);
    for (const entry of unused) retired.delete(entry);
    for (const [credential, entry] of current) {
      if (!isUnused(entry)) continue;
      current.delete(credential);
      unused.push(entry);
    }
    await Promise.all(unused.map(closeSystems));
  };

  const open = async (credential: string): Promise<Systems> => {
    const now = adapterDeps.now();
    await closeUnused(now);
    const revision = await currentRevision(db);
    if (revision === null) throw notApplied();
    const known = current.get(credential);
    // Who asked later may have read a newer estate and been quicker.
    if (known !== undefined && known.revision >= revision.number) {
      known.usedAt = now;
      return known.systems;
    }
    if (known) retired.add(known);
    const systems = build(db, credential, adapterDeps, kinds);
    const entry = { revision: revision.number, systems, usedAt: now };
    current.set(credential, entry);
    systems.catch(() => {
      if (current.get(credential) === entry) current.delete(credential);
    });
    return systems;
  };

  return {
    open,
    close: async () => {
      const all = [...current.values(), ...retired];
      current.clear();
      retired.clear();
      await Promise.all(all.map(closeSystems));
    },
  };
}

/** Opens a source of the estate by its name; nothing of it is kept. */
export function sourceOpener(
  db: Database,
  adapterDeps: AdapterDeps,
  kinds: Kinds = registered,
): ActivityDeps["source"] {
  return async (name) => {
    const { id, body } = await entryNamed(db, "sources", name);
    const { kind, settings } = settingsOf(body);
    const { shows, create } = own(kinds.sources, kind, "kind of source");
    return {
      ...{ id, shows, source: create(settings, adapterDeps) },
      settings: settingsDigest(body),
    };
  };
}

/** Opens the notifiers of the estate in force, for what is no rotation's. */
export function channelOpener(
  db: Database,
  adapterDeps: AdapterDeps,
  kinds: Kinds = registered,
): ActivityDeps["channels"] {
  return async () => {
    const around = await estateAround(db, null);
    if (around === null) return null;
    const { estate } = around;
    const notifiers = Object.entries(estate.notifiers).map(
      ([name, config]) => [name, () => notifierOf(config, adapterDeps, kinds)] as const,
    );
    return { estate, notifiers: Object.fromEntries(notifiers) };
  };
}

function notifierOf(config: KindConfig, deps: AdapterDeps, kinds: Kinds): Notifier {
  return own(kinds.notifiers, config.kind, "kind of notifier").create(config, deps);
}

function notApplied(): RekeyError {
  return new RekeyError("not-found", "No estate has been applied.", "Apply one with `rekey apply`.");
}

async function closeSystems(kept: Kept): Promise<void> {
  const systems = await kept.systems.catch(() => null);
  if (systems === null) return;
  const { issuer, stores, consumers } = systems;
  const ways = consumers.flatMap(({ observe, deliver }) =>
    deliver === null ? [...observe] : [...observe, deliver],
  );
  await Promise.allSettled([issuer, ...Object.values(stores), ...ways].map((adapter) => adapter.close()));
}

async function build(db: Database, id: string, deps: AdapterDeps, kinds: Kinds): Promise<Systems> {
  const { name } = await entryOf(db, id);
  // It may be newer than the one by which this was asked for; then the next call makes new ones, which say the same.
  const around = await estateAround(db, name);
  if (around === null) throw notApplied();
  const { estate, consumerIds: ids } = around;
  const credential = own(estate.credentials, name, "credential");
  const policy = own(estate.policies, credential.policy, "policy");
  const issuerConfig = own(estate.issuers, credential.issuer, "issuer");
  const storeConfig = own(estate.stores, credential.store, "store");
  const issuerKind = own(kinds.issuers, issuerConfig.kind, "kind of issuer");
  const storeKind = own(kinds.stores, storeConfig.kind, "kind of store");

  const places: Record<string, Readonly<Record<string, unknown>>> = {};
  const consumers = credential.consumers.map((edge): ConsumerSystem => {
    const consumerId = ids.get(edge.consumer);
    if (consumerId === undefined)
      throw new RekeyError("not-found", `The inventory knows no consumer ${edge.consumer}.`);
    if (edge.place) places[consumerId] = edge.place;
    return consumerSystem(consumerId, edge, own(estate.consumers, edge.consumer, "consumer"), deps, kinds);
  });
  return {
    id,
    name,
    estate,
    owner: Object.hasOwn(estate.owners, credential.owner) ? credential.owner : null,
    policy,
    rules: rulesOf(policy),
    issuer: issuerKind.create(issuerConfig, credential.account, deps),
    stores: {
      ...Object.fromEntries(
        Object.entries(places).map(([place, config]) => [place, storeKind.create(storeConfig, config, deps)]),
      ),
      main: storeKind.create(storeConfig, credential.place, deps),
    },
    consumers,
    notifiers: Object.values(estate.notifiers).map((config) => notifierOf(config, deps, kinds)),
    lockKeys: [
      `credential:${id}`,
      ...accountLocks(issuerConfig, credential.account),
      ...[credential.place, ...Object.values(places)].flatMap((place) =>
        storeKind.lockKeys(storeConfig, place).map((key) => `place:${key}`),
      ),
    ],
  };
}

/** The locks of an account, the same for everything that changes it. */
export function accountLocks(
  issuer: KindConfig,
  account: KindConfig | Readonly<Record<string, unknown>>,
): string[] {
  const kind = own(registered.issuers, issuer.kind, "kind of issuer");
  return kind.lockKeys(issuer, account).map((key) => `account:${key}`);
}

function consumerSystem(
  id: string,
  edge: Edge,
  consumer: Consumer,
  deps: AdapterDeps,
  kinds: Kinds,
): ConsumerSystem {
  const way = (config: KindConfig): ConsumerAdapter =>
    own(kinds.consumers, config.kind, "kind of consumer").create(config, deps);
  const cadenceMs = edge.cadenceMs ?? consumer.cadenceMs;
  const memories = [consumer.maxPoolLifeMs, consumer.maxCacheLifeMs, cadenceMs];
  return {
    id,
    name: edge.consumer,
    owner: consumer.owner,
    isolation: edge.isolation,
    reversible: edge.reversible ?? consumer.reversible,
    place: edge.place ? id : "main",
    ...(edge.role === undefined ? {} : { role: edge.role }),
    evidence: sha256Hex(
      canonical({ match: consumer.match, observe: consumer.observe, deliver: consumer.deliver }),
    ),
    memoryMs: Math.max(0, ...memories.map((memory) => memory ?? 0)),
    memoryKnown: memories.every((memory) => memory !== undefined),
    canary: consumer.canary,
    wave: edge.wave ?? null,
    match: consumer.match,
    observe: consumer.observe.map(way),
    deliver: consumer.deliver === undefined ? null : way(consumer.deliver),
  };
}

/** The numbers of a policy that a rotation runs by. */
export function rulesOf(policy: Policy): RotationPolicy {
  const { quorum, deadlineMs, reminderMs } = policy.approval;
  return {
    approval: { quorum, deadlineMs, reminderMs },
    adoptionTimeoutMs: policy.adoptionTimeoutMs,
    adoptionSoakMs: policy.adoptionSoakMs,
    quietPeriodMs: policy.quietPeriodMs,
    drainTimeoutMs: policy.drainTimeoutMs,
    disableSoakMs: policy.disableSoakMs,
    observationMaxAgeMs: policy.observationMaxAgeMs,
    stallTimeoutMs: policy.stallTimeoutMs,
    retryDelayMs: policy.retryDelayMs,
    containment: policy.containment,
    containmentDeadlineMs: policy.containmentDeadlineMs,
    signOffDeadlineMs: policy.signOffDeadlineMs,
    overlapMaxMs: policy.overlapMaxMs,
    unmappedReaders: policy.unmappedReaders,
    // Left out where the policy says nothing, so that a plan that was signed before there were these is the same text.
    ...(policy.blindSpots === undefined ? {} : { blindSpots: policy.blindSpots }),
    ...(policy.evidenceMaxAgeMs === undefined ? {} : { evidenceMaxAgeMs: policy.evidenceMaxAgeMs }),
    ...(policy.useWindowMs === undefined ? {} : { useWindowMs: policy.useWindowMs }),
    ...(policy.exceptionMaxMs === undefined ? {} : { exceptionMaxMs: policy.exceptionMaxMs }),
  };
}

function own<T>(section: Readonly<Record<string, T>>, name: string, what: string): T {
  const found = Object.hasOwn(section, name) ? section[name] : undefined;
  if (found === undefined) throw new RekeyError("not-found", `The estate has no ${what} ${name}.`);
  return found;
}
