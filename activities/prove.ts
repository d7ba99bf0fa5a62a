/** Gate 5: logs in with the target at every node; a login is a proof only when the server says whom it let in (H9, H13). */
import { RekeyError } from "../domain/errors.js";
import type { Step } from "../domain/rotation/steps.js";
import { askingActivity } from "./asking.js";
import type { ActivityDeps } from "./deps.js";
import { keptDocument } from "./survey.js";

type Prove = Extract<Step, { do: "prove" }>;

/** Proves a version. A node that answers otherwise is named in the failure. */
export function proveActivity(deps: ActivityDeps) {
  return askingActivity<Prove>(deps, "prove", async ({ systems, step, call }) => {
    const document = await keptDocument(systems, step.version, call);
    const proofs = await systems.issuer.prove(step.slot, document, call);
    const missing = proofs.filter((proof) => !proof.ok);
    if (proofs.length > 0 && missing.length === 0)
      return { type: "proved", at: deps.now(), version: step.version };
    const said = missing.map(({ node, sentence }) => `${node}: ${sentence}`).join("; ");
    throw new RekeyError("proof-failed", said || "No node could be asked.");
  });
}
