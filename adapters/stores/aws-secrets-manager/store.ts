/**
 * One place in Secrets Manager. The live document is the version with the label AWSCURRENT; copies are versions of a
 * second secret, under labels of the engine's own, because whoever may read a secret may read all of its versions (H20).
 */
import { RekeyError } from "../../../domain/errors.js";
import { formatTag, parseTag } from "../../../domain/fence.js";
import type { Finding } from "../../../domain/finding.js";
import {
  type AdapterDeps,
  type Applied,
  type Call,
  type FencedChange,
  ownFields,
  type PlaceView,
  type SecretDocument,
  type Store,
} from "../../ports.js";
import { type Place, promoteFenced, type Seen, seizeFenced } from "../../shared/fenced-document.js";
import {
  applyWrites,
  type FieldWrites,
  type OwnDocument,
  plainPart,
  readOwn,
  sameCredential,
  toStage,
  valuesIn,
  viewOf,
  withEngineFields,
} from "../../shared/own-fields.js";
import { pause } from "../../shared/retry.js";
import { apiFor, type SecretsManagerApi } from "./api.js";
import { Copies, tokenOf } from "./copies.js";
import { documentOf, objectIn } from "./document.js";
import { preflight } from "./preflight.js";
import type { SecretsManagerConfig, SecretsManagerPlace } from "./schema.js";

const current = "AWSCURRENT";

/** The label of a version that is on its way to become the current one; what native rotation calls it too. */
const pending = "AWSPENDING";

const replicaPauseMs = 250;

/** The live document and the version that it is, which a change has to name. `version` is `null` where there is none. */
interface Current {
  readonly raw: Readonly<Record<string, unknown>> | null;
  readonly version: string | null;
}

/** A place of a Secrets Manager store; see the port for what each method promises. */
export class SecretsManagerStore implements Store {
  readonly #config: SecretsManagerConfig;
  readonly #place: SecretsManagerPlace;
  readonly #api: SecretsManagerApi;
  readonly #copies: Copies;
  readonly #fenced: Place;

  constructor(config: SecretsManagerConfig, place: SecretsManagerPlace, deps: AdapterDeps) {
    this.#config = config;
    this.#place = place;
    this.#api = apiFor(config, deps);
    // Two credentials may share a document under different names of the tag, so that name tells their copies apart.
    const copies = `${config.stagingPrefix}/${place.name}/${withEngineFields(place.fields)[ownFields.tag]}`;
    this.#copies = new Copies(this.#api, copies, place.name);
    this.#fenced = { name: place.name, fields: place.fields, installation: deps.installation };
  }

  preflight(call: Call): Promise<Finding[]> {
    return preflight(this.#api, this.#config, this.#place, this.#copies.name, call);
  }

  async view(call: Call): Promise<PlaceView> {
    const { raw, version } = await this.#read(call);
    return viewOf(this.#own(raw), version ?? undefined);
  }

  stagedVersions(call: Call): Promise<string[]> {
    return this.#copies.list(call);
  }

  async live(call: Call): Promise<SecretDocument | null> {
    return valuesIn(this.#own((await this.#read(call)).raw));
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
    return this.#copies.keep(version, kept, instead, call);
  }

  async staged(version: string, call: Call): Promise<SecretDocument | null> {
    return this.#copies.read(version, call);
  }

  async promote(change: FencedChange, call: Call): Promise<Applied> {
    const held = parseTag(change.expect)?.version ?? change.tag.version;
    const read = async (): Promise<Seen<Current>> => {
      const [revision, staged, old] = await Promise.all([
        this.#read(call),
        this.staged(change.tag.version, call),
        held === change.tag.version ? null : this.staged(held, call),
      ]);
      return { live: this.#own(revision.raw), staged, held: old, revision };
    };
    const applied = await promoteFenced(
      this.#fenced,
      change,
      { read, write: this.#writer(change, call) },
      call,
    );
    await this.#awaitReplicas(call).catch((error: unknown) => {
      if (!(error instanceof RekeyError) || error.code === "unknown-outcome") throw error;
      // It is written: whatever keeps us from seeing that everybody has it, "nothing was done" is no answer (H3).
      const sentence = `${this.#place.name} is written, and its replicas could not be asked.`;
      throw new RekeyError("unknown-outcome", sentence);
    });
    return applied;
  }

  seize(change: FencedChange, call: Call): Promise<Applied> {
    const read = async (): Promise<Seen<Current>> => {
      const revision = await this.#read(call);
      return { live: this.#own(revision.raw), staged: null, held: null, revision };
    };
    return seizeFenced(this.#fenced, change, { read, write: this.#writer(change, call) }, call);
  }

  async purge(version: string, call: Call): Promise<void> {
    const [live, copy] = await Promise.all([this.#read(call), this.staged(version, call)]);
    const holds = (own: OwnDocument | null) =>
      own !== null &&
      (own.version === version || (copy !== null && sameCredential(own.values, copy, this.#place.fields)));
    if (holds(this.#own(live.raw))) {
      throw new RekeyError("refused-by-policy", `The version ${version} is live at ${this.#fenced.name}.`);
    }
    // The copy goes last: until then it is how old documents are recognised, also by the next attempt.
    await this.#unlabel(call, async (id, labels) => {
      if (labels.includes(current)) return [];
      const old = objectIn((await this.#api.read(this.#place.name, { id }, call))?.text);
      // Old versions may be of anybody's making; one that is no document holds none of ours.
      return old !== null && holds(this.#own(plainPart(old))) ? labels : [];
    });
    await this.#copies.purge(version, call);
  }

  /** The client and its connections belong to all places of the store; idle ones hold no process up. */
  async close(): Promise<void> {}

  /** Takes away the labels that `doomed` names, and looks whether they are gone. */
  async #unlabel(
    call: Call,
    doomed: (id: string, labels: readonly string[]) => Promise<readonly string[]>,
  ): Promise<void> {
    const { name } = this.#place;
    const info = await this.#api.describe(name, call);
    let taken = 0;
    for (const [id, labels] of info?.labels ?? []) {
      for (const label of await doomed(id, labels)) {
        await this.#api.move(name, label, id, null, call);
        taken++;
      }
    }
    if (taken === 0) return;
    for (const [id, labels] of (await this.#api.describe(name, call))?.labels ?? []) {
      if ((await doomed(id, labels)).length === 0) continue;
      throw new RekeyError(
        "conflict",
        `Somebody labels an old version of ${name} anew; it is not forgotten.`,
      );
    }
  }

  /**
   * Adds the document that follows from the one that was read, and moves AWSCURRENT to it from that very version: AWS
   * refuses where the label has moved on. The first step alone changes nothing that a consumer reads.
   */
  #writer({ tag }: FencedChange, call: Call) {
    return async (writes: FieldWrites, seen: Current): Promise<"written" | "stale"> => {
      const { name } = this.#place;
      const text = JSON.stringify(applyWrites(seen.raw, writes));
      // The same change on the same document is the same version, however often and late it is sent (H3).
      const token = tokenOf(name, formatTag(tag), seen.version ?? "");
      const put = seen.version === null ? "absent" : await this.#api.put(name, text, token, pending, call);
      if (put === "exists") {
        throw new RekeyError(
          "conflict",
          `A version of ${name} has the id that this change gives, and another text.`,
        );
      }
      if (put === "absent") return this.#writeFirst(text, token, call);
      return (await this.#api.move(name, current, seen.version ?? "", token, call)) === "moved"
        ? "written"
        : "stale";
    };
  }

  /** There is no current version: no secret, or one without a value. AWS makes the first version current by itself, and no other. */
  async #writeFirst(text: string, token: string, call: Call): Promise<"written" | "stale"> {
    const { name } = this.#place;
    if ((await this.#api.create(name, text, token, call)) === "made") return "written";
    const put = await this.#api.put(name, text, token, pending, call);
    return typeof put === "object" && put.labels.includes(current) ? "written" : "stale";
  }

  /** A promote counts when every replica has it: consumers in other regions read those (H16). */
  async #awaitReplicas(call: Call): Promise<void> {
    const until = performance.now() + this.#config.replicaWait;
    for (;;) {
      const behind = (await this.#api.describe(this.#place.name, call))?.replicas.filter(
        ({ status }) => status !== "InSync",
      );
      if (behind === undefined || behind.length === 0) return;
      if (performance.now() > until || behind.some(({ status }) => status === "Failed")) {
        const regions = behind.map(({ region }) => region).join(", ");
        throw new RekeyError(
          "unknown-outcome",
          `${this.#place.name} is written, and its replica in ${regions} does not have it.`,
          "See `aws secretsmanager describe-secret`; a failed replica is made anew by `replicate-secret-to-regions`.",
        );
      }
      await pause(replicaPauseMs, call, this.#api.server);
    }
  }

  async #read(call: Call): Promise<Current> {
    const found = await this.#api.read(this.#place.name, { label: current }, call);
    if (found === null) return { raw: null, version: null };
    return { raw: documentOf(found, this.#place.name), version: found.id };
  }

  #own(raw: Current["raw"]): OwnDocument | null {
    return readOwn(raw, this.#place.fields, this.#fenced.name);
  }
}
