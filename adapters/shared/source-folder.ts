/**
 * A scan over the files of a folder, in parts that can be gone on from: what every source has in common that reads
 * configuration. A kind says which files it wants and what one file says.
 */
import { basename } from "node:path";
import { z } from "zod";
import type { Hidden, ScanPart } from "../../domain/discovery/said.js";
import { withheldPart } from "../../domain/discovery/withheld.js";
import type { Finding } from "../../domain/finding.js";
import type { AdapterDeps, Call, Source } from "../ports.js";
import { unreadableCursor } from "./source-cursor.js";
import {
  belows,
  besides,
  type FoundFile,
  filesIn,
  type ListBelow,
  type ReadBeside,
  rootOf,
  type Wanted,
} from "./source-files.js";
import { type Marking, Says } from "./source-says.js";

const folderError = "expected an absolute path without `..`";

/** Settings of every kind that reads a folder of files. `what` says of what, for the descriptions. */
export function folderSettings(what: string) {
  return {
    directory: z
      .string({ error: folderError })
      .regex(/^\/[^\0]*$/, { error: folderError })
      .refine((path) => !path.split("/").includes(".."), { error: folderError })
      .describe(`Folder of ${what}, with everything below it; the engine's user reads it.`),
    name: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe(
        "What the folder is called on the map, such as the repository's name; the folder's own name unless given.",
      ),
    skip: z
      .array(z.string().min(1))
      .default([".git", "node_modules"])
      .describe("Names of folders that are not read, wherever they stand."),
    fileBytesMax: z
      .int()
      .min(1024)
      .max(268_435_456)
      .default(8_388_608)
      .describe("Larger files are reported and not read, in bytes; 8 MiB unless given."),
  };
}

/** The parsed settings. */
export interface FolderSettings {
  readonly directory: string;
  readonly name?: string | undefined;
  readonly skip: readonly string[];
  readonly fileBytesMax: number;
}

/** In what the files are, on the map. */
export function repositoryOf({ name, directory }: FolderSettings): string {
  return `repository ${nameOf({ name, directory })}`;
}

/** The folder's name for people and for what is named after it. */
export function nameOf({ name, directory }: Pick<FolderSettings, "name" | "directory">): string {
  return name ?? (basename(directory) || "root");
}

/** A file with its text. */
export type TextFile = Extract<FoundFile, { text: string }>;

/** The files of the folder whose paths fit, in their order. */
export type FilesOf = (fits?: Wanted["isWanted"]) => AsyncGenerator<FoundFile>;

/** What a kind adds to the walk. */
export interface FolderReader<Context> {
  readonly isWanted: (path: string) => boolean;
  /**
   * What has to be known of all files before one of them can be read; it is made anew for each scan, also one that goes on. `files`:
   * the wanted ones, or those that another question fits.
   */
  prepare(files: FilesOf, beside: ReadBeside, below: ListBelow): Promise<Context>;
  /** Says what one file says. */
  read(file: TextFile, says: Says, context: Context): Promise<void>;
  /** For the sentence about a folder without such files: `compose files`. */
  readonly files: string;
}

/** Claims and copies of a part; a file with more of them is cut. */
const itemsMax = 2_000;
/** Files of a part that say nothing. */
const filesMax = 1_000;

/** How far a scan is: the last file, what it was, and how many of its claims and copies have been said (null: all). */
const cursorShape = z.strictObject({
  path: z.string(),
  digest: z.string(),
  said: z.int().min(0).nullable(),
});
type Cursor = z.output<typeof cursorShape>;

/** A source over a folder. */
export function folderSource<Context>(
  settings: FolderSettings,
  reader: FolderReader<Context>,
  deps: Pick<AdapterDeps, "mark" | "now">,
): Source {
  const wanted: Wanted = {
    directory: settings.directory,
    isWanted: reader.isWanted,
    skip: settings.skip,
    bytesMax: settings.fileBytesMax,
  };
  return {
    async preflight(): Promise<Finding[]> {
      await rootOf(settings.directory);
      return [];
    },
    scan: (cursor, call) => scan(wanted, reader, cursor, { mark: deps.mark, at: deps.now() }, call),
    async close() {},
  };
}

async function* scan<Context>(
  wanted: Wanted,
  reader: FolderReader<Context>,
  cursor: string | null,
  marking: Marking,
  call: Call,
): AsyncGenerator<ScanPart> {
  const from = cursor === null ? null : parsed(cursor);
  const files: FilesOf = (fits = wanted.isWanted) => filesIn({ ...wanted, isWanted: fits }, null, call);
  const context = await reader.prepare(files, besides(wanted, call), belows(wanted, call));
  let part = empty();
  let at: Cursor = from ?? { path: "", digest: "", said: null };
  let taken = 0;
  let seen = 0;
  for await (const file of filesIn(wanted, from === null || from.path === "" ? null : from.path, call)) {
    const digest = "text" in file ? file.digest : file.why;
    const again = from !== null && file.path === from.path && digest === from.digest;
    seen += 1;
    // Finished before, and the same still; one that was changed meanwhile is read anew.
    if (again && from.said === null) continue;
    const says = new Says(file.path, marking);
    if ("why" in file) {
      says.records = 1;
      says.cannotRead(file.path, file.why);
    } else {
      await reader.read(file, says, context);
    }
    if (says.malformed.length > 0) {
      says.gaps.push(
        `What ${file.path === "" ? "the folder" : file.path} says is not complete: ${says.malformed.length} of its records could not be read.`,
      );
    }
    const { claims, copies } = says;
    let said = again ? (from.said ?? 0) : 0;
    // Claims first, then copies, as one list that can be cut anywhere.
    while (claims.length + copies.length - said > itemsMax - part.claims.length - part.copies.length) {
      const end = said + itemsMax - part.claims.length - part.copies.length;
      take(part, says, said, end);
      said = end;
      at = { path: file.path, digest, said };
      yield partOf(part, at);
      part = empty();
      taken = 0;
    }
    take(part, says, said, claims.length + copies.length);
    part.records += says.records;
    part.listed.push(...says.listed);
    part.malformed.push(...says.malformed);
    part.gaps.push(...says.gaps);
    // Below the folder itself there is everything.
    if (file.path === "" && says.gaps.length > 0) part.hidesAnything = true;
    part.hidden.push(...says.gaps.map((why) => ({ record: file.path, why })));
    at = { path: file.path, digest, said: null };
    taken += 1;
    if (taken >= filesMax || part.claims.length + part.copies.length + part.malformed.length >= itemsMax) {
      yield partOf(part, at);
      part = empty();
      taken = 0;
    }
  }
  if (from === null && seen === 0) {
    part.gaps.push(`No ${reader.files} are in ${wanted.directory}.`);
    part.hidesAnything = true;
  }
  if (taken > 0 || from === null) yield partOf(part, at);
}

/** A part that grows. */
interface Growing {
  records: number;
  readonly claims: ScanPart["claims"][number][];
  readonly copies: ScanPart["copies"][number][];
  readonly listed: ScanPart["listed"][number][];
  readonly malformed: ScanPart["malformed"][number][];
  readonly gaps: string[];
  readonly hidden: Hidden[];
  /** It has a gap that is of no file. */
  hidesAnything: boolean;
}

function empty(): Growing {
  const none = { claims: [], copies: [], listed: [], malformed: [], gaps: [], hidden: [] };
  return { records: 0, ...none, hidesAnything: false };
}

/** A file that has a gap hides what stands in it, and a folder that cannot be read what is below it. */
function partOf({ hidesAnything, hidden, ...part }: Growing, at: Cursor): ScanPart {
  const told = { ...part, covered: null, cursor: JSON.stringify(at) };
  return withheldPart(hidesAnything ? told : { ...told, hidden });
}

function take(part: Growing, { claims, copies }: Says, from: number, until: number): void {
  part.claims.push(...claims.slice(from, until));
  part.copies.push(...copies.slice(Math.max(0, from - claims.length), Math.max(0, until - claims.length)));
}

function parsed(cursor: string): Cursor {
  try {
    return cursorShape.parse(JSON.parse(cursor));
  } catch {
    throw unreadableCursor();
  }
}
