/**
 * What a person signs, and with what. The signature is made where the person is, with a key that neither the
 * engine nor Temporal's operators have (H7); verifying it is the engine's business and not done here.
 */
import {
  CompactSign,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from "jose";
import type { DocumentPayload, Said } from "../domain/documents.js";
import { RekeyError } from "../domain/errors.js";
import { Secret } from "../domain/secret.js";

/** A person's private key; `jwk` is the file's text. */
export interface SigningKey {
  readonly person: string;
  readonly jwk: Secret;
}

/** A new key: the file's text for the person, and the line that goes into `estate.yaml`. */
export interface NewKey {
  /** A private JSON Web Key whose `kid` is the person. */
  readonly jwk: Secret;
  /** `ed25519:` and the public half in base64url. */
  readonly publicLine: string;
}

const saidWords: readonly Said[] = ["approve", "reject", "confirm", "emergency", "sign-off"];

/** Makes an Ed25519 pair for `person`. */
export async function newKey(person: string): Promise<NewKey> {
  const pair = await generateKeyPair("Ed25519", { extractable: true });
  const { kty, crv, x, d } = await exportJWK(pair.privateKey);
  const text = `${JSON.stringify({ kty, crv, x, d, kid: person, use: "sig" }, null, 2)}\n`;
  return { jwk: new Secret(text), publicLine: `ed25519:${x}` };
}

/** Reads a key file's text. Throws `bad-input` without quoting any of it. */
export function readKey(text: Secret): SigningKey {
  const jwk = parsed(text.reveal()) as JWK | null;
  const sound =
    typeof jwk === "object" && jwk?.kty === "OKP" && jwk.crv === "Ed25519" && typeof jwk.d === "string";
  if (!sound || typeof jwk.kid !== "string" || jwk.kid === "") {
    throw new RekeyError(
      "bad-input",
      "The key file does not hold a private Ed25519 key with the person's name as its `kid`.",
      "Make one with `rekey keygen --as PERSON`.",
    );
  }
  return { person: jwk.kid, jwk: text };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Signs the payload: a compact JWS whose `kid` is the person. The payload's person has to be the key's. */
export async function signDocument(payload: DocumentPayload, key: SigningKey): Promise<string> {
  if (payload.person !== key.person) {
    throw new RekeyError("bad-input", `The key is ${key.person}'s and cannot sign for ${payload.person}.`);
  }
  const privateKey = await importJWK(JSON.parse(key.jwk.reveal()) as JWK, "EdDSA");
  return new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: "EdDSA", kid: key.person, typ: "rekey-decision+jws" })
    .sign(privateKey);
}

/**
 * What a document says, without verifying that the person said it. Throws `bad-input` for a text that is no
 * document of this program.
 */
export function readDocument(jws: string): DocumentPayload {
  const fields = decoded(jws);
  const texts = ["installation", "credential", "rotation", "nonce", "digest", "person", "id"] as const;
  const sound =
    fields !== null &&
    fields.form === "rekey-decision/1" &&
    saidWords.some((word) => word === fields.says) &&
    texts.every((name) => typeof fields[name] === "string") &&
    typeof fields.issuedAt === "number" &&
    typeof fields.expiresAt === "number";
  if (!sound) {
    throw new RekeyError(
      "bad-input",
      "This is not a signed document of Rekey.",
      "A document is one line of three parts with dots between them, as `rekey approve --file` writes it.",
    );
  }
  return fields as unknown as DocumentPayload;
}

function decoded(jws: string): Record<string, unknown> | null {
  try {
    return decodeProtectedHeader(jws).alg === "EdDSA" ? { ...decodeJwt(jws) } : null;
  } catch {
    return null;
  }
}
