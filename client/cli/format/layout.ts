/** Tables, labelled fields and wrapped lines in plain characters, measured without their colours. */
import { stripVTControlCharacters } from "node:util";
import type { Paint } from "./style.js";

export { count } from "../../../domain/count.js";

/** Width in characters, colours not counted. */
export function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** Rows under headings, columns two spaces apart; `""` for no rows. Ends without a line break. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  paint: Paint,
): string {
  if (rows.length === 0) return "";
  const widths = headings.map((heading, column) =>
    Math.max(widthOf(heading), ...rows.map((row) => widthOf(row[column] ?? ""))),
  );
  const line = (cells: readonly string[]) =>
    widths
      .map((width, column) => padded(cells[column] ?? "", width))
      .join("  ")
      .trimEnd();
  return [line(headings.map((heading) => paint("quiet", heading.toUpperCase()))), ...rows.map(line)].join(
    "\n",
  );
}

/** `label  value` lines, labels aligned; entries without a value are left out. */
export function fields(entries: readonly (readonly [string, string | null])[], paint: Paint): string {
  const shown = entries.filter((entry): entry is readonly [string, string] => entry[1] !== null);
  const width = Math.max(0, ...shown.map(([label]) => label.length));
  return shown
    .map(([label, value]) => `  ${paint("quiet", padded(label, width))}  ${indented(value, width + 4)}`)
    .join("\n");
}

/** The text with every line but the first moved right. */
export function indented(text: string, spaces: number): string {
  return text.replaceAll("\n", `\n${" ".repeat(spaces)}`);
}

/** A heading and what stands under it, or nothing where that is empty. */
export function section(heading: string, body: string, paint: Paint): string[] {
  return body === "" ? [] : [`${paint("strong", heading)}\n${body}`];
}

/** Cut to a terminal's width, so that a redrawn line never becomes two. Colours end before the cut. */
export function clipped(line: string, columns: number): string {
  if (widthOf(line) <= columns) return line;
  return `${[...stripVTControlCharacters(line)].slice(0, Math.max(0, columns - 1)).join("")}…`;
}
