/** A lane's place in a folder of files, as an administrator mounted it: plain files at first, links through `..data` afterwards. */
import { mkdir, readdir, readFile, readlink, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { letOnlyRead } from "./file-place.js";
import type { RawDocument, World } from "./world.js";

/** The store's half of a world; `folder` is the live document. */
export type FolderPlace = Pick<World, "store" | "place" | "live" | "copies" | "annotate"> & {
  readonly folder: string;
  /** Takes the right to write away from whoever is bound by rights, or gives it back. */
  readOnly(on: boolean): Promise<void>;
};

/** How often a look begins anew because a version went away in the middle of it. */
const looksMax = 20;

/** Makes the folders of lane `index` with the first document in them. */
export async function folderPlace(base: string, index: number, first: RawDocument): Promise<FolderPlace> {
  const directory = join(base, `live-${index}`);
  const stagingDirectory = join(base, `staging-${index}`);
  const folder = join(directory, "orders-db");
  await mkdir(folder, { recursive: true, mode: 0o755 });
  await mkdir(stagingDirectory, { mode: 0o700 });
  for (const [name, text] of Object.entries(first))
    await writeFile(join(folder, name), text, { mode: 0o400 });
  return {
    folder,
    store: { kind: "folder", directory, stagingDirectory },
    place: { path: "orders-db" },
    live: () => liveIn(folder),
    readOnly: async (on) => {
      await letOnlyRead(directory, on);
      await letOnlyRead(stagingDirectory, on);
    },
    annotate: async (note) => {
      // Moved into its place, so that no service reads half of it; not a name that the engine sweeps away.
      const draft = join(base, `note-${index}`);
      await writeFile(draft, note, { mode: 0o400 });
      await rename(draft, join(folder, "note"));
    },
    copies: async () => {
      const entries = await readdir(stagingDirectory, { recursive: true, withFileTypes: true });
      const current = await dataOf(folder);
      // What a killed writer left behind is a copy, too: a draft, or a version that no link leads to.
      const left = (await readdir(folder)).filter((name) => name.startsWith("..rekey-") && name !== current);
      const kept = entries
        .filter(({ name }) => name.endsWith(".json") || name.includes("rekey-tmp"))
        .filter((entry) => entry.isFile())
        .map(({ name }) => name.replace(/\.json$/, ""));
      return [...kept, ...left].sort();
    },
  };
}

/** The folder that the link leads to, `null` before the first change. */
async function dataOf(folder: string): Promise<string | null> {
  return readlink(join(folder, "..data")).catch(absent);
}

/** What stands under the names, all of one moment: while they were read the link led to the same version. */
async function liveIn(folder: string): Promise<RawDocument> {
  for (let look = 1; look <= looksMax; look++) {
    const before = await dataOf(folder);
    const fields: Record<string, string> = {};
    for (const name of (await readdir(folder)).filter((each) => !each.startsWith(".."))) {
      const text = await readFile(join(folder, name), "utf8").catch(absent);
      if (text !== null) fields[name] = text;
    }
    if ((await dataOf(folder)) === before) return fields;
  }
  throw new Error(`${folder} is changed so often that it cannot be read`);
}

/** A link to nothing is no field. */
function absent(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
  throw error;
}
