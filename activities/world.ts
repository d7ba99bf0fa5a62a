/**
 * What stands at the issuer and in the store before a rotation begins, as far as it can be read. Who takes up an open
 * rotation needs nothing of it, and a leak does not wait for a store that is away (I5, H24).
 */
import type { Call } from "../adapters/ports.js";
import { RekeyError } from "../domain/errors.js";
import type { PlaceFact, SlotFact } from "../domain/rotation/events.js";
import type { Beginning, LivingVersion } from "../domain/rotation/initial.js";
import { asRekeyError } from "./calls.js";
import type { Systems } from "./deps.js";

/** Read, or why not. */
type Read<T> = { readonly value: T } | { readonly failed: RekeyError };

/** What could be read. */
export interface WorldSeen {
  readonly slots: Read<readonly SlotFact[]>;
  readonly places: readonly { readonly place: string; readonly fact: Read<PlaceFact> }[];
  /** The slot that the live document logs in with; null where there is none. */
  readonly liveSlot: Read<string | null>;
}

/**
 * Reads all of it at once. Throws nothing: what fails is told in its place. `urgent`: a node of the issuer that is away
 * keeps nobody from telling what stands at the others.
 */
export async function worldOf({ issuer, stores }: Systems, urgent: boolean, call: Call): Promise<WorldSeen> {
  const [slots, places, live] = await Promise.all([
    slotsAt(issuer, urgent, call),
    Promise.all(
      Object.entries(stores).map(async ([place, store]) => {
        const viewing = store.view(call).then(({ tag, liveVersion }) => ({ place, tag, liveVersion }));
        return { place, fact: await read(viewing) };
      }),
    ),
    read(stores.main.live(call)),
  ]);
  // Whose a document is some issuers know only once they have been looked at.
  const liveSlot =
    "failed" in live ? live : { value: live.value === null ? null : issuer.slotOf(live.value) };
  return { slots, places, liveSlot };
}

/** As every node has them; with both questions asked at once, because a node that hangs takes all the time there is. */
async function slotsAt(issuer: Systems["issuer"], urgent: boolean, call: Call): Promise<WorldSeen["slots"]> {
  const [all, some] = await Promise.all([
    read(issuer.survey(call).then((view) => view.slots)),
    urgent && issuer.slots !== undefined ? read(issuer.slots(call)) : null,
  ]);
  const away = "failed" in all && all.failed.code === "unreachable";
  return away && some !== null && "value" in some ? some : all;
}

async function read<T>(reading: Promise<T>): Promise<Read<T>> {
  try {
    return { value: await reading };
  } catch (error) {
    return { failed: asRekeyError(error) };
  }
}

/** Every tag that was read. */
export function tagsIn({ slots, places }: WorldSeen): string[] {
  const facts = places.flatMap(({ fact }) => ("value" in fact ? [fact.value] : []));
  return [...("value" in slots ? slots.value : []), ...facts].map(({ tag }) => tag);
}

/**
 * What a new rotation begins with. Throws what could not be read; only in an emergency places are left for later, as
 * long as the records or the issuer's only enabled slot say which version is in use.
 */
export function foundFor(
  { slots, places, liveSlot }: WorldSeen,
  isEmergency: boolean,
  living: readonly Pick<LivingVersion, "life">[],
): Pick<Beginning, "slots" | "places" | "unread" | "liveSlot"> {
  const there = readIn(slots);
  const away = places.filter(
    ({ place, fact }) => "failed" in fact || (place === "main" && "failed" in liveSlot),
  );
  const unread = away.map(({ place }) => place);
  const facts = places.flatMap(({ place, fact }) =>
    "value" in fact && !unread.includes(place) ? [fact.value] : [],
  );
  if (away.length === 0) return { slots: there, places: facts, liveSlot: readIn(liveSlot) };
  if (!isEmergency) throw failureOf(away[0]?.fact, liveSlot);
  if (!unread.includes("main")) return { slots: there, places: facts, unread, liveSlot: readIn(liveSlot) };
  const [only, another] = there.filter(({ enabled }) => enabled);
  const isKnown = living.some(({ life }) => life === "active");
  if (!isKnown && (only === undefined || another !== undefined)) throw failureOf(away[0]?.fact, liveSlot);
  return { slots: there, places: facts, unread, liveSlot: isKnown ? null : (only?.slot ?? null) };
}

function readIn<T>(given: Read<T>): T {
  if ("failed" in given) throw given.failed;
  return given.value;
}

function failureOf(...reads: readonly (Read<unknown> | undefined)[]): RekeyError {
  const failed = reads.flatMap((one) => (one !== undefined && "failed" in one ? [one.failed] : []));
  return failed[0] ?? new RekeyError("internal", "Nothing has failed.");
}
