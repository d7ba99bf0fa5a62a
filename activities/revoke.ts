/** Gates 9 and 10: switches a version off and proves that every node refuses it; later forgets it everywhere. */
import type { Call, SecretDocument } from "../adapters/ports.js";
import { RekeyError } from "../domain/errors.js";
import { formatTag } from "../domain/fence.js";
import { isDisplaced } from "../domain/rotation/moves.js";
import type { Step } from "../domain/rotation/steps.js";
import { reservationOf } from "../domain/version.js";
import { type Changing, changeActivity } from "./change.js";
import type { ActivityDeps, Systems } from "./deps.js";
import { slotChange, slotTag } from "./issue.js";

type Disable = Extract<Step, { do: "disable" }>;
type Destroy = Extract<Step, { do: "destroy" }>;

/**
 * Disables a version. It is done only when each node refused the kept value for the right reason and no
 * session is left (H4, H16); a node that could not be asked leaves the outcome unknown. Without a copy of the
 * value the origin is not disabled as long as the walk may lead back to it (I5, H19), unless it has leaked.
 * What is given up is closed all the same, and the record says that nobody could try it.
 */
export function disableActivity(deps: ActivityDeps) {
  return changeActivity<Disable>(deps, slotTag, async (changing, touched) => {
    const { systems, state, step, call } = changing;
    const { leaked = false, orphan } = state.versions[step.version] ?? {};
    if (orphan === "copy")
      throw new RekeyError("internal", `Version ${step.version} has nothing at the issuer.`);
    // A store that is away must not keep a leak open: then the value is read after the disable, for the proof.
    const kept = leaked ? null : await documentOf(systems, step, call);
    // What is nobody's may have lost its copies long ago, and to what is given up nothing leads back: a store or an issuer
    // that was restored would keep it valid for ever (H32). That nobody could try it is recorded.
    const leadsBack = step.version === state.origin && !state.irreversible;
    if (leadsBack && !leaked && orphan === undefined && kept === null) {
      throw new RekeyError(
        "value-missing",
        `The store keeps no copy of version ${step.version}, so nobody could prove that it is refused.`,
      );
    }
    const change = slotChange(changing, step, "disabled");
    touched();
    const early = await forgotten(changing);
    await systems.issuer.disable(change, call);
    const document = kept ?? early ?? (await documentOf(systems, step, call));
    if (document !== null) await proveRefused(systems, step, document, call);
    return {
      type: "disabled",
      at: deps.now(),
      version: step.version,
      change: changing.change,
      tag: formatTag(change.tag),
      ...(document === null ? { untried: true } : {}),
    };
  });
}

async function proveRefused(
  systems: Systems,
  { slot }: Disable,
  document: SecretDocument,
  call: Call,
): Promise<void> {
  const open = await unrefused(systems, slot, document, call);
  if (open !== null) throw new RekeyError("proof-failed", open);
}

/** Which nodes do not refuse the value, as a sentence; null where all do. */
export async function unrefused(
  { issuer }: Systems,
  slot: string,
  document: SecretDocument,
  call: Call,
): Promise<string | null> {
  const proofs = await issuer.proveRefused(slot, document, call);
  const open = proofs.filter((proof) => !proof.ok).map(({ node, sentence }) => `${node}: ${sentence}`);
  if (open.length === 0 && proofs.length > 0) return null;
  return `Not refused everywhere: ${open.join("; ") || "no node could be asked"}.`;
}

/**
 * Destroys every stored copy of a leaked version before the issuer hears of it, where the kind says so and the
 * store gives it out no more (H28). Answers with the value, which is needed once more to see it refused.
 */
async function forgotten({ systems, state, step, call }: Changing<Disable>): Promise<SecretDocument | null> {
  const version = state.versions[step.version];
  const given = Object.values(state.places).some(({ liveVersion }) => liveVersion === step.version);
  if (state.traits.leakedGoesFirst !== "stored-copies" || !version?.leaked || given) return null;
  try {
    const document = await documentOf(systems, step, call);
    await Promise.all(Object.values(systems.stores).map((store) => store.purge(step.version, call)));
    return document;
  } catch (error) {
    // A store that is away must not keep the leak open; its copies are destroyed with the version then.
    if (error instanceof RekeyError && error.code === "unreachable") return null;
    throw error;
  }
}

/** The version's value: the copy that was kept, or what is live where no copy was made before the leak was reported. */
export async function documentOf(
  { stores, issuer }: Systems,
  { version, slot }: Pick<Disable, "version" | "slot">,
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
    const { systems, state, step, call, expects } = changing;
    const change = slotChange(changing, step, "destroyed");
    touched();
    // Another version was made in its place: at the issuer nothing of it is left, and the slot is not its own.
    const displaced = isDisplaced(state, step.version) || state.versions[step.version]?.orphan === "copy";
    if (!displaced) await systems.issuer.destroy(change, call);
    // What has leaked may have to make room while a place still gives it out (H25): it lets nobody in any more, and
    // the next delivery overwrites it there.
    const leaked = state.versions[step.version]?.leaked === true;
    const places = Object.entries(systems.stores).filter(
      ([place]) => !(leaked && state.places[place]?.liveVersion === step.version),
    );
    await Promise.all(places.map(([, store]) => store.purge(step.version, call)));
    // A worker may have died between the end of an issue and this, or the answer of the target's was lost: then the
    // target is there, and what its place was reserved with still is, too.
    if (systems.issuer.mint || displaced)
      for (const version of [step.version, state.target])
        await systems.stores.main.purge(reservationOf(version), call);
    return {
      type: "destroyed",
      at: deps.now(),
      version: step.version,
      change: changing.change,
      tag: displaced ? (expects[step.slot] ?? "") : formatTag(change.tag),
    };
  });
}
