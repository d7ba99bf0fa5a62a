/**
 * The workflows of a later build, as a worker of it would bring them: the same but for a timer that it starts before
 * anything else, which no history of today's build has.
 */
import { sleep } from "@temporalio/workflow";
import { rotate as todays } from "../../workflows/index.js";
import type { RotateInput } from "../../workflows/messages.js";

export * from "../../workflows/house.js";

const restMs = 10;

/** A rotation as that build walks it. */
export async function rotate(input: RotateInput): ReturnType<typeof todays> {
  const [, result] = await Promise.all([sleep(restMs), todays(input)]);
  return result;
}
