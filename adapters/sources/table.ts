/**
 * What people know and no system shows: which consumer uses which credential, who owns it, what for. A table with a first
 * line of column names, as any spreadsheet writes it.
 */
import { isIP } from "node:net";
import { z } from "zod";
import type { Claim, Listed, NamedThing, ReaderTraits, Seen, Thing } from "../../domain/discovery/said.js";
import { RekeyError } from "../../domain/errors.js";
import { type CredentialClass, credentialClasses } from "../../domain/estate/classes.js";
import { name as estateName, instant } from "../../domain/estate/fields.js";
import { findLiteral } from "../../domain/estate/literals.js";
import type { Finding } from "../../domain/finding.js";
import { refusalOf } from "../../domain/finding.js";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import { reportParts, type Said } from "../shared/source-part.js";
import { isGarbled, type OpenReport, openReport } from "../shared/source-text.js";
import { openTable, type Row, type Table } from "./table-rows.js";

const config = z.strictObject({
  files: z
    .array(z.string().min(1))
    .min(1)
    .describe("The tables: CSV with `,` or `;` or tabs, the first line names the columns."),
});

type Config = z.output<typeof config>;

/** Columns by which a reader is known that is no consumer of the estate, with the trait that each is. */
const traitColumns = {
  application_name: "applicationName",
  address: "address",
  host: "host",
  role: "role",
  service_account: "serviceAccount",
  workload: "workload",
  entity: "entity",
} as const satisfies Record<string, keyof ReaderTraits>;

/** Columns that say more of a row's consumer, or of its credential or account, with the edge and what is at its end. */
const moreOfConsumer = {
  depends_on: ["depends-on", "consumer"],
  depends_on_store: ["depends-on", "store"],
  depends_on_issuer: ["depends-on", "issuer"],
} as const satisfies Record<string, Further>;
const moreOfCredential = {
  credential_owner: ["owned-by", "owner"],
  can_read: ["can-read", "credential"],
  can_read_store: ["can-read", "store"],
  mints: ["mints", "credential"],
  mints_at: ["mints", "issuer"],
} as const satisfies Record<string, Further>;

type Further = readonly [Claim["type"], NamedThing["type"]];
type FurtherColumn = keyof typeof moreOfConsumer | keyof typeof moreOfCredential;
type NameColumn = "consumer" | "credential" | "owner" | "issuer" | FurtherColumn;

const nameColumns = [
  ...["consumer", "credential", "owner", "issuer"],
  ...Object.keys(moreOfConsumer),
  ...Object.keys(moreOfCredential),
];
const classColumns = ["reader_class", "account_class", "credential_class"] as const;
const columns = [
  ...nameColumns,
  ...["account", "purpose", "credential_purpose", "expires", "since", "confirmed"],
  ...classColumns,
  ...Object.keys(traitColumns),
];
const textLengthMax = 256;
/** As the estate has it. */
const purposeLengthMax = 500;

/** The kind's entry in the registry. */
export const table: SourceKind<typeof config> = {
  shows: "now",
  sees: "configuration",
  config,
  create: (settings, deps) => createTable(settings, deps),
};

function createTable({ files }: Config, { now }: Pick<AdapterDeps, "now">): Source {
  return {
    async preflight(call) {
      const findings: Finding[] = [];
      for (const path of files) {
        try {
          const report = await openReport(path, call);
          await openTable(report, columns).finally(() => report.close());
        } catch (error) {
          if (!(error instanceof RekeyError)) throw error;
          findings.push({ ...refusalOf(error), subject: path });
        }
      }
      return findings;
    },
    scan: (cursor: string | null, call: Call) =>
      reportParts(files, cursor, { recordOf, read: said }, call, now()),
    close: async () => {},
  };
}

/** All that one table says is of one record. */
const recordOf = (path: string): string => `table ${path}`;

async function* said(report: OpenReport): AsyncIterable<Said> {
  const opened = await headOf(report);
  if ("why" in opened) {
    yield { malformed: [{ where: report.path, why: opened.why }] };
    return;
  }
  const { unknown, rows } = opened;
  if (unknown.length > 0) {
    const gap = `${report.path}: nobody knows what is in column ${unknown.join(", ")}; it was not read.`;
    yield { gaps: [gap], records: 0 };
  }
  for await (const row of rows()) yield rowSaid(row, report);
}

/** The table, or why it is none: another one of the same source is read all the same. */
async function headOf(report: OpenReport): Promise<Table | { readonly why: string }> {
  try {
    return await openTable(report, columns);
  } catch (error) {
    if (error instanceof RekeyError && error.code === "bad-input") return { why: error.detail };
    throw error;
  }
}

class NotARow extends Error {}

function rowSaid(row: Row, report: OpenReport): Said {
  const malformed = (...whys: readonly string[]): Pick<Said, "malformed"> => ({
    malformed: whys.map((why) => ({ where: `${report.path} line ${row.line}`, why })),
  });
  if ("why" in row) return malformed(row.why);
  try {
    const { left, ...said } = saidIn(row.cells, row.line, report);
    return { ...said, ...malformed(...left) };
  } catch (error) {
    if (error instanceof NotARow) return malformed(error.message);
    throw error;
  }
}

/** What a row says, and what of it could not be kept. */
function saidIn(
  cells: ReadonlyMap<string, string>,
  line: number,
  report: OpenReport,
): { readonly claims: Claim[]; readonly listed: Listed[]; readonly left: readonly string[] } {
  for (const text of cells.values()) if (isGarbled(text)) throw new NotARow("it is not UTF-8 or UTF-16");
  const thing = (column: NameColumn, type: NamedThing["type"]): NamedThing | null => {
    const found = nameIn(cells, column);
    return found === null ? null : { is: "named", type, name: found };
  };
  const consumer = thing("consumer", "consumer");
  const from = consumer ?? readerIn(cells);
  const named = thing("credential", "credential");
  const credential = named === null ? null : { ...named, ...classIn(cells, "credential_class", true) };
  const to = credential ?? accountIn(cells, nameIn(cells, "issuer"));
  classIn(cells, "reader_class", consumer === null && from !== null);
  classIn(cells, "account_class", credential === null && to !== null);
  if (credential === null && cells.has("credential_class"))
    throw new NotARow("its credential_class is of nothing: it names no credential");
  const owner = thing("owner", "owner");
  const edges: (readonly [Thing | null, Claim["type"], Thing | null])[] = [
    [from, "uses", to],
    // The owner of a row with a consumer answers for the consumer; where there is none, for the credential.
    [consumer ?? (from === null ? to : null), "owned-by", owner],
    ...furtherOf(to, "credential or account", moreOfCredential, thing),
    ...furtherOf(consumer, "consumer", moreOfConsumer, thing),
  ];
  const seen = seenIn(cells, report.modifiedAt);
  const record = recordOf(report.path);
  const sentence = `Line ${line} of ${report.path} says so${purposeIn(cells)}.`;
  const claims = edges.flatMap(([a, type, b]): Claim[] =>
    a === null || b === null ? [] : [{ record, known: "declared", from: a, type, to: b, seen, sentence }],
  );
  const { left, ...words } = wordsIn(cells, to, from === null);
  const isSaid = Object.keys(words).length > 0 || cells.has("credential_class");
  const listed: Listed[] = to === null || !isSaid ? [] : [{ record, thing: to, seen, ...words }];
  const purpose = from === null ? "" : (cells.get("purpose") ?? "").replaceAll(/\s+/g, " ");
  if (purpose.length > purposeLengthMax) left.push(tooLong("purpose"));
  // That one is left out because of a value the sentence says already.
  else if (from !== null && purpose !== "" && findLiteral(purpose) === undefined)
    listed.push({ record, thing: from, seen, purpose });
  if (claims.length + listed.length + left.length === 0)
    throw new NotARow("it does not say who uses what, who owns it, nor what else is known of it");
  return { claims, listed, left };
}

/** What a row says of its credential or account besides: in a row without a user, `purpose` is what that is for. */
function wordsIn(
  cells: ReadonlyMap<string, string>,
  of: Thing | null,
  isAlone: boolean,
): Pick<Listed, "purpose" | "expiresAt"> & { readonly left: string[] } {
  for (const column of ["credential_purpose", "expires"])
    if (of === null && cells.has(column))
      throw new NotARow(`its ${column} is of nothing: it names no credential or account`);
  const expiresAt = timeIn(cells, "expires");
  const column = isAlone && !cells.has("credential_purpose") ? "purpose" : "credential_purpose";
  const text = of === null ? "" : (cells.get(column) ?? "").replaceAll(/\s+/g, " ");
  const left: string[] = [];
  if (findLiteral(text) !== undefined)
    left.push(`its ${column} is left out, because a value seems to stand in it`);
  else if (text.length > purposeLengthMax) left.push(tooLong(column));
  const isKept = text !== "" && left.length === 0;
  return {
    ...(isKept ? { purpose: text } : {}),
    ...(expiresAt === null ? {} : { expiresAt }),
    left,
  };
}

function tooLong(column: string): string {
  return `its ${column} is longer than ${purposeLengthMax} characters and was left out`;
}

/** What such columns say more of the row's `subject`; a cell that is of nothing makes the row a bad one. */
function furtherOf(
  subject: Thing | null,
  called: string,
  columns: Readonly<Partial<Record<FurtherColumn, Further>>>,
  thing: (column: FurtherColumn, type: NamedThing["type"]) => NamedThing | null,
): (readonly [Thing, Claim["type"], NamedThing])[] {
  return (Object.entries(columns) as [FurtherColumn, Further][]).flatMap(([column, [edge, type]]) => {
    const to = thing(column, type);
    if (to === null) return [];
    if (subject === null) throw new NotARow(`its ${column} is of nothing: it names no ${called}`);
    return [[subject, edge, to] as const];
  });
}

function nameIn(cells: ReadonlyMap<string, string>, column: string): string | null {
  const text = cells.get(column);
  if (text === undefined) return null;
  if (!estateName().safeParse(text).success)
    throw new NotARow(`its ${column} is no name as the estate has them`);
  return text;
}

function accountIn(cells: ReadonlyMap<string, string>, issuer: string | null): Thing | null {
  const account = textIn(cells, "account");
  if (account === null && issuer === null) return null;
  if (account === null || issuer === null) throw new NotARow("it has only one of issuer and account");
  return { is: "account", issuer, account, ...classIn(cells, "account_class", true) };
}

/** The class that a column gives to what the row speaks of; nothing where it is empty. */
function classIn(
  cells: ReadonlyMap<string, string>,
  column: (typeof classColumns)[number],
  isThere: boolean,
): { readonly class?: CredentialClass } {
  const text = cells.get(column);
  if (text === undefined) return {};
  const kind = credentialClasses.find((one) => one === text);
  if (kind === undefined) throw new NotARow(`its ${column} is none of ${credentialClasses.join(", ")}`);
  if (!isThere) throw new NotARow(`its ${column} is of nothing: the estate says what its own entries are`);
  return { class: kind };
}

function readerIn(cells: ReadonlyMap<string, string>): Thing | null {
  const address = cells.get("address");
  if (address !== undefined && isIP(address) === 0) throw new NotARow("its address is no IP address");
  const traits = Object.fromEntries(
    Object.entries(traitColumns).flatMap(([column, trait]) => {
      const text = textIn(cells, column);
      return text === null ? [] : [[trait, trait === "host" ? text.toLowerCase() : text]];
    }),
  );
  const known = Object.values(traits);
  if (known.length === 0) return null;
  return { is: "reader", name: known.join(" "), traits, ...classIn(cells, "reader_class", true) };
}

function textIn(cells: ReadonlyMap<string, string>, column: string): string | null {
  const text = cells.get(column);
  if (text === undefined) return null;
  if (text.length > textLengthMax)
    throw new NotARow(`its ${column} is longer than ${textLengthMax} characters`);
  if (findLiteral(text) !== undefined) throw new NotARow(`its ${column} seems to hold a value`);
  return text;
}

/** The row was true when somebody confirmed it, or else when the table was written last. */
function seenIn(cells: ReadonlyMap<string, string>, modifiedAt: number): Seen {
  const last = timeIn(cells, "confirmed") ?? modifiedAt;
  const first = timeIn(cells, "since") ?? last;
  if (last > modifiedAt) throw new NotARow("it was confirmed later than the table was written");
  if (first > last) throw new NotARow("it is true since later than it was confirmed");
  return { first, last, count: 1 };
}

function timeIn(cells: ReadonlyMap<string, string>, column: string): number | null {
  const text = cells.get(column);
  if (text === undefined) return null;
  const parsed = instant().safeParse(text);
  if (!parsed.success) throw new NotARow(`its ${column} is no date such as 2027-01-05`);
  return Date.parse(parsed.data);
}

function purposeIn(cells: ReadonlyMap<string, string>): string {
  const purpose = cells.get("purpose");
  if (purpose === undefined) return "";
  if (findLiteral(purpose) !== undefined)
    return "; its purpose is left out, because a value seems to stand in it";
  const text = purpose.replaceAll(/\s+/g, " ").replace(/\.$/, "");
  return `: ${text.length > textLengthMax ? `${text.slice(0, textLengthMax)}...` : text}`;
}
