/**
 * From a folder of files to an estate that can be applied, or to everything that is wrong with it. Only pieces that the inventory
 * does not know are read and checked, together with what they touch.
 */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import type { EstateIssue } from "../../domain/estate/issues.js";
import type { EstateKinds } from "../../domain/estate/kinds.js";
import { readEntries } from "../../domain/estate/parse.js";
import { checkPart, checkSystems } from "../../domain/estate/part.js";
import { type Section, sections } from "../../domain/estate/schema.js";
import { type Fields, isMap } from "../../domain/estate/shape.js";
import { claimsOf } from "../../domain/estate/systems.js";
import type { Estate } from "../../domain/estate/types.js";
import type { KnownEstate } from "../../inventory/estate-context.js";
import type { Body, Submission, SubmittedEntry } from "../../inventory/submission.js";
import { atStart } from "./bytes.js";
import { type Fault, type Origin, problemsIn } from "./folder-problems.js";
import { readFragment } from "./fragment.js";
import { estateJsonSchema } from "./json-schema.js";
import { filesIn, type Piece, piecesOf, type Unreadable } from "./pieces.js";
import type { EstateProblem } from "./problem.js";

/** An estate as it can be applied, or what is wrong with it. */
export type FolderResult =
  | { readonly ok: true; readonly submission: Submission }
  | { readonly ok: false; readonly problems: readonly EstateProblem[] };

/** Pieces that are asked for at a time, and their bytes. */
const piecesMax = 20_000;
const bytesMax = 8 * 1024 * 1024;

/** What `readFolder` gathers. */
class Gathering {
  readonly kept: string[] = [];
  readonly faults: Fault[] = [];
  /** What was read, as text says it. */
  readonly raw: Record<string, Fields> = {};
  /** What stands beside the sections, in the pieces that were read. */
  readonly beside: Fields = {};
  /** Pieces of the entries that were read, by `section name`, and of what stands beside the sections, by its name. */
  readonly origins = new Map<string, Origin & { readonly piece: string }>();
  readonly hashed = createHash("sha256");

  take(value: unknown, origin: Origin & { readonly piece: string }): void {
    const wrong = (code: string, message: string, hint: string, path: EstateIssue["path"] = []) =>
      this.faults.push({ origin, issue: { path, at: "key", code, message, hint, secret: false } });
    if (!isMap(value)) {
      wrong("empty", "there is no part of an estate here", "write sections with their entries");
      return;
    }
    for (const [key, field] of Object.entries(value)) {
      const section = sections.find((one) => one === key);
      if (section === undefined || !isMap(field)) {
        if (Object.hasOwn(this.beside, key))
          wrong("duplicate-key", "another file of the estate says this, too", "keep one of them", [key]);
        this.beside[key] = field;
        this.origins.set(key, origin);
        continue;
      }
      const own = this.raw[section] ?? {};
      this.raw[section] = own;
      for (const [name, entry] of Object.entries(field)) {
        const other = this.origins.get(`${section} ${name}`);
        if (other !== undefined)
          wrong("duplicate-key", `this name is used in ${other.file}, too`, "keep one of them", [
            section,
            name,
          ]);
        own[name] = entry;
        this.origins.set(`${section} ${name}`, origin);
      }
    }
  }
}

/** Whether the estate's path leads to a folder; false where there is nothing. */
export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

/** Reads and checks a folder. Without `known` all of it is read. */
export async function readFolder(
  folder: string,
  kinds: EstateKinds,
  known: KnownEstate | null,
): Promise<FolderResult> {
  const gathered = await gather(folder, readingOf(kinds), known);
  const refused = async (faults: readonly Fault[]): Promise<FolderResult> => {
    return { ok: false, problems: await problemsIn(folder, faults) };
  };
  if (gathered.faults.length > 0) return refused(gathered.faults);
  const { raw, beside, kept, origins } = gathered;
  const shared = (await known?.shared()) ?? null;
  const header = shared === null ? {} : { version: shared.version, installation: shared.installation };
  const systems = withShared(raw as Pick<Estate, "issuers" | "stores">, shared);
  const { estate, issues } = readEntries({ ...header, ...beside, ...raw }, kinds, systems);
  const faultOf = (issue: EstateIssue): Fault => {
    const [section = "", name = ""] = issue.path;
    const origin = origins.get(`${section} ${name}`) ?? origins.get(String(section));
    return { origin: origin ?? { file: folder, line: 0 }, issue };
  };
  issues.push(...checkSystems(raw, systems, estate.credentials));
  if (issues.length > 0) return refused(issues.map(faultOf));
  for (const section of sections) delete raw[section];
  const entries = entriesOf(estate, kinds, { ...estate, ...withShared(estate, shared) }, origins);
  const submission: Submission = {
    digest: `sha256:${gathered.hashed.digest("hex")}`,
    header: { version: estate.version, installation: estate.installation },
    entries,
    kept,
  };
  const context = await known?.context(submission);
  const part = context === undefined ? estate : merged(estate, context.sections);
  const isAsked = (section: Section, name: string) => context?.asked.has(`${section} ${name}`) ?? true;
  const broken = checkPart(part, kinds, isAsked);
  return broken.length > 0 ? refused(broken.map(faultOf)) : { ok: true, submission };
}

type OfSystems = Pick<Estate, "issuers" | "stores">;

/** The systems that were read, and those that are in force. */
function withShared({ issuers, stores }: OfSystems, shared: OfSystems | null): OfSystems {
  return { issuers: { ...shared?.issuers, ...issuers }, stores: { ...shared?.stores, ...stores } };
}

/** What a piece means depends on the release and the kinds that read it: another one reads everything anew. */
function readingOf(kinds: EstateKinds): string {
  const schema = JSON.stringify(estateJsonSchema(kinds));
  return createHash("sha256").update(`${rules} ${schema}`).digest("base64url").slice(0, 10);
}

/** To be raised when a rule of the estate changes that its schema does not show: then every estate is checked by it once more. */
const rules = 1;

async function gather(folder: string, reading: string, known: KnownEstate | null): Promise<Gathering> {
  const gathered = new Gathering();
  const seen = new Set<string>();
  const digests: string[] = [];
  let batch: Piece[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    const names = batch.map((piece) => `${reading}:${piece.hash}`);
    const unknown = known === null ? null : await known.unknown(names);
    for (const [i, piece] of batch.entries()) {
      const name = names[i] ?? "";
      // Said twice, it is read twice, so that somebody is told of it.
      const isKept = unknown !== null && !unknown.has(name) && !seen.has(name);
      seen.add(name);
      digests.push(piece.hash);
      if (isKept) gathered.kept.push(name);
      else read(gathered, piece, name);
    }
    batch = [];
    bytes = 0;
  };
  for (const file of await filesIn(folder)) {
    for await (const piece of piecesOf(file)) {
      if (isUnreadable(piece)) gathered.faults.push({ origin: piece, spotted: piece.problem });
      else {
        batch.push(piece);
        bytes += piece.bytes.length;
      }
      if (batch.length >= piecesMax || bytes >= bytesMax) await flush();
    }
  }
  await flush();
  if (digests.length === 0 && gathered.faults.length === 0) {
    const problem = atStart("empty", "there is no estate in this folder", "put .yaml or .jsonl files there");
    gathered.faults.push({ origin: { file: folder, line: 0 }, spotted: problem });
  }
  for (const digest of digests.sort()) gathered.hashed.update(digest);
  return gathered;
}

function isUnreadable(piece: Piece | Unreadable): piece is Unreadable {
  return "problem" in piece;
}

function read(gathered: Gathering, { file, line, bytes }: Piece, piece: string): void {
  const origin = { file, line, piece };
  const { value, problems } = readFragment(bytes, line > 0);
  for (const spotted of problems) gathered.faults.push({ origin, spotted });
  if (problems.length === 0) gathered.take(value, origin);
}

function entriesOf(
  estate: Estate,
  kinds: EstateKinds,
  systems: Estate,
  origins: Gathering["origins"],
): SubmittedEntry[] {
  return sections.flatMap((section) =>
    Object.entries(estate[section]).map(([name, body]): SubmittedEntry => {
      const piece = origins.get(`${section} ${name}`)?.piece ?? null;
      const claims = section === "credentials" ? claimsOf(systems, kinds, body as never) : [];
      return { section, name, body: body as unknown as Body, piece, claims };
    }),
  );
}

function merged(estate: Estate, context: Pick<Estate, Section>): Estate {
  const parts = sections.map((section) => [section, { ...context[section], ...estate[section] }] as const);
  return { ...estate, ...(Object.fromEntries(parts) as unknown as Pick<Estate, Section>) };
}
