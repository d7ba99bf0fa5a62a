/**
 * Room for a new key: what is in the slot still, and what a mint whose answer was lost may have left (H11). IAM says of no
 * key who had it made, and a key bears no tag: only one whose id we wrote down is ours, and only that is deleted.
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

/** Throws `conflict` where the user has a key that no slot accounts for, and that no mint of this slot can have made. */
export function refuseStrangers(user: string, seen: Seen, slot: string): void {
  const strangers = strangersIn([...seen.keys.keys()], seen.slots);
  if (strangers.length === 0 || (strangers.length === 1 && isOfMint(seen, slot, strangers[0] ?? ""))) return;
  throw strangerError(user);
}

/**
 * Throws `conflict` where a key came while an earlier mint of this slot was under way: that mint may have made it without
 * hearing of it, and so may somebody else in the same minutes. Nobody has the secret of a lost one, so one that was never
 * used is switched off meanwhile, which can be undone; one that was used is somebody's, and stays as it is.
 */
export async function askAboutLost(
  api: IamApi,
  user: string,
  seen: Seen,
  slot: string,
  call: Call,
): Promise<void> {
  const [lost] = strangersIn([...seen.keys.keys()], seen.slots).filter((id) => isOfMint(seen, slot, id));
  if (lost === undefined) return;
  if ((await api.lastUse(lost, call)) !== null) throw strangerError(user);
  if (seen.keys.get(lost)?.active) await api.switch(lost, false, call);
  throw new RekeyError(
    "conflict",
    `${user} has an access key that came while the answer to a mint was lost, and AWS does not say whose it is; it is switched off.`,
    "Find out in CloudTrail who made it (CreateAccessKey). Delete it when it was Rekey; if it is somebody's, switch it on and have them move it to a user of its own. The step goes on when it is gone.",
  );
}

/** Deletes the key that the slot is known to have: ours by the id that was written down. */
export async function removeFormer(api: IamApi, seen: Seen, slot: string, call: Call): Promise<void> {
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
