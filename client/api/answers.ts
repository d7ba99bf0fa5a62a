/** How failures leave the API: the code, the sentence and the hint of the one list of errors, under the HTTP status that fits. */
import { type ErrorCode, RekeyError } from "../../domain/errors.js";

/** The body of every answer that is no success. */
export interface Failure {
  readonly code: ErrorCode;
  readonly error: string;
  readonly hint: string;
}

/** Statuses of failures. */
export type FailureStatus = 400 | 401 | 403 | 404 | 409 | 413 | 422 | 429 | 500 | 503;

const statuses: Partial<Readonly<Record<ErrorCode, FailureStatus>>> = {
  "bad-input": 400,
  "secret-in-input": 400,
  unauthenticated: 401,
  "refused-by-policy": 403,
  "not-found": 404,
  "rotation-open": 409,
  "already-closed": 409,
  "needs-operator": 409,
  "run-reset": 409,
  superseded: 409,
  fenced: 409,
  conflict: 409,
  busy: 409,
  "decision-refused": 422,
  unsupported: 422,
  "too-many": 429,
  unreachable: 503,
  "missing-setup": 503,
  "unknown-outcome": 503,
};

/** The status of a failure with this code; what is nobody's fault but ours is 500. */
export function statusOf(code: ErrorCode): FailureStatus {
  return statuses[code] ?? 500;
}

/** Any failure in our own words. A foreign one is named by its class only: its text may quote anything. */
export function failureIn(caught: unknown): RekeyError {
  if (caught instanceof RekeyError) return caught;
  const name = caught instanceof Error ? caught.constructor.name : typeof caught;
  return new RekeyError("internal", `The server met a failure that it does not know (${name}).`);
}

/** The body of a failure. */
export function bodyOf({ code, message, hint }: RekeyError): Failure {
  return { code, error: message, hint };
}
