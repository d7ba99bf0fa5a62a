/**
 * SCRAM-SHA-256 verifiers are computed here, so that the value itself never reaches the server, its log or its
 * views (H33). The result is byte for byte what the server would have made with the same salt.
 */
import { createHash, createHmac, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(pbkdf2);

/** PostgreSQL's own default; our values carry 256 bits, so more rounds would only slow every login down. */
const iterationsDefault = 4096;

/** Length in bytes of the salt that PostgreSQL uses itself. */
export const saltBytes = 16;

/** The text for `ALTER ROLE ... PASSWORD`. `salt` are 16 random bytes. */
export async function scramVerifier(
  password: string,
  salt: Uint8Array,
  iterations: number = iterationsDefault,
): Promise<string> {
  const salted = await derive(saslprep(password), salt, iterations, 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const storedKey = createHash("sha256").update(clientKey).digest("base64");
  const serverKey = createHmac("sha256", salted).update("Server Key").digest("base64");
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString("base64")}$${storedKey}:${serverKey}`;
}

/**
 * The steps of SASLprep (RFC 4013) that change bytes: other spaces become a space, invisible marks vanish, the
 * rest is composed. A value with a control character is left as it is, as the server leaves it.
 */
function saslprep(password: string): string {
  const prepared = password
    .replace(/[\u00A0\u1680\u2000-\u200B\u202F\u205F\u3000]/gu, " ")
    .replace(/\u00AD|\u034F|\u1806|\u180B|\u180C|\u180D|\u200C|\u200D|\u2060|[\uFE00-\uFE0F]|\uFEFF/gu, "")
    .normalize("NFKC");
  return prepared === "" || /\p{Cc}/u.test(prepared) ? password : prepared;
}
