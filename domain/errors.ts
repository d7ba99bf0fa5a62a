/**
 * The one list of what can go wrong, because an operator at 3 a.m. needs the same words, hint and exit code
 * for the same failure wherever it surfaces. Adapters translate theirs at their edge and never carry a
 * provider's response text (it may quote a secret).
 */

/** Whether trying again helps: `never`, `safe` (nothing happened), or `unknown-outcome` (settle by asking first). */
export type Retry = "never" | "safe" | "unknown-outcome";

interface ErrorEntry {
  readonly summary: string;
  readonly hint: string;
  readonly retry: Retry;
}

const entries = {
  "bad-input": {
    summary: "The input is not valid.",
    hint: "Correct the named field and try again.",
    retry: "never",
  },
  "not-found": {
    summary: "Nothing of that name exists.",
    hint: "List what there is with `rekey get`.",
    retry: "never",
  },
  "refused-by-policy": {
    summary: "The policy does not allow this.",
    hint: "`rekey plan` lists the reasons.",
    retry: "never",
  },
  "rotation-open": {
    summary: "Another rotation holds this credential, its place in the store or its account.",
    hint: "`rekey status` shows it; wait, cancel it, or report an emergency.",
    retry: "never",
  },
  fenced: {
    summary: "Somebody else changed the credential since it was read, so nothing was changed.",
    hint: "`rekey status` shows the tag that was found; a rotation with a newer epoch has taken over.",
    retry: "never",
  },
  "foreign-installation": {
    summary: "The credential carries the tag of another Rekey installation.",
    hint: "Two installations must not rotate the same credential; remove it from one of the estates.",
    retry: "never",
  },
  superseded: {
    summary: "A later step of the rotation has begun, so this one may not act any more.",
    hint: "Nothing to do: the late attempt changed nothing.",
    retry: "never",
  },
  "run-reset": {
    summary: "The workflow was reset; what its earlier run was told does not count any more.",
    hint: "Nothing to do: the rotation is adopted under a new epoch, and asks for decisions anew.",
    retry: "never",
  },
  "wrong-server": {
    summary: "The server is not the one that the plan was made for.",
    hint: "Check the address and the certificate; a clone or a restored copy answers with another identity.",
    retry: "never",
  },
  unreachable: {
    summary: "A system could not be reached in time.",
    hint: "Check the network and that the system is up; the step is tried again by itself.",
    retry: "safe",
  },
  "unknown-outcome": {
    summary: "A change was sent and its answer was lost.",
    hint: "The next attempt asks the system what happened before it acts.",
    retry: "unknown-outcome",
  },
  "not-permitted": {
    summary: "The engine's own login lacks a right that it needs.",
    hint: "`rekey doctor` names the right and the command that grants it.",
    retry: "never",
  },
  unauthenticated: {
    summary: "Nobody may read this without a token of the installation.",
    hint: "Send `Authorization: Bearer TOKEN`; docs/api.md says where tokens come from.",
    retry: "never",
  },
  "too-many": {
    summary: "There were too many requests from there.",
    hint: "Wait a moment and try again.",
    retry: "safe",
  },
  unsupported: {
    summary: "This version or configuration cannot be rotated safely.",
    hint: "The sentence above names what to change; the kind's page in docs/kinds says why.",
    retry: "never",
  },
  conflict: {
    summary: "The stored document was changed by somebody else at the same moment.",
    hint: "The step reads it again; if it goes on, find the other writer.",
    retry: "safe",
  },
  busy: {
    summary: "Another rotation moves one of these consumers now.",
    hint: "Nothing to do: this one waits until the other has ended; `rekey status` shows it.",
    retry: "safe",
  },
  "value-missing": {
    summary: "The value that this step needs is not in the store.",
    hint: "Nothing was changed. The store may have evicted or lost it; see `rekey status` for the legal exits.",
    retry: "never",
  },
  "proof-failed": {
    summary: "The proof was not given: the server's answer was not the expected one.",
    hint: "`rekey status` names the endpoint and what was expected there.",
    retry: "safe",
  },
  "decision-refused": {
    summary: "The decision does not count.",
    hint: "Ask for a fresh one: it must be signed by an owner for this very plan, unused and unexpired.",
    retry: "never",
  },
  "secret-in-input": {
    summary: "The input contains what looks like a secret.",
    hint: "Put it in a store, and write `env:NAME`, `file:/path` or `vault:path#key` here instead.",
    retry: "never",
  },
  "needs-operator": {
    summary: "The rotation waits for an operator.",
    hint: "`rekey status` names what stands in the way and the exits that are legal now.",
    retry: "never",
  },
  "audit-down": {
    summary: "The audit log cannot be written, so nothing ordinary is changed.",
    hint: "Make the audit store reachable and writable; the step is tried again by itself.",
    retry: "safe",
  },
  "audit-broken": {
    summary: "The audit log is not what was signed.",
    hint: "Keep the database and the checkpoint as they are, and find out who changed the log; docs/audit.md says how to go on.",
    retry: "never",
  },
  restored: {
    summary: "The inventory was restored to an earlier time, so nothing is changed.",
    hint: "`rekey doctor` says by what that was seen. Look at everything with `rekey reconcile`, then accept it with `rekey reconcile --restored`; docs/operations.md says how.",
    retry: "never",
  },
  "already-closed": { summary: "The rotation has ended.", hint: "`rekey status` shows how.", retry: "never" },
  "missing-setup": {
    summary: "Something that the program needs is not set up.",
    hint: "Set up what the sentence above names. A variable is set where its reader starts, which is every worker, or this command; start that again.",
    retry: "never",
  },
  internal: {
    summary: "The program met a state that it should not be able to reach.",
    hint: "Nothing further was changed. Please report it with the output of `rekey status --json`.",
    retry: "never",
  },
} as const satisfies Record<string, ErrorEntry>;

/** Every code that a `RekeyError` may carry. */
export type ErrorCode = keyof typeof entries;

/** The registered entry of a code: its summary, hint and retryability. */
export function errorEntry(code: ErrorCode): ErrorEntry {
  return entries[code];
}

/** True for a string that is a registered code; for errors that crossed a process boundary. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(entries, code);
}

/** Documented exit codes of the command line (architecture.md, Errors). */
export const exitCodes = { done: 0, failed: 1, usage: 2, refused: 3, operator: 4, unavailable: 5 } as const;

/** The exit code that a failure with this code ends the command line with. */
export function exitCodeOf(code: ErrorCode): number {
  switch (code) {
    case "bad-input":
    case "secret-in-input":
    case "not-found":
      return exitCodes.usage;
    case "refused-by-policy":
    case "rotation-open":
    case "foreign-installation":
    case "decision-refused":
    case "unsupported":
    case "not-permitted":
    case "unauthenticated":
    case "restored":
      return exitCodes.refused;
    case "needs-operator":
      return exitCodes.operator;
    case "unreachable":
    case "too-many":
    case "audit-down":
    case "missing-setup":
      return exitCodes.unavailable;
    default:
      return exitCodes.failed;
  }
}

/**
 * The only error type that crosses a room's border. `detail` is our own sentence about this occurrence: it
 * names systems and fields, never values, and never repeats what a provider said.
 */
export class RekeyError extends Error {
  override readonly name = "RekeyError";
  readonly code: ErrorCode;
  readonly detail: string;
  readonly hint: string;
  readonly retry: Retry;

  constructor(code: ErrorCode, detail = "", hint?: string) {
    super(detail === "" ? entries[code].summary : detail);
    this.code = code;
    this.detail = detail;
    this.hint = hint ?? entries[code].hint;
    this.retry = entries[code].retry;
  }

  /** The same content as an object, for `--json` and for failures that travel through Temporal. */
  toJSON(): { code: ErrorCode; error: string; hint: string; retry: Retry } {
    return { code: this.code, error: this.message, hint: this.hint, retry: this.retry };
  }
}
