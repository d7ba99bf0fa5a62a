/**
 * What stands in the place of a message that was never sealed, or for another workflow. Everybody may read Temporal's namespace who may write to
 * it, but only our own programs have the codec's keys; so what came without a seal came from somebody else (H7).
 */

const field = "rekey-unsealed";

/** Put by the codec in the place of what it was given; the content itself goes no further. */
export const unsealedMark: Readonly<Record<string, true>> = { [field]: true };

/** The sentence for whoever sent it. */
export const unsealedSentence =
  "The message was not sealed for this workflow with one of the installation's keys.";

/** True for what the codec put there, and for nothing that a program of ours sends. */
export function isUnsealed(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.hasOwn(value, field);
}
