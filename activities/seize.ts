/**
 * Settles what is not known, and fences off whoever may still be writing: every named slot and place gets a
 * tag of this epoch, by compare-and-set on what is there. What is there tells what the earlier attempt did (H3, H8).
 */
import { RekeyError } from "../domain/errors.js";
import { type FenceTag, formatTag, parseTag } from "../domain/fence.js";
import type { PlaceFact, SlotFact } from "../domain/rotation/events.js";
import type { RotationState } from "../domain/rotation/state.js";
import type { Step } from "../domain/rotation/steps.js";
import { type Changing, changeActivity } from "./change.js";
import type { ActivityDeps } from "./deps.js";

type Seize = Extract<Step, { do: "seize" }>;

/** Takes over the tags of the step's slots and places. A foreign installation's tag is never taken over. */
export function seizeActivity(deps: ActivityDeps) {
  return changeActivity<Seize>(
    deps,
    () => ({}),
    async (changing, touched) => {
      touched();
      const slots = await seizeSlots(changing);
      const places = await seizePlaces(changing);
      return {
        type: "seized",
        at: deps.now(),
        epoch: changing.state.epoch,
        change: changing.change,
        slots,
        places,
      };
    },
  );
}

async function seizeSlots(changing: Changing<Seize>): Promise<SlotFact[]> {
  const { systems, state, step, call, tag } = changing;
  if (step.slots.length === 0) return [];
  const view = await systems.issuer.survey(call);
  const wanted = view.slots.filter((slot) => step.slots.includes(slot.slot));
  return Promise.all(
    wanted.map(async ({ slot, tag: text, enabled, unkept }) => {
      const before = ownTag(changing, slot, text);
      const next = tag(
        before?.version ?? versionIn(state, slot),
        before?.state ?? (enabled ? "enabled" : "disabled"),
      );
      await systems.issuer.seize(
        { slot, expect: text, tag: next, identity: state.plan?.identity ?? null },
        call,
      );
      return { slot, tag: formatTag(next), enabled, ...(unkept ? { unkept } : {}) };
    }),
  );
}

async function seizePlaces(changing: Changing<Seize>): Promise<PlaceFact[]> {
  const { systems, state, step, call, tag } = changing;
  return Promise.all(
    step.places.map(async (place) => {
      const store = systems.stores[place];
      if (!store) return settledAsKnown(state, place);
      const { tag: text, liveVersion } = await store.view(call);
      ownTag(changing, place, text);
      const next = tag(liveVersion ?? state.origin, "enabled");
      await store.seize(
        { slot: place, expect: text, tag: next, identity: state.plan?.identity ?? null },
        call,
      );
      return { place, tag: formatTag(next), liveVersion };
    }),
  );
}

/**
 * A place that the estate has given up: nobody writes there any more and nobody is told to read there, so what
 * was last known of it stands. Failing here instead would leave the rotation without fences for ever.
 */
function settledAsKnown(state: RotationState, place: string): PlaceFact {
  const known = state.places[place];
  if (!known) throw new RekeyError("internal", `The rotation knows no place ${place}.`);
  return { place, tag: known.tag, liveVersion: known.liveVersion };
}

/** The version that the records put into a slot; a slot that was never used carries `none`. */
function versionIn(state: RotationState, slot: string): string {
  const version = Object.values(state.versions).find(
    (candidate) => candidate.slot === slot && candidate.life !== "planned",
  );
  return version?.id ?? "none";
}

/**
 * The tag that stands there, where this change may replace it; null for a text that is no tag. A seize expects whatever
 * it finds, so it has to look itself whether a later epoch, or a later attempt of its own, has been there before it: it
 * may have waited for long between its intent and this (H3, H8).
 */
function ownTag({ deps, state, change }: Changing<Seize>, where: string, text: string): FenceTag | null {
  const tag = parseTag(text);
  if (tag === null) return null;
  if (tag.installation !== deps.installation) {
    throw new RekeyError(
      "foreign-installation",
      `${where} carries the tag of installation ${tag.installation}.`,
    );
  }
  const isLater =
    tag.epoch > state.epoch ||
    (tag.rotation === state.id && tag.epoch === state.epoch && tag.change > change);
  if (isLater)
    throw new RekeyError("fenced", `${where} carries the tag of epoch ${tag.epoch}, change ${tag.change}.`);
  return tag;
}
