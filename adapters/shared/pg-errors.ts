/**
 * What PostgreSQL's errors mean to the engine, by SQLSTATE alone: the server's text may quote a statement, a
 * verifier or a row, so it never leaves this file (H33).
 */
import { RekeyError } from "../../domain/errors.js";

/** SQLSTATEs that our own SQL raises: `rekey.apply` the first five, the guards of `rekey adopt` the others. */
export const functionStates = {
  fenced: "RK001",
  unmanaged: "RK002",
  verifierOnly: "RK003",
  wrongServer: "RK004",
  superuser: "RK005",
  sessionsLeft: "RK006",
  pairNotOn: "RK007",
  pairStillOn: "RK008",
} as const;

/** SQLSTATE of a server's error; `undefined` for anything that is not one (a socket's error, a bug). */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" && /^[0-9A-Z]{5}$/.test(error.code) && "severity" in error
    ? error.code
    : undefined;
}

/** The server's own function that raised the error: not localised, holds no data, tells two meanings of one SQLSTATE apart. */
export function routineOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("routine" in error)) return undefined;
  return typeof error.routine === "string" ? error.routine : undefined;
}

/**
 * What PgBouncer means by an error of its own: all carry 08P01, so its fixed texts are compared, and none is passed on.
 * `undefined` for anything else. The last of the texts is also what clients hear while no server can be reached.
 */
export function behindPooler(error: unknown): "value" | "switched-off" | "rules" | "behind" | undefined {
  if (sqlState(error) !== "08P01" || !(error instanceof Error)) return undefined;
  return poolerTexts.find(([text]) => text.test(error.message))?.[1];
}

const poolerTexts = [
  [/^(SASL authentication failed|no such user|password authentication failed)/, "value"],
  // Only its console says this, to a login that is not in admin_users or stats_users.
  [/^not allowed$/, "value"],
  [/^role ".*" is not permitted to log in$/, "switched-off"],
  [/^(no pg_hba\.conf entry|pg_hba\.conf rejects)/, "rules"],
  [/^server login has been failing/, "behind"],
] as const;

type Meaning = readonly [code: ConstructorParameters<typeof RekeyError>[0], sentence: string, hint?: string];

const installHint = "Have a DBA run the SQL that `rekey grants postgres` prints, in the issuer's `database`.";

const meanings: Readonly<Record<string, Meaning>> = {
  "28000": ["not-permitted", "refuses the login"],
  "28P01": ["not-permitted", "refuses the login's name or password"],
  "42501": ["not-permitted", "does not give the engine's login a right that this step needs"],
  "53300": ["unreachable", "has no free connection for this login"],
  "55P03": ["conflict", "keeps the account locked for another transaction"],
  "40001": ["conflict", "saw a concurrent change and rolled this one back"],
  "40P01": ["conflict", "found a deadlock and rolled this change back"],
  "57014": ["unreachable", "stopped the statement at its time limit"],
  // Whether it is a standby was asked when the connection was opened.
  "25006": [
    "unreachable",
    "takes no changes now: it is read-only",
    "Look at default_transaction_read_only; some providers set it when the disk is full. The step goes on when it is off.",
  ],
  "3D000": ["unsupported", "has no database of the configured name"],
  "3F000": ["missing-setup", "lacks the schema rekey", installHint],
  "42883": ["missing-setup", "lacks a function of the schema rekey, or has an older one", installHint],
  "42P01": ["missing-setup", "lacks a table of the schema rekey", installHint],
  [functionStates.fenced]: ["fenced", "holds another tag than the expected one, so nothing was changed"],
  [functionStates.unmanaged]: [
    "not-permitted",
    "does not list this login in rekey.managed",
    "Have a DBA add it with the SQL that `rekey grants postgres` or `rekey adopt` prints.",
  ],
  [functionStates.verifierOnly]: ["internal", "was sent something else than a SCRAM verifier and refused it"],
  [functionStates.wrongServer]: ["wrong-server", "has another identity than the plan's"],
  [functionStates.sessionsLeft]: [
    "conflict",
    "still has sessions of a login that this step would switch off",
  ],
  [functionStates.pairNotOn]: [
    "refused-by-policy",
    "has no login of the pair switched on",
    "Rotate the credential first, so that its consumers use the pair.",
  ],
  [functionStates.pairStillOn]: [
    "refused-by-policy",
    "still has a login of the pair switched on, or the former login switched off",
    "Go back to the former login with `rekey rotate` first, so that nobody is cut off.",
  ],
  [functionStates.superuser]: ["unsupported", "lists a superuser in rekey.managed, which is never rotated"],
};

/** Classes in which nothing was done, or nothing more than the connection was lost. */
const unreachableClasses = new Set(["08", "53", "57", "58"]);

/**
 * The error as the engine's own. `where` names the server (`host:port`), never a value. A `RekeyError` is
 * returned as it is; what is not a server's error counts as a lost connection.
 */
export function translatePg(error: unknown, where: string): RekeyError {
  if (error instanceof RekeyError) return error;
  const state = sqlState(error);
  if (state === undefined) return connectionError(error, where);
  // The loser of two concurrent catalog updates; it has no SQLSTATE of its own (facts 11).
  if (state === "XX000" && routineOf(error) === "simple_heap_update") {
    return new RekeyError("conflict", `${where} changed the account for somebody else at this moment.`);
  }
  if (behindPooler(error) !== undefined) {
    return new RekeyError(
      "not-permitted",
      `${where} has no connection for this login: the server refuses it.`,
    );
  }
  const meaning = meanings[state];
  if (meaning) {
    const [code, sentence, hint] = meaning;
    return new RekeyError(code, `${where} ${sentence}.`, hint);
  }
  if (unreachableClasses.has(state.slice(0, 2))) {
    return new RekeyError("unreachable", `${where} is not able to answer now (SQLSTATE ${state}).`);
  }
  return new RekeyError("internal", `${where} answered with the unexpected SQLSTATE ${state}.`);
}

/** Node's own codes for a certificate that nobody vouches for, or that names somebody else. */
const certificateCode = /CERT|^ERR_TLS|^UNABLE_TO_(?:GET|VERIFY)/;

function connectionError(error: unknown, where: string): RekeyError {
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  if (certificateCode.test(code)) {
    return new RekeyError(
      "wrong-server",
      `${where} shows a certificate that does not prove who it is (${code}).`,
    );
  }
  if (error instanceof Error && error.message.includes("does not support SSL")) {
    return new RekeyError("unsupported", `${where} does not offer TLS, which the estate asks for.`);
  }
  return new RekeyError("unreachable", `${where} could not be reached.`);
}
