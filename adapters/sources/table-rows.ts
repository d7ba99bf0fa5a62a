/** Rows of a table as records of column names and cells, by a parser of RFC 4180; what is no row is named by its line. */
import { Readable } from "node:stream";
import { type CsvError, type Info, parse } from "csv-parse";
import { parse as parseNow } from "csv-parse/sync";
import { RekeyError } from "../../domain/errors.js";
import { CutOff, type OpenReport } from "../shared/source-text.js";

/** A row, or why it is none. `line` is where it begins, counted from 1. */
export type Row =
  | { readonly line: number; readonly cells: ReadonlyMap<string, string> }
  | { readonly line: number; readonly why: string };

/** The rows of a table, and the numbers (from 1) of the columns whose names nobody knows. */
export interface Table {
  readonly unknown: readonly number[];
  rows(): AsyncIterable<Row>;
}

/** Longest row in characters: a quotation mark that is never closed takes no more with it. */
const rowLengthMax = 64 * 1024;
const neverClosed = "CSV_QUOTE_NOT_CLOSED";
const delimiters = [",", ";", "\t"];

/** Begins to read. Throws `bad-input` where the first line has no column of `known`. */
export async function openTable(report: OpenReport, known: readonly string[]): Promise<Table> {
  const pieces = report.text()[Symbol.asyncIterator]();
  let head = "";
  let ended = false;
  while (!ended && !/[\r\n]./s.test(head) && head.length < rowLengthMax) {
    const next = await pieces.next();
    if (next.done === true) ended = true;
    else head += next.value;
  }
  const candidates = delimiters.map((delimiter) => ({ delimiter, columns: columnsIn(head, delimiter) }));
  const score = (columns: readonly string[]) => columns.filter((name) => known.includes(name)).length;
  const best = candidates.reduce((a, b) => (score(b.columns) > score(a.columns) ? b : a));
  if (score(best.columns) === 0) {
    throw new RekeyError(
      "bad-input",
      `The first line of ${report.path} names none of the columns ${known.join(", ")}.`,
    );
  }
  if (new Set(best.columns).size < best.columns.length) {
    throw new RekeyError("bad-input", `The first line of ${report.path} names a column twice.`);
  }
  async function* text(): AsyncIterable<string> {
    yield head;
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
  }
  return {
    unknown: best.columns.flatMap((name, index) => (known.includes(name) ? [] : [index + 1])),
    rows: () => rowsOf(text(), best.columns, best.delimiter),
  };
}

/** The names in the first line: `Credential Owner` and `credential-owner` are `credential_owner`. */
function columnsIn(head: string, delimiter: string): string[] {
  try {
    const [first = []] = parseNow(head, { ...format, delimiter, to: 1 }) as string[][];
    return first.map((name) =>
      name
        .trim()
        .toLowerCase()
        .replaceAll(/[\s-]+/g, "_"),
    );
  } catch {
    return [];
  }
}

const format = {
  record_delimiter: ["\r\n", "\n", "\r"],
  relax_column_count: true,
  skip_empty_lines: true,
  trim: true,
};

async function* rowsOf(
  text: AsyncIterable<string>,
  columns: readonly string[],
  delimiter: string,
): AsyncIterable<Row> {
  const skipped: Row[] = [];
  /** Where the row before ended, as the parser goes; it is ahead of what was handed on. */
  let parsed = 1;
  const parser = parse({
    ...format,
    delimiter,
    from: 2,
    info: true,
    max_record_size: rowLengthMax,
    skip_records_with_error: true,
    on_record: (record, { lines }) => {
      parsed = lines;
      return record;
    },
    on_skip: (error) => {
      const ended = lineOf(error);
      skipped.push({ line: error?.code === neverClosed ? parsed + 1 : ended, why: whyOf(error) });
      parsed = ended;
    },
  });
  const source = Readable.from(text);
  source.on("error", (error) => parser.destroy(error));
  let last = 1;
  try {
    for await (const { record, info } of source.pipe(parser) as AsyncIterable<{
      record: string[];
      info: Info;
    }>) {
      yield* skipped.splice(0);
      // The parser tells the line in which a row ends; one that lies on several begins behind the row before.
      const line = Math.max(last + 1, info.lines - linesWithin(record));
      last = info.lines;
      yield record.length > columns.length
        ? { line, why: `it has ${record.length} cells, and the table has ${columns.length} columns` }
        : { line, cells: cellsOf(record, columns) };
    }
    yield* skipped.splice(0);
  } catch (error) {
    yield* skipped.splice(0);
    if (error instanceof CutOff) yield { line: last + 1, why: "the compressed file breaks off" };
    else if (isCsvError(error)) yield { line: last + 1, why: `${whyOf(error)}; nothing behind it was read` };
    else throw error;
  } finally {
    source.destroy();
  }
}

function linesWithin(record: readonly string[]): number {
  return record.reduce((sum, cell) => sum + (cell.match(/\r\n|\n|\r/g)?.length ?? 0), 0);
}

function cellsOf(record: readonly string[], columns: readonly string[]): Map<string, string> {
  return new Map(
    columns.flatMap((name, index) => {
      const cell = record[index] ?? "";
      return cell === "" ? [] : [[name, cell]];
    }),
  );
}

function isCsvError(error: unknown): error is CsvError {
  return error instanceof Error && String((error as { code?: unknown }).code).startsWith("CSV_");
}

function lineOf(error: CsvError | undefined): number {
  return Number((error as { lines?: unknown } | undefined)?.lines ?? 0);
}

/** The parser's message quotes the row, so only its code counts. */
function whyOf(error: CsvError | undefined): string {
  const code = String(error?.code);
  if (code === neverClosed) {
    return "a quotation mark that is opened in it is never closed; the lines behind it were not read";
  }
  if (code.includes("QUOTE")) return "a quotation mark stands where none may";
  if (code === "CSV_MAX_RECORD_SIZE") return `it is longer than ${rowLengthMax} characters`;
  return "it is no row";
}
