/** Gates 9 and 10: switches a version off and proves that every node refuses it; later forgets it everywhere. */
import { RekeyError } from "../domain/errors.js";
import { formatTag } from "../domain/fence.js";
import type { Step } from "../domain/rotation/steps.js";
import { changeActivity } from "./change.js";
import type { ActivityDeps } from "./deps.js";
import { slotChange, slotTag } from "./issue.js";

type Disable = Extract<Step, { do: "disable" }>;
type Destroy = Extract<Step, { do: "destroy" }>;

/**
 * Disables a version. It is done only when each node refused the kept value for the right reason and no
 * session is left (H4, H16); a node that could not be asked leaves the outcome unknown.
 */
export function disableActivity(deps: ActivityDeps) {
  return changeActivity<Disable>(deps, slotTag, async (changing, touched) => {
    const { systems, step, call } = changing;
    const document = await systems.stores.main.staged(step.version, call);
    const change = slotChange(changing, step, "disabled");
    touched();
    await systems.issuer.disable(change, call);
    if (document !== null) {
      const proofs = await systems.issuer.proveRefused(step.slot, document, call);
      const open = proofs.filter((proof) => !proof.ok).map(({ node, sentence }) => `${node}: ${sentence}`);
      if (open.length > 0 || proofs.length === 0) {
        throw new RekeyError(
          "proof-failed",
          `Not refused everywhere: ${open.join("; ") || "no node could be asked"}.`,
        );
      }
    }
    return {
      type: "disabled",
      at: deps.now(),
      version: step.version,
      change: changing.change,
      tag: formatTag(change.tag),
    };
  });
}

/** Destroys a version: the issuer first, then every copy in every place (H20, H36). */
export function destroyActivity(deps: ActivityDeps) {
  return changeActivity<Destroy>(deps, slotTag, async (changing, touched) => {
    const { systems, step, call } = changing;
    const change = slotChange(changing, step, "destroyed");
    touched();
    await systems.issuer.destroy(change, call);
    await Promise.all(Object.values(systems.stores).map((store) => store.purge(step.version, call)));
    return {
      type: "destroyed",
      at: deps.now(),
      version: step.version,
      change: changing.change,
      tag: formatTag(change.tag),
    };
  });
}
