/**
 * The engine's own copies of one place: versions of a secret that only the engine reads, each under a label of its own.
 * Writing a version moves its label, whoever has it, so here the ids decide: an id is taken once, and for good (H3, H11).
 */
import { createHash } from "node:crypto";
import { RekeyError } from "../../../domain/errors.js";
import type { Call, SecretDocument } from "../../ports.js";
import { asSecrets, revealed, versionSegment } from "../../shared/own-fields.js";
import { isReplaced, purgedError } from "../../shared/staged-copy.js";
import type { SecretsManagerApi, SecretVersion } from "./api.js";
import { documentOf } from "./document.js";

/** Before a version's id: the label of its copy. */
const holdLabel = "rekey:";

/**
 * The label of the newest stone: a version without a value, under the id that the next copy of a purged version would
 * have. Older stones lose it to this one; AWS keeps them for a day at least, which is what is promised of them.
 */
const stoneLabel = "rekey-gone";
const stone = JSON.stringify({ rekey_purged: "true" });

/** Somebody may write the copy at the very moment of its purge. */
const triesMax = 3;

/** The copies of one place. */
export class Copies {
  readonly #api: SecretsManagerApi;
  /** Name of the secret. */
  readonly name: string;
  readonly #place: string;

  constructor(api: SecretsManagerApi, name: string, place: string) {
    this.#api = api;
    this.name = name;
    this.#place = place;
  }

  /** Ids of the versions that a copy exists of, in their order. */
  async list(call: Call): Promise<string[]> {
    const labels = [...((await this.#api.describe(this.name, call))?.labels.values() ?? [])].flat();
    const mine = labels.filter((label) => label.startsWith(holdLabel));
    return mine.map((label) => label.slice(holdLabel.length)).sort();
  }

  async read(version: string, call: Call): Promise<SecretDocument | null> {
    const found = await this.#found(version, call);
    return found === null ? null : this.#secrets(found);
  }

  /** Keeps the first copy, or this one in place of the very copy `instead`. Throws `fenced` for a version that was purged. */
  async keep(
    version: string,
    document: SecretDocument,
    instead: SecretDocument | null,
    call: Call,
  ): Promise<SecretDocument> {
    const label = labelOf(version);
    const text = JSON.stringify(revealed(document));
    await this.#put(text, this.#firstId(version), label, call);
    let found = await this.#found(version, call);
    if (found !== null && isReplaced(this.#secrets(found), instead)) {
      await this.#put(text, this.#nextId(version, found.id), label, call);
      found = await this.#found(version, call);
    }
    if (found === null) throw purgedError(version, this.#place);
    return this.#secrets(found);
  }

  /** Takes the copy's label, having taken the id that a copy after it would have; a late one is refused by AWS itself. */
  async purge(version: string, call: Call): Promise<void> {
    for (let attempt = 1; attempt <= triesMax; attempt++) {
      const found = await this.#found(version, call);
      const next = found === null ? this.#firstId(version) : this.#nextId(version, found.id);
      await this.#put(stone, next, stoneLabel, call);
      if (found !== null) await this.#api.move(this.name, labelOf(version), found.id, null, call);
      if ((await this.#found(version, call)) === null) return;
    }
    throw new RekeyError(
      "conflict",
      `The copy of ${version} for ${this.#place} is there again whenever it is purged.`,
    );
  }

  /** Adds a version, unless its id is taken: then nothing is changed. */
  async #put(text: string, id: string, label: string, call: Call): Promise<void> {
    if ((await this.#api.put(this.name, text, id, label, call)) !== "absent") return;
    // The first version of a secret is made the current one; none of the copies shall be that.
    await this.#api.create(this.name, "{}", tokenOf(this.name), call);
    await this.#api.put(this.name, text, id, label, call);
  }

  #found(version: string, call: Call): Promise<SecretVersion | null> {
    return this.#api.read(this.name, { label: labelOf(version) }, call);
  }

  #secrets(found: SecretVersion): SecretDocument {
    return asSecrets(documentOf(found, this.name));
  }

  #firstId(version: string): string {
    return tokenOf(this.name, version);
  }

  #nextId(version: string, before: string): string {
    return tokenOf(this.name, version, before);
  }
}

function labelOf(version: string): string {
  return `${holdLabel}${versionSegment(version)}`;
}

/** A version's id in Secrets Manager: 64 characters that follow from the parts. It is no secret. */
export function tokenOf(...parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
