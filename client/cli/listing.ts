/** Answers that are lists: as a table for people, as CSV or an object for programs. */
import { RekeyError } from "../../domain/errors.js";
import type { Cli } from "./cli.js";
import { option } from "./command.js";
import { csvText } from "./format/csv.js";
import { table } from "./format/layout.js";

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

/** Prints the object, or the list in the form that is asked for; `csvRows` has all of its cells where the table shortens some. */
export function showListing(
  cli: Cli,
  { format }: FormOptions,
  object: unknown,
  listing: () => Listing & { readonly csvRows?: readonly (readonly string[])[] },
): void {
  if (format !== "table" && format !== "csv")
    throw new RekeyError("bad-input", `There is no form "${format}".`, "There are table and csv.");
  cli.show(object, () => {
    const { head, headings, rows, notes = [], csvRows = rows } = listing();
    if (format === "csv")
      return csvText([headings.map((heading) => heading.replaceAll(" ", "_")), ...csvRows]);
    const shown = table(headings, rows, cli.paint);
    return [head, ...(shown === "" ? [] : [shown]), ...(notes.length === 0 ? [] : ["", ...notes])].join("\n");
  });
}
