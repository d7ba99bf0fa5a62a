/**
 * What stands in the user's own tags: for each slot the fence tag, and which access key is in it. A key's id is given by
 * AWS, so nothing but this says whose it is.
 */
import { type IamAccount, slots } from "./config.js";

/**
 * What is known of a slot's key. `minting`: one is being made since `at`, and `former` was there before. `unkept`: it was made, and
 * nobody is known to have its secret (H11).
 */
export type KeyRecord =
  | { readonly state: "none" }
  | { readonly state: "minting"; readonly former: string | null; readonly at: number }
  | { readonly state: "unkept" | "kept"; readonly id: string };

/** A slot as the tags say it. */
export interface SlotRecord {
  readonly tag: string;
  readonly key: KeyRecord;
}

/** A tag of an IAM user. */
export interface UserTag {
  readonly Key: string;
  readonly Value: string;
}

const fenceName = (slot: string): string => `rekey:${slot}`;
const keyName = (slot: string): string => `rekey:${slot}:key`;

/** The fence as a tag. */
export function fenceTag(slot: string, text: string): UserTag {
  return { Key: fenceName(slot), Value: text };
}

/** What is known of the key as a tag; IAM allows letters, digits, spaces and a few signs in it. */
export function keyTag(slot: string, key: KeyRecord): UserTag {
  const Value =
    key.state === "none"
      ? "none"
      : key.state === "minting"
        ? `minting ${key.former ?? "-"} ${key.at}`
        : `${key.state} ${key.id}`;
  return { Key: keyName(slot), Value };
}

/**
 * Every slot as the tags say it. Before the first change they say nothing: then the user's only key is in the slot that
 * the estate names, and with two of them nobody knows.
 */
export function recordsIn(
  tags: ReadonlyMap<string, string>,
  listed: readonly string[],
  { first }: Pick<IamAccount, "first">,
): Map<string, SlotRecord> {
  const [only, ...more] = listed;
  const before: KeyRecord =
    only === undefined || more.length > 0 ? { state: "none" } : { state: "kept", id: only };
  return new Map(
    slots.map((slot) => {
      const text = tags.get(keyName(slot));
      const unsaid = slot === first && isUntouched(tags) ? before : ({ state: "none" } as const);
      return [
        slot,
        { tag: tags.get(fenceName(slot)) ?? "", key: text === undefined ? unsaid : parsed(text) },
      ];
    }),
  );
}

/** True before the first change: from then on the keys of both slots are written down. */
export function isUntouched(tags: ReadonlyMap<string, string>): boolean {
  return slots.every((slot) => !tags.has(keyName(slot)));
}

function parsed(text: string): KeyRecord {
  const [state, id, at] = text.split(" ");
  if (state === "minting")
    return { state, former: id === undefined || id === "-" ? null : id, at: Number(at) || 0 };
  if ((state === "kept" || state === "unkept") && id !== undefined) return { state, id };
  return { state: "none" };
}

/** The key that a slot is known to have had or to have; null for none. */
export function keyOf(record: SlotRecord | undefined): string | null {
  if (record === undefined || record.key.state === "none") return null;
  return record.key.state === "minting" ? record.key.former : record.key.id;
}

/** Those of `listed` that no slot accounts for: made by somebody else, or by a mint whose answer was lost. */
export function strangersIn(listed: readonly string[], records: ReadonlyMap<string, SlotRecord>): string[] {
  const known = [...records.values()].map(keyOf);
  return listed.filter((id) => !known.includes(id));
}
