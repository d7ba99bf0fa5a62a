/**
 * Turns what the demo printed into the picture of the README, so that the picture shows a run that took place:
 *
 *   node dist/scripts/picture.js < demo.txt > docs/demo.svg
 *
 * The input is a terminal's text with its colours (FORCE_COLOR=1 keeps them in a file). The output is one SVG
 * with a background of its own, so that it can be read on a light page and on a dark one.
 */
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const fontSize = 13;
const charWidth = 7.85;
const lineHeight = 19;
const margin = 18;
const barHeight = 30;
const columnsMin = 60;

const colours: Readonly<Record<number, string>> = {
  31: "#ff7b72",
  32: "#56d364",
  33: "#e3b341",
  34: "#79c0ff",
  35: "#d2a8ff",
  36: "#76e3ea",
  90: "#8b949e",
};
const ink = "#e6edf3";
const faint = "#8b949e";

interface Look {
  readonly colour: string | null;
  readonly bold: boolean;
  readonly dim: boolean;
}

interface Piece extends Look {
  readonly text: string;
}

const plain: Look = { colour: null, bold: false, dim: false };

/**
 * The SVG of a terminal that shows `output`, with `title` in its bar. Colours, bold and dim are kept; every
 * other control sequence is left out. Columns and rows are as many as the text needs.
 */
export function pictureOf(output: string, title: string): string {
  const lines = linesOf(output);
  const widths = lines.map((pieces) => pieces.reduce((sum, piece) => sum + [...piece.text].length, 0));
  const columns = Math.max(columnsMin, ...widths);
  const width = Math.ceil(columns * charWidth + 2 * margin);
  const height = barHeight + lines.length * lineHeight + 2 * margin;
  const first = barHeight + margin + fontSize;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<rect width="${width}" height="${height}" rx="8" fill="#0d1117" stroke="#30363d"/>`,
    ...["#ff5f57", "#febc2e", "#28c840"].map(
      (fill, index) => `<circle cx="${18 + index * 18}" cy="${barHeight / 2 + 2}" r="5" fill="${fill}"/>`,
    ),
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${fontSize}" fill="${ink}" xml:space="preserve">`,
    `<text x="${width / 2}" y="${barHeight / 2 + 6}" text-anchor="middle" fill="${faint}">${escaped(title)}</text>`,
    ...lines.flatMap((pieces, row) => lineOf(pieces, first + row * lineHeight)),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

/** Each piece at its own column, so that no font can shift what stands in one column. */
function lineOf(pieces: readonly Piece[], y: number): string[] {
  let column = 0;
  const spans: string[] = [];
  for (const piece of pieces) {
    const length = [...piece.text].length;
    const lead = piece.text.length - piece.text.trimStart().length;
    const shown = piece.text.trim();
    if (shown !== "") {
      const x = (margin + (column + lead) * charWidth).toFixed(1);
      const wide = ([...shown].length * charWidth).toFixed(1);
      const fill = piece.colour ?? (piece.dim ? faint : null);
      const marks = `${fill === null ? "" : ` fill="${fill}"`}${piece.bold ? ' font-weight="bold"' : ""}`;
      spans.push(
        `<text x="${x}" y="${y}" textLength="${wide}" lengthAdjust="spacingAndGlyphs"${marks}>${escaped(shown)}</text>`,
      );
    }
    column += length;
  }
  return spans;
}

function linesOf(output: string): Piece[][] {
  const lines = output.replaceAll("\r\n", "\n").replace(/\n+$/, "").split("\n");
  let look = plain;
  return lines.map((line) => {
    const [before = "", ...rest] = line.split("\u001b[");
    const pieces: Piece[] = before === "" ? [] : [{ ...look, text: before }];
    for (const part of rest) {
      const [, codes = "", last = "", shown = ""] = /^([\d;?]*)([A-Za-z])(.*)$/.exec(part) ?? [];
      // Those that end otherwise move the cursor or the like; a picture has none.
      if (last === "m") look = changed(look, codes);
      if (shown !== "") pieces.push({ ...look, text: shown });
    }
    return pieces;
  });
}

/** The look after the codes of one sequence. */
function changed(before: Look, codes: string): Look {
  let look = before;
  for (const code of codes.split(";").map(Number)) {
    if (code === 0) look = plain;
    else if (code === 1) look = { ...look, bold: true };
    else if (code === 2) look = { ...look, dim: true };
    else if (code === 22) look = { ...look, bold: false, dim: false };
    else if (code === 39) look = { ...look, colour: null };
    else look = { ...look, colour: colours[code] ?? look.colour };
  }
  return look;
}

function escaped(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(pictureOf(await text(process.stdin), process.argv[2] ?? "make demo"));
}
