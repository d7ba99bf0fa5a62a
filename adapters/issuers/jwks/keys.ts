/** Key pairs: how they are made, how the private half stands in a document, and what is published of it. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { RekeyError } from "../../../domain/errors.js";
import { Secret } from "../../../domain/secret.js";
import type { SecretDocument } from "../../ports.js";
import type { JwksAccount } from "./config.js";
import type { PublicKey } from "./document.js";

const modulusBits = 2048;

/** A signing key with its name. */
export interface SigningKey {
  readonly kid: string;
  readonly key: KeyObject;
}

/** A new private key for the algorithm. */
export function newPrivateKey(algorithm: JwksAccount["algorithm"]): KeyObject {
  switch (algorithm) {
    case "ES256":
      return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    case "EdDSA":
      return generateKeyPairSync("ed25519").privateKey;
    case "RS256":
      return generateKeyPairSync("rsa", { modulusLength: modulusBits }).privateKey;
  }
}

/** The private key as text, as it stands in the store. */
export function privateText(key: KeyObject, format: JwksAccount["format"], kid: string, alg: string): Secret {
  return new Secret(
    format === "pem"
      ? key.export({ format: "pem", type: "pkcs8" }).toString()
      : JSON.stringify({ ...key.export({ format: "jwk" }), kid, alg, use: "sig" }),
  );
}

/** Name and private key of a document. Throws `value-missing` where one of them is not there, `bad-input` where it is no such key. */
export function signingKey(document: SecretDocument, algorithm: JwksAccount["algorithm"]): SigningKey {
  const { username, password } = document;
  if (username === undefined || password === undefined)
    throw new RekeyError("value-missing", "The document lacks the key's name or the private key.");
  const key = parsed(password.reveal());
  if (key === null || !fits(key, algorithm))
    throw new RekeyError("bad-input", `The document holds no private key for ${algorithm}.`);
  return { kid: username.reveal(), key };
}

function parsed(text: string): KeyObject | null {
  try {
    return text.trimStart().startsWith("{")
      ? createPrivateKey({ key: JSON.parse(text), format: "jwk" })
      : createPrivateKey(text);
  } catch {
    // What the parser says could quote the key.
    return null;
  }
}

function fits({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, algorithm: string): boolean {
  switch (algorithm) {
    case "ES256":
      return asymmetricKeyType === "ec" && asymmetricKeyDetails?.namedCurve === "prime256v1";
    case "EdDSA":
      return asymmetricKeyType === "ed25519";
    default:
      return asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) >= modulusBits;
  }
}

/** What is published of a key. */
export function publicKey({ kid, key }: SigningKey, algorithm: string): PublicKey {
  return { ...createPublicKey(key).export({ format: "jwk" }), kid, alg: algorithm, use: "sig" };
}
