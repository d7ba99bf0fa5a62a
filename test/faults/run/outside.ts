/** What a case does from outside while its rotation runs, and what it looks at in that moment: outages, and copies that come late. */
import { type RotateInput, rotationWorkflowId } from "../../../workflows/messages.js";
import type { Lane } from "../house/lane.js";
import { disturb, type Others } from "../house/outages.js";
import { standings } from "../oracle/standings.js";
import { type Outage, pointName } from "../seam/points.js";
import type { Case } from "./cases.js";

/** Brings about the outages of a case as its worker reaches their points, and tells of what was done without a record (I8). */
export function outagesOf(
  lane: Lane,
  input: RotateInput,
  { direction, planted }: Pick<Case, "direction" | "planted">,
  trespasses: string[],
  others: Others,
): { over(): Promise<void> } {
  const under: Promise<void>[] = [];
  // A log that is away keeps nobody from going back, and no leak open.
  const mayWait = direction === "forward" || direction === "signed" || direction === "pinned";
  const keepers = mayWait ? "inventory|audit" : "inventory";
  const unkept = new RegExp(`^(${keepers})-(stopped|hung|gone|readonly|full|restored)$`);
  const bring = async (outage: Outage, goOn: () => void): Promise<void> => {
    // Inside a change the intent is kept already; before an activity nothing is, but behind a reading the walk goes on.
    const nothingKept = planted.some(
      ({ fault, call, activity }) => fault === outage && call === "activity.run" && activity !== "findings",
    );
    const watched = nothingKept && unkept.test(outage);
    const before = watched ? await standings(lane) : "";
    const workflow = rotationWorkflowId(lane.credential);
    const end = watched
      ? async () => {
          if ((await standings(lane)) !== before)
            trespasses.push(`something changed while nothing could be recorded (${outage})`);
        }
      : async () => undefined;
    const at = planted.find(({ fault }) => fault === outage);
    const point = at === undefined ? "" : pointName(at);
    await disturb({ lane, outage, point, workflow, input, others, goOn, atEnd: end });
  };
  lane.worker.onReached = (outage, goOn) => {
    const brought = bring(outage, goOn);
    // It is told of when the case is over.
    brought.catch(() => undefined);
    under.push(brought);
  };
  return {
    over: async () => {
      await Promise.all(under);
    },
  };
}

/**
 * What copies of a call have changed that turned up behind a later step, each in a sentence: whatever was done once
 * does nothing a second time (I4). `null` where the case has no such copy.
 */
export function watchCopies(lane: Lane, planted: Case["planted"]): readonly string[] | null {
  if (!planted.some(({ when, fault }) => when === "after" && fault === "late")) return null;
  const changed: string[] = [];
  let before: string | null = null;
  lane.worker.onCopy = async (point) => {
    const now = await standings(lane);
    if (before !== null && now !== before) changed.push(`a late copy of ${point} changed something`);
    before = before === null ? now : null;
  };
  return changed;
}
