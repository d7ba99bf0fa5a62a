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

/** What a verifier says of a token: `unknown-key` is its own refusal of the key; anything else is thrown. */
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
  throw new Error(`${verifier} answered with ${answer.status} ${text}`);
}

/** The code of `jose` for a token of a key that is not in the key set. */
export const unknownKey = "ERR_JWKS_NO_MATCHING_KEY";

const answerMsMax = 10_000;
