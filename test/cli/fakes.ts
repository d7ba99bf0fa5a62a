/** A command line with everything around it made of memory: for what commands print, and for nothing else. */
import { PassThrough } from "node:stream";
import { valuesPasted } from "../../adapters/shared/source-pasted.js";
import type { AuditDesk } from "../../client/cli/audit-desk.js";
import type { CliDeps, Services } from "../../client/cli/deps.js";
import type { Inventory } from "../../client/cli/inventory.js";
import { run } from "../../client/cli/run.js";
import type { RotationClient } from "../../client/temporal.js";
import type { AdoptionRecord } from "../../domain/adopt-plan.js";
import { RekeyError } from "../../domain/errors.js";
import { type Section, sections } from "../../domain/estate/schema.js";
import type { KeptFinding } from "../../domain/findings/course.js";
import type { Figure } from "../../domain/findings/metrics.js";
import type { AnonymousUse } from "../../domain/graph/anonymous.js";
import type { Sighting } from "../../domain/graph/baseline.js";
import { blastOf, tallyOf } from "../../domain/graph/blast.js";
import type { Graph } from "../../domain/graph/types.js";
import type { Halt } from "../../domain/restore.js";
import { Secret } from "../../domain/secret.js";
import type { CredentialView } from "../../inventory/credentials.js";
import type { Entry } from "../../inventory/estate.js";
import type { EstateChanges } from "../../inventory/estate-changes.js";
import { diffEstate } from "../../inventory/estate-diff.js";
import type { FindingNews } from "../../inventory/finding-keep.js";
import type { FindingChange } from "../../inventory/findings.js";
import type { KeptIncident } from "../../inventory/incidents.js";
import type { CredentialUse } from "../../inventory/metrics.js";
import type { LoadedRotation } from "../../inventory/rotations.js";
import { sectionsOf } from "../../inventory/sections.js";
import type { SourceHealth } from "../../inventory/source-health.js";
import type { Submission } from "../../inventory/submission.js";
import type { Words } from "../../inventory/thing-words.js";
import type { Overview } from "../../inventory/views.js";
import type { Whereabouts } from "../../inventory/whereabouts.js";
import { kinds } from "../domain/estate/fixtures.js";
import { fakeDesk } from "./audit-fakes.js";

/** The moment at which every test takes place. */
export const now = Date.UTC(2026, 7, 1, 9, 30, 0);

/** What the fakes know and what they were told. */
export interface World {
  readonly credentials: CredentialView[];
  readonly entries: Entry[];
  readonly rotations: LoadedRotation[];
  readonly unsigned: KeptIncident[];
  readonly untoldAudit: Overview["untoldAudit"];
  /** That the records were restored. */
  readonly halt: Halt | null;
  /** What time it is by the inventory. */
  readonly inventoryTime: number;
  readonly adoptions: AdoptionRecord[];
  /** Answers of the workflow, by name of the client's method; one that is missing is silence. */
  readonly answers: Partial<Record<keyof RotationClient, (...args: unknown[]) => unknown>>;
  /** Every call of the client that was answered, with its arguments. */
  readonly calls: [method: string, ...args: unknown[]][];
  /** With `of`, only that keyed hash matches it. */
  readonly matching: { version: string; credential: string; of?: string }[];
  /** What sources say of whatever is asked about. */
  readonly words: Words;
  /** What is known of a value that somebody brings. */
  readonly whereabouts: Whereabouts;
  /** Who uses what. */
  readonly map: Graph;
  readonly sightings: readonly Sighting[];
  readonly anonymous: readonly AnonymousUse[];
  /** Ids of places with a value that also stands where it is asked about. */
  readonly alike: readonly string[];
  /** Findings as they stand, each with what became of it. */
  readonly findings: readonly { readonly finding: KeptFinding; readonly changes: readonly FindingChange[] }[];
  /** What a look at everything comes to. */
  readonly look: () => FindingNews;
  readonly figures: readonly Figure[];
  readonly uses: readonly CredentialUse[];
  readonly sources: readonly SourceHealth[];
  readonly audit: AuditDesk;
  /** The one whose estate was applied, where that is another one than is applied now. */
  readonly installation?: string;
  connect: () => Promise<void>;
}

/** A world in which nothing is declared. */
export function emptyWorld(more: Partial<World> = {}): World {
  return {
    credentials: [],
    entries: [],
    rotations: [],
    unsigned: [],
    untoldAudit: { entries: 0, since: null },
    halt: null,
    inventoryTime: now,
    adoptions: [],
    answers: {},
    calls: [],
    matching: [],
    words: { purpose: null, expiresAt: null, by: [] },
    whereabouts: { credentials: [], places: [], sources: [], unproved: [] },
    map: { nodes: new Map(), edges: [] },
    sightings: [],
    anonymous: [],
    alike: [],
    findings: [],
    look: () => ({ open: 0, excepted: 0, ended: 0, looked: true }),
    figures: [],
    uses: [],
    sources: [],
    audit: fakeDesk(),
    connect: async () => undefined,
    ...more,
  };
}

/** How the process stands to its surroundings. */
export interface Surroundings {
  /** What is typed; of an iterable, what it gives once it is read. */
  readonly stdin?: string | AsyncIterable<string>;
  readonly terminal?: boolean;
  readonly stdinTerminal?: boolean;
  readonly columns?: number;
  /** False: the other end of standard output's pipe has gone. */
  readonly readers?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly deps?: Partial<CliDeps>;
  /** A real inventory instead of the one in memory. */
  readonly inventory?: Inventory;
  /** How far this machine's clock is ahead of the installation's. */
  readonly machineOffMs?: number;
  /** Presses Ctrl-C after so many milliseconds. */
  readonly interruptAfterMs?: number;
}

/** What a run left behind. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in a world. */
export async function runIn(world: World, argv: readonly string[], around: Surroundings = {}): Promise<Ran> {
  const printed = { stdout: "", stderr: "" };
  let ids = 0;
  const output = (name: "stdout" | "stderr") => ({
    isTTY: around.terminal ?? false,
    columns: around.columns ?? 100,
    writable: around.readers ?? true,
    write: (text: string) => {
      printed[name] += text;
    },
  });
  const deps: CliDeps = {
    kinds,
    io: {
      stdin: Object.assign(typed(around.stdin ?? ""), {
        isTTY: around.stdinTerminal ?? around.terminal ?? false,
      }),
      stdout: output("stdout"),
      stderr: output("stderr"),
      env: { USER: "olga", ...around.env },
      now: () => now + (around.machineOffMs ?? 0),
      randomId: (prefix) => {
        ids += 1;
        return `${prefix}_${ids}`;
      },
      onInterrupt: (listener) => {
        const timer =
          around.interruptAfterMs === undefined ? undefined : setTimeout(listener, around.interruptAfterMs);
        return () => clearTimeout(timer);
      },
    },
    connect: async () => {
      await world.connect();
      return { ...servicesIn(world), ...(around.inventory ? { inventory: around.inventory } : {}) };
    },
    migrate: async () => ["0001_estate"],
    auditorsLog: async () => {
      throw new Error("there is no database in memory");
    },
    grants: {
      postgres: (options) => `-- run as a superuser\n-- engine: ${options.engine ?? "rekey_engine"}\n`,
    },
    adoption: {
      preview: async () => ({ steps: [], findings: [], record: null, byHand: false }),
      ask: async () => ({ steps: [], findings: [], record: null, byHand: false }),
      decide: async () => ({ accepted: true, sentence: "alice: approve." }),
      carryOut: async function* () {},
    },
    processes: { worker: async () => 0, server: async () => 0, up: async () => 0, demo: async () => 0 },
    version: "1.2.3",
    ...around.deps,
  };
  const code = await run(argv, deps);
  return { code, ...printed };
}

function typed(stdin: string | AsyncIterable<string>): AsyncIterable<string> {
  return typeof stdin === "string" ? new PassThrough().end(stdin) : stdin;
}

function servicesIn(world: World): Services {
  return {
    installation: "inst",
    clock: { now: () => now, agree: async () => undefined },
    inventory: inventoryIn(world),
    rotations: clientIn(world),
    audit: async () => world.audit,
    fingerprint: async (value: Secret) => `hmac-of-${value.reveal().length}-characters`,
    valuesIn: (pasted) =>
      valuesPasted(pasted.reveal()).map(({ as, value }) => ({
        as,
        value: value === null ? null : new Secret(value),
      })),
    close: async () => undefined,
  };
}

function inventoryIn(world: World): Inventory {
  const current = () =>
    Object.fromEntries(
      sections.map((section) => [
        section,
        Object.fromEntries(named(world, section).map(({ name, body }) => [name, body])),
      ]),
    ) as never;
  const changesTo = ({ entries, header }: Submission): EstateChanges => {
    const diff = diffEstate(current(), sectionsOf(entries));
    const { installation: from } = world;
    const renamed = from === undefined ? {} : { renamed: { from, to: header.installation } };
    return { ...{ stamp: "", words: [], ended: [], moved: [] }, diff: { ...diff, ...renamed } };
  };
  return {
    revision: async () =>
      world.entries.length === 0
        ? null
        : { number: 3, digest: "sha256:0", appliedAt: now, appliedBy: "olga" },
    shared: async () => (world.entries.length === 0 ? null : current()),
    known: {
      pieces: async () => ({ stamp: "", pieces: "" }),
      shared: async () => null,
      // Everything was read, so there is nothing around it.
      context: async (submission) => ({
        changes: changesTo(submission),
        sections: sectionsOf([]),
        asked: new Set(submission.entries.map(({ section, name }) => `${section} ${name}`)),
        followers: new Map(),
      }),
    },
    changes: async (submission) => changesTo(submission),
    apply: async (submission, by) => {
      world.calls.push(["apply", submission.digest, by]);
      return { revision: 4, diff: diffEstate(current(), sectionsOf(submission.entries)), scope: null };
    },
    notePieces: async () => undefined,
    entries: async (section) => named(world, section),
    credentials: async () => world.credentials,
    overview: async () => ({
      entries: Object.fromEntries(sections.map((section) => [section, named(world, section).length])),
      open: [],
      due: [],
      unsignedIncidents: world.unsigned.length,
      unsentNotices: 0,
      untoldAudit: world.untoldAudit,
    }),
    rotations: async (credential, limit) =>
      world.rotations.filter((row) => row.credential === credential).slice(0, limit),
    rotation: async (id) => {
      const found = world.rotations.find((row) => row.id === id);
      if (found === undefined) throw new RekeyError("not-found", `There is no rotation ${id}.`);
      return found;
    },
    time: async () => world.inventoryTime,
    halt: async () => world.halt,
    adoptions: async () => world.adoptions,
    unsigned: async () => world.unsigned,
    document: async () => null,
    matching: async (fingerprint) => world.matching.filter(({ of = fingerprint }) => of === fingerprint),
    whereabouts: async (fingerprints) => {
      world.calls.push(["whereabouts", fingerprints]);
      return world.whereabouts;
    },
    nodesNamed: async (name) => {
      const nodes = [...world.map.nodes.values()];
      return { found: nodes.filter((node) => node.name === name), alike: nodes };
    },
    words: async () => world.words,
    // The real one gives a part of it; the commands show what follows from what they are given.
    reach: async () => world.map,
    blast: async (node, limit) => {
      const { starts, breaks, exposed, owners, same } = blastOf(world.map, node, world.alike);
      const nearest = <T>(list: readonly T[]) => list.slice(0, limit ?? list.length);
      return {
        blast: { starts, breaks: nearest(breaks), exposed: nearest(exposed), owners, same },
        breaks: tallyOf(breaks),
        exposed: tallyOf(exposed),
        begins: starts.length,
        graph: world.map,
      };
    },
    users: async () => world.map,
    sightings: async () => world.sightings,
    anonymousUses: async () => world.anonymous,
    sources: async () => world.sources,
    sourceNames: async () => new Map(named(world, "sources").map(({ id, name }) => [id, name])),
    map: async () => world.map,
    lookAfter: async () => {
      world.calls.push(["lookAfter"]);
      return world.look();
    },
    bringFindings: async () => {
      world.calls.push(["bringFindings"]);
      return world.look();
    },
    findings: async ({ code, credential, severity, state, owner, ended = false, changedSince = 0 }) => {
      const findings = world.findings
        .map(({ finding }) => finding)
        .filter((one) => (code ?? one.code) === one.code && (credential ?? one.credential) === one.credential)
        .filter((one) => (severity ?? one.severity) === one.severity)
        .filter((one) => owner === undefined || one.owners.includes(owner))
        .filter((one) => (state === undefined ? ended || one.state !== "ended" : one.state === state))
        .filter(({ since }) => since >= changedSince);
      return { at: now, findings, total: findings.length };
    },
    findingCounts: async () => ({ counts: [], lookedAt: null }),
    finding: async (number) => world.findings.find(({ finding }) => finding.number === number) ?? null,
    metrics: async () => ({ at: world.inventoryTime, figures: world.figures }),
    uses: async () => world.uses,
    changed: async () => world.map,
  };
}

function named(world: World, section: Section): Entry[] {
  return world.entries.filter((entry) => entry.section === section);
}

function clientIn(world: World): RotationClient {
  return new Proxy({} as RotationClient, {
    get: (_, method: keyof RotationClient) => {
      if (method === "close") return async () => undefined;
      return async (...args: unknown[]) => {
        const answer = world.answers[method];
        if (answer === undefined) throw new RekeyError("unreachable", "Nobody answered in time.");
        world.calls.push([method, ...args]);
        return answer(...args);
      };
    },
  });
}
