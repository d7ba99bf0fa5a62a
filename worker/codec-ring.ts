/**
 * The keys that seal what Temporal keeps, read anew while the process runs: a key is replaced without a restart, and
 * whoever has not heard of a new one yet looks again before it says that there is none.
 */
import { codecKeyId, codecKeyIn } from "../adapters/shared/codec-key.js";
import { RekeyError } from "../domain/errors.js";
import type { Secret } from "../domain/secret.js";

/** A key with its id; the id is a hash, so it can stand beside the payload. */
export interface SealingKey {
  readonly id: string;
  readonly key: Buffer;
}

/** Keys as the codec asks for them. */
export interface CodecRing {
  /** The first key, which seals. */
  sealing(): Promise<SealingKey>;
  /** The key with that id, or undefined where there is none, asked for anew. */
  opening(id: string): Promise<SealingKey | undefined>;
  /** The ids of all keys, and of the one that seals now. */
  known(): Promise<{ readonly opens: readonly string[]; readonly seals: string }>;
}

/** How a ring is read anew. */
export interface RingSource {
  /** The texts that hold the keys, in their order; each has one key, or several with white space between them. */
  readonly read: () => Promise<readonly Secret[]>;
  readonly now: () => number;
  /** A key that was added is known after this time at the latest, without a payload that asks for it. */
  readonly rereadMs?: number;
  /** Told when the keys could not be read again; the ones that are known go on. */
  readonly warn?: (sentence: string) => void;
}

const rereadMsUsual = 10_000;
/** Somebody who sends payloads with ids of their own must not make us read for each of them. */
const unknownMs = 1_000;

/**
 * The keys in the texts: the first one seals, all open. Throws `bad-input` for one that is not 32 bytes in base64, and
 * `missing-setup` where there is none.
 */
function keysIn(texts: readonly Secret[]): readonly SealingKey[] {
  const keys = texts.flatMap((text) =>
    linesOf(text).flatMap((line) => line.split(/\s+/).filter(Boolean).map(sealingKey)),
  );
  if (keys.length > 0) return keys;
  throw new RekeyError(
    "missing-setup",
    "No key is set to seal Temporal's payloads with.",
    "Set REKEY_CODEC_KEYS.",
  );
}

/** A ring that stays as it is. */
export function fixedRing(texts: readonly Secret[]): CodecRing {
  const keys = keysIn(texts);
  return ringFrom(
    async () => keys,
    async () => keys,
  );
}

/** A ring that follows its source. Throws as `keysIn` where the first reading fails. */
export async function followedRing(source: RingSource): Promise<CodecRing> {
  const { read, now, rereadMs = rereadMsUsual, warn = () => undefined } = source;
  let keys = keysIn(await read());
  let readAt = now();
  let reading: Promise<void> | undefined;
  const again = async (olderThanMs: number): Promise<readonly SealingKey[]> => {
    if (now() - readAt >= olderThanMs) {
      reading ??= (async () => {
        try {
          keys = keysIn(await read());
        } catch (error) {
          // What is sealed has to be opened also while the store of the keys is down.
          const why = error instanceof RekeyError ? error.message : "Their place cannot be read.";
          warn(`The codec's keys could not be read again, and stay as they are: ${why}`);
        } finally {
          readAt = now();
          reading = undefined;
        }
      })();
      await reading;
    }
    return keys;
  };
  return ringFrom(
    () => again(rereadMs),
    () => again(unknownMs),
  );
}

function ringFrom(
  known: () => Promise<readonly SealingKey[]>,
  anew: () => Promise<readonly SealingKey[]>,
): CodecRing {
  const find = (keys: readonly SealingKey[], id: string) => keys.find((key) => key.id === id);
  // There is always one: `keysIn` refuses none.
  const sealing = async () => (await known())[0] as SealingKey;
  return {
    sealing,
    opening: async (id) => find(await known(), id) ?? find(await anew(), id),
    known: async () => {
      const { id: seals } = await sealing();
      return { opens: [...new Set((await known()).map(({ id }) => id))], seals };
    },
  };
}

/** A line that begins with # is not for us. */
function linesOf(text: Secret): string[] {
  return text
    .reveal()
    .split("\n")
    .filter((line) => !line.startsWith("#"));
}

function sealingKey(text: string): SealingKey {
  const key = codecKeyIn(text);
  if (key === null) {
    throw new RekeyError(
      "bad-input",
      "A codec key is not 32 bytes in base64.",
      "Make one with `openssl rand -base64 32`.",
    );
  }
  return { id: codecKeyId(key), key };
}
