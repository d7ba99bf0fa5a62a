/**
 * Which changes go on while the audit log is down: those that bring back what works, and those that contain a
 * leak. A log must not keep consumers down or an attacker in (H31); everything else can wait for it.
 */
import type { RotationState } from "./rotation/state.js";
import type { Step } from "./rotation/steps.js";

/**
 * True for a change whose intent may stand in the local spool for the time being. Destroying never is one: the
 * version is disabled by then, so nothing is the worse for waiting, and it cannot be undone.
 */
export function mayGoUnlogged(
  { target, origin, emergency }: Pick<RotationState, "target" | "origin" | "emergency">,
  step: Step,
): boolean {
  if (step.do === "destroy") return false;
  return step.do === "enable" || target === origin || emergency !== null;
}
