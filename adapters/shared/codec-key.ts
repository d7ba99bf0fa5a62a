/** What a codec key is, in the one place that says so: the codec reads it, and the ring's issuer makes it. */
import { createHash } from "node:crypto";

/** Length of a key. */
export const codecKeyBytes = 32;

const base64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** The bytes of a key in base64, or `null` for what is none. */
export function codecKeyIn(text: string): Buffer | null {
  const key = Buffer.from(text, "base64");
  return base64.test(text) && key.length === codecKeyBytes ? key : null;
}

/** The id by which payloads name the key; a hash, so it can stand anywhere. */
export function codecKeyId(key: Uint8Array): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 16);
}
