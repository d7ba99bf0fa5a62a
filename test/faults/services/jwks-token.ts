/** Tokens of the shop: how its signers make one of the document in the store, whoever asks. */
import { importJWK, type JWK, SignJWT } from "jose";

/** A key that signs. */
export interface Signer {
  readonly kid: string;
  sign(lifeMs: number): Promise<string>;
}

/** The signer of a document: `username` is the key's name, `password` the private key as a JSON Web Key. */
export async function signerOf(document: {
  readonly username?: string | null;
  readonly password?: string;
}): Promise<Signer> {
  const kid = document.username ?? "";
  const jwk = JSON.parse(document.password ?? "") as JWK;
  const alg = jwk.alg ?? "";
  const key = await importJWK(jwk, alg);
  return {
    kid,
    sign: (lifeMs) =>
      new SignJWT({})
        .setProtectedHeader({ alg, kid })
        .setIssuedAt()
        .setExpirationTime(new Date(Date.now() + lifeMs))
        .sign(key),
  };
}

/** A token was no longer good when it arrived, which says nothing about its key. */
export class TokenRanOut extends Error {}

/**
 * What a verifier says of a token: `unknown-key` is its own refusal of the key. Throws `TokenRanOut` for one that came
 * too late, and an error for anything else.
 */
export async function verifiedAt(
  verifier: string,
  path: "/verify" | "/try",
  token: string,
): Promise<"in" | "unknown-key"> {
  const answer = await fetch(new URL(path, verifier), {
    method: "POST",
    body: token,
    signal: AbortSignal.timeout(answerMsMax),
  });
  const text = await answer.text();
  if (answer.ok) return "in";
  if (text === unknownKey) return "unknown-key";
  if (text === ranOut) throw new TokenRanOut(`a token ran out on its way to ${verifier}`);
  throw new Error(`${verifier} answered with ${answer.status} ${text}`);
}

/** The code of `jose` for a token of a key that is not in the key set. */
export const unknownKey = "ERR_JWKS_NO_MATCHING_KEY";

const ranOut = "ERR_JWT_EXPIRED";
const answerMsMax = 10_000;
