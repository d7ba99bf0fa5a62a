/**
 * What exists outside against what the records know: every slot, every live document and every copy is either
 * explained by the inventory, or named here. Only what carries our own tag, or is a copy of a version that the
 * records know to be dead, is ours to take away; everything else is somebody's.
 */
import { parseTag } from "./fence.js";
import type { PlaceFact, SlotFact } from "./rotation/events.js";
import { isEnded, type Life, versionOfCopy } from "./version.js";

/** What the systems of one credential show. */
export interface Stock {
  readonly slots: readonly SlotFact[];
  /** Slot whose account the live document logs in with; null where there is no document, or it is none of them. */
  readonly liveSlot: string | null;
  /** With the ids of the copies that the engine keeps at each place. */
  readonly places: readonly (PlaceFact & { readonly staged: readonly string[] })[];
}

/** What the records know of it. */
export interface Known {
  readonly installation: string;
  /** Every version that the credential ever had. */
  readonly versions: readonly { readonly id: string; readonly slot: string; readonly life: Life }[];
  /** Id of its rotation while one is open: what that made and keeps is its own affair. */
  readonly openRotation: string | null;
}

/** A version that nobody is to use, and what there is of it. */
export interface Orphan {
  readonly version: string;
  readonly slot: string;
  readonly found: "slot" | "copy";
}

/** One thing that exists and is not explained. */
export interface Drift {
  readonly code:
    | "foreign-tag"
    | "unknown-version"
    | "dead-version-accepted"
    | "left-over"
    | "live-unknown"
    | "live-dead"
    | "dead-copy"
    | "unknown-copy"
    | "unreachable";
  /** The slot or the place where it is. */
  readonly where: string;
  readonly sentence: string;
  /** What a removal would take away; null where that is not ours to do, or not now. */
  readonly orphan: Orphan | null;
}

/** One credential, looked at. */
export interface StockTaking {
  /** Its id and its name. */
  readonly credential: string;
  readonly name: string;
  readonly openRotation: string | null;
  readonly drifts: readonly Drift[];
}

/** Everything that is not explained, slots first. Pure; the same stock gives the same answer in the same order. */
export function driftsOf(stock: Stock, known: Known): Drift[] {
  const inSlots = stock.slots
    .flatMap((slot) => slotDrift(slot, known))
    .map((drift) => (drift.where === stock.liveSlot ? { ...drift, orphan: null } : drift));
  const live = stock.places.flatMap((place) => liveDrift(place, known));
  const named = new Set(inSlots.flatMap(({ orphan }) => orphan?.version ?? []));
  const copies = stock.places.flatMap((place) => copyDrifts(place, stock, known, named));
  // What is given out to consumers is in use, whatever the records say of it; then nothing is ours to take away.
  const settled = live.length === 0 && known.openRotation === null;
  return [...inSlots, ...live, ...copies].map((drift) => (settled ? drift : { ...drift, orphan: null }));
}

/** What a removal takes away: each version once, what is let in before what is only kept. */
export function orphansOf(drifts: readonly Drift[]): Orphan[] {
  const found = new Map<string, Orphan>();
  for (const { orphan } of drifts)
    if (orphan && !found.has(orphan.version)) found.set(orphan.version, orphan);
  return [...found.values()];
}

function slotDrift({ slot, tag, enabled }: SlotFact, known: Known): Drift[] {
  const there = parseTag(tag);
  // Before its first rotation an account carries no tag; that it is ours is in the records.
  if (there === null) {
    const behind = known.versions.find((version) => isLeftOver(version, slot));
    return behind && enabled && known.openRotation === null ? [leftOver(slot, behind)] : [];
  }
  if (there.installation !== known.installation) return [foreign(slot, there.installation)];
  if (there.rotation === known.openRotation) return [];
  const version = known.versions.find(({ id }) => id === there.version);
  const orphan: Orphan = { version: there.version, slot, found: "slot" };
  if (version && there.state !== "destroyed" && isLeftOver(version, slot)) return [leftOver(slot, version)];
  if (!enabled) return [];
  if (version === undefined) {
    const sentence = `${slot} lets in version ${there.version} of rotation ${there.rotation}, which the inventory does not know.`;
    return [{ code: "unknown-version", where: slot, sentence, orphan }];
  }
  if (!isEnded(version.life)) return [];
  const sentence = `${slot} lets in version ${version.id}, which the inventory knows as ${version.life}.`;
  return [
    { code: "dead-version-accepted", where: slot, sentence, orphan: version.slot === slot ? orphan : null },
  ];
}

function leftOver(slot: string, { id, life }: Known["versions"][number]): Drift {
  const sentence = `${slot} holds version ${id}, which is ${life} and which no open rotation takes away.`;
  return { code: "left-over", where: slot, sentence, orphan: { version: id, slot, found: "slot" } };
}

/** Not the one in use, not dead, and where the records have it: an earlier rotation left it behind. */
function isLeftOver({ slot: its, life }: Known["versions"][number], slot: string): boolean {
  return its === slot && !isEnded(life) && life !== "active" && life !== "planned";
}

/**
 * How the versions stand once restored records are accepted: what consumers read is the one in use, whatever the
 * records thought, and the one that was in use before is where its slot says. Empty where nothing differs, and while
 * a rotation is open, because whoever adopts it settles that.
 */
export function takenUp(
  { slots, liveSlot, places }: Stock,
  known: Known,
): readonly { readonly id: string; readonly slot: string; readonly life: Life }[] {
  const live = places.find(({ place }) => place === "main")?.liveVersion ?? null;
  const mayBe = live !== null && !known.versions.some(({ id }) => id === live);
  if (!mayBe || liveSlot === null || known.openRotation !== null) return [];
  const before = known.versions
    .filter(({ life }) => life === "active")
    .map(({ id, slot }) => {
      const there = slots.find((candidate) => candidate.slot === slot);
      const tag = parseTag(there?.tag);
      // A slot without a tag has not been changed by anybody of ours.
      const isGone = tag === null ? there?.enabled !== true : tag.version !== id || tag.state === "destroyed";
      return { id, slot, life: isGone ? ("destroyed" as const) : ("retiring" as const) };
    });
  return [...before, { id: live, slot: liveSlot, life: "active" as const }];
}

function liveDrift({ place, tag, liveVersion }: PlaceFact, known: Known): Drift[] {
  const there = parseTag(tag);
  if (there !== null && there.installation !== known.installation)
    return [foreign(place, there.installation)];
  if (liveVersion === null || there?.rotation === known.openRotation) return [];
  const version = known.versions.find(({ id }) => id === liveVersion);
  if (version !== undefined && !isEnded(version.life)) return [];
  // Before the first rotation a document may carry an id that nobody has recorded yet.
  if (version === undefined && there === null) return [];
  const what = version === undefined ? "does not know" : `knows as ${version.life}`;
  const sentence = `Consumers read version ${liveVersion} in ${place}, which the inventory ${what}.`;
  return [
    { code: version === undefined ? "live-unknown" : "live-dead", where: place, sentence, orphan: null },
  ];
}

function copyDrifts(
  { place, liveVersion, staged }: Stock["places"][number],
  { slots }: Stock,
  known: Known,
  named: ReadonlySet<string>,
): Drift[] {
  const ids = new Set(staged.map(versionOfCopy));
  return [...ids].sort().flatMap((id): Drift[] => {
    // With the slot its copies go, too.
    if (id === liveVersion || named.has(id)) return [];
    const version = known.versions.find((candidate) => candidate.id === id);
    if (version === undefined) {
      const sentence = `${place} keeps a copy of version ${id}, which the inventory does not know; nothing proves that it is ours.`;
      return known.openRotation === null
        ? [{ code: "unknown-copy", where: place, sentence, orphan: null }]
        : [];
    }
    if (!isEnded(version.life)) return [];
    const sentence = `${place} keeps a copy of version ${id}, which the inventory knows as ${version.life}.`;
    const letIn = slots.some(({ tag, enabled }) => enabled && parseTag(tag)?.version === id);
    const orphan: Orphan | null = letIn ? null : { version: id, slot: version.slot, found: "copy" };
    return [{ code: "dead-copy", where: place, sentence, orphan }];
  });
}

function foreign(where: string, installation: string): Drift {
  const sentence = `${where} carries the tag of installation ${installation}; it is not touched.`;
  return { code: "foreign-tag", where, sentence, orphan: null };
}
