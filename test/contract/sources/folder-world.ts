/** A folder of files as the contract suite of the sources wants it: files that say something, one to plant, and one that cannot be read. */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Source, SourceKind } from "../../../adapters/ports.js";
import { testEngine } from "../../support/engine.js";
import { largeCount, oddName, type SourceWorld, scanned } from "../source.js";

/** Paths below the folder, and what stands there. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

/** What a file may be called of `oddName`, and all of it as YAML and JSON write it down. */
export const odd = { file: oddName.slice(0, oddName.indexOf("\uD800")), text: JSON.stringify(oddName) };

/** A value that nobody wrote before. */
export function fresh(name: string): string {
  return `${name}-${randomBytes(12).toString("hex")}`;
}

/** A text with `<<name>>` for each expression of GitHub, which are much like a template's own. */
export function braced(text: string): string {
  return text.replaceAll("<<", "$".concat("{{ ")).replaceAll(">>", " }}");
}

/** A folder with files of its own. */
export interface Folder {
  readonly directory: string;
  write(files: Files): Promise<void>;
  remove(path: string): Promise<void>;
  dispose(): Promise<void>;
}

/** A new folder called `shop`, with these files. */
export async function folderWith(files: Files): Promise<Folder> {
  const above = await mkdtemp(join(tmpdir(), "rekey-source-"));
  const directory = join(above, "shop");
  const write = async (more: Files) => {
    for (const [path, content] of Object.entries(more)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), content);
    }
  };
  await mkdir(directory);
  await write(files);
  return {
    directory,
    write,
    remove: (path) => rm(join(directory, path), { recursive: true }),
    dispose: () => rm(above, { recursive: true, force: true }),
  };
}

/** A source of a kind over a folder, with the settings that the kind's schema makes of these. */
export async function sourceOver(
  kind: SourceKind,
  directory: string,
  settings: object = {},
): Promise<Source> {
  const { deps } = await testEngine();
  return kind.create(kind.config.parse({ directory, ...settings }), deps);
}

/** Everything that a kind says of these files. */
export async function saidOf(kind: SourceKind, files: Files, settings: object = {}) {
  const folder = await folderWith(files);
  try {
    const parts = await scanned(await sourceOver(kind, folder.directory, settings));
    return {
      parts,
      claims: parts.flatMap(({ claims }) => claims),
      copies: parts.flatMap(({ copies }) => copies),
      listed: parts.flatMap(({ listed }) => listed),
      malformed: parts.flatMap(({ malformed }) => malformed),
      gaps: parts.flatMap(({ gaps }) => gaps),
    };
  } finally {
    await folder.dispose();
  }
}

/** The suite's world over a folder. */
export interface FolderCase {
  readonly kind: SourceKind;
  readonly settings?: object;
  readonly files: Files;
  readonly shown: readonly string[];
  readonly whole: boolean;
  readonly planted: { readonly files: Files; readonly edge: string };
  /** A file that cannot be read and one behind it, in the order of their names. */
  readonly spoiled: { readonly files: Files; readonly edge: string };
  /** Files with `leakedAddress` in the places of names. */
  readonly leaking: Files;
  /** A file with `oddName` in its own name and in the places of names, and one behind it. */
  readonly odd: { readonly files: Files; readonly edge: string };
  /** A file that stands before that of `planted` and says something of each of these names. */
  readonly large: (names: readonly string[]) => Files;
  readonly values: readonly string[];
}

/** Makes the world anew for each test. */
export function folderCase(of: FolderCase): () => Promise<SourceWorld> {
  return async () => {
    const folder = await folderWith(of.files);
    const { deps } = await testEngine();
    const open = (directory: string) =>
      of.kind.create(of.kind.config.parse({ directory, ...of.settings }), deps);
    return {
      shows: of.kind.shows,
      open: () => open(folder.directory),
      openUnreachable: () => open(`${folder.directory}-away`),
      shown: of.shown,
      whole: of.whole,
      async plant() {
        await folder.write(of.planted.files);
        return of.planted.edge;
      },
      async unplant() {
        for (const path of Object.keys(of.planted.files)) await folder.remove(path);
      },
      async spoil() {
        await folder.write(of.spoiled.files);
        return of.spoiled.edge;
      },
      leak: () => folder.write({ ...of.files, ...of.spoiled.files, ...of.leaking }),
      async odd() {
        await folder.write(of.odd.files);
        return of.odd.edge;
      },
      async large() {
        const names = Array.from({ length: largeCount }, (_, number) => `many${number}`);
        // It stands there from the beginning, so that it is found, and says nothing yet.
        const nothing = Object.keys(of.planted.files).map((path) => [path, "{}\n"] as const);
        await folder.write({ ...of.large(names), ...Object.fromEntries(nothing) });
        return {
          edges: largeCount,
          late: async () => {
            await folder.write(of.planted.files);
            return of.planted.edge;
          },
        };
      },
      values: of.values,
      close: () => folder.dispose(),
    };
  };
}
