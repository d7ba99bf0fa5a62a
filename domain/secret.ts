/**
 * The one type that may hold a secret's value, so that no other part of the program can print, throw,
 * serialise or store one by accident (protocol invariant I6). Everything else carries references.
 */

const redacted = "[secret]";

/** Node's hook for `util.inspect` and `console.log`; looked up by its registered name, so `domain/` needs no module. */
const inspectHook = Symbol.for("nodejs.util.inspect.custom");

const encoder = new TextEncoder();
// A byte order mark is a part of the value like any other character.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * An opaque secret value. Every implicit way out (`String()`, `JSON.stringify`, `util.inspect`, template
 * literals, spread, structured clone) yields `[secret]` or nothing; the only explicit way out is `reveal()`.
 *
 * The value is kept as bytes of its own, in UTF-8, which `clear()` overwrites; a cleared secret throws when it is
 * revealed, so a late use is loud instead of empty. What `reveal()` gives is a string, which nobody can overwrite: the
 * caller lets go of it at once, and the collector takes it some time. With `using` it is cleared at the block's end.
 */
export class Secret {
  #bytes: Uint8Array | undefined;

  constructor(value: string) {
    this.#bytes = encoder.encode(value);
  }

  /** Takes the bytes over as they are, in UTF-8, without a copy: they are overwritten when the secret is cleared. */
  static fromBytes(bytes: Uint8Array): Secret {
    const secret = new Secret("");
    secret.#bytes = bytes;
    return secret;
  }

  /** The value itself. Call it only at the edge, in the argument of the call that needs it. Throws once cleared. */
  reveal(): string {
    return decoder.decode(this.#own());
  }

  /** Another secret with the same value, which lives on when this one is cleared. Throws once cleared. */
  copy(): Secret {
    return Secret.fromBytes(this.#own().slice());
  }

  /** True when both hold the same value; compares every byte, whatever the first difference. */
  equals(other: Secret): boolean {
    const mine = this.#own();
    const theirs = other.#own();
    let difference = mine.length ^ theirs.length;
    for (let i = 0; i < Math.max(mine.length, theirs.length); i++) {
      difference |= (mine[i] ?? 0) ^ (theirs[i] ?? 0);
    }
    return difference === 0;
  }

  /** Overwrites the value and forgets it; twice is as good as once. */
  clear(): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  #own(): Uint8Array {
    if (this.#bytes === undefined) throw new Error("the secret was cleared and is used again");
    return this.#bytes;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [Symbol.toPrimitive](): string {
    return redacted;
  }

  [inspectHook](): string {
    return redacted;
  }
}
