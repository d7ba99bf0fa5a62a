/**
 * The engine's half of the attestation: the challenge that it signs, and what counts as an answer. Pure, and
 * written apart from the kit's half on purpose, so that the two are held together by docs/attestation.md and
 * its test vector and not by a shared mistake.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Candidate, InstanceSeen, ObserveRequest } from "../ports.js";

/** What is asked of one instance. `exp` and `iat` in seconds since the epoch. */
export interface Challenge {
  readonly typ: "rekey-attest/1";
  readonly installation: string;
  readonly credential: string;
  readonly consumer: string;
  readonly instance: string;
  readonly rotation: string;
  readonly nonce: string;
  readonly iat: number;
  readonly exp: number;
}

/** Long enough for a slow network and a clock that is a little off, short enough to be worth nothing when stolen. */
const lifeSeconds = 60;

const nonceBytes = 24;

/** Claims that every question to an instance carries; `now` in milliseconds since the epoch. */
export function claims(now: number, random: (bytes: number) => Uint8Array) {
  const iat = Math.floor(now / 1000);
  return { nonce: Buffer.from(random(nonceBytes)).toString("base64url"), iat, exp: iat + lifeSeconds };
}

/** The challenge for one instance, with a nonce of its own. */
export function challengeFor(
  request: ObserveRequest,
  instance: string,
  now: number,
  random: (bytes: number) => Uint8Array,
): Challenge {
  const { installation, credential, consumer, rotation } = request;
  return {
    typ: "rekey-attest/1",
    installation,
    credential,
    consumer,
    instance,
    rotation,
    ...claims(now, random),
  };
}

const answerSchema = z.object({
  version: z.string().max(128).nullable(),
  instance: z.string().max(256),
  mac: z.string().max(64).nullable(),
  working: z.boolean(),
  since: z.int().min(0),
});

type Answer = z.output<typeof answerSchema>;

/** What the instance's answer shows. Whatever is not proven shows `version: null`, with the reason in words of our own. */
export function readAnswer(
  text: string,
  challenge: Challenge,
  candidates: readonly Candidate[],
): InstanceSeen {
  const { instance } = challenge;
  const answer = parsed(text);
  if (answer === null) return unproven(instance, "gave an answer that is not an attestation");
  if (answer.instance !== instance) return unproven(instance, "was answered for by another instance");
  if (answer.version === null) {
    // Before the first rotation there is no key. That it works is only said, which is enough for a baseline (H39):
    // without a version it never counts as adopted.
    const sentence = "holds a document without a version or without a key to attest with";
    return { ...unproven(instance, sentence), working: answer.working };
  }
  const candidate = candidates.find(({ version }) => version === answer.version);
  if (candidate === undefined) return unproven(instance, "holds a version that has no part in this rotation");
  if (candidate.attestKey === undefined) {
    return unproven(instance, `says ${candidate.version}, for which there is no key to check it with`);
  }
  const mac = createHmac("sha256", candidate.attestKey.reveal())
    .update(sealedText(challenge, answer))
    .digest();
  const given = Buffer.from(answer.mac ?? "", "base64url");
  if (given.length !== mac.length || !timingSafeEqual(given, mac)) {
    return unproven(instance, `says ${candidate.version} and cannot prove it`);
  }
  const works = answer.working ? "and works with it" : "and has not worked with it yet";
  return {
    instance,
    version: candidate.version,
    working: answer.working,
    sentence: `${instance} holds ${candidate.version} ${works}.`,
  };
}

/** An instance of which nothing was proven. */
export function unproven(instance: string, what: string): InstanceSeen {
  return { instance, version: null, working: false, sentence: `${instance} ${what}.` };
}

/** The text under the seal: a line for each part, the challenge's and the answer's. */
function sealedText(challenge: Challenge, answer: Answer): string {
  const { installation, credential, consumer, instance, rotation, nonce, exp } = challenge;
  const asked = [challenge.typ, installation, credential, consumer, instance, rotation, nonce, exp];
  const said = [answer.version, answer.working ? "working" : "not-working", answer.since];
  return [...asked, ...said].join("\n");
}

function parsed(text: string): Answer | null {
  try {
    const result = answerSchema.safeParse(JSON.parse(text));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}
