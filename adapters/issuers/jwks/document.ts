/**
 * The published document: the keys that verifiers read, and beside them, where they are told to look past it, our
 * own member with the tag of each slot. Both are one file, so a key and its tag change in one rename (H3).
 */
import { z } from "zod";
import { RekeyError } from "../../../domain/errors.js";

const slotEntry = z.strictObject({
  tag: z.string().max(1_000),
  /** Name of the slot's key, kept also after it was withdrawn; absent once it was forgotten. */
  kid: z.string().max(256).optional(),
});

const shape = z.looseObject({
  keys: z.array(z.looseObject({ kid: z.string().optional() })).max(1_000),
  rekey: z.strictObject({
    issuer: z.string().min(1).max(200),
    slots: z.record(z.string(), slotEntry),
  }),
});

/** The document as it was read. What others put there is kept as it is. */
export type KeySet = z.output<typeof shape>;

/** A public key as it is published. */
export type PublicKey = KeySet["keys"][number] & { readonly kid: string };

/** Parses the bytes of the file. Throws `unsupported` without a word of what is there. */
export function parseKeySet(bytes: Uint8Array, path: string): KeySet {
  try {
    return shape.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch {
    throw new RekeyError(
      "unsupported",
      `${path} is not a key set with a member \`rekey\`.`,
      "`rekey grants jwks` prints the document to begin with.",
    );
  }
}

/** The bytes of the file. */
export function formatKeySet(set: KeySet): Uint8Array {
  return Buffer.from(`${JSON.stringify(set, null, 2)}\n`, "utf8");
}

/** A slot as the document has it; `existing` names the key that stood there before the first rotation. */
export function slotIn(
  set: KeySet,
  slot: string,
  existing: { readonly slot: string; readonly kid: string } | undefined,
): { readonly tag: string; readonly kid: string | undefined; readonly enabled: boolean } {
  const own = Object.hasOwn(set.rekey.slots, slot) ? set.rekey.slots[slot] : undefined;
  const kid = own === undefined && existing?.slot === slot ? existing.kid : own?.kid;
  const enabled = kid !== undefined && set.keys.some((key) => key.kid === kid);
  return { tag: own?.tag ?? "", kid, enabled };
}

/** The document with the slot's key put in, taken out, or left, and its new tag; keys of others stay where they are. */
export function withSlot(
  set: KeySet,
  slot: string,
  before: string | undefined,
  change: {
    readonly tag: string;
    readonly kid: string | undefined;
    readonly key: PublicKey | null | "as-it-is";
  },
): KeySet {
  const others = set.keys.filter((key) => key.kid === undefined || key.kid !== before);
  const { tag, kid, key } = change;
  const keys = key === "as-it-is" ? set.keys : key === null ? others : [...others, key];
  const entry = kid === undefined ? { tag } : { tag, kid };
  return { ...set, keys, rekey: { ...set.rekey, slots: { ...set.rekey.slots, [slot]: entry } } };
}
