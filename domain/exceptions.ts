/** Exceptions: what an owner takes upon themself until a day. One rule says which of them holds, at the gate and in the records (C30). */
import type { CredentialException } from "./estate/types.js";

/** The exceptions that fit a finding. */
export interface Fitting {
  /** The one that holds now. */
  readonly holding: CredentialException | null;
  /** One that held, and has run out. */
  readonly over: CredentialException | null;
}

/** Which exceptions fit a finding about these, and whether one holds at `now`. On its last day's end it no longer does. */
export function exceptionsFor(
  exceptions: readonly CredentialException[],
  code: string,
  subjects: readonly string[],
  now: number,
): Fitting {
  const fits = exceptions.filter(
    ({ finding, about }) => finding === code && (about === undefined || subjects.includes(about)),
  );
  const holding = fits.find(({ until }) => now < Date.parse(until)) ?? null;
  return { holding, over: holding === null ? (fits[0] ?? null) : null };
}
