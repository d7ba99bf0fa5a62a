/**
 * Where the tag of a key stands. No provider's API compares and sets, so the tag is moved first and the key is
 * changed after it: whoever comes with an older tag changes nothing, and what ended in between shows as not done.
 */
import { RekeyError } from "../../../domain/errors.js";
import { parseTag } from "../../../domain/fence.js";
import type { ListedKey } from "./listing.js";

/** What the fence says of a slot. */
export interface Standing {
  /** Text of the tag, `""` for none. */
  readonly tag: string;
  /** False from when the tag was moved until what it says was done. */
  readonly done: boolean;
  /** Id of the slot's key at the provider; null while there is none, or nobody knows which. */
  readonly key: string | null;
  /** The key's mark when its value was kept. */
  readonly mark: string | null;
  /** Ids that were listed before a key was made; null unless one is being made. */
  readonly before: readonly string[] | null;
}

/** Where tags stand. `swap` throws `fenced` where the tag is not the expected one any more. */
export interface Fence {
  read(slot: string, keys: readonly ListedKey[]): Promise<Standing>;
  swap(slot: string, expect: string, next: Standing): Promise<void>;
}

/** A slot that nobody has touched. */
export function untouched(key: string | null): Standing {
  return { tag: "", done: true, key, mark: null, before: null };
}

const pending = " pending";

/** The one text that a label holds. */
export function labelOf({ tag, done }: Pick<Standing, "tag" | "done">): string {
  return done ? tag : `${tag}${pending}`;
}

/** What a label says; any other text counts as none. */
export function readLabel(label: string): Pick<Standing, "tag" | "done"> {
  const done = !label.endsWith(pending);
  const tag = done ? label : label.slice(0, -pending.length);
  return parseTag(tag) === null ? { tag: "", done: true } : { tag, done };
}

/** The refusal where another tag stands than the expected one. */
export function fenced(slot: string): RekeyError {
  return new RekeyError("fenced", `${slot} carries another tag than the expected one.`);
}

/** What the fence at the provider does its work with: the listing anew, and the request that writes the label. */
export interface Labels {
  list(): Promise<readonly ListedKey[]>;
  set(key: string, text: string): Promise<void>;
}

/** Tags in the labels of the keys themselves, which every worker and every installation sees (H8). */
export function labelFence({ list, set }: Labels): Fence {
  const standing = (slot: string, keys: readonly ListedKey[]): Standing => ({
    ...untouched(slot),
    ...readLabel(keys.find(({ id }) => id === slot)?.label ?? ""),
  });
  return {
    read: async (slot, keys) => standing(slot, keys),
    async swap(slot, expect, next) {
      const keys = await list();
      if (!keys.some(({ id }) => id === slot))
        throw new RekeyError("unsupported", `The provider lists no key ${slot}.`);
      if (standing(slot, keys).tag !== expect) throw fenced(slot);
      await set(slot, labelOf(next));
      // Some cut a text that is too long for them; and somebody may have written at the same moment.
      if ((await list()).find(({ id }) => id === slot)?.label !== labelOf(next))
        throw new RekeyError(
          "unknown-outcome",
          `The label of ${slot} is not the text that was written.`,
          "If the provider keeps shorter texts than a tag (200 characters), put the fence into a register.",
        );
    },
  };
}
