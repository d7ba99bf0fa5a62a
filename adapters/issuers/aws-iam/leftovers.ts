/**
 * Room for a new key: what is in the slot still, and what a mint whose answer was lost has left (H11). Only what can be
 * attributed is deleted; anything else is left as it is and asked about.
 */
import { RekeyError } from "../../../domain/errors.js";
import type { Call } from "../../ports.js";
import type { IamApi, UserSeen } from "./api.js";
import { keyOf, type SlotRecord, strangersIn } from "./records.js";

/** The user with what its tags say of the slots. */
interface Seen extends UserSeen {
  readonly slots: ReadonlyMap<string, SlotRecord>;
}

/** An attempt has ended after this, and its last request with it; clocks may differ by as much. */
const mintMsMax = 2 * 60_000;

/** Throws `conflict` where the user has a key that no slot and no mint of this slot accounts for. */
export function refuseStrangers(user: string, seen: Seen, slot: string): void {
  const strangers = strangersIn([...seen.keys.keys()], seen.slots);
  if (strangers.length === 0 || (strangers.length === 1 && isOfMint(seen, slot, strangers[0] ?? ""))) return;
  throw strangerError(user);
}

/**
 * Deletes the slot's former key, and the key that an earlier mint of this slot has made without hearing of it: the only
 * one that nobody accounts for, made while that mint was under way, and never used. Throws `conflict` for one that was.
 */
export async function clearSlot(
  api: IamApi,
  user: string,
  seen: Seen,
  slot: string,
  call: Call,
): Promise<void> {
  const [stranger] = strangersIn([...seen.keys.keys()], seen.slots).filter((id) => isOfMint(seen, slot, id));
  if (stranger !== undefined) {
    // Nobody has the secret of the one that was lost, so one that was used is somebody else's.
    if ((await api.lastUse(stranger, call)) !== null) throw strangerError(user);
    await api.remove(stranger, call);
  }
  const former = keyOf(seen.slots.get(slot));
  if (former !== null) await api.remove(former, call);
}

function isOfMint(seen: Seen, slot: string, id: string): boolean {
  const key = seen.slots.get(slot)?.key;
  const createdAt = seen.keys.get(id)?.createdAt ?? 0;
  return key?.state === "minting" && Math.abs(createdAt - key.at) <= mintMsMax;
}

function strangerError(user: string): RekeyError {
  return new RekeyError(
    "conflict",
    `${user} has an access key that nobody accounts for.`,
    "Find out in CloudTrail who made it (CreateAccessKey), and delete it when nobody needs it.",
  );
}
