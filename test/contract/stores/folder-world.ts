/** A fresh tree of folders for each test, with another program's hands that know nothing of the lock. */
import { existsSync, readdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { AdapterDeps, Store } from "../../../adapters/ports.js";
import { folder } from "../../../adapters/stores/folder.js";
import { diskFolders, interruptedOnce } from "./disk-folders.js";
import { depsOf, type StoreWorld } from "./world.js";

/** A world of folders, and what the tests that are about links need. */
export interface FolderWorld extends StoreWorld {
  readonly root: string;
  readonly directory: string;
  readonly staging: string;
  /** The folder of the place. */
  readonly live: string;
  /** A store over the same folders with other settings of the place or the store. */
  openWith(place: object, config?: object, deps?: Partial<AdapterDeps>): Store;
}

/** As a consumer has to read: the link is followed once, and what is behind it is read; a plain file stands for itself. */
function readAt(live: string): Record<string, string> | null {
  const read = (folderPath: string) =>
    readdirSync(folderPath, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => [name, readFileSync(join(folderPath, name), "utf8")] as const);
  for (;;) {
    if (!existsSync(live)) return null;
    const data = dataOf(live);
    try {
      const fields = Object.fromEntries([...(data === null ? [] : read(join(live, data))), ...read(live)]);
      if (dataOf(live) === data) return fields;
    } catch (error) {
      // The next version is there, and the folder of the one that was read has gone.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}

function dataOf(live: string): string | null {
  return readdirSync(live).includes("..data") ? readlinkSync(join(live, "..data")) : null;
}

/** Makes it. */
export async function folderWorld(): Promise<FolderWorld> {
  const { root, directory, staging, cutOff, dispose } = await diskFolders("rekey-folder-store-");
  const live = join(directory, "orders-db");
  const replace = (fields: Record<string, string>) => {
    for (const [name, text] of Object.entries(fields)) {
      writeFileSync(join(directory, "theirs"), text, { mode: 0o600 });
      renameSync(join(directory, "theirs"), join(live, name));
    }
  };
  const writer = interruptedOnce();
  const openWith: FolderWorld["openWith"] = (place, config = {}, deps = {}) =>
    folder.create(
      folder.config.parse({ directory, stagingDirectory: staging, ...config }) as never,
      folder.place.parse({ path: "orders-db", ...place }) as never,
      depsOf({}, { random: writer.random, ...deps }),
    );
  return {
    root,
    directory,
    staging,
    live,
    openWith,
    storeVersions: "none",
    open: ({ fields, installation } = {}) =>
      openWith(fields ? { fields } : {}, {}, installation ? { installation } : {}),
    raw: async () => readAt(live),
    foreignWrite: async (fields) => {
      await mkdir(live, { recursive: true });
      replace(fields);
    },
    foreignWriteInBetween: async (fields) => {
      writer.next(() => replace(fields));
    },
    everything: async () => {
      const entries = await readdir(root, { recursive: true, withFileTypes: true });
      const names = entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
      return JSON.stringify(
        await Promise.all(names.sort().map(async (name) => [name, await readFile(name, "utf8")])),
      );
    },
    cutOff,
    dispose,
  };
}
