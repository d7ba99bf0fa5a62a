/**
 * Two policies as one. A rotation runs for days by the rules that were agreed to; who makes them stricter
 * meanwhile wants that to hold now, and who loosens them has nobody's agreement for this rotation (H17).
 */
import { exceptionMaxMs } from "./exceptions.js";
import { useWindowMs } from "./graph/current.js";
import { canonical } from "./plan.js";
import type { RotationPolicy, RotationState } from "./rotation/state.js";
import { evidenceMaxAgeMs } from "./watched.js";

/** Times that allow more the longer they are: patience, ages, delays. */
const bounds = [
  "adoptionTimeoutMs",
  "drainTimeoutMs",
  "observationMaxAgeMs",
  "stallTimeoutMs",
  "containmentDeadlineMs",
  "signOffDeadlineMs",
] as const;

/** Times that allow less the longer they are: quiet, soaks. */
const floors = ["quietPeriodMs", "adoptionSoakMs", "disableSoakMs"] as const;

/**
 * The stricter of both for each threshold. `retryDelayMs` allows nothing, so the agreed one stays. A field that
 * only one of them has is taken from that one.
 */
export function stricter(agreed: RotationPolicy, current: RotationPolicy): RotationPolicy {
  const times = [
    ...bounds.map((name) => [name, Math.min(agreed[name], current[name])] as const),
    ...floors.map((name) => [name, Math.max(agreed[name], current[name])] as const),
  ];
  const overlaps = [agreed.overlapMaxMs, current.overlapMaxMs].filter((ms) => ms !== undefined);
  return {
    ...agreed,
    ...Object.fromEntries(times),
    approval: {
      quorum: Math.max(agreed.approval.quorum, current.approval.quorum),
      deadlineMs: Math.min(agreed.approval.deadlineMs, current.approval.deadlineMs),
      reminderMs: Math.min(agreed.approval.reminderMs, current.approval.reminderMs),
    },
    containment:
      agreed.containment === "revoke-now" || current.containment === "revoke-now"
        ? "revoke-now"
        : "after-adoption",
    ...(overlaps.length > 0 ? { overlapMaxMs: Math.min(...overlaps) } : {}),
    ...optional("unmappedReaders", either(agreed.unmappedReaders, current.unmappedReaders, sterner)),
    ...optional("blindSpots", either(agreed.blindSpots, current.blindSpots, sterner)),
    ...optional(
      "evidenceMaxAgeMs",
      either(
        agreed.evidenceMaxAgeMs,
        current.evidenceMaxAgeMs,
        (one = evidenceMaxAgeMs, other = evidenceMaxAgeMs) => Math.min(one, other),
      ),
    ),
    ...optional(
      "useWindowMs",
      either(agreed.useWindowMs, current.useWindowMs, (one = useWindowMs, other = useWindowMs) =>
        Math.max(one, other),
      ),
    ),
    ...optional(
      "exceptionMaxMs",
      either(agreed.exceptionMaxMs, current.exceptionMaxMs, (one = exceptionMaxMs, other = exceptionMaxMs) =>
        Math.min(one, other),
      ),
    ),
  };
}

/** Of a field that a policy may leave out; left out where both do. */
function either<Value>(
  one: Value | undefined,
  other: Value | undefined,
  of: (one: Value | undefined, other: Value | undefined) => Value,
): Value | undefined {
  return one === undefined && other === undefined ? undefined : of(one, other);
}

function optional(name: keyof RotationPolicy, value: unknown): Partial<RotationPolicy> {
  return value === undefined ? {} : { [name]: value };
}

function sterner(one: "refuse" | "warn" | undefined, other: "refuse" | "warn" | undefined) {
  return one === "refuse" || other === "refuse" ? "refuse" : "warn";
}

/**
 * The rules by which the rotation goes on, where `current` is what the estate says now. What was agreed to is
 * kept beside them once something was issued, because the plan that people signed is still about that.
 */
export function tightened(
  state: RotationState,
  current: RotationPolicy | undefined,
  issued: boolean,
): Pick<RotationState, "policy" | "agreedPolicy"> {
  const { policy, agreedPolicy } = state;
  const kept = agreedPolicy === undefined ? {} : { agreedPolicy };
  if (current === undefined) return { policy, ...kept };
  const next = stricter(policy, current);
  // The same state as long as nothing is stricter, so that looking again is no change.
  if (canonical(next) === canonical(policy)) return { policy, ...kept };
  return issued ? { policy: next, agreedPolicy: agreedPolicy ?? policy } : { policy: next };
}
