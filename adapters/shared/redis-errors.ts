/**
 * What Redis's errors mean to the engine, by their first word alone: the text behind it may quote an argument
 * of the command, so it never leaves this file (H33).
 */
import { RekeyError } from "../../domain/errors.js";
import { lazily } from "./lazily.js";

/** The client of Redis. */
export const redisPackage = lazily<typeof import("@redis/client")>("@redis/client");

/** The first word of a server's error, or `undefined` for anything that is not one (a socket's error, a bug). */
export function replyCode(error: unknown): string | undefined {
  if (!(error instanceof redisPackage().ErrorReply)) return undefined;
  return /^[A-Z]+(?= |$)/.exec(error.message)?.[0] ?? "ERR";
}

/** True for the answer to an ACL SETUSER of which nothing was done, because one of its rules does not apply. */
export function isRuleRefused(error: unknown): boolean {
  return (
    replyCode(error) === "ERR" && String((error as Error).message).startsWith("ERR Error in ACL SETUSER")
  );
}

type Meaning = readonly [code: ConstructorParameters<typeof RekeyError>[0], sentence: string, hint?: string];

const meanings: Readonly<Record<string, Meaning>> = {
  WRONGPASS: ["not-permitted", "refuses the user's name or password"],
  NOAUTH: ["not-permitted", "asks for a login"],
  NOPERM: [
    "not-permitted",
    "does not give the engine's user a right that this step needs",
    "Run what `rekey grants redis` prints on every node.",
  ],
  LOADING: ["unreachable", "is still loading its data"],
  BUSY: ["unreachable", "is busy with a script"],
  MASTERDOWN: ["unreachable", "has lost its primary"],
  OOM: ["unreachable", "has no memory left"],
  MISCONF: ["unreachable", "cannot write to its disk"],
};

/** The error as the engine's own. `where` names the server (`host:port`), never a value. */
export function translateRedis(error: unknown, where: string): RekeyError {
  if (error instanceof RekeyError) return error;
  const code = replyCode(error);
  if (code === undefined) return connectionError(error, where);
  const meaning = meanings[code];
  if (meaning) {
    const [ours, sentence, hint] = meaning;
    return new RekeyError(ours, `${where} ${sentence}.`, hint);
  }
  const text = (error as Error).message;
  if (text.startsWith("ERR max number of clients"))
    return new RekeyError("unreachable", `${where} has no free connection.`);
  if (text.startsWith("ERR unknown"))
    return new RekeyError(
      "unsupported",
      `${where} does not know a command that this needs; Redis 7.0 is the oldest.`,
    );
  return new RekeyError("internal", `${where} answered with the unexpected error ${code}.`);
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
  return new RekeyError("unreachable", `${where} could not be reached.`);
}
