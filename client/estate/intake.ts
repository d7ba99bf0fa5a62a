/**
 * Sorts the pieces of a folder into those that the inventory knows and those that have to be read. They may come before it has
 * told which it knows: then they wait.
 */
import type { KnownPieces } from "../../inventory/estate-pieces.js";
import type { Base } from "../../inventory/submission.js";
import type { Gathering } from "./gathering.js";
import type { Piece, Unreadable } from "./pieces.js";

/** Bytes that are taken in before what they say is read: text needs much more room than what it says. */
const bytesMax = 8 * 1024 * 1024;

/** Every piece is met here once, in the order of files and lines. */
export class Intake {
  /** Hashes of the pieces that were met; of one that stands twice there are two. */
  readonly seen: string[] = [];
  readonly #reading: string;
  readonly #gathering: Gathering;
  /** What was met before the inventory had told what it knows. */
  #ahead: (readonly (Piece | Unreadable)[])[] = [];
  #aheadBytes = 0;
  #isOpen = false;
  #stamp: string | null = null;
  /** Pieces of the inventory that were not met so far. */
  #left = new Set<string>();
  #bytes = 0;

  /** `reading` tells how pieces are read: those of another one are not known. */
  constructor(reading: string, gathering: Gathering) {
    this.#reading = reading;
    this.#gathering = gathering;
  }

  /** Bytes of the pieces that wait. */
  get aheadBytes(): number {
    return this.#aheadBytes;
  }

  /** What the inventory knows, of which is crossed off what was met; null where none is asked. To be called once. */
  open(known: KnownPieces | null): void {
    this.#isOpen = true;
    this.#stamp = known?.stamp ?? null;
    this.#left = known?.pieces ?? new Set();
    for (const pieces of this.#ahead.splice(0)) this.meet(pieces);
    this.#aheadBytes = 0;
  }

  /** Takes in the next pieces. */
  meet(pieces: readonly (Piece | Unreadable)[]): void {
    if (this.#isOpen) {
      for (const piece of pieces) this.#take(piece);
      return;
    }
    this.#ahead.push(pieces);
    for (const piece of pieces) this.#aheadBytes += "bytes" in piece ? piece.bytes.length : 0;
  }

  #take(piece: Piece | Unreadable): void {
    if ("problem" in piece) {
      this.#gathering.faults.push({ origin: piece, spotted: piece.problem });
      return;
    }
    this.seen.push(piece.hash);
    const name = `${this.#reading}:${piece.hash}`;
    // Said twice, it is read the second time, so that somebody is told of it.
    if (this.#left.delete(name)) return;
    this.#gathering.take(piece, name);
    this.#bytes += piece.bytes.length;
    if (this.#bytes < bytesMax) return;
    this.#gathering.settle();
    this.#bytes = 0;
  }

  /** What the rest of the estate rests on, once every piece was met. */
  get base(): Base | null {
    return this.#stamp === null ? null : { stamp: this.#stamp, gone: [...this.#left] };
  }
}
