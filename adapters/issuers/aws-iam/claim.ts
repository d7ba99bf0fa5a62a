/**
 * The fence where the provider has no compare-and-set. A claim is written into the user's tags over whatever stands
 * there; it counts when it is still there after a pause that is longer than such a write can be under way. Of two that
 * come at once the later write stays, both see it, and one of them acts (H3).
 */
import { RekeyError } from "../../../domain/errors.js";
import { formatTag } from "../../../domain/fence.js";
import type { Applied, Call, FencedChange } from "../../ports.js";
import { refuseForeign } from "../../shared/fence-check.js";
import { pause } from "../../shared/retry.js";
import type { IamApi, UserSeen } from "./api.js";
import { fenceTag, isUntouched, keyTag, type SlotRecord, type UserTag } from "./records.js";

/** The user with what its tags say of the slots. */
interface Seen extends UserSeen {
  readonly slots: ReadonlyMap<string, SlotRecord>;
}

/** What a claim is made with. */
export interface Claiming {
  readonly api: IamApi;
  readonly look: (call: Call) => Promise<Seen>;
  /** Longer than a request may take, and than AWS needs to show what was written. */
  readonly settleMs: number;
}

/** How long after its pause a claim may still show the tag of before: AWS may answer from a copy that is behind. */
const pollMs = 500;

/**
 * Writes the change's tag, and `more` with it, where the expected one stands, and answers with what was seen *before*.
 * `already`: the tag stands there, nothing was written. Throws `fenced`, `foreign-installation`, `unknown-outcome`.
 */
export async function claim(
  { api, look, settleMs }: Claiming,
  change: FencedChange,
  more: readonly UserTag[],
  call: Call,
): Promise<{ readonly applied: Applied; readonly seen: Seen }> {
  const { slot, expect } = change;
  const next = formatTag(change.tag);
  const seen = await look(call);
  const found = seen.slots.get(slot)?.tag ?? "";
  refuseForeign(change, found);
  if (found === next) return { applied: "already", seen };
  if (found !== expect) throw fenced(slot);
  // Whose the keys are is written down with the first change; from then on only the tags say it.
  const first = isUntouched(seen.tags) ? [...seen.slots].map(([each, { key }]) => keyTag(each, key)) : [];
  const written = new Map([...first, ...more, fenceTag(slot, next)].map((tag) => [tag.Key, tag]));
  await api.tag([...written.values()], call);
  await stands(look, slot, expect, next, settleMs, call);
  return { applied: "applied", seen };
}

async function stands(
  look: Claiming["look"],
  slot: string,
  expect: string,
  next: string,
  settleMs: number,
  call: Call,
): Promise<void> {
  const unseen = () =>
    new RekeyError("unknown-outcome", `Slot ${slot} was claimed, and the claim cannot be seen.`);
  try {
    await pause(settleMs, call, slot);
    for (;;) {
      const tag = (await look(call)).slots.get(slot)?.tag ?? "";
      if (tag === next) return;
      if (tag !== expect) break;
      await pause(pollMs, call, slot);
    }
  } catch (error) {
    if (error instanceof RekeyError && error.code === "unreachable") throw unseen();
    throw error;
  }
  throw fenced(slot);
}

function fenced(slot: string): RekeyError {
  return new RekeyError("fenced", `Slot ${slot} carries another tag than the expected one.`);
}
