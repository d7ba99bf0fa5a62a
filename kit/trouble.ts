/** The kit's one error type: it says what went wrong in words of its own, because a store's or a driver's text may quote a secret. */

/**
 * `unreachable`: the store did not answer; `unreadable`: what it answered is not a credential; `refused`: the
 * store does not let us read; `not-adopted`: the new credential was read, and the process could not go over to it.
 */
export type TroubleCode = "unreachable" | "unreadable" | "refused" | "not-adopted";

/** Something that keeps the kit from holding the newest credential. The last good one stays in use. */
export class Trouble extends Error {
  override readonly name = "Trouble";
  readonly code: TroubleCode;

  constructor(code: TroubleCode, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

/** The error itself when it is ours; otherwise a `Trouble` that repeats nothing of the other's text. */
export function asTrouble(error: unknown, code: TroubleCode, sentence: string): Trouble {
  return error instanceof Trouble ? error : new Trouble(code, sentence);
}
