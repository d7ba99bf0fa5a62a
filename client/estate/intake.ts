/**
 * Sorts the pieces of a folder into those that the inventory knows and those that have to be read. They may come before it has
 * told which it knows: then they wait.
 */
import { createHash } from "node:crypto";
import type { KnownPieces } from "../../inventory/estate-pieces.js";
import type { Base } from "../../inventory/submission.js";
import type { Gathering } from "./gathering.js";
import type { Piece, Unreadable } from "./pieces.js";
import { Register } from "./register.js";

/** Bytes that are taken in before what they say is read: text needs much more room than what it says. */
const bytesMax = 8 * 1024 * 1024;

/** Every piece is met here once, in the order of files and lines. */
export class Intake {
  /** Hashes of the pieces that had to be read; of one that stands twice there are two. */
  readonly #read: string[] = [];
  /** What the names of pieces begin with that are read as these. */
  readonly #prefix: string;
  readonly #gathering: Gathering;
  /** What was met before the inventory had told what it knows. */
  #ahead: (readonly (Piece | Unreadable)[])[] = [];
  #aheadBytes = 0;
  /** Null as long as it was not told. */
  #known: Register | null = null;
  #stamp: string | null = null;
  #isEmpty = true;
  #bytes = 0;

  /** `reading` tells how pieces are read: those of another one are not known. */
  constructor(reading: string, gathering: Gathering) {
    this.#prefix = `${reading}:`;
    this.#gathering = gathering;
  }

  /** True where nothing was met. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** Bytes of the pieces that wait. */
  get aheadBytes(): number {
    return this.#aheadBytes;
  }

  /** What the inventory knows; null where none is asked. To be called once. */
  open(known: KnownPieces | null): void {
    this.#stamp = known?.stamp ?? null;
    this.#known = new Register(known?.pieces ?? "", this.#prefix);
    for (const pieces of this.#ahead.splice(0)) this.meet(pieces);
    this.#aheadBytes = 0;
  }

  /** Takes in the next pieces. */
  meet(pieces: readonly (Piece | Unreadable)[]): void {
    if (this.#known !== null) {
      for (const piece of pieces) this.#take(piece, this.#known);
      return;
    }
    this.#ahead.push(pieces);
    for (const piece of pieces) this.#aheadBytes += "bytes" in piece ? piece.bytes.length : 0;
  }

  #take(piece: Piece | Unreadable, known: Register): void {
    if ("problem" in piece) {
      this.#gathering.faults.push({ origin: piece, spotted: piece.problem });
      return;
    }
    this.#isEmpty = false;
    // Said twice, it is read the second time, so that somebody is told of it.
    if (known.cross(piece.hash)) return;
    this.#read.push(piece.hash);
    this.#gathering.take(piece, this.#prefix + piece.hash);
    this.#bytes += piece.bytes.length;
    if (this.#bytes < bytesMax) return;
    this.#gathering.settle();
    this.#bytes = 0;
  }

  /** What the rest of the estate rests on, once every piece was met. */
  get base(): Base | null {
    if (this.#stamp === null) return null;
    return { stamp: this.#stamp, gone: this.#known?.left ?? [] };
  }

  /** What all of the pieces together are known by. */
  get digest(): string {
    // What is known mostly comes in order, which makes sorting quick. Names begin alike, so hashes are in the order of names.
    const names = [...(this.#known?.met ?? []), ...this.#read]
      .sort()
      .filter((hash, i, all) => hash !== all[i - 1]);
    const text = names.length === 0 ? "" : this.#prefix + names.join(this.#prefix);
    return `sha256:${createHash("sha256").update(text).digest("hex")}`;
  }
}
