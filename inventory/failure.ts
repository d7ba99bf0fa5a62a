/**
 * Failures of the inventory database in our own words: the driver's errors quote statements and parameters,
 * and whoever reads ours must know whether trying again helps.
 */
import { RekeyError } from "../domain/errors.js";

/** A driver's error, translated. `again`: nothing was kept, and an attempt on another connection may succeed. */
export interface Failure {
  readonly error: RekeyError;
  readonly again: boolean;
}

/**
 * Translates whatever the driver or drizzle threw; `what` begins the sentence. A `RekeyError` passes unchanged: it is translated already.
 * No text of the server, the statement or its parameters is kept.
 */
export function failureOf(error: unknown, what: string): Failure {
  if (error instanceof RekeyError) return { error, again: false };
  const state = sqlStateOf(error);
  // No SQLSTATE: the connection could not be made or broke, and the server never answered.
  if (state === null) return { error: unreachable(what), again: true };
  return answered(state, what);
}

/** The error for a database that did not answer in time. */
export function unreachable(what: string, sentence = `${what} could not be reached in time.`): RekeyError {
  return new RekeyError(
    "unreachable",
    sentence,
    "Check that it is up and can be reached; the step is tried again by itself.",
  );
}

/** The error for a commit whose answer was lost, also after asking again. */
export function lostCommit(what: string): RekeyError {
  return new RekeyError("unknown-outcome", `${what} was sent a record and did not confirm it.`);
}

function answered(state: string, what: string): Failure {
  const family = state.slice(0, 2);
  if (state === "40001" || state === "40P01") {
    const sentence = `${what} met another writer at the same moment.`;
    return { error: new RekeyError("conflict", sentence), again: true };
  }
  if (state === "57014" || state === "55P03") {
    return {
      error: unreachable(what, `${what} was too slow or a record was locked for too long.`),
      again: false,
    };
  }
  if (family === "08" || family === "57" || family === "53" || state === "25P03") {
    return { error: unreachable(what), again: true };
  }
  if (family === "28") {
    const hint = "Check the login in its URL.";
    return { error: new RekeyError("not-permitted", `${what} refused the login.`, hint), again: false };
  }
  if (state === "42501") {
    const hint = "Its login must be able to create a schema there, or own the existing one.";
    return { error: new RekeyError("not-permitted", `${what}'s login lacks a right.`, hint), again: false };
  }
  if (state === "3D000") {
    const hint = "Create the database that its URL names.";
    return { error: new RekeyError("missing-setup", `${what} does not exist.`, hint), again: false };
  }
  if (state === "3F000" || state === "42P01" || state === "42703") {
    const hint = "Start the worker, which brings it up to date, and use the same release everywhere.";
    const sentence = `${what} lacks a table or column of this release.`;
    return { error: new RekeyError("missing-setup", sentence, hint), again: false };
  }
  if (state === "25006") {
    // A primary that was switched so, or a standby that is about to become one: either is an outage, and passes (I10).
    const hint = "Point the URL at the primary server, and see that it may be written to.";
    return { error: new RekeyError("unreachable", `${what} only allows reading.`, hint), again: false };
  }
  return {
    error: new RekeyError("internal", `${what} refused a record (SQLSTATE ${state}).`),
    again: false,
  };
}

/** The five-character state in the error or in what it wraps; null where no server answered. */
function sqlStateOf(error: unknown): string | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, severity } = at as Error & { code?: unknown; severity?: unknown };
    // Node's own errors have a `code` too, but only the server's have a severity.
    if (typeof code === "string" && typeof severity === "string" && /^[0-9A-Z]{5}$/.test(code)) return code;
  }
  return null;
}
