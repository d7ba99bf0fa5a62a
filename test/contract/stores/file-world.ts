/** A fresh tree of files for each test, with another program's hands that know nothing of the lock. */
import { renameSync, writeFileSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { armor, Decrypter, Encrypter, generateIdentity, identityToRecipient } from "age-encryption";
import type { AdapterDeps, Store } from "../../../adapters/ports.js";
import { file } from "../../../adapters/stores/file.js";
import { diskFolders, interruptedOnce } from "./disk-folders.js";
import { depsOf, type StoreWorld } from "./world.js";

/** A world of files, and what the tests that are about files need. */
export interface FileWorld extends StoreWorld {
  readonly root: string;
  readonly directory: string;
  readonly staging: string;
  /** The live file. */
  readonly live: string;
  /** A store over the same folders with other settings of the place or the store. */
  openWith(place: object, config?: object, deps?: Partial<AdapterDeps>): Store;
}

/** Plain files, or live file and copies encrypted by age. */
export async function fileWorld(protection: "plain" | "age"): Promise<FileWorld> {
  const { root, directory, staging, cutOff, dispose } = await diskFolders("rekey-file-store-");
  const live = join(directory, "orders", "db.json");
  const identity = await generateIdentity();
  const recipients = [await identityToRecipient(identity)];

  const open = async (bytes: Buffer): Promise<Record<string, unknown>> => {
    const text = bytes.toString("utf8");
    if (!text.startsWith("-----BEGIN AGE")) return JSON.parse(text);
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    return JSON.parse(await decrypter.decrypt(armor.decode(text), "text"));
  };
  const seal = async (document: unknown): Promise<string> => {
    if (protection === "plain") return JSON.stringify(document);
    const encrypter = new Encrypter();
    for (const recipient of recipients) encrypter.addRecipient(recipient);
    return armor.encode(await encrypter.encrypt(JSON.stringify(document)));
  };
  const raw = async () => {
    const bytes = await readFile(live).catch(() => null);
    return bytes === null ? null : open(bytes);
  };
  const replace = (text: string) => {
    writeFileSync(`${live}.theirs`, text, { mode: 0o600 });
    renameSync(`${live}.theirs`, live);
  };
  const foreignWrite = async (fields: Record<string, string>) => {
    await mkdir(dirname(live), { recursive: true });
    replace(await seal({ ...(await raw()), ...fields }));
  };
  const writer = interruptedOnce();
  const openWith: FileWorld["openWith"] = (place, config = {}, deps = {}) =>
    file.create(
      file.config.parse({
        directory,
        stagingDirectory: staging,
        ...(protection === "age" ? { age: { recipients, identity: "env:AGE" } } : {}),
        ...config,
      }) as never,
      file.place.parse({ path: "orders/db.json", protection, ...place }) as never,
      depsOf({ "env:AGE": identity }, { random: writer.random, ...deps }),
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
    raw,
    foreignWrite,
    foreignWriteInBetween: async (fields) => {
      const text = await seal({ ...(await raw()), ...fields });
      writer.next(() => replace(text));
    },
    everything: async () => {
      const names = (await readdir(root, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort();
      return JSON.stringify(
        await Promise.all(
          names.map(async (name) => {
            const bytes = await readFile(name);
            return [name, bytes.length === 0 ? "" : await open(bytes)];
          }),
        ),
      );
    },
    cutOff,
    dispose,
  };
}
