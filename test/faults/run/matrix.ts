/**
 * The matrix: every fault that makes sense at every call that was seen to be made. The calls come from watching
 * rotations to which nothing happens, and ones that had to recover, so that nobody has to keep a list.
 */
import type { Direction } from "../house/directions.js";
import {
  type CallKind,
  faultsAt,
  type Outage,
  outagesAt,
  type Point,
  pointName,
  readPlanted,
} from "../seam/points.js";
import type { Seen } from "../seam/witness.js";
import { worlds } from "../worlds/index.js";
import { type Case, caseId } from "./cases.js";

/** Looks are repeated until something happens; later ones are like the first two. */
const repetitionsMax = 2;

/** Faults after which a rotation has to settle what happened, and so makes calls that it otherwise does not. */
const primers: readonly string[] = [
  "issue.issuer.enable.1/after-timeout",
  "deliver.store.promote.1/after-timeout",
  "disable.issuer.disable.1/after-timeout",
];

/** What has to be watched first: each direction undisturbed, and each primer on the way forward. */
export function toWatch(world: string, directions: readonly Direction[], thorough: boolean): Case[] {
  const calm = directions.map((direction): Case => ({ world, direction, planted: [] }));
  const own = worlds[world]?.primers ?? primers;
  const primed = own.map((text): Case => ({ world, direction: "forward", planted: [readPlanted(text)] }));
  return thorough ? [...calm, ...primed] : calm;
}

/** A call as it was seen, with what it does. */
interface Watched extends Point {
  readonly kind: CallKind;
}

/** The calls of a case, each once, in the order in which they were first made. */
function callsIn(seen: readonly Seen[]): Watched[] {
  const calls = new Map<string, Watched>();
  for (const { point, kind, what } of seen) {
    if (what !== "begin" || calls.has(point)) continue;
    const { activity, call, nth } = readPlanted(`${point}/before-error`);
    if (activity === "look" && nth > repetitionsMax) continue;
    calls.set(point, { activity, call, nth, kind });
  }
  return [...calls.values()];
}

/** A case that was watched, and what was seen. */
export interface WatchedCase {
  readonly played: Case;
  readonly seen: readonly Seen[];
}

/** Every case that follows from what was watched, each once. */
export function casesFrom(watched: readonly WatchedCase[]): Case[] {
  const cases = new Map<string, Case>();
  const known = new Set<string>();
  const add = (made: Case): void => void cases.set(caseId(made), made);
  for (const { played, seen } of [...watched].sort(
    (a, b) => a.played.planted.length - b.played.planted.length,
  )) {
    const { world, direction, planted } = played;
    const { disturbed = /^/ } = worlds[world] ?? {};
    for (const call of callsIn(seen).filter(({ activity }) => disturbed.test(activity))) {
      const name = `${world} ${direction} ${pointName(call)}`;
      // A call that a primed rotation makes and a calm one does not is met only behind the primer.
      if (known.has(name)) continue;
      known.add(name);
      const outages =
        isGate(call) && planted.length === 0 ? outagesAt(call, (one) => can(played, call, one)) : [];
      for (const fault of [...faultsAt(call, call.kind), ...outages])
        add({ world, direction, planted: [...planted, fault] });
    }
  }
  return [...cases.values()];
}

/** Where an outage begins: before each activity for the first time, and in the middle of each change of issuer and store. */
function isGate({ call, nth, kind }: Watched): boolean {
  return nth === 1 && (call === "activity.run" || (kind === "change" && /^(issuer|store)\./.test(call)));
}

/** What every lane has besides its world's servers. */
const everywhere: ReadonlySet<string> = new Set([
  "inventory",
  "audit",
  "temporal",
  "worker",
  "workflow",
  "clock",
]);

function isRevocation(activity: string): boolean {
  return activity === "disable" || activity === "destroy";
}

function can({ world, direction }: Case, { activity, call }: Point, outage: Outage): boolean {
  // A report that is lost with the records is reported anew, which is what an emergency's cases are about.
  if (outage === "inventory-restored")
    return direction !== "leaked" && worlds[world]?.goesOnRestored === true;
  if (outage === "issuer-full") return worlds[world]?.full?.includes("issuer") === true;
  if (outage === "store-sealed") return worlds[world]?.seals === true;
  if (outage === "issuer-blind") return worlds[world]?.blinds === true;
  if (outage === "source-unmounted")
    return worlds[world]?.unmounts === true && /^(look|scan_\w+)$/.test(activity);
  if (outage === "store-written") return worlds[world]?.isShared === true;
  if (outage === "issuer-restored" || outage === "store-restored") {
    // Between the last look and a revocation nobody can see that consumers were put back to what is being revoked.
    if (outage === "store-restored" && isRevocation(activity) && call !== "activity.run") return false;
    return worlds[world]?.restored?.some((system) => outage === `${system}-restored`) === true;
  }
  if (outage === "issuer-readonly" || outage === "store-readonly")
    return worlds[world]?.readOnly?.some((system) => outage === `${system}-readonly`) === true;
  const [system = ""] = outage.split("-");
  return everywhere.has(system) || (worlds[world]?.servers.some((server) => server === system) ?? false);
}

/** What each call that was seen does. */
export function kindsIn(watched: readonly WatchedCase[]): Map<string, CallKind> {
  return new Map(watched.flatMap(({ seen }) => seen.map(({ point, kind }) => [point, kind] as const)));
}
