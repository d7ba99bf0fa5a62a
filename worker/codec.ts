/**
 * The second fence around what Temporal keeps: payloads are sealed with AES-256-GCM before they leave the
 * process. No value travels in them anyway (I6); names of systems and people do, and those are nobody's business.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import type { Payload, PayloadCodec } from "@temporalio/common";
import { RekeyError } from "../domain/errors.js";
import type { Secret } from "../domain/secret.js";

const encoding = "binary/rekey-sealed-1";
const ivBytes = 12;
const tagBytes = 16;
const keyBytes = 32;
const lengthBytes = 4;

/** Sealing key with its id; the id is a hash, so it can stand beside the payload. */
interface SealingKey {
  readonly id: string;
  readonly key: Buffer;
}

/**
 * A codec that seals with the first key and opens with any of them, so that keys can be rotated. Each key is
 * 32 bytes in base64. Throws `bad-input` for a key of another length.
 */
export function sealingCodec(keys: readonly Secret[]): PayloadCodec {
  const known = keys.map(sealingKey);
  const first = known[0];
  if (!first)
    throw new RekeyError(
      "missing-setup",
      "No key is set to seal Temporal's payloads with.",
      "Set REKEY_CODEC_KEYS.",
    );
  return {
    encode: async (payloads) => payloads.map((payload) => seal(payload, first)),
    decode: async (payloads) => payloads.map((payload) => open(payload, known)),
  };
}

function sealingKey(secret: Secret): SealingKey {
  const key = Buffer.from(secret.reveal(), "base64");
  if (key.length !== keyBytes) {
    throw new RekeyError(
      "bad-input",
      "A codec key is not 32 bytes in base64.",
      "Make one with `openssl rand -base64 32`.",
    );
  }
  return { id: createHash("sha256").update(key).digest("hex").slice(0, 16), key };
}

function seal(payload: Payload, { id, key }: SealingKey): Payload {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  const sealed = Buffer.concat([cipher.update(packed(payload)), cipher.final()]);
  return {
    metadata: { encoding: Buffer.from(encoding), "rekey-key": Buffer.from(id) },
    data: Buffer.concat([iv, cipher.getAuthTag(), sealed]),
  };
}

function open(payload: Payload, keys: readonly SealingKey[]): Payload {
  if (text(payload.metadata?.encoding) !== encoding) return payload;
  const id = text(payload.metadata?.["rekey-key"]);
  const key = keys.find((candidate) => candidate.id === id)?.key;
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
  decipher.setAuthTag(data.subarray(ivBytes, ivBytes + tagBytes));
  const plain = Buffer.concat([decipher.update(data.subarray(ivBytes + tagBytes)), decipher.final()]);
  return unpacked(plain);
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
