/** Moments and spans for people: UTC, and no more digits than anybody reads. */

const spans = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** `2026-08-01 09:30:05Z`. */
export function moment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** `09:30:05.120`: the time of day, for lines that stand close together. */
export function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}

/** `350 ms`, `4 s`, `2 h 5 min`: the two largest units, rounded down. */
export function span(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1_000) return `${whole} ms`;
  const first = spans.findIndex(([, size]) => whole >= size);
  const parts = spans.slice(first, first + 2).map(([unit, size], index) => {
    const rest = index === 0 ? whole : whole % (spans[first]?.[1] ?? 1);
    return [Math.floor(rest / size), unit] as const;
  });
  return parts
    .filter(([number]) => number > 0)
    .map(([number, unit]) => `${number} ${unit}`)
    .join(" ");
}

/** `in 3 h`, `12 s ago`, `now`. */
export function relative(at: number, now: number): string {
  const distance = at - now;
  if (Math.abs(distance) < 1_000) return "now";
  return distance > 0 ? `in ${span(distance)}` : `${span(-distance)} ago`;
}
