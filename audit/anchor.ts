/**
 * The newest checkpoint in a file outside the database. A log that was cut, or replaced by another, agrees with
 * itself and with everything beside it; only what stands elsewhere can tell (H32, I9).
 */
import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { RekeyError } from "../domain/errors.js";

/** Where the newest checkpoint is kept besides the database. */
export interface Anchor {
  /** The signed note, or null where none was kept yet. Throws `unreachable` where it cannot be read. */
  read(): Promise<string | null>;
  /** Replaces it; on the disk when this resolves. Throws `unreachable`. */
  write(note: string): Promise<void>;
}

/** The anchor in a file. */
export function fileAnchor(path: string): Anchor {
  return {
    read: async () => {
      try {
        return await readFile(path, "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw new RekeyError("unreachable", `The audit anchor ${path} cannot be read.`);
      }
    },
    write: async (note) => {
      const draft = `${path}.${process.pid}.new`;
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
