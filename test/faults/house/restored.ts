/**
 * The inventory is put back to how it was before the case, while everything outside has gone on; then the house does
 * what docs/operations.md says: it waits until that is noticed, looks, and has a responder sign (H32).
 */
import { setTimeout as pause } from "node:timers/promises";
import { restoreDigest } from "../../../domain/restore.js";
import { generationOf, haltOf } from "../../../inventory/restores.js";
import { listRotations } from "../../../inventory/rotations.js";
import type { Lane } from "./lane.js";
import { signed } from "./papers.js";

const acceptedMsMax = 120_000;

/** Restores them, lets the call under way go on, and has them accepted. `before`: asked right before that. */
export async function restoreInventory(
  lane: Lane,
  workflow: string,
  goOn: () => void,
  before: () => Promise<void>,
): Promise<void> {
  const there = await standingOf(lane);
  await lane.records.putBack();
  const kept = await standingOf(lane);
  goOn();
  // What has lost no change is not noticed, and there is nothing to accept; a run whose rotation is lost is ended.
  if (there.mark === kept.mark) {
    if (there.open && !kept.open)
      await lane.temporal.workflow.getHandle(workflow).terminate("by the harness");
    return;
  }
  const until = Date.now() + acceptedMsMax;
  for (;;) {
    // `rekey doctor`, `rekey reconcile` or the next order: whoever comes first notices.
    await lane.rotations.doctor().catch(() => []);
    const halt = await haltOf(lane.db);
    if (halt !== null) {
      await before();
      const word = { says: "restored", digest: restoreDigest(halt), rotation: "", nonce: "" } as const;
      const document = await signed(lane, "responder", { ...word, credential: "all" });
      const { accepted } = await lane.rotations.acceptRestored(document);
      if (accepted) return;
    }
    if (Date.now() > until) throw new Error("restored records were not noticed, or could not be accepted");
    await pause(500);
  }
}

/** How far the records are, and whether they have a rotation open. */
async function standingOf({ db, credential }: Lane): Promise<{ mark: number; open: boolean }> {
  const open = await listRotations(db, { credential, open: true });
  return { mark: (await generationOf(db))?.mark ?? 0, open: open.length > 0 };
}
