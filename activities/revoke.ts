/** Gates 9 and 10: switches a version off and proves that every node refuses it; later forgets it everywhere. */
import type { Call, SecretDocument } from "../adapters/ports.js";
import { RekeyError } from "../domain/errors.js";
import { formatTag } from "../domain/fence.js";
import type { Step } from "../domain/rotation/steps.js";
import { changeActivity } from "./change.js";
import type { ActivityDeps, Systems } from "./deps.js";
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
    const change = slotChange(changing, step, "disabled");
    touched();
    await systems.issuer.disable(change, call);
    // Only now: a store that is away must not keep a leak open; without the value there is no proof yet.
    const document = await documentOf(systems, step, call);
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

/** The version's value: the copy that was kept, or what is live where no copy was made before the leak was reported. */
async function documentOf(
  { stores, issuer }: Systems,
  { version, slot }: Disable,
  call: Call,
): Promise<SecretDocument | null> {
  const kept = await stores.main.staged(version, call);
  if (kept !== null) return kept;
  const live = await stores.main.live(call);
  return live !== null && issuer.slotOf(live) === slot ? live : null;
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
