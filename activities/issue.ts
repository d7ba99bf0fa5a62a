/** Gate 4: makes the target exist at the issuer, with a copy of it and of the old value kept first (H11, H19). */
import { type Call, ownFields, type SecretDocument, type Store } from "../adapters/ports.js";
import { RekeyError } from "../domain/errors.js";
import { formatTag } from "../domain/fence.js";
import type { RotationEvent } from "../domain/rotation/events.js";
import type { RotationState } from "../domain/rotation/state.js";
import type { Step } from "../domain/rotation/steps.js";
import { reservationOf } from "../domain/version.js";
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
    ...(state.emergency === null ? {} : { urgent: true }),
  };
}

/** Issues a version that never existed: value made, kept, and only then made valid. */
export function issueActivity(deps: ActivityDeps) {
  return changeActivity<Issue>(deps, slotTag, async (changing, touched) => {
    const { systems, step, call } = changing;
    await holdOrigin(changing);
    if (systems.issuer.mint) return minted(changing, touched);
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
      slot: step.slot,
      change: changing.change,
      tag: formatTag(change.tag),
    };
  });
}

/** Has the store take a copy before the value is made: it takes one, and the key of the consumers' answers is settled. */
async function reserve({ deps, systems, step, call }: Changing<Issue>): Promise<SecretDocument> {
  const attestKey = { [ownFields.attestKey]: deps.randomSecret() };
  return systems.stores.main.stage(reservationOf(step.version), attestKey, call);
}

/** Keeps a value that was just made, in place of the one that an attempt before this left and that is of no use. */
async function keepInstead(
  store: Store,
  document: SecretDocument,
  left: SecretDocument | null,
  call: Call,
): Promise<void> {
  const version = document[ownFields.version]?.reveal() ?? "";
  const kept =
    left === null
      ? await store.stage(version, document, call)
      : await store.restage(version, document, left, call);
  const differs = Object.entries(document).some(([field, value]) => !kept[field]?.equals(value));
  if (differs) throw new RekeyError("conflict", "Another copy of this version is kept already.");
}

/**
 * Has the issuer make the value (H11): the place in the store is written first, so that it is known to take one;
 * then the value is made, kept, and only then counts as there. Of an attempt that died in between the kept value is
 * taken where it logs in, and otherwise made again.
 */
async function minted(changing: Changing<Issue>, touched: () => void): Promise<RotationEvent> {
  const { deps, systems, step, call } = changing;
  const { issuer, stores } = systems;
  const change = slotChange(changing, step, "enabled");
  const kept = await stores.main.staged(step.version, call);
  const reservation = kept ?? (await reserve(changing));
  const proofs = kept === null ? [] : await issuer.prove(step.slot, kept, call);
  if (kept !== null && proofs.length > 0 && proofs.every(({ ok }) => ok)) {
    touched();
    await issuer.enable(change, kept, call);
  } else {
    touched();
    await issuer.mint?.(
      change,
      async (made) => {
        const attestKey = reservation[ownFields.attestKey] ?? deps.randomSecret();
        const document = withOwnFields(made, step.version, attestKey);
        for (const store of Object.values(stores)) await keepInstead(store, document, kept, call);
        await remember(changing, document);
      },
      call,
    );
  }
  await stores.main.purge(reservationOf(step.version), call);
  await forgetAbandoned(changing);
  const { change: number } = changing;
  return {
    type: "issued",
    at: deps.now(),
    version: step.version,
    slot: step.slot,
    change: number,
    tag: formatTag(change.tag),
  };
}

/** What was begun before in the same place and came to nothing has no step of its own that would end its copies (H20). */
async function forgetAbandoned({ systems, state, step, call }: Changing<Issue>): Promise<void> {
  const abandoned = Object.values(state.versions).filter(
    ({ id, issuer, delivered }) =>
      id !== step.version && id !== state.origin && issuer === "absent" && !delivered,
  );
  const copies = abandoned.flatMap(({ id }) => [reservationOf(id), id]);
  await Promise.all(
    Object.values(systems.stores).flatMap((store) => copies.map((copy) => store.purge(copy, call))),
  );
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
  // Where more than one leaked, what is live may be a later version than the origin; its copy is kept since it was issued.
  const given = live[ownFields.version]?.reveal() ?? state.origin;
  if (state.emergency && given !== state.origin) return;
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
