/**
 * One place in Vault. The live document stands where its consumers read it; what is staged or held stands
 * below a prefix that only the engine may read, so nothing is published before it is proved (H20).
 */
import { RekeyError } from "../../../domain/errors.js";
import { parseTag } from "../../../domain/fence.js";
import type { Finding } from "../../../domain/finding.js";
import type {
  AdapterDeps,
  Applied,
  Call,
  FencedChange,
  PlaceView,
  SecretDocument,
  Store,
} from "../../ports.js";
import { type Place, promoteFenced, type Seen, seizeFenced } from "../../shared/fenced-document.js";
import {
  applyWrites,
  asSecrets,
  type FieldWrites,
  type OwnDocument,
  plainPart,
  readOwn,
  revealed,
  sameCredential,
  toStage,
  valuesIn,
  versionSegment,
  viewOf,
} from "../../shared/own-fields.js";
import { isReplaced, purgedError, tombstoneLifeMs } from "../../shared/staged-copy.js";
import { Kv, type KvDocument, type KvWritten } from "./kv.js";
import { stagingFolder, stagingMount } from "./places.js";
import { preflight } from "./preflight.js";
import { purgeRevisions } from "./purge.js";
import type { VaultConfig, VaultPlace } from "./schema.js";
import { sessionFor, type VaultSession } from "./session.js";
import { bury, copiesIn, isTombstone, sweepTombstones } from "./tombstones.js";

/** Tries to keep a copy where somebody else deletes it at the same moment. */
const stageTriesMax = 3;

/** A place of a Vault store; see the port for what each method promises. */
export class VaultStore implements Store {
  readonly #config: VaultConfig;
  readonly #place: VaultPlace;
  readonly #session: VaultSession;
  readonly #kv: Kv;
  readonly #staging: Kv;
  readonly #folder: string;
  readonly #fenced: Place;
  /** Learnt when a whole document was taken where a patch was refused: the policy or the server has no PATCH. */
  #patchRefused = false;

  constructor(config: VaultConfig, place: VaultPlace, deps: AdapterDeps) {
    this.#config = config;
    this.#place = place;
    this.#session = sessionFor(config, deps);
    this.#kv = new Kv(this.#session, config.mount);
    this.#staging = new Kv(this.#session, stagingMount(config));
    this.#folder = stagingFolder(config, place);
    this.#fenced = {
      name: `${config.mount}/${place.path}`,
      fields: place.fields,
      installation: deps.installation,
    };
  }

  preflight(call: Call): Promise<Finding[]> {
    const at = { session: this.#session, live: this.#kv, staging: this.#staging };
    return preflight(at, this.#config, this.#place, call);
  }

  async view(call: Call): Promise<PlaceView> {
    const document = await this.#kv.read(this.#place.path, call);
    return viewOf(this.#own(document), String(document.revision));
  }

  stagedVersions(call: Call): Promise<string[]> {
    return copiesIn(this.#staging, this.#folder, call);
  }

  async live(call: Call): Promise<SecretDocument | null> {
    return valuesIn(this.#own(await this.#kv.read(this.#place.path, call)));
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

  async #keep(
    version: string,
    document: SecretDocument,
    instead: SecretDocument | null,
    call: Call,
  ): Promise<SecretDocument> {
    const kept = toStage(document, version, this.#place.fields, this.#fenced.name);
    const path = this.#stagedAt(version);
    let revision = 0;
    for (let attempt = 1; attempt <= stageTriesMax; attempt++) {
      const refusal = await this.#staging.create(path, revealed(kept), revision, call);
      if (refusal === "written") return kept;
      const there = await this.#staging.read(path, call);
      if (isTombstone(there.data)) throw purgedError(version, this.#fenced.name);
      const copy = there.data === null ? null : asSecrets(there.data);
      if (copy !== null && !isReplaced(copy, instead)) return copy;
      if (copy !== null) {
        // Removed first: the engine's policy lets it create copies and not change one.
        await this.#staging.remove(path, call);
        revision = 0;
        continue;
      }
      if (refusal instanceof RekeyError) throw refusal;
      // Somebody deleted the copy and left its history: the next write must name that.
      revision = there.revision;
    }
    throw new RekeyError("conflict", `Others write the staged copy of ${version} for ${this.#fenced.name}.`);
  }

  async staged(version: string, call: Call): Promise<SecretDocument | null> {
    const { data } = await this.#staging.read(this.#stagedAt(version), call);
    return data === null || isTombstone(data) ? null : asSecrets(data);
  }

  promote(change: FencedChange, call: Call): Promise<Applied> {
    const held = parseTag(change.expect)?.version ?? change.tag.version;
    // All that the decision needs in one round trip, the write in a second one.
    const read = async (): Promise<Seen<KvDocument>> => {
      const [revision, staged, old] = await Promise.all([
        this.#kv.read(this.#place.path, call),
        this.staged(change.tag.version, call),
        held === change.tag.version ? null : this.staged(held, call),
      ]);
      return { live: this.#own(revision), staged, held: old, revision };
    };
    return promoteFenced(this.#fenced, change, { read, write: this.#writer(call) }, call);
  }

  seize(change: FencedChange, call: Call): Promise<Applied> {
    const read = async (): Promise<Seen<KvDocument>> => {
      const revision = await this.#kv.read(this.#place.path, call);
      return { live: this.#own(revision), staged: null, held: null, revision };
    };
    return seizeFenced(this.#fenced, change, { read, write: this.#writer(call) }, call);
  }

  async purge(version: string, call: Call): Promise<void> {
    const [document, copy] = await Promise.all([
      this.#kv.read(this.#place.path, call),
      this.staged(version, call),
    ]);
    const holds = (own: OwnDocument | null) =>
      own !== null &&
      (own.version === version || (copy !== null && sameCredential(own.values, copy, this.#place.fields)));
    if (holds(this.#own(document))) {
      throw new RekeyError("refused-by-policy", `The version ${version} is live at ${this.#fenced.name}.`);
    }
    // The copy goes last: until then it is how old revisions are recognised, also by the next attempt.
    await purgeRevisions(this.#kv, this.#place.path, call, (old) =>
      holds(readOwn(plainPart(old), this.#place.fields, this.#fenced.name)),
    );
    await bury(this.#staging, this.#stagedAt(version), call);
    await sweepTombstones(this.#staging, this.#folder, version, tombstoneLifeMs, call);
  }

  /** The session and its connections belong to all places of the store; idle ones hold no process up. */
  async close(): Promise<void> {}

  #writer(call: Call) {
    return async (writes: FieldWrites, seen: KvDocument): Promise<KvWritten> => {
      const { path } = this.#place;
      let refused = false;
      if (seen.data !== null && !this.#patchRefused) {
        const patch = Object.entries(writes).map(([field, value]) => [field, value?.reveal() ?? null]);
        const outcome = await this.#kv.patch(path, Object.fromEntries(patch), seen.revision, call);
        if (outcome !== "refused") return outcome;
        refused = true;
      }
      // The revision keeps this safe too: what others wrote since the read makes it stale.
      const written = await this.#kv.write(path, applyWrites(seen.data, writes), seen.revision, call);
      // Not before: where both are refused, a right is missing that may come back.
      this.#patchRefused ||= refused;
      return written;
    };
  }

  #own(document: KvDocument): OwnDocument | null {
    return readOwn(document.data, this.#place.fields, this.#fenced.name);
  }

  #stagedAt(version: string): string {
    return `${this.#folder}/${versionSegment(version)}`;
  }
}
