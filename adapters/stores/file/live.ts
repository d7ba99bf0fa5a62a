/** The live document as one file, which is replaced by a rename: a reader sees the old one or the new one, whole. */
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import type { Call } from "../../ports.js";
import { readBelow, replaceBelow, sweepDrafts } from "../../shared/disk.js";
import type { LiveDocument, LiveState } from "../../shared/disk-store.js";
import type { RawDocument, Sealing } from "../../shared/sealing.js";
import type { FileConfig, FilePlace } from "./schema.js";

/** The file of one place. */
export class LiveFile implements LiveDocument {
  readonly name: string;
  readonly #directory: string;
  readonly #place: FilePlace;
  readonly #sealing: Sealing;

  constructor({ directory }: FileConfig, place: FilePlace, sealing: Sealing) {
    this.name = join(directory, place.path);
    this.#directory = directory;
    this.#place = place;
    this.#sealing = sealing;
  }

  async read(call: Call): Promise<LiveState> {
    const bytes = await this.#bytes();
    const raw = bytes === null ? null : await this.#sealing.open(bytes, this.name, call);
    return { raw, digest: digestOf(bytes) };
  }

  async write(next: RawDocument, seen: LiveState, nonce: string, begin: () => void): Promise<boolean> {
    const bytes = await this.#sealing.seal(next);
    const { permissions, owner, path } = this.#place;
    const access = { mode: Number.parseInt(permissions, 8), owner };
    return replaceBelow(this.#directory, path, bytes, access, nonce, async () => {
      // The lock holds other engines off; this look is for writers that know nothing of it.
      if (digestOf(await this.#bytes()) !== seen.digest) return false;
      begin();
      return true;
    });
  }

  sweep(): Promise<void> {
    return sweepDrafts(dirname(this.name), basename(this.name));
  }

  #bytes(): Promise<Buffer | null> {
    return readBelow(this.#directory, this.#place.path);
  }
}

function digestOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : createHash("sha256").update(bytes).digest("hex");
}
