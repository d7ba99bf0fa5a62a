/** What verifiers get: the document at each address, fetched anew, and whether a token of a key would pass there. */
import { createLocalJWKSet, errors, type JWK, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { RekeyError } from "../../../domain/errors.js";
import type { AdapterDeps, Call } from "../../ports.js";
import { exchange, tlsMaterial } from "../../shared/http.js";
import { retryRead } from "../../shared/retry.js";
import type { JwksConfig } from "./config.js";
import type { SigningKey } from "./keys.js";

const answerBytesMax = 1024 * 1024;

const served = z.looseObject({
  keys: z.array(z.looseObject({ kid: z.string().optional() })),
});

/** The key set that one node gives out. */
export interface ServedSet {
  readonly node: string;
  readonly keys: readonly { readonly kid?: string | undefined }[];
}

/** Fetches the document at every address. Throws `unreachable` where one does not give out a key set. */
export async function fetchServed(config: JwksConfig, deps: AdapterDeps, call: Call): Promise<ServedSet[]> {
  const tls = await tlsMaterial(config.tls, deps, call);
  return Promise.all(
    config.urls.map((address) => {
      const url = new URL(address);
      const node = `${url.host}${url.pathname}`;
      return retryRead(
        call,
        node,
        async (frame) => {
          const headers = {
            accept: "application/jwk-set+json, application/json",
            "cache-control": "no-cache",
          };
          const answer = await exchange(
            { name: node, url, method: "GET", headers, tls, answerBytesMax },
            frame,
          );
          if (answer.status !== 200)
            throw new RekeyError("unreachable", `${node} answered with status ${answer.status}.`);
          return { node, keys: keysOf(answer.text, node) };
        },
        { attempts: 3, attemptTimeoutMs: config.timeout, pauseMs: 50, pauseMsMax: 500 },
      );
    }),
  );
}

function keysOf(text: string, node: string): ServedSet["keys"] {
  try {
    return served.parse(JSON.parse(text)).keys;
  } catch {
    throw new RekeyError("unreachable", `${node} did not answer with a key set.`);
  }
}

/** What became of a token of a key with what one node gives out. */
export interface Trial {
  readonly node: string;
  readonly is: "verified" | "not published" | "published and not verified";
}

/** Signs a token that never leaves this process, and has it verified with what each node gives out. */
export async function tried(
  sets: readonly ServedSet[],
  { kid, key }: SigningKey,
  algorithm: string,
  now: number,
): Promise<Trial[]> {
  const seconds = Math.floor(now / 1_000);
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: algorithm, kid })
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 60)
    .sign(key);
  return Promise.all(
    sets.map(async ({ node, keys }): Promise<Trial> => {
      try {
        const set = createLocalJWKSet({ keys: keys as JWK[] });
        await jwtVerify(token, set, { algorithms: [algorithm], currentDate: new Date(now) });
        return { node, is: "verified" };
      } catch (error) {
        const isAbsent = error instanceof errors.JWKSNoMatchingKey;
        return { node, is: isAbsent ? "not published" : "published and not verified" };
      }
    }),
  );
}
