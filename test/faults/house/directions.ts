/** The ways that a rotation is made to go: what happens to it besides its fault, and so how it may end. */

/** Which way a rotation is made to go. */
export const directions = ["forward", "signed", "back", "emergency", "leaked"] as const;
/**
 * Forward while somebody whom nobody declared fetches the old value: right after the issue, and nobody answers for them; or
 * late, when all consumers have left it and its quiet period runs, and the owner takes them upon themself.
 */
export const strangerDirections = ["stranger", "latecomer"] as const;
/** One of them. `signed` is forward with an owner's signature, `leaked` forward until a leak is reported on the way. */
export type Direction = (typeof directions)[number] | (typeof strangerDirections)[number];
