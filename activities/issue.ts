/** Gate 4: makes the target exist at the issuer, with a copy of it and of the old value kept first (H11, H19). */
import { ownFields, type SecretDocument } from "../adapters/ports.js";
import { RekeyError } from "../domain/errors.js";
import { formatTag } from "../domain/fence.js";
import type { RotationState } from "../domain/rotation/state.js";
import type { Step } from "../domain/rotation/steps.js";
import { keepFingerprint } from "../inventory/fingerprints.js";
import { type Changing, changeActivity } from "./change.js";
import type { ActivityDeps } from "./deps.js";
import { isOwnField, secretValues, withOwnFields } from "./documents.js";
import { keptDocument } from "./survey.js";

type Issue = Extract<Step, { do: "issue" | "enable" }>;

/** The tag that the step's slot is expected to carry. */
export function slotTag(state: RotationState, step: { readonly slot: string }): Record<string, string> {
  return { [step.slot]: state.tags[step.slot] ?? "" };
}

/** The fenced change of a slot, as the issuer wants it. */
export function slotChange(
  { state, expects, tag }: Changing,
  { slot, version }: { readonly slot: string; readonly version: string },
  becomes: "enabled" | "disabled" | "destroyed",
) {
  return {
    slot,
    expect: expects[slot] ?? "",
    tag: tag(version, becomes),
    identity: state.plan?.identity ?? null,
  };
}

/** Issues a version that never existed: value made, kept, and only then made valid. */
export function issueActivity(deps: ActivityDeps) {
  return changeActivity<Issue>(deps, slotTag, async (changing, touched) => {
    const { systems, step, call } = changing;
    await holdOrigin(changing);
    const fresh = withOwnFields(systems.issuer.generate(step.slot), step.version, deps.randomSecret());
    // The first copy wins: an attempt that died after staging is continued, not repeated with another value.
    const document = await systems.stores.main.stage(step.version, fresh, call);
    await copyToPlaces(changing, document);
    await remember(changing, document);
    const change = slotChange(changing, step, "enabled");
    touched();
    await systems.issuer.enable(change, document, call);
    return {
      type: "issued",
      at: deps.now(),
      version: step.version,
      change: changing.change,
      tag: formatTag(change.tag),
    };
  });
}

/** Makes a disabled version valid again, from its stored value and never by switching on what is there (H12). */
export function enableActivity(deps: ActivityDeps) {
  return changeActivity<Issue>(deps, slotTag, async (changing, touched) => {
    const { systems, step, call } = changing;
    const document = await keptDocument(systems, step.version, call);
    const change = slotChange(changing, step, "enabled");
    touched();
    await systems.issuer.enable(change, document, call);
    return {
      type: "enabled",
      at: deps.now(),
      version: step.version,
      change: changing.change,
      tag: formatTag(change.tag),
    };
  });
}

/** Keeps the value that going back needs, where only the engine reads, and checks that the copy is the value (H19). */
async function holdOrigin(changing: Changing<Issue>): Promise<void> {
  const { deps, systems, state, call } = changing;
  const live = await systems.stores.main.live(call);
  if (live === null) {
    if (state.emergency) return;
    throw new RekeyError("value-missing", "The store holds no value to go back to.");
  }
  const kept = await systems.stores.main.stage(
    state.origin,
    withOwnFields(live, state.origin, deps.randomSecret()),
    call,
  );
  const same = Object.entries(live).every(
    ([field, value]) => isOwnField(field) || (kept[field] !== undefined && value.equals(kept[field])),
  );
  if (!same && !state.emergency) {
    throw new RekeyError(
      "conflict",
      "The live value is not the one that was kept for going back; somebody changed it.",
    );
  }
  await copyToPlaces(changing, kept);
  await remember(changing, kept);
}

/** A consumer with a place of its own is promoted from a copy that stands beside that place. */
async function copyToPlaces({ systems, call }: Changing, document: SecretDocument): Promise<void> {
  const version = document[ownFields.version]?.reveal() ?? "";
  const others = Object.entries(systems.stores).filter(([place]) => place !== "main");
  await Promise.all(others.map(([, store]) => store.stage(version, document, call)));
}

async function remember({ deps, state }: Changing, document: SecretDocument): Promise<void> {
  const version = document[ownFields.version]?.reveal() ?? "";
  const at = deps.now();
  await Promise.all(
    secretValues(document).map(async (value) =>
      keepFingerprint(deps.db, {
        version,
        credential: state.credential,
        hmac: await deps.fingerprint(value),
        at,
      }),
    ),
  );
}
