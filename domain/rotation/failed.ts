/** The event of a step that came to nothing, or to nobody knows what. */
import type { RekeyError } from "../errors.js";
import type { RotationEvent } from "./events.js";

type Failed = Extract<RotationEvent, { type: "failed" }>;

/** The failure of a step, by the error that says why. `change` is null where nothing was sent. */
export function failedWith(
  what: Pick<Failed, "at" | "step" | "change" | "outcome">,
  { code, message, retry }: Pick<RekeyError, "code" | "message" | "retry">,
): Failed {
  // Records that somebody accepts are acted on again.
  const again = retry !== "never" || code === "restored";
  return { type: "failed", ...what, code, sentence: message, again };
}
