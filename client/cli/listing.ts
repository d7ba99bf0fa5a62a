/** Answers that are lists: as a table for people, as CSV or an object for programs. */
import { RekeyError } from "../../domain/errors.js";
import type { Cli } from "./cli.js";
import { option } from "./command.js";
import { csvText } from "./format/csv.js";
import { table } from "./format/layout.js";
import { aged, moment } from "./format/time.js";

/** `--format`, for what is a list. */
export const formOption = () => option("--format <form>", "table or csv").default("table");

/** Options of what is a list. */
export interface FormOptions {
  readonly format: string;
}

/** A list for people. */
export interface Listing {
  /** What stands above the table; all there is to say where it has no rows. */
  readonly head: string;
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Lines below the table. */
  readonly notes?: readonly string[];
}

/** How names and moments stand in the form that is asked for: painted and as ages for people, plain and as instants in CSV. */
export interface CellStyle {
  name(text: string): string;
  when(at: number): string;
  /** The moment itself, for people too. */
  moment(at: number): string;
}

/** What CSV has of a list where the table leaves out or shortens some of it. */
interface WholeListing {
  readonly csvHeadings?: readonly string[];
  readonly csvRows?: readonly (readonly string[])[];
}

/** Prints the object, or the list in the form that is asked for. */
export function showListing(
  cli: Cli,
  { format }: FormOptions,
  object: unknown,
  listing: (style: CellStyle) => Listing & WholeListing,
): void {
  if (format !== "table" && format !== "csv")
    throw new RekeyError("bad-input", `There is no form "${format}".`, "There are table and csv.");
  cli.show(object, () => {
    const style = format === "csv" ? csvStyle : styleFor(cli);
    const { head, headings, rows, notes = [], csvHeadings = headings, csvRows = rows } = listing(style);
    if (format === "csv")
      return csvText([csvHeadings.map((heading) => heading.replaceAll(" ", "_")), ...csvRows]);
    const shown = table(headings, rows, cli.paint);
    return [head, ...(shown === "" ? [] : [shown]), ...(notes.length === 0 ? [] : ["", ...notes])].join("\n");
  });
}

/** RFC 3339, as every moment in CSV. */
const instant = (at: number) => new Date(at).toISOString();

const csvStyle: CellStyle = { name: (text) => text, when: instant, moment: instant };

function styleFor(cli: Cli): CellStyle {
  const { paint } = cli;
  const now = cli.now();
  return { name: (text) => paint("name", text), when: (at) => aged(at, now), moment };
}
