/**
 * When of the day and of the week something happens, in UTC: a bit for each hour, and above them one for each day from
 * Sunday on. Two sets are joined by `|`, in any order and as often as one likes, so readings may overlap.
 */

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
/** The first of January 1970 was a Thursday. */
const firstDay = 4;

/** The hour and the day of a moment, in milliseconds since the epoch. Called for every record of a log. */
export function timesAt(ms: number): number {
  const hour = modulo(Math.floor(ms / hourMs), 24);
  const day = modulo(Math.floor(ms / dayMs) + firstDay, 7);
  return (1 << hour) | (1 << (24 + day));
}

function modulo(value: number, size: number): number {
  return ((value % size) + size) % size;
}

/** For people: `01:00-03:59, 14:00-14:59 on mon-fri`; "" where nothing is known. */
export function timesText(times: number): string {
  const hours = runs(Array.from({ length: 24 }, (_, hour) => (times & (1 << hour)) !== 0));
  const weekdays = runs(days.map((_, day) => (times & (1 << (24 + day))) !== 0));
  if (hours.length === 0) return "";
  const clock = (hour: number) => String(hour).padStart(2, "0");
  const isAlways = hours[0]?.[0] === 0 && hours[0][1] === 23;
  const when = isAlways
    ? "at any hour"
    : hours.map(([from, to]) => `${clock(from)}:00-${clock(to)}:59`).join(", ");
  const isDaily = weekdays[0]?.[0] === 0 && weekdays[0][1] === 6;
  const on = isDaily
    ? "daily"
    : `on ${weekdays.map(([from, to]) => (from === to ? days[from] : `${days[from]}-${days[to]}`)).join(", ")}`;
  return `${when} ${on}`;
}

/** Where it is true without a break: first and last index of each stretch. */
function runs(flags: readonly boolean[]): (readonly [number, number])[] {
  return flags.flatMap((flag, index) => {
    if (!flag || flags[index - 1] === true) return [];
    const end = flags.indexOf(false, index);
    return [[index, end === -1 ? flags.length - 1 : end - 1] as const];
  });
}
