/**
 * The ring as a file: keys one a line, as the codec reads them, and above them one line for us, which the codec looks
 * past, with the tag of each slot. Both are one file, so a key and its tag change in one rename (H3).
 */
import { z } from "zod";
import { RekeyError } from "../../../domain/errors.js";
import { Secret } from "../../../domain/secret.js";
import { codecKeyId, codecKeyIn } from "../../shared/codec-key.js";

const mark = "# rekey-ring/1 ";

const header = z.strictObject({
  ring: z.string().min(1).max(200),
  slots: z.record(
    z.string(),
    z.strictObject({
      tag: z.string().max(1_000),
      /** Id of the slot's key, kept also after it was taken out; absent once it was forgotten. */
      keyId: z.string().max(64).optional(),
    }),
  ),
});

/** The ring as it was read. Keys and remarks of others stay as they are. */
export interface Ring extends z.output<typeof header> {
  readonly remarks: readonly string[];
  readonly keys: readonly { readonly id: string; readonly text: Secret }[];
}

/** Parses the bytes of the file. Throws `unsupported` without a word of what is there. */
export function parseRing(bytes: Uint8Array, path: string): Ring {
  const lines = Buffer.from(bytes)
    .toString("utf8")
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "");
  const own = lines.filter((line) => line.startsWith(mark));
  const keys = lines
    .filter((line) => !line.startsWith("#"))
    .flatMap((line) => line.trim().split(/\s+/))
    .map((text) => ({ key: codecKeyIn(text), text }));
  const said = own.length === 1 ? headerIn(own[0] ?? "") : null;
  if (said === null || keys.some(({ key }) => key === null))
    throw new RekeyError(
      "unsupported",
      `${path} is not a ring of codec keys.`,
      "`rekey grants key-ring` prints its first line; the others are one key each.",
    );
  return {
    ...said,
    remarks: lines.filter((line) => line.startsWith("#") && !line.startsWith(mark)),
    keys: keys.map(({ key, text }) => ({ id: codecKeyId(key ?? Buffer.alloc(0)), text: new Secret(text) })),
  };
}

function headerIn(line: string): z.output<typeof header> | null {
  try {
    return header.parse(JSON.parse(line.slice(mark.length)));
  } catch {
    return null;
  }
}

/** The line that a ring begins with. */
export function headerLine({ ring, slots }: Pick<Ring, "ring" | "slots">): string {
  return `${mark}${JSON.stringify({ ring, slots })}`;
}

/** The bytes of the file. */
export function formatRing(ring: Ring): Uint8Array {
  const keys = ring.keys.map(({ text }) => text.reveal());
  return Buffer.from(`${[headerLine(ring), ...ring.remarks, ...keys].join("\n")}\n`, "utf8");
}

/** A slot as the ring has it; `existing` names the key that stood there before the first rotation. */
export function slotIn(
  ring: Ring,
  slot: string,
  existing: { readonly slot: string; readonly keyId: string } | undefined,
): { readonly tag: string; readonly keyId: string | undefined; readonly enabled: boolean } {
  const own = Object.hasOwn(ring.slots, slot) ? ring.slots[slot] : undefined;
  const keyId = own === undefined && existing?.slot === slot ? existing.keyId : own?.keyId;
  const enabled = keyId !== undefined && ring.keys.some(({ id }) => id === keyId);
  return { tag: own?.tag ?? "", keyId, enabled };
}

/** The ring with the slot's key put in at the end, taken out, or left, and its new tag. */
export function withSlot(
  ring: Ring,
  slot: string,
  before: string | undefined,
  change: {
    readonly tag: string;
    readonly keyId: string | undefined;
    readonly key: Ring["keys"][number] | null | "as-it-is";
  },
): Ring {
  const { tag, keyId, key } = change;
  const others = ring.keys.filter(
    ({ id }) => id !== before && (key === null || key === "as-it-is" || id !== key.id),
  );
  const keys = key === "as-it-is" ? ring.keys : key === null ? others : [...others, key];
  const entry = keyId === undefined ? { tag } : { tag, keyId };
  return { ...ring, keys, slots: { ...ring.slots, [slot]: entry } };
}
