/** Problems of a folder's pieces, each at its place in its file: the piece is read once more for that, as its text was not kept. */
import type { EstateIssue } from "../../domain/estate/issues.js";
import { readFragment } from "./fragment.js";
import { spot } from "./load.js";
import { piecesOf } from "./pieces.js";
import { type EstateProblem, place, type Spotted, sourceOf } from "./problem.js";
import { readTree } from "./tree.js";

/** Where a piece stands: a file, and its line where it is one line; 0 where it is the whole file. */
export interface Origin {
  readonly file: string;
  readonly line: number;
}

/** Something wrong with one piece: with its text, or with what it says. */
export interface Fault {
  readonly origin: Origin;
  readonly spotted?: Spotted;
  readonly issue?: EstateIssue;
}

/** Pieces whose problems are shown at their places; of more only the first are. */
const piecesMax = 200;

/** The problems in the order of files and lines. `folder` is the place of what stands in no file of it. */
export async function problemsIn(folder: string, faults: readonly Fault[]): Promise<EstateProblem[]> {
  const byFile = new Map<string, Map<number, Fault[]>>();
  for (const fault of faults) {
    const { file, line } = fault.origin;
    const lines = byFile.get(file) ?? new Map<number, Fault[]>();
    lines.set(line, [...(lines.get(line) ?? []), fault]);
    byFile.set(file, lines);
  }
  const problems: EstateProblem[] = [];
  let pieces = 0;
  for (const [file, lines] of [...byFile].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const texts = file === folder || file === "" ? new Map<number, Uint8Array>() : await textsOf(file, lines);
    for (const [line, found] of [...lines].sort(([a], [b]) => a - b)) {
      if (++pieces > piecesMax) return problems;
      problems.push(
        ...problemsAt(file === "" ? folder : file, line, texts.get(line) ?? new Uint8Array(), found),
      );
    }
  }
  return problems;
}

async function textsOf(file: string, lines: ReadonlyMap<number, unknown>): Promise<Map<number, Uint8Array>> {
  const texts = new Map<number, Uint8Array>();
  for await (const pieces of piecesOf(file))
    for (const piece of pieces)
      if ("bytes" in piece && lines.has(piece.line)) texts.set(piece.line, piece.bytes);
  return texts;
}

function problemsAt(
  file: string,
  line: number,
  bytes: Uint8Array,
  faults: readonly Fault[],
): EstateProblem[] {
  const { text, secrets } = readFragment(bytes, line > 0);
  const issues = faults.flatMap(({ issue }) => issue ?? []);
  const root = issues.length === 0 || text === "" ? null : readTree(text).root;
  const spotted = [
    ...faults.flatMap(({ spotted: one }) => one ?? []),
    ...issues.map((issue): Spotted => {
      if (root !== null) return spot(issue, root);
      const { at: _, secret: __, ...rest } = issue;
      return { ...rest, start: 0, end: 0, show: "nothing" };
    }),
  ];
  // A line's own text begins at its first line.
  return place(spotted, sourceOf(file, text), secrets).map((one) => ({
    ...one,
    line: line === 0 ? one.line : line,
  }));
}
