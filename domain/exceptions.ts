/** Exceptions: what an owner takes upon themself until a day. One rule says which of them holds, at the gate and in the records (C30). */
import { formatDuration } from "./duration.js";
import type { CredentialException, Policy } from "./estate/types.js";

/** How long an exception may last where a policy says nothing: half a year, and then somebody looks at it again. */
export const exceptionMaxMs = 180 * 24 * 60 * 60_000;

/** An exception with the longest time, in milliseconds, for which it may still hold. */
export interface BoundedException extends CredentialException {
  readonly maxMs: number;
}

/** Exceptions by the rule of a policy; those of a source have none. */
export function bounded(
  exceptions: readonly CredentialException[] | undefined,
  policy: Pick<Policy, "exceptionMaxMs"> | null,
): BoundedException[] {
  const maxMs = policy?.exceptionMaxMs ?? exceptionMaxMs;
  return (exceptions ?? []).map((exception) => ({ ...exception, maxMs }));
}

/**
 * Whether it would last longer than it may: until 2099 would be for ever, and is nobody's to answer for. What was short enough
 * when it was written stays so, because its end only comes nearer.
 */
export function isTooLong({ until, maxMs }: BoundedException, now: number): boolean {
  return Date.parse(until) - now > maxMs;
}

/** Why it does not count, for people. */
export function tooLongText({ owner, until, maxMs }: BoundedException): string {
  return `The exception that ${owner} answers for until ${until.slice(0, 10)} does not count: it lasts longer than ${formatDuration(maxMs)} (\`exceptionMax\`).`;
}

/** Who takes `what` upon themself, until when and why, for people. */
export function answersFor({ owner, until, reason }: CredentialException, what: string): string {
  return `${owner} answers for ${what} until ${until.slice(0, 10)}: ${reason}`;
}

/** The exceptions that fit a finding. */
export interface Fitting {
  /** The one that holds now. */
  readonly holding: BoundedException | null;
  /** Where none holds: one that would last longer than it may, and so does not count. */
  readonly tooLong: BoundedException | null;
  /** Where there is none of either: one that held, and has run out. */
  readonly over: BoundedException | null;
}

/** Which exceptions fit a finding about these, and whether one holds at `now`. On its last day's end it no longer does. */
export function exceptionsFor(
  exceptions: readonly BoundedException[],
  code: string,
  subjects: readonly string[],
  now: number,
): Fitting {
  const fits = exceptions.filter(
    ({ finding, about }) => finding === code && (about === undefined || subjects.includes(about)),
  );
  const ahead = fits.filter(({ until }) => now < Date.parse(until));
  const holding = ahead.find((one) => !isTooLong(one, now)) ?? null;
  const tooLong = holding === null ? (ahead[0] ?? null) : null;
  return { holding, tooLong, over: holding === null && tooLong === null ? (fits[0] ?? null) : null };
}
