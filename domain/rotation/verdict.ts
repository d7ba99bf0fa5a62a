/** What a gate may answer; in a file of its own because the gates' helpers speak it too. */
import type { Step } from "./steps.js";

/**
 * A gate's answer. `pass`: satisfied. `do`: this step brings it nearer. `wait`: only time or somebody else
 * can. `stuck`: it cannot be satisfied in its time, so the walk turns round, or asks an operator.
 * `hold`: ask an operator at once, because going back would be wrong too. `refuse`: end before it began.
 */
export type Verdict =
  | { readonly is: "pass" }
  | { readonly is: "do"; readonly step: Step }
  | {
      readonly is: "wait";
      readonly until: number | null;
      readonly for: string;
      readonly who: string;
      readonly watch: boolean;
    }
  | { readonly is: "stuck" | "hold" | "refuse"; readonly reason: string };

/** The one way of saying that a gate is satisfied. */
export const pass: Verdict = { is: "pass" };
