/**
 * One place of a store on a disk: the live document where its consumers read it, copies of versions in a folder
 * of the engine's own. A disk has no check-and-set, so a lock and a digest of what was read stand in for it.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
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
} from "../ports.js";
import { createOnce, isFolder, namesIn, readBelow, removeFile, sweepDrafts } from "./disk.js";
import type { DiskConfig } from "./disk-settings.js";
import { type Exchange, type Place, promoteFenced, type Seen, seizeFenced } from "./fenced-document.js";
import { withFileLock } from "./file-lock.js";
import { bury, isPurged } from "./file-tombstones.js";
import {
  applyWrites,
  asSecrets,
  type FieldMap,
  type OwnDocument,
  readOwn,
  revealed,
  sameCredential,
  toStage,
  valuesIn,
  versionSegment,
  viewOf,
  withEngineFields,
} from "./own-fields.js";
import { orWhenOver } from "./retry.js";
import { ageSealing, plainSealing, type RawDocument, type Sealing } from "./sealing.js";
import { isReplaced, purgedError } from "./staged-copy.js";

/** The live document as it was read. */
export interface LiveState {
  readonly raw: RawDocument | null;
  /** SHA-256 of what was read, `null` for no document: the mark by which another writer's change is seen. */
  readonly digest: string | null;
}

/** How the live document stands on the disk; all of it is asked under the place's lock, but for `read`. */
export interface LiveDocument {
  /** Names it in sentences. */
  readonly name: string;
  read(call: Call): Promise<LiveState>;
  /**
   * Puts `next` in the place of what was `seen`, by one rename. `begin` is called when only that is left, and throws when
   * the call is over. False, and nothing changed for readers, where it is not what was seen any more.
   */
  write(next: RawDocument, seen: LiveState, nonce: string, begin: () => void): Promise<boolean>;
  /** Takes away what killed writers left behind. */
  sweep(): Promise<void>;
}

/** A place: its path below `directory`, the fields that are ours, its live document, and what preflight finds there. */
export interface OnDisk {
  readonly path: string;
  readonly fields: FieldMap;
  readonly live: LiveDocument;
  preflight(copies: Sealing, readLive: () => Promise<RawDocument | null>, call: Call): Promise<Finding[]>;
}

/** Names longer than this do not fit a folder entry once they are escaped. */
const nameLengthMax = 150;

/** A place of a store on a disk; see the port for what each method promises. */
export class DiskStore implements Store {
  readonly #config: DiskConfig;
  readonly #place: OnDisk;
  readonly #deps: AdapterDeps;
  readonly #fenced: Place;
  readonly #copySealing: Sealing;
  /** The folder of this place's copies, below the staging directory. */
  readonly #folder: string;

  constructor(config: DiskConfig, place: OnDisk, deps: AdapterDeps) {
    this.#config = config;
    this.#place = place;
    this.#deps = deps;
    this.#fenced = {
      name: place.live.name,
      fields: place.fields,
      installation: deps.installation,
    };
    this.#copySealing = config.age === undefined ? plainSealing : ageSealing(config.age, deps);
    this.#folder = join(
      entryName(place.path),
      entryName(withEngineFields(place.fields)[ownFields.tag] ?? ""),
    );
  }

  preflight(call: Call): Promise<Finding[]> {
    return this.#reading(call, () =>
      this.#place.preflight(this.#copySealing, async () => (await this.#readLive(call)).raw, call),
    );
  }

  view(call: Call): Promise<PlaceView> {
    return this.#reading(call, async () => {
      const own = this.#own(await this.#readLive(call));
      await this.#requireStaging();
      return viewOf(own);
    });
  }

  stagedVersions(call: Call): Promise<string[]> {
    return this.#reading(call, async () => {
      await this.#requireStaging();
      const ending = `.${this.#copySealing.extension}`;
      const names = await namesIn(this.#copies());
      return names
        .filter((name) => name.endsWith(ending))
        .map((name) => name.slice(0, -ending.length))
        .sort();
    });
  }

  live(call: Call): Promise<SecretDocument | null> {
    return this.#reading(call, async () => {
      return valuesIn(this.#own(await this.#readLive(call)));
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
    return this.#changing(call, async () => {
      const kept = toStage(document, versionSegment(version), this.#place.fields, this.#fenced.name);
      if (await isPurged(this.#copies(), version)) throw purgedError(version, this.#fenced.name);
      const there = await this.#readCopy(version, call);
      if (there !== null && !isReplaced(there, instead)) return there;
      const path = join(this.#config.stagingDirectory, this.#copyOf(version));
      if (there !== null) await removeFile(path);
      await createOnce(path, await this.#copySealing.seal(revealed(kept)), this.#nonce());
      return kept;
    });
  }

  staged(version: string, call: Call): Promise<SecretDocument | null> {
    return this.#reading(call, () => this.#readCopy(version, call));
  }

  promote(change: FencedChange, call: Call): Promise<Applied> {
    const held = parseTag(change.expect)?.version ?? null;
    return this.#changing(call, (commit) => {
      const read = async (): Promise<Seen<LiveState>> => {
        const [revision, staged, old] = await Promise.all([
          this.#readLive(call),
          this.#readCopy(change.tag.version, call),
          held === null ? null : this.#readCopy(held, call),
        ]);
        return { live: this.#own(revision), staged, held: old, revision };
      };
      return promoteFenced(this.#fenced, change, { read, write: this.#writer(commit, call) }, call);
    });
  }

  seize(change: FencedChange, call: Call): Promise<Applied> {
    return this.#changing(call, (commit) => {
      const read = async (): Promise<Seen<LiveState>> => {
        const revision = await this.#readLive(call);
        return { live: this.#own(revision), staged: null, held: null, revision };
      };
      return seizeFenced(this.#fenced, change, { read, write: this.#writer(commit, call) }, call);
    });
  }

  purge(version: string, call: Call): Promise<void> {
    return this.#changing(call, async () => {
      const copy = await this.#readCopy(version, call);
      const own = this.#own(await this.#readLive(call));
      const isLive =
        own?.version === version ||
        (own !== null && copy !== null && sameCredential(own.values, copy, this.#place.fields));
      if (isLive)
        throw new RekeyError("refused-by-policy", `The version ${version} is live at ${this.#fenced.name}.`);
      await bury(this.#copies(), versionSegment(version), this.#nonce());
      await removeFile(join(this.#config.stagingDirectory, this.#copyOf(version)));
    });
  }

  async close(): Promise<void> {}

  /** A hung disk cannot be interrupted; the caller is told in time all the same. */
  #reading<T>(call: Call, work: () => Promise<T>): Promise<T> {
    if (call.signal.aborted) return Promise.reject(this.#late());
    return orWhenOver(work(), call.signal, () => this.#late());
  }

  /** Under the lock, with what killed writers left behind swept away first. After its time a change stops short of the rename. */
  #changing<T>(call: Call, work: (commit: { begun: boolean }) => Promise<T>): Promise<T> {
    if (call.signal.aborted) return Promise.reject(this.#late());
    const commit = { begun: false };
    const done = (async () => {
      await this.#requireStaging();
      const lock = join(this.#config.stagingDirectory, `${entryName(this.#place.path)}.lock`);
      return withFileLock(lock, this.#config.lockTimeout, call, async () => {
        await this.#place.live.sweep();
        await sweepDrafts(this.#copies());
        return work(commit);
      });
    })();
    return orWhenOver(done, call.signal, () =>
      commit.begun
        ? new RekeyError("unknown-outcome", `${this.#fenced.name} was being replaced.`)
        : this.#late(),
    );
  }

  #writer(commit: { begun: boolean }, call: Call): Exchange<LiveState>["write"] {
    return async (writes, seen) => {
      const next = applyWrites(seen.raw, writes);
      const written = await this.#place.live.write(next, seen, this.#nonce(), () => {
        if (call.signal.aborted) throw this.#late();
        commit.begun = true;
      });
      return written ? "written" : "stale";
    };
  }

  #readLive(call: Call): Promise<LiveState> {
    return this.#place.live.read(call);
  }

  async #readCopy(version: string, call: Call): Promise<SecretDocument | null> {
    const relative = this.#copyOf(version);
    const bytes = await readBelow(this.#config.stagingDirectory, relative);
    return bytes === null ? null : asSecrets(await this.#copySealing.open(bytes, relative, call));
  }

  /** A staging directory that is not mounted must not look like one without copies, nor be made anew elsewhere. */
  async #requireStaging(): Promise<void> {
    if (await isFolder(this.#config.stagingDirectory)) return;
    throw new RekeyError(
      "unreachable",
      `The staging directory ${this.#config.stagingDirectory} is not there; is it mounted?`,
      `Make it once with \`install -d -m 0700 ${this.#config.stagingDirectory}\`.`,
    );
  }

  #own(live: LiveState): OwnDocument | null {
    return readOwn(live.raw, this.#place.fields, this.#fenced.name);
  }

  #copies(): string {
    return join(this.#config.stagingDirectory, this.#folder);
  }

  #copyOf(version: string): string {
    return join(this.#folder, `${versionSegment(version)}.${this.#copySealing.extension}`);
  }

  #nonce(): string {
    return Buffer.from(this.#deps.random(12)).toString("hex");
  }

  #late(): RekeyError {
    return new RekeyError("unreachable", `${this.#fenced.name} could not be used in time.`);
  }
}

/** One name for a whole path: readable, and one that no other path has. */
function entryName(path: string): string {
  const name = encodeURIComponent(path);
  if (name.length <= nameLengthMax) return name;
  return `${name.slice(0, nameLengthMax - 65)}-${createHash("sha256").update(path).digest("hex")}`;
}
