/**
 * Answers the engine's challenges, whatever the web framework: says which version this instance holds, sealed
 * with the key that stands beside the value and never with the value itself (H6). docs/attestation.md is the
 * specification.
 */
import { createHmac } from "node:crypto";
import {
  type Challenge,
  deadAt,
  type EngineKeys,
  importEngineKeys,
  type Refusal,
  readChallenge,
} from "./challenge.js";
import { Nonces, RateLimit } from "./limit.js";
import type { CredentialWatch } from "./watch.js";

/** Who this process is and whom it answers to. The names are those of the engine's estate. */
export interface AttestOptions {
  readonly watch: CredentialWatch;
  /** The engine's public keys. */
  readonly keys: EngineKeys;
  readonly credential: string;
  readonly consumer: string;
  /** The names by which the engine lists this very instance, `host:port` unless the estate says otherwise. */
  readonly instance: string | readonly string[];
  /** Answer this installation of the engine only. */
  readonly installation?: string;
  /** Requests a second and at once from one caller: 50 and 100 unless said otherwise. */
  readonly perSecond?: number;
  readonly burst?: number;
}

/** What an instance says of itself. `version` and `mac` are `null` when its document carries no version or no key to seal with. */
export interface Answer {
  readonly version: string | null;
  readonly instance: string;
  /** base64url of HMAC-SHA-256 over `sealedText`. */
  readonly mac: string | null;
  readonly working: boolean;
  /** When the credential was adopted, in milliseconds since the epoch. */
  readonly since: number;
}

/** Status and body of the response. */
export interface Reply {
  readonly status: number;
  readonly body: Answer | { readonly error: Refusal } | { readonly reloaded: boolean };
}

const statusOf: Record<Refusal, number> = {
  malformed: 400,
  signature: 401,
  expired: 401,
  "not-for-me": 403,
  replayed: 409,
  rate: 429,
};

/** A reload that takes longer goes on by itself; the caller is told that it has begun. */
const reloadWaitMs = 1000;

/**
 * The function that answers: give it the request's body and, for the rate limit, who sends it. It never
 * throws. Throws at once when a key is not an Ed25519 public key.
 */
export function attestor(options: AttestOptions): (token: string, caller?: string) => Promise<Reply> {
  const keys = importEngineKeys(options.keys);
  const names = new Set(typeof options.instance === "string" ? [options.instance] : options.instance);
  const rate = new RateLimit(options.perSecond ?? 50, options.burst ?? 100);
  const nonces = new Nonces();

  const forMe = (challenge: Challenge): boolean =>
    challenge.credential === options.credential &&
    challenge.consumer === options.consumer &&
    names.has(challenge.instance) &&
    (options.installation === undefined || challenge.installation === options.installation);

  return async (token, caller = "") => {
    const now = Date.now();
    if (!rate.allows(caller, now)) return refuse("rate");
    const challenge = readChallenge(token, keys, now);
    if (typeof challenge === "string") return refuse(challenge);
    if (!forMe(challenge)) return refuse("not-for-me");
    const nonce = nonces.take(challenge.nonce, deadAt(challenge), now);
    if (nonce !== "fresh") return refuse(nonce === "used" ? "replayed" : "rate");
    if (challenge.typ === "rekey-reload/1") return await reload(options.watch);
    return { status: 200, body: answer(challenge, options.watch) };
  };
}

function answer(challenge: Challenge, watch: CredentialWatch): Answer {
  const { version, attestKey } = watch.current;
  const said = { instance: challenge.instance, working: watch.working, since: watch.since };
  if (version === null || attestKey === null) return { version: null, mac: null, ...said };
  const mac = createHmac("sha256", attestKey).update(sealedText(challenge, { version, ...said }));
  return { version, mac: mac.digest("base64url"), ...said };
}

/** The text that is sealed: the challenge and the answer, a line each. It begins like no token and no name holds a line break. */
export function sealedText(
  challenge: Challenge,
  said: { version: string; instance: string; working: boolean; since: number },
): string {
  return [
    "rekey-attest/1",
    challenge.installation,
    challenge.credential,
    challenge.consumer,
    said.instance,
    challenge.rotation,
    challenge.nonce,
    String(challenge.exp),
    said.version,
    said.working ? "working" : "not-working",
    String(said.since),
  ].join("\n");
}

async function reload(watch: CredentialWatch): Promise<Reply> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), reloadWaitMs);
  });
  const done = await Promise.race([watch.reload().then(() => true), tooLong]);
  clearTimeout(timer);
  return { status: done ? 200 : 202, body: { reloaded: done } };
}

function refuse(error: Refusal): Reply {
  return { status: statusOf[error], body: { error } };
}
