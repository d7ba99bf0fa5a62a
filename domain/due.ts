/** When a rotation is due and when it may start: intervals, windows, freezes; pure in `now` (C13). */
import type { Policy, Weekday, Window } from "./estate/types.js";

const weekdays: readonly Weekday[] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const minuteMs = 60_000;
const dayMinutes = 24 * 60;
/** How far ahead an opening is looked for; a window opens at least once a week, a freeze may be long. */
const horizonMs = 400 * dayMinutes * minuteMs;

/** When the next rotation is due, or null where the policy has no interval. Never rotated means due since `knownSince`. */
export function dueAt(
  policy: Pick<Policy, "intervalMs">,
  lastEndedAt: number | null,
  knownSince: number,
): number | null {
  if (policy.intervalMs === undefined) return null;
  return (lastEndedAt ?? knownSince) + policy.intervalMs;
}

/**
 * The earliest time from `now` on at which the policy lets a rotation start: inside the window, outside every
 * freeze. `now` itself when it may start at once; null when nothing opens within 400 days.
 */
export function startableAt(policy: Pick<Policy, "window" | "freezes">, now: number): number | null {
  let at = now;
  while (at - now <= horizonMs) {
    const frozenUntil = policy.freezes
      .filter((freeze) => Date.parse(freeze.from) <= at && at < Date.parse(freeze.until))
      .map((freeze) => Date.parse(freeze.until));
    if (frozenUntil.length > 0) {
      at = Math.max(...frozenUntil);
      continue;
    }
    if (policy.window === undefined || isOpen(policy.window, at)) return at;
    at = nextLook(policy.window, at);
  }
  return null;
}

/**
 * The next moment at which a closed window can be open: when the local clock shows its start; or the next minute,
 * where the clocks change before that. Windows are written in whole minutes, so nothing lies between.
 */
function nextLook({ from, timezone }: Window, at: number): number {
  const minute = Math.floor(at / minuteMs);
  const start = minutesOf(from);
  const ahead = (start - localTime(timezone, at).minute + dayMinutes - 1) % dayMinutes;
  const opening = (minute + ahead + 1) * minuteMs;
  return localTime(timezone, opening).minute === start ? opening : (minute + 1) * minuteMs;
}

/** True while the window is open at `at`. A window whose end is before its start runs over midnight. */
export function isOpen(window: Window, at: number): boolean {
  const local = localTime(window.timezone, at);
  const from = minutesOf(window.from);
  const to = minutesOf(window.to);
  if (from < to) return window.days.includes(local.day) && local.minute >= from && local.minute < to;
  const yesterday = weekdays[(weekdays.indexOf(local.day) + 6) % 7] ?? "sun";
  return (
    (window.days.includes(local.day) && local.minute >= from) ||
    (window.days.includes(yesterday) && local.minute < to)
  );
}

function minutesOf(clock: string): number {
  const [hours = "0", minutes = "0"] = clock.split(":");
  return Number(hours) * 60 + Number(minutes);
}

/** Making a formatter costs a hundred times what using it does, and a search may look at thousands of minutes. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(timezone: string): Intl.DateTimeFormat {
  const known = formatters.get(timezone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-GB", {
    timeZone: timezone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  formatters.set(timezone, made);
  return made;
}

function localTime(timezone: string, at: number): { day: Weekday; minute: number } {
  const parts = formatterOf(timezone).formatToParts(at);
  const part = (type: string) => parts.find((entry) => entry.type === type)?.value ?? "";
  const day = weekdays.find((name) => name === part("weekday").toLowerCase()) ?? "sun";
  return { day, minute: Number(part("hour")) * 60 + Number(part("minute")) };
}
