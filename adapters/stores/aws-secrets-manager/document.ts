/** What may stand in a secret: a JSON object. Anything else could not be changed field by field (H18, H34). */
import { RekeyError } from "../../../domain/errors.js";
import type { SecretVersion } from "./api.js";

/** The object in a secret's text, or `null` where the text is something else. */
export function objectIn(text: string | undefined): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text ?? "");
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** The document of a version. Throws `unsupported` for a text or bytes that are no JSON object. */
export function documentOf(version: SecretVersion, name: string): Record<string, unknown> {
  const found = objectIn(version.text);
  if (found !== null) return found;
  throw new RekeyError(
    "unsupported",
    `The secret ${name} is not a JSON object, so its fields cannot be changed one by one.`,
    "Keep user name and password as two fields of one JSON object, as the console's key/value form does.",
  );
}
