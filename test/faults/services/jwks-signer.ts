/**
 * A service that signs: each request is a token of the key that it holds, which every verifier has to accept. It
 * reads the key for each token, or keeps it imported.
 */
import { serve, type Work } from "../../../examples/services/serve.js";
import { readServiceSettings } from "../../../examples/services/settings.js";
import { swapPool, useCredential } from "../../../kit/index.js";
import { type Signer, signerOf, TokenRanOut, verifiedAt } from "./jwks-token.js";
import { isRefusal, Refused, styleOf, watchAs } from "./style.js";

const settings = readServiceSettings(process.env);
const style = styleOf(process.env);
const verifiers = (process.env.VERIFIERS ?? "").split(",");
const tokenMs = Number(process.env.TOKEN_MS);

/** A token that lives for a second or two can run out on its way through a machine that has much to do. */
const triesMax = 5;

/** Signs and has it verified everywhere. Returns the key's name. */
async function workWith(signer: Promise<Signer>, tries = 1): Promise<string> {
  const { kid, sign } = await signer;
  const token = await sign(tokenMs);
  try {
    const answers = await Promise.all(verifiers.map((verifier) => verifiedAt(verifier, "/verify", token)));
    if (answers.includes("unknown-key")) throw new Refused(`a verifier does not know ${kid}`);
    return kid;
  } catch (error) {
    if (error instanceof TokenRanOut && tries < triesMax) return workWith(signer, tries + 1);
    throw error;
  }
}

const credential = await watchAs(style, settings);

async function begin(): Promise<Work> {
  if (style !== "pool") {
    const run = () => useCredential(credential, (current) => workWith(signerOf(current)), isRefusal);
    return { run, close: async () => undefined };
  }
  const pool = await swapPool<Promise<Signer>>(credential, {
    open: (current) => signerOf(current),
    prove: async (signer) => void (await workWith(signer)),
    drain: async () => undefined,
    isAuthFailure: isRefusal,
  });
  return { run: () => pool.use((signer) => workWith(signer)), close: () => pool.close() };
}

await serve(settings, credential, begin);
