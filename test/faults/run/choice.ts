/**
 * Which cases come first: the matrix has more of them than there is time. Every fault at every kind of call in every
 * direction has its turns at a pace of its own: changes most often, what a kill leaves or a server that is gone for long
 * least, for it takes as long as five others. An outage has its turns in one direction after the other.
 */
import { type CallKind, isOutage, type Planted, pointName } from "../seam/points.js";
import { type Case, caseId, mixed } from "./cases.js";

/** What each call that was seen does, by the name of its point. */
type Kinds = ReadonlyMap<string, CallKind>;

/** Turns of each weight in the time of one look, or of one kill. */
const paces = [5, 2, 1];

function paceOf(one: Case, kinds: Kinds): number {
  return one.planted.at(-1)?.fault === "kill" || isLong(one) ? 1 : (paces[weightOf(one, kinds)] ?? 1);
}

/** Somebody is away in it for longer than any call lasts. */
function isLong({ planted }: Case): boolean {
  return planted.some(({ fault }) => fault.endsWith("-gone"));
}

/** The kind of the calls that a case disturbs: changes are heaviest. */
function weightOf({ planted }: Case, kinds: Kinds): number {
  const last: Planted | undefined = planted.at(-1);
  if (last !== undefined && isOutage(last.fault)) return 1;
  const kind = last === undefined ? "ask" : kinds.get(pointName(last));
  return kind === "change" ? 0 : kind === "record" || kind === "activity" ? 1 : 2;
}

/** What is alike in two cases of a world: the fault, the kind of call that it hits, and the direction, but for an outage. */
export function stratumOf({ direction, planted }: Case, kinds: Kinds): string {
  const last = planted.at(-1);
  if (last === undefined) return `${direction} calm`;
  const { when, fault } = last;
  return isOutage(fault)
    ? `gate ${fault}`
    : `${direction} ${kinds.get(pointName(last)) ?? "ask"} ${when}-${fault}`;
}

/**
 * All of a world's cases, in the order in which they are to be played: of any two strata with one pace neither is ever
 * more than one turn ahead. Which of them is first, the seed says.
 */
export function woven(cases: readonly Case[], kinds: Kinds, seed: number): Case[] {
  const strata = Map.groupBy(mixed(cases, caseId, seed), (one) => stratumOf(one, kinds));
  const placed = mixed([...strata], ([name]) => name, seed).flatMap(([, own], place) =>
    own.map((one, index) => ({ one, at: (index + place / strata.size) / paceOf(one, kinds) })),
  );
  return placed.sort((a, b) => a.at - b.at).map(({ one }) => one);
}

/** A share of so many, half of them at changes, none of them long. */
export function sampled(cases: readonly Case[], kinds: Kinds, seed: number, share: number): Case[] {
  const all = mixed(cases, caseId, seed).filter((one) => !isLong(one));
  const heavy = all.filter((one) => weightOf(one, kinds) === 0);
  const light = all.filter((one) => weightOf(one, kinds) > 0);
  return [...heavy.slice(0, Math.ceil(share / 2)), ...light.slice(0, Math.floor(share / 2))];
}
