/**
 * Prints line coverage by room. The gate on `domain/` is Vitest's threshold; this says where it fails, and how
 * the other rooms stand.
 */

import { existsSync, readFileSync } from "node:fs";
import { relative, sep } from "node:path";

interface FileCoverage {
  readonly lines: { readonly total: number; readonly covered: number };
}

/**
 * Prints one line per room of `summaryFile` (Vitest's json-summary), then each file of `domain/` that is not
 * fully covered. Prints nothing when there is no summary: a run that crashed has none.
 */
export function printCoverage(summaryFile: string, root: string, say: (line: string) => void): void {
  if (!existsSync(summaryFile)) return;
  const files = JSON.parse(readFileSync(summaryFile, "utf8")) as Record<string, FileCoverage>;
  const rooms = new Map<string, { total: number; covered: number }>();
  const gaps: string[] = [];
  for (const [path, { lines }] of Object.entries(files)) {
    if (path === "total") continue;
    const file = relative(root, path);
    const room = file.split(sep)[0] ?? file;
    const sum = rooms.get(room) ?? { total: 0, covered: 0 };
    rooms.set(room, { total: sum.total + lines.total, covered: sum.covered + lines.covered });
    if (room === "domain" && lines.covered < lines.total) {
      gaps.push(`coverage: ${file} misses ${lines.total - lines.covered} of ${lines.total} lines`);
    }
  }
  for (const [room, { total, covered }] of [...rooms].sort()) {
    const percent = total === 0 ? 100 : (covered / total) * 100;
    say(`coverage: ${room.padEnd(10)} ${percent.toFixed(1)} % of ${total} lines`);
  }
  for (const gap of gaps) say(gap);
}
