/** The engine's side of an adapter, for tests: a signing key of its own, real randomness, and references that resolve to what the test says. */
import { randomBytes } from "node:crypto";
import { CompactSign, exportJWK, generateKeyPair, type JWK } from "jose";
import type { AdapterDeps } from "../../adapters/ports.js";
import { RekeyError } from "../../domain/errors.js";
import { Secret } from "../../domain/secret.js";
import { noCodec } from "../../worker/installation.js";
import { testMark } from "./mark.js";

/** What adapters are made with, and the public key that consumers are given. */
export interface TestEngine {
  readonly deps: AdapterDeps;
  readonly publicKey: JWK;
  /** What the references resolve to. */
  readonly secrets: Map<string, string>;
}

/** An engine with a fresh Ed25519 key. `installation` is the one of its challenges. */
export async function testEngine(installation = "test"): Promise<TestEngine> {
  const { privateKey, publicKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const secrets = new Map<string, string>();
  const deps: AdapterDeps = {
    installation,
    now: Date.now,
    codec: noCodec,
    mark: testMark,
    random: (bytes) => randomBytes(bytes),
    signChallenge: (payload) =>
      new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
        .setProtectedHeader({ alg: "EdDSA" })
        .sign(privateKey),
    resolve: async (reference) => {
      const value = secrets.get(reference);
      if (value === undefined) throw new RekeyError("missing-setup", `${reference} is not set.`);
      return new Secret(value);
    },
  };
  return { deps, publicKey: await exportJWK(publicKey), secrets };
}

/** A call with a deadline, 30 s unless said otherwise. */
export function calling(timeoutMs = 30_000) {
  return { signal: AbortSignal.timeout(timeoutMs) };
}

/** A random attestation key as the engine makes them. */
export function attestKey(): string {
  return randomBytes(32).toString("base64url");
}
