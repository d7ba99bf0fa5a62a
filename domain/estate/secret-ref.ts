/**
 * The estate names secrets and never holds one: wherever a value is needed, one of three references stands,
 * and a literal in its place is refused without being repeated.
 */
import { z } from "zod";

/** `env:NAME`, `file:/absolute/path`, `vault:path#key`: the forms that architecture.md fixes for every configuration. */
const secretRefPattern =
  /^(?:env:[A-Za-z_][A-Za-z0-9_]*|file:\/[^\s#]+|vault:[A-Za-z0-9_][A-Za-z0-9_./-]*#[A-Za-z0-9_.-]+)$/;

const expectation = "expected a reference to a secret: env:NAME, file:/path or vault:path#key";

/** True for text that refers to a secret by place; a resolver may still find nothing there. */
export function isSecretRef(text: string): boolean {
  return secretRefPattern.test(text);
}

/** True for the pattern of a failed check (`issue.pattern`) that belongs to a reference, so that what was found is not shown. */
export function isSecretRefPattern(pattern: string | undefined): boolean {
  return pattern === String(secretRefPattern);
}

/** A reference to a secret as a field of a schema; the parsed result is the reference as it was written. */
export function secretRef() {
  return z.string({ error: expectation }).regex(secretRefPattern, { error: expectation });
}
