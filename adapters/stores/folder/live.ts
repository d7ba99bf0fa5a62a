/**
 * The live document as a folder with a file for each field. A version is a folder of its own beside the link `..data`,
 * and each name that consumers see is a link through it: one rename of that link changes all fields at once (H34).
 */
import { createHash } from "node:crypto";
import { chmod, lstat, mkdir, readlink, rename, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RekeyError } from "../../../domain/errors.js";
import { flushFolder, isFolder, namesIn, readBelow, refuseLinks, writeDraft } from "../../shared/disk.js";
import type { LiveDocument, LiveState } from "../../shared/disk-store.js";
import { causeOf, translated } from "../../shared/file-errors.js";
import { withEngineFields } from "../../shared/own-fields.js";
import type { RawDocument } from "../../shared/sealing.js";
import type { FolderConfig, FolderPlace } from "./schema.js";

/** The link whose rename is the change. */
const dataLink = "..data";
/** How names begin that are no field: folders of versions, and links that wait for their rename. */
const mark = "..rekey-";
/** How often a reader begins anew because a change came in between. */
const looksMax = 6;

type Files = ReadonlyMap<string, Buffer>;

/** The folder of one place. Two changes at once are kept apart by the place's lock, and a repeated one finds its tag. */
export class LiveFolder implements LiveDocument {
  readonly name: string;
  readonly #root: string;
  readonly #place: FolderPlace;
  readonly #own: ReadonlySet<string>;

  constructor({ directory }: FolderConfig, place: FolderPlace) {
    this.name = join(directory, place.path);
    this.#root = directory;
    this.#place = place;
    this.#own = new Set(Object.values(withEngineFields(place.fields)));
  }

  async read(): Promise<LiveState> {
    const files = await this.#files();
    if (files === null) return { raw: null, digest: null };
    const text = (name: string, bytes: Buffer) => (this.#own.has(name) ? textOf(bytes) : bytes);
    const raw = Object.fromEntries([...files].map(([name, bytes]) => [name, text(name, bytes)]));
    return { raw, digest: digestOf(files) };
  }

  async write(next: RawDocument, seen: LiveState, nonce: string, begin: () => void): Promise<boolean> {
    const files = new Map(Object.entries(next).map(([name, value]) => [name, bytesOf(value)]));
    const step = { renamed: false };
    try {
      await this.#makeFolder();
      // Plain files that were there before us become a version first, of the same values: a reader notices nothing.
      if (!(await this.#adopt(seen, nonce, begin))) return false;
      for (const name of this.#own) if (files.has(name)) await this.#link(name, nonce);
      if (!(await this.#swap(files, seen, nonce, begin, step))) return false;
      for (const name of this.#own) if (!files.has(name)) await rm(join(this.name, name), { force: true });
      await this.sweep();
      return true;
    } catch (error) {
      if (!step.renamed) throw translated(error, this.name);
      throw new RekeyError(
        "unknown-outcome",
        `${this.name} was changed, and it is not certain that a power cut would keep that.`,
      );
    } finally {
      // How the change ended is what counts; what stays behind goes with the next one, as after a kill.
      if (!step.renamed) await this.sweep().catch(() => undefined);
    }
  }

  async sweep(): Promise<void> {
    try {
      await refuseLinks(this.#root, this.#place.path);
      const current = await this.#current();
      const left = (await namesIn(this.name)).filter((name) => name.startsWith(mark) && name !== current);
      for (const name of left) await rm(join(this.name, name), { recursive: true, force: true });
      if (left.length > 0) await flushFolder(this.name);
    } catch (error) {
      throw translated(error, this.name);
    }
  }

  /** What consumers find under the names, all of one moment; `null` for no document. Others' plain files are not even read. */
  async #files(): Promise<Files | null> {
    try {
      if (!(await isFolder(this.#root)))
        throw new RekeyError("unreachable", `The folder ${this.#root} is not there; is it mounted?`);
      await refuseLinks(this.#root, this.#place.path);
      for (let look = 1; look <= looksMax; look++) {
        const current = await this.#current();
        const files = await this.#filesOf(current).catch((error: unknown) => error as Error);
        // The folder of a version goes when the next one is there: what was read of it counts only while it is current.
        if ((await this.#current()) !== current) continue;
        if (files instanceof Error) throw files;
        return current === null && files.size === 0 ? null : files;
      }
    } catch (error) {
      throw translated(error, this.name);
    }
    throw new RekeyError("unreachable", `${this.name} is changed so often that it could not be read.`);
  }

  async #filesOf(current: string | null): Promise<Files> {
    const files = new Map<string, Buffer>();
    if (current !== null) {
      const folder = join(this.name, current);
      if (!(await isFolder(folder)))
        throw new RekeyError("unreachable", `${folder} is not there, to which ${dataLink} leads.`);
      for (const name of await namesIn(folder)) {
        const bytes = await readBelow(folder, name);
        if (bytes === null) throw new RekeyError("unreachable", `A file of ${folder} went away.`);
        files.set(name, bytes);
      }
    }
    for (const name of await this.#plainNames()) {
      const bytes = await readBelow(this.name, name);
      if (bytes !== null) files.set(name, bytes);
    }
    return files;
  }

  /** Those of our names under which a file stands and no link of ours. */
  async #plainNames(): Promise<string[]> {
    const found: string[] = [];
    for (const name of this.#own) {
      const path = join(this.name, name);
      const stat = await orNone(lstat(path));
      if (stat === null) continue;
      if (stat.isFile()) found.push(name);
      else if (!stat.isSymbolicLink() || (await orNone(readlink(path))) !== `${dataLink}/${name}`)
        throw new RekeyError("unsupported", `${path} is neither a file nor a link through ${dataLink}.`);
    }
    return found;
  }

  /** The folder of the present version. Throws `unsupported` where the link is somebody else's. */
  async #current(): Promise<string | null> {
    const path = join(this.name, dataLink);
    const stat = await orNone(lstat(path));
    if (stat === null) return null;
    const target = stat.isSymbolicLink() ? await readlink(path) : "";
    if (/^\.\.rekey-[0-9a-f]+$/.test(target)) return target;
    throw new RekeyError(
      "unsupported",
      `${path} was not made by Rekey.`,
      "A folder that Kubernetes or another program writes cannot be a place of this store.",
    );
  }

  async #makeFolder(): Promise<void> {
    await refuseLinks(this.#root, this.#place.path);
    const made = await mkdir(this.name, { recursive: true, mode: 0o755 });
    if (made !== undefined) await flushFolder(dirname(made));
  }

  async #adopt(seen: LiveState, nonce: string, begin: () => void): Promise<boolean> {
    const plain = await this.#plainNames();
    if (plain.length === 0) return true;
    const files = await this.#files();
    if (files === null || !(await this.#swap(files, seen, `${nonce}00`, begin, { renamed: false })))
      return false;
    for (const name of plain) {
      if (!(await this.#isStill(seen))) return false;
      await this.#putLink(`${dataLink}/${name}`, name, nonce);
    }
    return true;
  }

  /** The link is there before the file that it leads to: until then the field is absent, as it was. */
  async #link(name: string, nonce: string): Promise<void> {
    if ((await orNone(lstat(join(this.name, name)))) === null)
      await this.#putLink(`${dataLink}/${name}`, name, nonce);
  }

  async #swap(
    files: Files,
    seen: LiveState,
    nonce: string,
    begin: () => void,
    step: { renamed: boolean },
  ): Promise<boolean> {
    const version = `${mark}${nonce}`;
    const folder = join(this.name, version);
    const { permissions, owner } = this.#place;
    const access = { mode: Number.parseInt(permissions, 8), owner };
    await mkdir(folder);
    // Not by the mode of `mkdir`, from which the umask takes: who may read is said by each file.
    await chmod(folder, 0o755);
    for (const [name, bytes] of files) await writeDraft(join(folder, name), bytes, access);
    await flushFolder(folder);
    await flushFolder(this.name);
    // The lock holds other engines off; this look is for writers that know nothing of it.
    if (!(await this.#isStill(seen))) return false;
    begin();
    await this.#putLink(version, dataLink, nonce, step);
    await flushFolder(this.name);
    return true;
  }

  async #putLink(target: string, name: string, nonce: string, step = { renamed: false }): Promise<void> {
    const draft = join(this.name, `${mark}link-${nonce}`);
    await symlink(target, draft);
    await rename(draft, join(this.name, name));
    step.renamed = true;
  }

  async #isStill({ digest }: LiveState): Promise<boolean> {
    const files = await this.#files();
    return (files === null ? null : digestOf(files)) === digest;
  }
}

async function orNone<T>(asked: Promise<T>): Promise<T | null> {
  return asked.catch((error: unknown) => {
    if (causeOf(error) === "ENOENT") return null;
    throw error;
  });
}

/** Bytes that are no text stay bytes: under one of our names they are refused, and of others they are kept as they are. */
function textOf(bytes: Buffer): string | Buffer {
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : bytes;
}

function bytesOf(value: unknown): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(String(value), "utf8");
}

/** Of the names and the bytes, each with its length in front, so that no two contents look alike. */
function digestOf(files: Files): string {
  const hash = createHash("sha256");
  for (const name of [...files.keys()].sort()) {
    const bytes = files.get(name) ?? Buffer.alloc(0);
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}
