/**
 * Reads a challenge: is it from our engine, for us, and for now? Nothing is answered to anything else, or the
 * endpoint would compute keyed answers for whoever can reach it (H6).
 */
import { createPublicKey, type JsonWebKey, type KeyObject, verify } from "node:crypto";

/** What the engine asks: for an answer, or for a look at the store. */
export interface Challenge {
  readonly typ: "rekey-attest/1" | "rekey-reload/1";
  readonly installation: string;
  readonly credential: string;
  readonly consumer: string;
  readonly instance: string;
  /** Empty for `rekey-reload/1`. */
  readonly rotation: string;
  readonly nonce: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly exp: number;
}

/** Why a challenge is not answered. The words are part of the protocol and tell nothing about the credential. */
export type Refusal = "malformed" | "signature" | "expired" | "not-for-me" | "replayed" | "rate";

/** One public key, several (while the engine's own key rotates), or a JWK set. */
export type EngineKeys = JsonWebKey | readonly JsonWebKey[] | { readonly keys: readonly JsonWebKey[] };

/** A longer life would make a stolen challenge useful. */
const lifeSecondsMax = 300;
const skewSeconds = 30;
const tokenLengthMax = 4096;

/** No dot, so that no nonce is ever the signing input of a token (H6); no control character, so that the sealed text has one reading. */
const nonceShape = /^[A-Za-z0-9_-]{16,128}$/;
const nameShape = /^[\x21-\x7e]{1,256}$/;

/** Imports the engine's public keys. Throws for anything but Ed25519 public keys: a private one does not belong here. */
export function importEngineKeys(keys: EngineKeys): KeyObject[] {
  const list = Array.isArray(keys)
    ? keys
    : "keys" in keys
      ? (keys.keys as JsonWebKey[])
      : [keys as JsonWebKey];
  if (list.length === 0) throw new TypeError("At least one public key of the engine is needed.");
  return list.map((jwk: JsonWebKey) => {
    if (jwk.kty !== "OKP" || jwk.crv !== "Ed25519") throw new TypeError("An engine key must be Ed25519.");
    if (jwk.d !== undefined) throw new TypeError("Give the public part of the engine's key only.");
    return createPublicKey({ key: jwk, format: "jwk" });
  });
}

/** The challenge in a compact JWS when one of the keys signed it and it is valid at `now` (milliseconds); otherwise why not. */
export function readChallenge(token: string, keys: readonly KeyObject[], now: number): Challenge | Refusal {
  const parts = token.trim().split(".");
  const [header = "", payload = "", signature = ""] = parts;
  if (parts.length !== 3 || token.length > tokenLengthMax) return "malformed";
  const head = decode(header);
  if (head === null) return "malformed";
  // "none" and HMAC algorithms are refused by name, and so is any header that changes what is signed.
  if ((head.alg !== "EdDSA" && head.alg !== "Ed25519") || "crit" in head || "b64" in head) {
    return "signature";
  }
  const signed = Buffer.from(`${header}.${payload}`, "ascii");
  const bytes = Buffer.from(signature, "base64url");
  if (!keys.some((key) => verify(null, signed, key, bytes))) return "signature";
  const challenge = shape(decode(payload));
  if (challenge === null) return "malformed";
  const seconds = now / 1000;
  const inTime =
    challenge.exp > seconds - skewSeconds &&
    challenge.iat < seconds + skewSeconds &&
    challenge.exp - challenge.iat <= lifeSecondsMax;
  return inTime ? challenge : "expired";
}

/** Milliseconds since the epoch after which the challenge cannot be used any more, on any clock that we accept. */
export function deadAt(challenge: Challenge): number {
  return (challenge.exp + skewSeconds) * 1000;
}

function decode(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function shape(claims: Record<string, unknown> | null): Challenge | null {
  if (claims === null) return null;
  const { typ, installation, credential, consumer, instance, rotation, nonce, iat, exp } = claims;
  if (typ !== "rekey-attest/1" && typ !== "rekey-reload/1") return null;
  if (!named(installation) || !named(credential) || !named(consumer) || !named(instance)) return null;
  if (typeof nonce !== "string" || !nonceShape.test(nonce)) return null;
  if (typeof iat !== "number" || typeof exp !== "number" || exp <= iat) return null;
  if (typ === "rekey-attest/1" && !named(rotation)) return null;
  return {
    typ,
    installation,
    credential,
    consumer,
    instance,
    rotation: named(rotation) ? rotation : "",
    nonce,
    iat,
    exp,
  };
}

function named(value: unknown): value is string {
  return typeof value === "string" && nameShape.test(value);
}
