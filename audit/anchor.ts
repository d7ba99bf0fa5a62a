/**
 * The newest checkpoint in places outside the log's database. A log that was cut, or replaced by another, agrees with
 * itself and with everything beside it; only what stands elsewhere can tell (H32, I9).
 */
import { randomUUID } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { RekeyError } from "../domain/errors.js";

/** Where the newest checkpoint is kept besides the log's database. */
export interface Anchor {
  /** How sentences name the checkpoint that stands there. */
  readonly source: string;
  /** The signed note, or null where none was kept yet. Throws `unreachable` where it cannot be read. */
  read(): Promise<string | null>;
  /** Replaces it by the note of a log of so many entries; kept durably when this resolves. Throws `unreachable`. */
  write(note: string, size: number): Promise<void>;
}

/** A signed note that was kept outside the database. `source` begins a sentence's part: `the anchor's checkpoint`. */
export interface OutsideNote {
  readonly source: string;
  readonly note: string;
}

/** What stands in these places now. */
export async function notesIn(anchors: readonly Anchor[]): Promise<OutsideNote[]> {
  const notes = await Promise.all(anchors.map(async ({ source, read }) => ({ source, note: await read() })));
  return notes.flatMap(({ source, note }) => (note === null ? [] : [{ source, note }]));
}

/** The anchor in a file. */
export function fileAnchor(path: string): Anchor {
  return {
    source: "the anchor's checkpoint",
    read: async () => {
      try {
        return await readFile(path, "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw new RekeyError("unreachable", `The audit anchor ${path} cannot be read.`);
      }
    },
    write: async (note) => {
      // Workers may share the folder and, each in a container of its own, the process id: two in one draft would tear it.
      const draft = `${path}.${randomUUID()}.new`;
      try {
        const file = await open(draft, "w", 0o644);
        await file.writeFile(note);
        await file.sync();
        await file.close();
        await rename(draft, path);
        const folder = await open(dirname(path), "r");
        await folder.sync();
        await folder.close();
      } catch {
        throw new RekeyError("unreachable", `The audit anchor ${path} cannot be written.`);
      }
    },
  };
}
