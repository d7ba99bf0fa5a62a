/**
 * The inventory as commands use it: reads, and the one thing that they change there, the applied estate. An
 * interface of its own, so that what a command prints can be tested without a database.
 */
import type { AdoptionRecord } from "../../domain/adopt-plan.js";
import type { Section } from "../../domain/estate/schema.js";
import type { Shapes } from "../../domain/estate/shapes.js";
import type { Estate } from "../../domain/estate/types.js";
import type { Figure } from "../../domain/findings/metrics.js";
import type { Period } from "../../domain/graph/changes.js";
import type { Flow } from "../../domain/graph/flows.js";
import type { Graph } from "../../domain/graph/types.js";
import type { Halt } from "../../domain/restore.js";
import { openAdoptions } from "../../inventory/adoptions.js";
import { anonymousUsesOf } from "../../inventory/anonymous-uses.js";
import { sightingsOf } from "../../inventory/baseline.js";
import { inventoryTime } from "../../inventory/clock.js";
import { type CredentialView, listCredentials } from "../../inventory/credentials.js";
import type { Database } from "../../inventory/database.js";
import { decisionWith, type KeptDecision } from "../../inventory/decisions.js";
import { type Entry, listEntries } from "../../inventory/estate.js";
import { type Applied, applySubmission, notePieces, planSubmission } from "../../inventory/estate-apply.js";
import type { EstateChanges } from "../../inventory/estate-changes.js";
import { type KnownEstate, knownIn } from "../../inventory/estate-context.js";
import { currentRevision, estateAround, type Revision } from "../../inventory/estate-load.js";
import { bringFindings, type FindingNews, lookAfter } from "../../inventory/finding-keep.js";
import {
  countFindings,
  type FindingFilter,
  findingNumbered,
  listFindings,
} from "../../inventory/findings.js";
import { versionsMatching } from "../../inventory/fingerprints.js";
import { type BlastRadius, loadBlast } from "../../inventory/graph-blast.js";
import { loadChanged } from "../../inventory/graph-changes.js";
import { loadHolders, loadReach, loadWhole, nodesNamed } from "../../inventory/graph-load.js";
import { type KeptIncident, listIncidents } from "../../inventory/incidents.js";
import { type CredentialUse, metricsAt, usesAt } from "../../inventory/metrics.js";
import { haltOf } from "../../inventory/restores.js";
import {
  type LoadedRotation,
  listRotations,
  loadRotation,
  type RotationSummary,
} from "../../inventory/rotations.js";
import { type SourceHealth, sourcesHealth } from "../../inventory/source-health.js";
import type { Submission } from "../../inventory/submission.js";
import { type Words, wordsOn } from "../../inventory/thing-words.js";
import { type Overview, overview } from "../../inventory/views.js";
import { type Whereabouts, whereaboutsOf } from "../../inventory/whereabouts.js";
import { type SourceNames, sourceNames, withShowing, withSourceNames } from "./source-names.js";

/** What commands ask and order. Credentials are ids. */
export interface Inventory {
  /** Which estate is in force. */
  revision(): Promise<Revision | null>;
  /** Everything of the estate but its credentials and consumers; null when none was ever applied. */
  shared(): Promise<Estate | null>;
  /** What a reader of an estate's pieces asks about the rest of it. */
  readonly known: KnownEstate;
  /** What applying it would change now. */
  changes(submission: Submission): Promise<EstateChanges>;
  /** Applies what was told and nothing else; throws `conflict` where somebody has applied since. */
  apply(submission: Submission, by: string, told: EstateChanges): Promise<Applied>;
  /** Notes in which pieces of text everything stands, where nothing else has changed. */
  notePieces(submission: Submission): Promise<void>;
  /** With `ended`, also what has left the estate. */
  entries(section: Section, options?: { readonly ended?: boolean }): Promise<readonly Entry[]>;
  credentials(): Promise<readonly CredentialView[]>;
  overview(): Promise<Overview>;
  /** What time it is by the inventory, in milliseconds since the epoch. */
  time(): Promise<number>;
  /** That the records were restored, while nobody has accepted it (H32). */
  halt(): Promise<Halt | null>;
  /** Newest first. */
  rotations(credential: string, limit: number): Promise<readonly RotationSummary[]>;
  rotation(id: string): Promise<LoadedRotation>;
  /** Adoptions that are open, of whatever credential. */
  adoptions(): Promise<readonly AdoptionRecord[]>;
  /** Reports of leaks that the owners have not signed off. */
  unsigned(credential: string): Promise<readonly KeptIncident[]>;
  /** The signed document that was kept under this id, or null. */
  document(id: string): Promise<KeptDecision | null>;
  /** Who bears this name on the map, and names that begin alike. */
  nodesNamed(name: string): ReturnType<typeof nodesNamed>;
  /** The part of the map that these flows reach from some nodes, copies that sources met included. Maps name their sources, and have no ids of them. */
  reach(nodes: readonly string[], flows: readonly Flow[]): Promise<Graph>;
  /** What breaks with a node and what is exposed, of each the nearest; null: all of it. */
  blast(node: string, limit: number | null): Promise<BlastRadius>;
  /** A credential or a place, and whoever uses it or could, also a copy of it that a source met. This map, and what follows, have ids of sources: `sourceNames` has their names. */
  users(node: string): Promise<Graph>;
  /** What sources say of a node besides: what it is for, and when it is to end. */
  words(node: string): Promise<Words>;
  /** In which guises a credential was seen used. */
  sightings(credential: string): ReturnType<typeof sightingsOf>;
  /** When it was used by whom nobody says. */
  anonymousUses(credential: string): ReturnType<typeof anonymousUsesOf>;
  /** How each source of the estate is doing, by name. */
  sources(): Promise<readonly SourceHealth[]>;
  /** What sources are called; also those that have left the estate. */
  sourceNames(): Promise<SourceNames>;
  /** Everything on the map, with the copies that sources met. */
  map(): Promise<Graph>;
  /** Looks at everything, and keeps what is found; answers with what changed its state. */
  bringFindings(): Promise<FindingNews>;
  /** The same after a change of the estate; of a large one only at what the change touched. */
  lookAfter(applied: Applied): Promise<FindingNews>;
  /** Findings as they stand, with the names of those who show them, and when they were brought up to date last. */
  findings(filter: FindingFilter): ReturnType<typeof listFindings>;
  /** How many have not ended, by severity and state. */
  findingCounts(): ReturnType<typeof countFindings>;
  /** A finding by its number, with what became of it. */
  finding(number: number): ReturnType<typeof findingNumbered>;
  /** The figures of the programme. */
  metrics(): Promise<{ readonly at: number; readonly figures: readonly Figure[] }>;
  /** Of every credential whether it is in use; null: by the window of its policy. */
  uses(leastWindowMs: number | null): Promise<readonly CredentialUse[]>;
  /** The part of the map that has changed between two moments, ended or not. */
  changed(between: Period): Promise<Graph>;
  /** Versions, living or not, that had the value of this keyed hash. */
  matching(
    fingerprint: string,
  ): Promise<readonly { readonly version: string; readonly credential: string }[]>;
  /** Whose the values of these keyed hashes are or were, where sources met them, and how much they could have met. */
  whereabouts(fingerprints: readonly string[]): Promise<Whereabouts>;
}

/** The inventory in a database. Whatever is written or judged by the time goes by the database's clock (H38). */
export function inventoryIn(
  db: Database,
  world: { randomId(prefix: string): string; readonly shapes: Shapes },
): Inventory {
  const present = async () => Math.floor(await inventoryTime(db));
  return {
    revision: () => currentRevision(db),
    shared: async () => (await estateAround(db, null))?.estate ?? null,
    known: knownIn(db),
    changes: (submission) => planSubmission(db, submission),
    apply: async (submission, by, told) =>
      applySubmission(
        db,
        submission,
        { by, now: await present(), newId: world.randomId, shapes: world.shapes },
        told,
      ),
    notePieces: async (submission) =>
      notePieces(db, submission, { now: await present(), shapes: world.shapes }),
    entries: (section, options) => listEntries(db, section, options),
    credentials: () => listCredentials(db),
    time: () => inventoryTime(db),
    halt: () => haltOf(db),
    overview: async () => overview(db, await present()),
    rotations: (credential, limit) => listRotations(db, { credential, limit }),
    rotation: (id) => loadRotation(db, id),
    document: (id) => decisionWith(db, id),
    adoptions: () => openAdoptions(db),
    nodesNamed: (name) => nodesNamed(db, name),
    reach: async (nodes, flows) => withSourceNames(db, await loadReach(db, nodes, flows, await present())),
    blast: async (node, limit) => loadBlast(db, node, { limit, now: await present() }),
    users: async (node) => loadHolders(db, node, await present()),
    words: (node) => wordsOn(db, node),
    sightings: (credential) => sightingsOf(db, credential),
    anonymousUses: (credential) => anonymousUsesOf(db, credential),
    sources: async () => sourcesHealth(db, world.shapes, await present()),
    sourceNames: () => sourceNames(db),
    map: async () => withSourceNames(db, await loadWhole(db, await present())),
    bringFindings: async () => bringFindings(db, world.shapes, await present()),
    lookAfter: async ({ scope }) => lookAfter(db, world.shapes, await present(), scope),
    findings: async (filter) => {
      const [{ findings, ...told }, names] = await Promise.all([
        listFindings(db, filter, await present()),
        sourceNames(db),
      ]);
      return { ...told, findings: findings.map((finding) => withShowing(names, finding)) };
    },
    findingCounts: async () => countFindings(db, await present()),
    finding: async (number) => {
      const kept = await findingNumbered(db, number, await present());
      return kept && { ...kept, finding: withShowing(await sourceNames(db), kept.finding) };
    },
    metrics: async () => {
      const at = await present();
      return { at, figures: await metricsAt(db, world.shapes, at) };
    },
    uses: async (leastWindowMs) => usesAt(db, world.shapes, { leastWindowMs, now: await present() }),
    changed: async (between) => withSourceNames(db, await loadChanged(db, between)),
    matching: (fingerprint) => versionsMatching(db, fingerprint),
    whereabouts: (fingerprints) => whereaboutsOf(db, fingerprints),
    unsigned: (credential) => listIncidents(db, { credential, unsigned: true }),
  };
}
