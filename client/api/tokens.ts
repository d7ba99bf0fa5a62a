/**
 * Who may read: bearer tokens, of which this process keeps only the hashes. A token is compared by its hash and
 * in constant time, with every one that is known, so that the time of an answer tells nothing about any of them.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { RekeyError } from "../../domain/errors.js";
import type { Secret } from "../../domain/secret.js";

/** Shorter ones could be guessed; 32 characters of base64url are 192 bits. */
const charactersMin = 32;

/** Checks an `Authorization` header. */
export interface Tokens {
  /** Throws `unauthenticated` for anything but a bearer token that is known; without any known one, always. */
  check(header: string | undefined): void;
}

/**
 * Takes the tokens, or `sha256:` and the hash of one in hex, so that the server's machine need not have the token
 * itself. Several may be valid at once: that is how one is replaced. Throws `bad-input` for one that is too short.
 */
export function tokensFrom(secrets: readonly Secret[]): Tokens {
  const known = secrets.map((secret) => hashIn(secret.reveal().trim()));
  return {
    check(header) {
      const [, token = ""] = /^Bearer ([\w.~+/=-]+)$/i.exec(header ?? "") ?? [];
      const hash = sha256(token);
      let found = false;
      for (const one of known) found = timingSafeEqual(one, hash) || found;
      if (token === "" || !found) throw new RekeyError("unauthenticated");
    },
  };
}

function hashIn(text: string): Buffer {
  const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(text) ?? [];
  if (hex !== undefined) return Buffer.from(hex, "hex");
  if (text.length < charactersMin || !/^[\w.~+/=-]+$/.test(text)) {
    throw new RekeyError(
      "bad-input",
      `A token of the API has fewer than ${charactersMin} characters, or others than a token may have.`,
      "Make one with `openssl rand -base64 32`.",
    );
  }
  return sha256(text);
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
