/**
 * The one type that may hold a secret's value, so that no other part of the program can print, throw,
 * serialise or store one by accident (protocol invariant I6). Everything else carries references.
 */

const redacted = "[secret]";

/** Node's hook for `util.inspect` and `console.log`; looked up by its registered name, so `domain/` needs no module. */
const inspectHook = Symbol.for("nodejs.util.inspect.custom");

/**
 * An opaque secret value. Every implicit way out (`String()`, `JSON.stringify`, `util.inspect`, template
 * literals, spread, structured clone) yields `[secret]` or nothing; the only explicit way out is `reveal()`.
 * The value can be cleared; a cleared secret throws when revealed, so a late use is loud instead of empty.
 */
export class Secret {
  #value: string | undefined;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Call it only at the edge, in the argument of the call that needs it. Throws once cleared. */
  reveal(): string {
    if (this.#value === undefined) throw new Error("the secret was cleared and is used again");
    return this.#value;
  }

  /** True when both hold the same value; compares every character, whatever the first difference. */
  equals(other: Secret): boolean {
    const mine = this.reveal();
    const theirs = other.reveal();
    let difference = mine.length ^ theirs.length;
    for (let i = 0; i < Math.max(mine.length, theirs.length); i++) {
      difference |= (mine.charCodeAt(i) || 0) ^ (theirs.charCodeAt(i) || 0);
    }
    return difference === 0;
  }

  /** Forgets the value. JavaScript cannot overwrite a string in memory; the reference is dropped for the collector. */
  clear(): void {
    this.#value = undefined;
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
