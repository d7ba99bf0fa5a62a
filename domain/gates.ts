/**
 * The gates: the whole protocol as one ordered list. For the target T and every other live version O, the
 * first gate that is not satisfied says what happens next. The list reads as the table of protocol.md; the
 * same list leads forward, back and through an emergency, because going back is only another target.
 */
import { firstRed, isFresh, isUnheld, standing } from "./adoption.js";
import { approval } from "./approval.js";
import { needsRenewal, quietFrom, quietNeededMs, soakSpan } from "./drain.js";
import { type Finding, refusals } from "./finding.js";
import { revocations, revoked } from "./revoked.js";
import { checkersMemoryMs, isChecked, stillAccepting } from "./roles.js";
import {
  isDisplaced,
  isGoingBack,
  mayEndUnchanged,
  mayMakeRoom,
  nothingIssued,
  others,
  replacesInPlace,
  targetOf,
} from "./rotation/moves.js";
import type { PlaceState, RotationState, VersionState, Wave } from "./rotation/state.js";
import type { Step } from "./rotation/steps.js";
import { pass, type Verdict } from "./rotation/verdict.js";
import { isEnded } from "./version.js";

/** One gate: its name in protocol.md, the question it asks, and the answer. */
export interface Gate {
  readonly name: string;
  readonly asks: string;
  readonly check: (state: RotationState, now: number) => Verdict;
}

const mapped: Gate = {
  name: "mapped",
  asks: "Do we know every consumer, and how do we know?",
  check: (state) =>
    state.surveyedAt === null || state.plan === null ? { is: "do", step: { do: "survey" } } : pass,
};

const assessed: Gate = {
  name: "assessed",
  asks: "Is there a reason not to?",
  check: (state, now) => {
    const found = inTheWay(state);
    const reason = found.map((finding) => finding.sentence).join(" ");
    if (found.length > 0) {
      // A leak is not left open because of a finding: it is looked at again, and containment goes its way.
      if (mayEndUnchanged(state)) return { is: "refuse", reason };
      const verdict = heldBy(state, now, reason, blockedSince(state));
      // What is off is not switched on again, and nobody moved back, because a log cannot be read.
      const isOnlyUnread = found.every(({ code }) => code === "last-reading");
      return verdict.is === "stuck" && isOnlyUnread && isEachOff(state) ? { is: "hold", reason } : verdict;
    }
    if (isGoingBack(state)) return pass;
    if (nothingIssued(state) && !state.emergency && state.notBefore !== null && now < state.notBefore) {
      return {
        is: "wait",
        until: state.notBefore,
        for: "the rotation window opens",
        who: "time, or an emergency",
        watch: false,
      };
    }
    return pass;
  },
};

/**
 * Which findings count. Going back needs no leave: the plan that was approved covers it, and both versions are
 * valid meanwhile. But where somebody else writes, or another server answers, nothing that we know of the
 * world may be relied on when a version is taken away (I2).
 */
function inTheWay(state: RotationState): readonly Finding[] {
  const findings = refusals(state.findings);
  if (!isGoingBack(state)) return findings;
  return findings.filter(
    ({ code, subject = "" }) =>
      code === "wrong-server" ||
      code === "foreign-tag" ||
      // A slot's own fence holds off a change, and a login proves it; of a place only the look knows.
      (code === "changed-outside" && subject in state.places),
  );
}

/** Since when what stands in the way could have been mended: a record that rightly comes late is nobody's to bring nearer. */
function blockedSince(state: RotationState): number {
  const tells = (state.unread ?? []).map(({ tellsFrom = 0 }) => tellsFrom);
  return Math.max(state.blockedSince ?? state.changedAt, ...tells);
}

/** Every version but the target has been switched off. */
function isEachOff(state: RotationState): boolean {
  return others(state).every(({ issuer }) => issuer !== "enabled");
}

/** A reason that came up after issue: both versions stay valid, it is looked at again, and after a while an operator is asked. */
function heldBy(state: RotationState, now: number, reason: string, since: number): Verdict {
  const until = Math.max(since, state.resumedAt ?? 0) + state.policy.stallTimeoutMs;
  // Turning round would mend nothing in an emergency: the finding would stand in the other way too.
  if (now >= until) return { is: state.emergency ? "hold" : "stuck", reason };
  return {
    is: "wait",
    until,
    for: `this to be mended: ${reason}`,
    who: "whoever can mend it, or cancel",
    watch: true,
  };
}

const approved: Gate = {
  name: "approved",
  asks: "Did the owners sign this very plan, and do their decisions still hold?",
  check: approval,
};

const issued: Gate = {
  name: "issued",
  asks: "Does the target exist and is it enabled at the issuer?",
  check: (state, now) => {
    const target = targetOf(state);
    const { id: version, slot } = target;
    if (target.leaked) return { is: "hold", reason: "Every version that could be used has leaked." };
    if (target.issuer === "enabled") return pass;
    if (target.issuer === "disabled") return { is: "do", step: { do: "enable", version, slot } };
    if (target.issuer !== "absent")
      return { is: "stuck", reason: `The target ${version} is ${target.issuer} at the issuer.` };
    const occupant = others(state).find((other) => other.slot === slot && other.issuer !== "absent");
    if (!occupant || replacesInPlace(state)) return { is: "do", step: { do: "issue", version, slot } };
    return mayMakeRoom(state, occupant)
      ? emptied(state, now, occupant)
      : { is: "stuck", reason: `No slot is free for ${version}.` };
  },
};

/**
 * No slot is free: one is emptied to make room (H25). What leaked is taken away as soon as nobody holds it, or
 * the emergency no longer waits for those who do; what did not, only once nobody holds it.
 */
function emptied(state: RotationState, now: number, occupant: VersionState): Verdict {
  const { id: version, slot, leaked } = occupant;
  if (isRefused(occupant)) return { is: "do", step: { do: "destroy", version, slot } };
  const isForced = leaked && revokesNow(state, now);
  if (!occupant.delivered || isForced || isUnheld(state, occupant, now)) {
    return { is: "do", step: { do: "disable", version, slot } };
  }
  const lastAt = Math.max(state.changedAt, state.resumedAt ?? 0) + state.policy.adoptionTimeoutMs;
  if (!leaked && now >= lastAt) return { is: "hold", reason: `No slot is free: ${version} is still in use.` };
  return {
    is: "wait",
    until: leaked ? (state.emergency?.containBy ?? null) : lastAt,
    for: `slot ${slot} to become free: every slot is taken, and ${version} is in use`,
    who: "time, or a responder who revokes at once",
    watch: true,
  };
}

const proved: Gate = {
  name: "proved",
  asks: "Does it log in at every node, as whom it should, with the rights that it should have?",
  check: (state) => {
    const target = targetOf(state);
    return target.proved ? pass : { is: "do", step: { do: "prove", version: target.id, slot: target.slot } };
  },
};

const contained: Gate = {
  name: "contained",
  asks: "In an emergency that revokes at once: is every leaked version refused?",
  check: (state, now) => {
    const step = containment(state, now);
    return step === null ? pass : { is: "do", step };
  },
};

/** A step that takes a version out of use in its slot. */
export type SlotStep = Extract<Step, { do: "disable" }>;

/** The step that takes a leaked version out of use at once, where the emergency asks for that; else null. */
export function containment(state: RotationState, now: number): SlotStep | null {
  if (!revokesNow(state, now)) return null;
  // One that is off already, and that nobody could try yet, does not keep another one open (I5).
  const rank = { enabled: 0, unknown: 1, disabled: 2, absent: 3, destroyed: 3 };
  const [leaked] = Object.values(state.versions)
    .filter((version) => version.leaked && !isEnded(version.life) && !isRefused(version))
    .sort((a, b) => rank[a.issuer] - rank[b.issuer]);
  return leaked ? { do: "disable", version: leaked.id, slot: leaked.slot } : null;
}

/** True once containment no longer waits for consumers. */
export function revokesNow(state: RotationState, now: number): boolean {
  if (!state.emergency) return false;
  return state.emergency.containment === "revoke-now" || now >= state.emergency.containBy;
}

function isRefused(version: VersionState): boolean {
  return (
    version.issuer === "absent" ||
    version.issuer === "destroyed" ||
    (version.issuer === "disabled" && version.refused)
  );
}

const delivered: Gate = {
  name: "delivered and adopted",
  asks: "Wave after wave: is it in the store, and does every instance of every consumer work on it, through its soak?",
  check: (state, now) => {
    const plan = state.amendments.at(-1) ?? state.plan;
    const waves = plan?.waves ?? [];
    // In an emergency nobody waits for the wave before: all are told first (H24). Only a version that nobody would
    // accept from them is of no use to them, unless what they have is taken away in any case (H28).
    const first = revokesNow(state, now) ? [] : waves.filter(({ place }) => place === null);
    const checks = state.emergency
      ? [
          ...first.map((wave) => () => standing(state, wave, now)),
          ...waves.map((wave) => () => told(state, wave, now)),
          ...waves.map((wave) => () => standing(state, wave, now)),
        ]
      : waves.flatMap((wave) => [() => told(state, wave, now), () => standing(state, wave, now)]);
    for (const check of checks) {
      const verdict = check();
      if (verdict.is !== "pass") return verdict;
    }
    return pass;
  },
};

function told(state: RotationState, wave: Wave, now: number): Verdict {
  // They take it from the issuer, where it is since it was made valid.
  if (wave.place === null) return pass;
  const place = state.places[wave.place];
  if (place !== undefined && wasTold(place, state.target, wave.consumers)) return pass;
  // Whoever held what the target displaced fails until the target reaches them.
  const red =
    isGoingBack(state) || state.emergency || isDisplaced(state, state.origin)
      ? null
      : firstRed(state, wave.consumers);
  if (red !== null)
    return heldBy(state, now, `${red} was not working before its wave began.`, state.changedAt);
  const { place: name, consumers } = wave;
  return { is: "do", step: { do: "deliver", version: state.target, place: name, consumers } };
}

/** The place carries the version and these consumers were told so; a place that was never touched needs no telling. */
function wasTold(place: PlaceState, target: string, consumers: readonly string[]): boolean {
  if (place.liveVersion !== target || place.told !== target) return false;
  return place.toldAt === null || consumers.every((id) => place.toldTo.includes(id));
}

const drained: Gate = {
  name: "drained",
  asks: "Has nobody used any other version for the quiet period, as far as we can see?",
  check: (state, now) => {
    for (const other of others(state)) {
      if (other.issuer !== "enabled") continue;
      // A leaked version is given no quiet time past the emergency's deadline; a clean one always is.
      if (other.leaked && revokesNow(state, now)) continue;
      const needMs = quietNeededMs(state, other);
      const from = quietFrom(state, other);
      const seenUntil = state.uses[other.id]?.watermarkAt ?? null;
      if (!isFresh(state, now)) return { is: "do", step: { do: "survey" } };
      // Only a look that could see counts, and only the last one: blindness is not quiet (H21).
      const sees = from !== null && seenUntil !== null && seenUntil >= (state.surveyedAt ?? 0);
      if (sees && seenUntil - from >= needMs) continue;
      const deadline = Math.max(state.changedAt, state.resumedAt ?? 0) + state.policy.drainTimeoutMs + needMs;
      if (now >= deadline) return { is: "stuck", reason: `Version ${other.id} is still in use.` };
      if (needsRenewal(state, other))
        return { is: "do", step: { do: "renew", version: other.id, slot: other.slot } };
      const until = sees ? Math.min(deadline, from + needMs) : deadline;
      if (now >= until) return { is: "do", step: { do: "survey" } };
      return {
        is: "wait",
        until,
        for: `nobody to have used version ${other.id} for the quiet period`,
        who: "its consumers",
        watch: true,
      };
    }
    return pass;
  },
};

const disabled: Gate = {
  name: "disabled",
  asks: "Is every other version refused at every node, with no session left, and did everything go on working?",
  check: (state, now) => {
    for (const other of others(state)) {
      if (other.issuer === "absent") continue;
      if (!isRefused(other))
        return { is: "do", step: { do: "disable", version: other.id, slot: other.slot } };
      const verdict =
        other.issuer === "disabled"
          ? afterwards(state, other, now)
          : isDisplaced(state, other.id)
            ? revoked(state, other, now)
            : pass;
      if (verdict.is !== "pass") return verdict;
    }
    return pass;
  },
};

/** What follows the switch: refusals over the propagation time, what was taken with it, and then the soak. */
function afterwards(state: RotationState, version: VersionState, now: number): Verdict {
  const verdict = revoked(state, version, now);
  return verdict.is === "pass" ? soaked(state, version, now) : verdict;
}

/**
 * The time under observation after a version was switched off. Whoever checks versions may let it in until its
 * memory has run out, and has to be seen not to (H27); only then is it revoked.
 */
function soaked(state: RotationState, version: VersionState, now: number): Verdict {
  if (version.disabledAt === null) return pass;
  const soak = soakSpan(state, version);
  const read = state.uses[version.id]?.read;
  // Whoever still asks for it has nothing else; while it is not destroyed they can have it back.
  if (soak !== null && read !== undefined && read.at > version.disabledAt)
    return {
      is: "stuck",
      reason: `${read.by} read version ${version.id} after it was switched off; an exception to \`old-version-read\` about them goes on without it.`,
    };
  const untilForgotten = version.disabledAt + (isChecked(state.traits) ? checkersMemoryMs(state) : 0);
  const until = Math.max(soak?.until ?? 0, untilForgotten);
  if (now < until)
    return { is: "wait", until, for: `the soak after ${version.id} was disabled`, who: "time", watch: true };
  if (!isChecked(state.traits)) return pass;
  if (!isFresh(state, now)) return { is: "do", step: { do: "survey" } };
  const [name] = stillAccepting(state, version.id);
  if (name === undefined) return pass;
  const reason = `Instance ${name} still accepts version ${version.id}.`;
  const deadline = Math.max(until, state.resumedAt ?? 0) + state.policy.adoptionTimeoutMs;
  // Going back would not make it forget.
  if (now >= deadline) return { is: "hold", reason };
  return {
    is: "wait",
    until: deadline,
    for: `everybody to forget it. ${reason}`,
    who: "its owner",
    watch: true,
  };
}

const destroyed: Gate = {
  name: "destroyed",
  asks: "Is every other version gone, at the issuer first and then every copy?",
  check: (state) => {
    // At the issuer already, but not yet every copy: the step is repeated, it is the same twice.
    const other = others(state).find(
      (version) => version.issuer === "disabled" || version.issuer === "destroyed",
    );
    return other ? { is: "do", step: { do: "destroy", version: other.id, slot: other.slot } } : pass;
  },
};

const closed: Gate = {
  name: "closed",
  asks: "Is the evidence sealed?",
  check: (state, now) => {
    const outcome = isGoingBack(state) ? "went-back" : "rotated";
    const said = [state.turned?.reason ?? "every gate was satisfied", revocations(state, now)];
    return {
      is: "do",
      step: { do: "close", outcome, reason: said.filter((part) => part !== "").join("; ") },
    };
  },
};

/** The table of protocol.md, in its order. */
export const gates: readonly Gate[] = [
  mapped,
  assessed,
  approved,
  issued,
  proved,
  contained,
  delivered,
  drained,
  disabled,
  destroyed,
  closed,
];
