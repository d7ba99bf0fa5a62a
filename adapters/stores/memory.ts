/**
 * A store in memory for tests of everything above the port: it keeps the port's promises like the real ones
 * (same contract suite, same compare-and-set) and fails on command, which a real server does not.
 */
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { parseTag } from "../../domain/fence.js";
import type { Finding } from "../../domain/finding.js";
import {
  type AdapterDeps,
  type Applied,
  type Call,
  type FencedChange,
  ownFields,
  type PlaceView,
  type SecretDocument,
  type Store,
  type StoreKind,
} from "../ports.js";
import { type Exchange, type Place, promoteFenced, seizeFenced } from "../shared/fenced-document.js";
import {
  applyWrites,
  asSecrets,
  fieldsSchema,
  type OwnDocument,
  readOwn,
  revealed,
  sameCredential,
  toStage,
  valuesIn,
  versionSegment,
  viewOf,
  withEngineFields,
} from "../shared/own-fields.js";
import { orWhenOver } from "../shared/retry.js";
import { isReplaced, purgedError } from "../shared/staged-copy.js";

const memoryConfig = z.object({}).strict();

const memoryPlace = z
  .object({ path: z.string().min(1).describe("Name of the document."), fields: fieldsSchema() })
  .strict();

/** What a place holds. Tests may write `raw` to play another writer; each write must raise `revision`. */
interface MemoryPlace {
  raw: Readonly<Record<string, unknown>> | null;
  revision: number;
  /** Older contents of `raw`, as a store with history keeps them. */
  readonly history: Array<Readonly<Record<string, unknown>>>;
  /** By version; for a credential that gives the tag another name, by `<that name>/<version>`. */
  readonly copies: Map<string, Record<string, string>>;
  /** Keys of copies that were purged. */
  readonly purged: Set<string>;
}

/** The calls that a fault can name. */
export type MemoryMethod =
  | "preflight"
  | "view"
  | "live"
  | "stage"
  | "staged"
  | "stagedVersions"
  | "promote"
  | "seize"
  | "purge";

/** Switches; all off at first. A set that names a method keeps doing so until the test takes it out. */
interface MemoryFaults {
  /** Every call fails with `unreachable` and does nothing. */
  unreachable: boolean;
  /** These never answer: they end with the call's signal, having done nothing. */
  readonly hang: Set<MemoryMethod>;
  /** These do their work and lose the answer: `unknown-outcome` for a change, `unreachable` for a read. */
  readonly loseAnswer: Set<MemoryMethod>;
  /** These fail with the error given and do nothing. */
  readonly fail: Map<MemoryMethod, RekeyError>;
  /** Runs once, between the next change's read and its write: another writer. */
  beforeWrite: (() => void) | null;
  /** What `preflight` finds. */
  findings: Finding[];
}

/** A world of places, the kind that serves them, and its switches. */
export interface MemoryStores {
  readonly kind: StoreKind<typeof memoryConfig, typeof memoryPlace>;
  readonly faults: MemoryFaults;
  /** The place of a path; made empty when it is not there yet. */
  place(path: string): MemoryPlace;
  /** Calls so far, oldest first, as `method path`. */
  readonly calls: string[];
}

const changes: ReadonlySet<MemoryMethod> = new Set(["stage", "promote", "seize", "purge"]);

/** A new, empty world. Stores made by its kind share it, as processes share a server. */
export function memoryStores(): MemoryStores {
  const places = new Map<string, MemoryPlace>();
  const faults: MemoryFaults = {
    unreachable: false,
    hang: new Set(),
    loseAnswer: new Set(),
    fail: new Map(),
    beforeWrite: null,
    findings: [],
  };
  const place = (path: string): MemoryPlace => {
    const there = places.get(path) ?? {
      ...{ raw: null, revision: 0, history: [] },
      ...{ copies: new Map(), purged: new Set<string>() },
    };
    places.set(path, there);
    return there;
  };
  const calls: string[] = [];
  const kind: MemoryStores["kind"] = {
    config: memoryConfig,
    place: memoryPlace,
    create: (_, at, deps) => new MemoryStore({ kind, faults, place, calls }, at, deps),
    lockKeys: (_, at) => [`memory:${at.path}`],
  };
  return { kind, faults, place, calls };
}

function afterSlash(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}

class MemoryStore implements Store {
  readonly #world: MemoryStores;
  readonly #at: MemoryPlace;
  readonly #fenced: Place;

  constructor(world: MemoryStores, place: z.output<typeof memoryPlace>, deps: AdapterDeps) {
    this.#world = world;
    this.#at = world.place(place.path);
    this.#fenced = { name: place.path, fields: place.fields, installation: deps.installation };
  }

  preflight(call: Call): Promise<Finding[]> {
    return this.#do("preflight", call, () => [...this.#world.faults.findings]);
  }

  view(call: Call): Promise<PlaceView> {
    return this.#do("view", call, () => {
      return viewOf(this.#own(), String(this.#at.revision));
    });
  }

  stagedVersions(call: Call): Promise<string[]> {
    return this.#do("stagedVersions", call, () =>
      [...this.#at.copies.keys()]
        .filter((key) => this.#isOurs(key))
        .map(afterSlash)
        .sort(),
    );
  }

  live(call: Call): Promise<SecretDocument | null> {
    return this.#do("live", call, () => {
      return valuesIn(this.#own());
    });
  }

  stage(version: string, document: SecretDocument, call: Call): Promise<SecretDocument> {
    return this.#keep(version, document, null, call);
  }

  restage(
    version: string,
    document: SecretDocument,
    useless: SecretDocument,
    call: Call,
  ): Promise<SecretDocument> {
    return this.#keep(version, document, useless, call);
  }

  #keep(
    version: string,
    document: SecretDocument,
    instead: SecretDocument | null,
    call: Call,
  ): Promise<SecretDocument> {
    return this.#do("stage", call, () => {
      const kept = toStage(document, versionSegment(version), this.#fenced.fields, this.#fenced.name);
      if (this.#at.purged.has(this.#key(version))) throw purgedError(version, this.#fenced.name);
      const there = this.#copy(version);
      if (there !== null && !isReplaced(there, instead)) return there;
      this.#at.copies.set(this.#key(version), revealed(kept));
      return kept;
    });
  }

  staged(version: string, call: Call): Promise<SecretDocument | null> {
    return this.#do("staged", call, () => this.#copy(versionSegment(version)));
  }

  promote(change: FencedChange, call: Call): Promise<Applied> {
    return this.#do("promote", call, () => promoteFenced(this.#fenced, change, this.#exchange(change), call));
  }

  seize(change: FencedChange, call: Call): Promise<Applied> {
    return this.#do("seize", call, () => seizeFenced(this.#fenced, change, this.#exchange(change), call));
  }

  purge(version: string, call: Call): Promise<void> {
    return this.#do("purge", call, () => {
      const copy = this.#copy(versionSegment(version));
      const holds = (own: OwnDocument | null) =>
        own !== null &&
        (own.version === version || (copy !== null && sameCredential(own.values, copy, this.#fenced.fields)));
      if (holds(this.#own())) {
        throw new RekeyError("refused-by-policy", `The version ${version} is live at ${this.#fenced.name}.`);
      }
      const { history, copies } = this.#at;
      const others = history.filter((raw) => !holds(readOwn(raw, this.#fenced.fields, this.#fenced.name)));
      history.splice(0, history.length, ...others);
      copies.delete(this.#key(version));
      this.#at.purged.add(this.#key(version));
    });
  }

  async close(): Promise<void> {}

  #own(): OwnDocument | null {
    return readOwn(this.#at.raw, this.#fenced.fields, this.#fenced.name);
  }

  #key(version: string): string {
    const tagName = withEngineFields(this.#fenced.fields)[ownFields.tag];
    return tagName === ownFields.tag ? version : `${tagName}/${version}`;
  }

  #isOurs(key: string): boolean {
    return key === this.#key(afterSlash(key));
  }

  #copy(version: string): SecretDocument | null {
    const copy = this.#at.copies.get(this.#key(version));
    return copy === undefined ? null : asSecrets(copy);
  }

  #exchange(change: FencedChange): Exchange<number> {
    const heldVersion = parseTag(change.expect)?.version;
    return {
      read: async () => {
        const { revision } = this.#at;
        const held = heldVersion === undefined ? null : this.#copy(heldVersion);
        return { live: this.#own(), staged: this.#copy(change.tag.version), held, revision };
      },
      write: async (writes, revision) => {
        const { faults } = this.#world;
        const intruder = faults.beforeWrite;
        faults.beforeWrite = null;
        intruder?.();
        if (this.#at.revision !== revision) return "stale";
        if (this.#at.raw !== null) this.#at.history.push(this.#at.raw);
        this.#at.raw = applyWrites(this.#at.raw, writes);
        this.#at.revision++;
        return "written";
      },
    };
  }

  async #do<T>(method: MemoryMethod, call: Call, work: () => T | Promise<T>): Promise<T> {
    const { faults, calls } = this.#world;
    const { name } = this.#fenced;
    const late = () => new RekeyError("unreachable", `The place ${name} did not answer in time.`);
    calls.push(`${method} ${name}`);
    if (call.signal.aborted || faults.unreachable) throw late();
    const failure = faults.fail.get(method);
    if (failure !== undefined) throw failure;
    if (faults.hang.has(method)) await orWhenOver(new Promise<never>(() => {}), call.signal, late);
    const outcome = await work();
    if (!faults.loseAnswer.has(method)) return outcome;
    throw changes.has(method) ? new RekeyError("unknown-outcome", `The answer of ${name} was lost.`) : late();
  }
}
