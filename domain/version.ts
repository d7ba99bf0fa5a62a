/**
 * A version's life, as one transition function: an event that a state does not allow is an error, so a bug
 * stops the walk instead of quietly skipping a proof (protocol.md, Words).
 */
import { RekeyError } from "./errors.js";

/** Where a version stands. `leaked` is not a stage: it may be added to any of them. */
export type Life =
  | "planned"
  | "issued"
  | "proven"
  | "delivered"
  | "active"
  | "retiring"
  | "disabled"
  | "destroyed"
  | "abandoned";

/** What can happen to a version. */
export type LifeEvent =
  | "issue"
  | "prove"
  | "deliver"
  | "activate"
  | "retire"
  | "disable"
  | "enable"
  | "destroy"
  | "reappear"
  | "abandon";

const moves: Readonly<Record<Life, Partial<Record<LifeEvent, Life>>>> = {
  planned: { issue: "issued", abandon: "abandoned" },
  issued: { prove: "proven", retire: "retiring", disable: "disabled" },
  proven: { prove: "proven", deliver: "delivered", retire: "retiring", disable: "disabled" },
  delivered: {
    prove: "delivered",
    deliver: "delivered",
    activate: "active",
    retire: "retiring",
    disable: "disabled",
  },
  active: { prove: "active", deliver: "active", activate: "active", retire: "retiring", disable: "disabled" },
  retiring: { prove: "retiring", deliver: "delivered", retire: "retiring", disable: "disabled" },
  disabled: { enable: "issued", disable: "disabled", destroy: "destroyed" },
  // An issuer that was put back to how it was may accept it again: then it has to be taken away again (I5).
  destroyed: { destroy: "destroyed", reappear: "retiring" },
  abandoned: { abandon: "abandoned" },
};

/** The stages in which an issuer may still accept the version. */
export const liveStages: readonly Life[] = ["issued", "proven", "delivered", "active", "retiring"];

/** The life after `event`. Throws `internal` when the stage does not allow it. */
export function step(life: Life, event: LifeEvent): Life {
  const next = moves[life][event];
  if (next === undefined) throw new RekeyError("internal", `A version that is ${life} cannot ${event}.`);
  return next;
}

/** True where `event` is legal now. */
export function allows(life: Life, event: LifeEvent): boolean {
  return moves[life][event] !== undefined;
}

/** True while the issuer may accept the version. */
export function isLive(life: Life): boolean {
  return liveStages.includes(life);
}

/** True once nothing more can happen to the version. */
export function isEnded(life: Life): boolean {
  return life === "destroyed" || life === "abandoned";
}

/** Under this suffix the place of a version is reserved before its value is made (H11). */
const reservedSuffix = "-reserved";

/** The id of the copy with which the place of a version is reserved. */
export function reservationOf(version: string): string {
  return `${version}${reservedSuffix}`;
}

/** The version that a copy is of, or that its place is reserved for. */
export function versionOfCopy(id: string): string {
  return id.endsWith(reservedSuffix) ? id.slice(0, -reservedSuffix.length) : id;
}
