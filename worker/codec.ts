/**
 * The second fence around what Temporal keeps: payloads are sealed with AES-256-GCM before they leave the
 * process. No value travels in them anyway (I6); names of systems and people do, and those are nobody's business.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { Payload, PayloadCodec, SerializationContext } from "@temporalio/common";
import { RekeyError } from "../domain/errors.js";
import { unsealedMark } from "../domain/unsealed.js";
import type { CodecRing, SealingKey } from "./codec-ring.js";

const encoding = "binary/rekey-sealed-1";
/** Names the workflow that a payload was sealed for; the seal holds for no other (H7). */
const workflowField = "rekey-workflow";
/** What a schedule adds to the id of a workflow that it starts. */
const scheduled = /^-\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;
const ivBytes = 12;
const tagBytes = 16;
const lengthBytes = 4;

/**
 * What becomes of a payload that was never sealed, or for another workflow. `refuse`: nothing is opened. `mark`: a mark stands in its place, which
 * workflows refuse to act on; a worker that threw instead would be stuck at that message for good.
 */
export type Unsealed = "refuse" | "mark";

/**
 * A codec that seals with the ring's first key and opens with any of them, so that keys can be rotated. Where Temporal
 * says whose a payload is, it is sealed for that workflow, and one that was sealed for another is not opened: whoever
 * copies a sealed message has nothing that another workflow would read. One that was sealed for none is from before this
 * was done, and is opened for as long as its key is there.
 */
export function sealingCodec(ring: CodecRing, unsealed: Unsealed = "refuse"): PayloadCodec {
  return {
    encode: async (payloads, context) => {
      const key = await ring.sealing();
      return payloads.map((payload) => seal(payload, key, context?.workflowId));
    },
    decode: (payloads, context) =>
      Promise.all(payloads.map((payload) => open(payload, ring, unsealed, context))),
  };
}

/** Opens for people who look at what Temporal keeps; what was never sealed is shown as it is, and nothing acts on it. */
export function viewingCodec(ring: CodecRing): Pick<PayloadCodec, "decode"> {
  const view = async (payload: Payload) => (isSealed(payload) ? open(payload, ring, "refuse") : payload);
  return { decode: (payloads) => Promise.all(payloads.map(view)) };
}

/** True for a payload that has the form of a sealed one; whether it opens is another question. */
export function isSealed(payload: Payload): boolean {
  return text(payload.metadata?.encoding) === encoding;
}

/** Id of the key that a payload needs, or `null` for one that was never sealed. */
export function sealingKeyOf(payload: Payload): string | null {
  return isSealed(payload) ? text(payload.metadata?.["rekey-key"]) : null;
}

function seal(payload: Payload, { id, key }: SealingKey, workflow: string | undefined): Payload {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  const bound = workflow === undefined ? undefined : Buffer.from(workflow);
  if (bound) cipher.setAAD(bound);
  const sealed = Buffer.concat([cipher.update(packed(payload)), cipher.final()]);
  return {
    metadata: {
      encoding: Buffer.from(encoding),
      "rekey-key": Buffer.from(id),
      ...(bound ? { [workflowField]: bound } : {}),
    },
    data: Buffer.concat([iv, cipher.getAuthTag(), sealed]),
  };
}

async function open(
  payload: Payload,
  ring: CodecRing,
  unsealed: Unsealed,
  context?: SerializationContext,
): Promise<Payload> {
  const bound = payload.metadata?.[workflowField];
  if (!isSealed(payload) || (bound && !isFor(text(bound), context))) {
    if (unsealed === "mark") return markPayload();
    const what = isSealed(payload) ? "sealed for another workflow" : "never sealed";
    throw new RekeyError(
      "not-permitted",
      `Temporal gave out something that was ${what}.`,
      "Nobody but Rekey's own programs should write to its namespace.",
    );
  }
  const id = sealingKeyOf(payload) ?? "";
  const key = (await ring.opening(id))?.key;
  if (!key) {
    throw new RekeyError(
      "missing-setup",
      `No codec key with the id ${id} is set.`,
      "Add the former key to REKEY_CODEC_KEYS.",
    );
  }
  const data = Buffer.from(payload.data ?? []);
  const decipher = createDecipheriv("aes-256-gcm", key, data.subarray(0, ivBytes), {
    // A shorter tag would pass, and is easier to guess.
    authTagLength: tagBytes,
  });
  if (bound) decipher.setAAD(bound);
  decipher.setAuthTag(data.subarray(ivBytes, ivBytes + tagBytes));
  const plain = Buffer.concat([decipher.update(data.subarray(ivBytes + tagBytes)), decipher.final()]);
  return unpacked(plain);
}

/** Whoever only looks is told no workflow, and reads all. A schedule seals for the id that it makes others of. */
function isFor(bound: string, context: SerializationContext | undefined): boolean {
  const wanted = context?.workflowId;
  if (wanted === undefined || wanted === bound) return true;
  return wanted.startsWith(bound) && scheduled.test(wanted.slice(bound.length));
}

function markPayload(): Payload {
  return {
    metadata: { encoding: Buffer.from("json/plain") },
    data: Buffer.from(JSON.stringify(unsealedMark)),
  };
}

/** Metadata and data in one piece: the length of the metadata's JSON in four bytes, that JSON, the data as it is. */
function packed({ metadata, data }: Payload): Buffer {
  const texts = Object.entries(metadata ?? {}).map(([name, bytes]) => [
    name,
    Buffer.from(bytes).toString("base64"),
  ]);
  const header = Buffer.from(JSON.stringify(Object.fromEntries(texts)));
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(header.length);
  return Buffer.concat([length, header, data ?? Buffer.alloc(0)]);
}

function unpacked(plain: Buffer): Payload {
  const end = lengthBytes + plain.readUInt32BE(0);
  const texts = JSON.parse(plain.subarray(lengthBytes, end).toString("utf8")) as Record<string, string>;
  const metadata = Object.entries(texts).map(([name, base64]) => [name, Buffer.from(base64, "base64")]);
  return { metadata: Object.fromEntries(metadata), data: plain.subarray(end) };
}

function text(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString("utf8");
}
