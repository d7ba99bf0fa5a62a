/** Line coverage by room, and the gate on `domain/`: each of its lines is run by a test. */

import { existsSync, readFileSync } from "node:fs";
import { relative, sep } from "node:path";

interface FileCoverage {
  readonly lines: { readonly total: number; readonly covered: number };
}

/**
 * Prints one line per room of `summaryFile` (Vitest's json-summary), then each file of `domain/` that is not
 * fully covered; true when there is none. Without a summary nothing is covered: a run that crashed has none.
 */
export function printCoverage(summaryFile: string, root: string, say: (line: string) => void): boolean {
  if (!existsSync(summaryFile)) return false;
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
  return gaps.length === 0 && rooms.has("domain");
}
