/**
 * The estate names secrets and never holds one: wherever a value is needed, one of three references stands,
 * and a literal in its place is refused without being repeated.
 */
import { z } from "zod";

/** `env:NAME`, `file:/absolute/path` (with `#key` for a field of a JSON document), `vault:path#key`. */
const secretRefPattern =
  /^(?:env:[A-Za-z_][A-Za-z0-9_]*|file:\/[^\s#]+(?:#[A-Za-z0-9_.-]+)?|vault:[A-Za-z0-9_][A-Za-z0-9_./-]*#[A-Za-z0-9_.-]+)$/;

const expectation = "expected a reference to a secret: env:NAME, file:/path or vault:path#key";

/** True for text that refers to a secret by place; a resolver may still find nothing there. */
export function isSecretRef(text: string): boolean {
  return secretRefPattern.test(text);
}

/** True for the message of a check that wanted a reference: what was found in its place is not to be shown. */
export function isSecretRefMessage(message: string): boolean {
  return message === expectation;
}

/** A reference to a secret as a field of a schema; the parsed result is the reference as it was written. */
export function secretRef() {
  return z.string({ error: expectation }).regex(secretRefPattern, { error: expectation });
}
