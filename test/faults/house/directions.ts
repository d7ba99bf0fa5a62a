/** The ways that a rotation is made to go: what happens to it besides its fault, and so how it may end. */

/** Which way a rotation is made to go. */
export const directions = ["forward", "signed", "back", "emergency", "leaked"] as const;
/**
 * Forward while somebody fetches the old value whom only a source shows. Nobody declared them: they come right after the issue, and
 * nobody answers for them (`stranger`); or late, when all consumers have left it and its quiet period runs, and the owner takes
 * them upon themself (`latecomer`). Or it is a copy of a declared consumer that fetches the old version by its number, and once more
 * before the quiet period after that is over, and then stops (`pinned`).
 */
export const watchedDirections = ["stranger", "latecomer", "pinned"] as const;
/** One of them. `signed` is forward with an owner's signature, `leaked` forward until a leak is reported on the way. */
export type Direction = (typeof directions)[number] | (typeof watchedDirections)[number];
