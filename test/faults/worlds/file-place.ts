/** A lane's place in files: the live document that services read, and the folder of copies that only the engine reads. */
import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Backup, RawDocument, World } from "./world.js";

/** The store's half of a world; `file` is the live document. */
export type FilePlace = Pick<World, "store" | "place" | "live" | "copies" | "annotate"> & {
  readonly file: string;
  /** Takes the right to write away from whoever is bound by rights, or gives it back. */
  readOnly(on: boolean): Promise<void>;
  readonly backup: Backup;
};

const writing = 0o200;

/** Both folders as `cp -r` has them; put back so that no service reads half of the document. */
function backupOf(file: string, stagingDirectory: string, at: string): Backup {
  const [live, staging] = [join(at, "live.json"), join(at, "staging")];
  return {
    keep: async () => {
      await rm(at, { recursive: true, force: true });
      await mkdir(at, { mode: 0o700 });
      await cp(file, live);
      await cp(stagingDirectory, staging, { recursive: true });
    },
    putBack: async () => {
      for (const name of await readdir(stagingDirectory))
        await rm(join(stagingDirectory, name), { recursive: true });
      await cp(staging, stagingDirectory, { recursive: true });
      const draft = join(at, "draft.json");
      await cp(live, draft);
      await rename(draft, file);
    },
  };
}

/** Takes the owner's right to write in a folder and all below it, or gives it back. */
export async function letOnlyRead(folder: string, on: boolean): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const below = entries.filter((entry) => entry.isDirectory());
  for (const path of [folder, ...below.map((entry) => join(entry.parentPath, entry.name))]) {
    const { mode } = await stat(path);
    await chmod(path, on ? mode & ~writing : mode | writing);
  }
}

/** Makes the folders of lane `index` with the first document in them. */
export async function filePlace(folder: string, index: number, first: RawDocument): Promise<FilePlace> {
  const directory = join(folder, `live-${index}`);
  const stagingDirectory = join(folder, `staging-${index}`);
  await mkdir(directory, { mode: 0o755 });
  await mkdir(stagingDirectory, { mode: 0o700 });
  const file = join(directory, "orders-db.json");
  await writeFile(file, JSON.stringify(first), { mode: 0o400 });
  const live = async () => JSON.parse(await readFile(file, "utf8")) as Record<string, string>;
  return {
    file,
    store: { kind: "file", directory, stagingDirectory },
    place: { path: "orders-db.json" },
    live,
    readOnly: async (on) => {
      await letOnlyRead(directory, on);
      await letOnlyRead(stagingDirectory, on);
    },
    backup: backupOf(file, stagingDirectory, join(folder, `backup-${index}`)),
    annotate: async (note) => {
      // Moved into its place, so that no service reads half of it; not a name that the engine sweeps away.
      const draft = join(folder, `note-${index}`);
      await writeFile(draft, JSON.stringify({ ...(await live()), note }), { mode: 0o400 });
      await rename(draft, file);
    },
    copies: async () => {
      const entries = await readdir(stagingDirectory, { recursive: true, withFileTypes: true });
      // A draft that a killed writer left behind is a copy, too.
      return entries
        .filter(({ name }) => name.endsWith(".json") || name.includes("rekey-tmp"))
        .filter((entry) => entry.isFile())
        .map(({ name }) => name.replace(/\.json$/, ""))
        .sort();
    },
  };
}
