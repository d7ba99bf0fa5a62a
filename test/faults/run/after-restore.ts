/** What the house does behind restored records, as docs/operations.md says it. */
import { orphansOf } from "../../../domain/reconcile.js";
import type { RotateInput } from "../../../workflows/messages.js";
import type { Lane } from "../house/lane.js";

/**
 * A leak whose report is lost is reported again, before anything else: whoever has the value may be connected, and is
 * not waited for. What is left is removed, and what is due rotated again.
 */
export async function goneOnWith(
  { rotations, credential }: Lane,
  input: RotateInput,
  outcome: string,
  untilEnded: (workflow: string) => Promise<string>,
  anew: () => Promise<RotateInput>,
): Promise<string> {
  if (outcome === "rotated") return outcome;
  const { emergency, ...asked } = input;
  const swept = async (): Promise<string> => {
    const takings = await rotations.reconcile(credential);
    const remove = orphansOf(takings.flatMap(({ drifts }) => drifts));
    if (remove.length === 0) return "went-back";
    return untilEnded((await rotations.start({ ...asked, remove })).workflow);
  };
  const again = async (): Promise<string> => untilEnded((await rotations.start(await anew())).workflow);
  // In a leak, what is left waits; otherwise it makes room.
  const first = await (emergency === undefined ? swept() : again());
  if (first !== (emergency === undefined ? "went-back" : "rotated"))
    return `${first}, behind restored records`;
  const second = await (emergency === undefined ? again() : swept());
  if (emergency === undefined) return second;
  return second === "went-back" ? first : `${second}, when what was left was to be removed`;
}
