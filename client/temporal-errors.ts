/**
 * Temporal's errors in our own words. They are told apart by type and status code only: their texts may
 * quote arguments, and an operator needs to know what to do and not what the transport said.
 */
import {
  isGrpcServiceError,
  QueryNotRegisteredError,
  QueryRejectedError,
  ServiceError,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from "@temporalio/client";
import {
  ApplicationFailure,
  NamespaceNotFoundError,
  TimeoutFailure,
  WorkflowNotFoundError,
} from "@temporalio/common";
import { isErrorCode, RekeyError } from "../domain/errors.js";

/** Status codes of gRPC that are told apart here. */
const grpc = { deadline: 4, notFound: 5, forbidden: 7, exhausted: 8, unavailable: 14, unknownCaller: 16 };

const startHint = "Start everything with `rekey up`, or a worker with `rekey worker`.";

/** The error as a `RekeyError`; one that already is stays as it is. `what` names what was asked for, as a clause. */
export function fromTemporal(failure: unknown, what: string): RekeyError {
  if (failure instanceof RekeyError) return failure;
  if (failure instanceof WorkflowNotFoundError) {
    return new RekeyError("already-closed", `No running rotation could be asked ${what}.`);
  }
  if (failure instanceof NamespaceNotFoundError) return unknownPlace();
  if (failure instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return silence(what);
  if (failure instanceof QueryNotRegisteredError || failure instanceof QueryRejectedError) {
    return new RekeyError("unreachable", `The rotation is not ready to be asked ${what}.`, "Try again.");
  }
  if (failure instanceof WorkflowUpdateFailedError || failure instanceof WorkflowFailedError) {
    return fromWorkflow(failure.cause, what);
  }
  return fromService(failure, what);
}

/** Null for a workflow that Temporal does not know; any other failure is thrown. */
export function unlessAbsent(failure: unknown): null {
  if (failure instanceof WorkflowNotFoundError) return null;
  throw failure;
}

/** The engine's own failures carry a registered code as their type, and a sentence of ours. */
function fromWorkflow(cause: unknown, what: string): RekeyError {
  for (let inner = cause, depth = 0; inner instanceof Error && depth < 8; inner = inner.cause, depth++) {
    if (inner instanceof ApplicationFailure && isErrorCode(inner.type ?? "")) {
      return new RekeyError(inner.type as "internal", inner.message);
    }
    if (inner instanceof TimeoutFailure) return silence(what);
  }
  return new RekeyError("internal", `A workflow that was asked ${what} failed.`);
}

function fromService(failure: unknown, what: string): RekeyError {
  const inner = failure instanceof ServiceError ? failure.cause : failure;
  const code = isGrpcServiceError(inner) ? Number(inner.code) : undefined;
  switch (code) {
    case grpc.deadline:
      return silence(what);
    case grpc.forbidden:
    case grpc.unknownCaller:
      return new RekeyError(
        "not-permitted",
        `Temporal does not let this login ask ${what}.`,
        "Check the REKEY_TEMPORAL_* settings of this installation.",
      );
    case grpc.notFound:
      return unknownPlace();
    case grpc.unavailable:
    case grpc.exhausted:
      return new RekeyError("unreachable", "Temporal is not reachable.", "Start everything with `rekey up`.");
    default:
      return new RekeyError("internal", `Temporal could not be asked ${what}.`);
  }
}

function unknownPlace(): RekeyError {
  return new RekeyError("unreachable", "Temporal does not know the namespace or the rotation.", startHint);
}

/** Temporal answers, and nobody behind it does. */
function silence(what: string): RekeyError {
  return new RekeyError("unreachable", `Nobody answered in time when asked ${what}.`, startHint);
}
