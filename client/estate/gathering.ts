/**
 * Gathers an estate out of the pieces of a folder that have to be read. Each is read into entries as soon as that is possible, so
 * that of a large estate the text is not in memory beside what it says; credentials wait until all issuers and stores are known.
 */
import type { EstateIssue } from "../../domain/estate/issues.js";
import type { EstateKinds } from "../../domain/estate/kinds.js";
import { readEntries } from "../../domain/estate/parse.js";
import { checkSystems } from "../../domain/estate/part.js";
import { type Section, sections } from "../../domain/estate/schema.js";
import { type Fields, isMap } from "../../domain/estate/shape.js";
import type { Estate } from "../../domain/estate/types.js";
import type { Fault, Origin } from "./folder-problems.js";
import { readFragment } from "./fragment.js";
import type { Piece } from "./pieces.js";

/** Where an entry was read, and by what its piece is known. */
type Read = Origin & { readonly piece: string };

/** The systems of an estate, by whose kinds accounts and places are read. */
export type OfSystems = Pick<Estate, "issuers" | "stores">;

/** Credentials that are read at a time. */
const credentialsMax = 5_000;

/** Entries, issues, and where they stand. */
export class Gathering {
  readonly faults: Fault[] = [];
  readonly entries = Object.fromEntries(sections.map((section) => [section, {}])) as unknown as Record<
    Section,
    Fields
  >;
  readonly #kinds: EstateKinds;
  readonly #issues: EstateIssue[] = [];
  /** By `section name`, and what stands beside the sections by its name. */
  readonly #read = new Map<string, Read>();
  readonly #beside: Fields = {};
  /** As text says them. */
  #raw: Record<string, Fields> = {};
  readonly #credentials: Fields = {};
  readonly #systems: { readonly issuers: Fields; readonly stores: Fields } = { issuers: {}, stores: {} };

  constructor(kinds: EstateKinds) {
    this.#kinds = kinds;
  }

  /** Takes in a piece. */
  take({ file, line, bytes }: Piece, piece: string): void {
    const read = { file, line, piece };
    const { value, problems } = readFragment(bytes, line > 0);
    for (const spotted of problems) this.faults.push({ origin: read, spotted });
    if (problems.length > 0) return;
    if (!isMap(value)) {
      this.#refuse(read, "empty", "there is no part of an estate here", "write sections with their entries");
      return;
    }
    for (const [key, field] of Object.entries(value)) {
      const section = sections.find((one) => one === key);
      if (section !== undefined && isMap(field)) this.#takeEntries(section, field, read);
      else if (this.#isNew(key, [key], read)) this.#beside[key] = field;
    }
  }

  #takeEntries(section: Section, entries: Fields, read: Read): void {
    for (const [name, entry] of Object.entries(entries)) {
      if (!this.#isNew(`${section} ${name}`, [section, name], read)) continue;
      if (section === "credentials") this.#credentials[name] = entry;
      else {
        const own = this.#raw[section] ?? {};
        own[name] = entry;
        this.#raw[section] = own;
        if (section === "issuers" || section === "stores") this.#systems[section][name] = entry;
      }
    }
  }

  #isNew(key: string, path: EstateIssue["path"], read: Read): boolean {
    const other = this.#read.get(key);
    if (other === undefined) {
      this.#read.set(key, read);
      return true;
    }
    const where = other.line === 0 ? other.file : `${other.file}:${other.line}`;
    this.#refuse(read, "duplicate-key", `this name is used in ${where}, too`, "keep one of them", path);
    return false;
  }

  #refuse(origin: Read, code: string, message: string, hint: string, path: EstateIssue["path"] = []): void {
    this.faults.push({ origin, issue: { path, at: "key", code, message, hint, secret: false } });
  }

  /** Reads what can be read of what was taken in. */
  settle(): void {
    this.#keep({ ...this.#raw }, {});
    this.#raw = {};
  }

  /** Reads the rest: to be called once, after everything was taken in. Answers with what stands beside the sections. */
  finish(shared: Estate | null): Pick<Estate, "version" | "installation"> {
    this.settle();
    const header = shared === null ? {} : { version: shared.version, installation: shared.installation };
    const { estate, issues } = readEntries({ ...header, ...this.#beside }, this.#kinds, {});
    this.#issues.push(...issues);
    const systems = withShared(this.#systems as unknown as OfSystems, shared);
    const names = Object.keys(this.#credentials);
    for (let from = 0; from < names.length; from += credentialsMax) {
      const part: Fields = {};
      for (const name of names.slice(from, from + credentialsMax)) {
        part[name] = this.#credentials[name];
        delete this.#credentials[name];
      }
      const read = this.#keep({ credentials: part }, systems);
      this.#issues.push(...checkSystems({ credentials: part }, systems, read.credentials));
    }
    for (const issue of this.#issues) this.faults.push(this.faultOf(issue));
    return { version: estate.version, installation: estate.installation };
  }

  #keep(raw: Fields, systems: object): Estate {
    const { estate, issues } = readEntries({ ...placeholder, ...raw }, this.#kinds, systems);
    this.#issues.push(...issues);
    for (const section of sections) Object.assign(this.entries[section], estate[section]);
    return estate;
  }

  /** The piece that says an entry; null where it was not read. */
  pieceOf(section: Section, name: string): string | null {
    return this.#read.get(`${section} ${name}`)?.piece ?? null;
  }

  /** An issue with the place of the entry that it is about; of no file where that was not read. */
  faultOf(issue: EstateIssue): Fault {
    const [section = "", name = ""] = issue.path;
    const read = this.#read.get(`${section} ${name}`) ?? this.#read.get(String(section));
    return { origin: read ?? { file: "", line: 0 }, issue };
  }
}

/** What stands beside the sections is checked once, and not with each of their parts. */
const placeholder = { version: 1, installation: "part" };

/** The systems that were read, and those that are in force. */
export function withShared({ issuers, stores }: OfSystems, shared: OfSystems | null): OfSystems {
  return { issuers: { ...shared?.issuers, ...issuers }, stores: { ...shared?.stores, ...stores } };
}
