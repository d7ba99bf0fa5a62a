/** The newest generation of the inventory in a file outside the database, beside the audit log's anchor: a restore of the database does not put it back (H32). */
import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { RekeyError } from "../domain/errors.js";
import type { Generation, HighWater } from "../domain/restore.js";

/** The note in a file. One that cannot be read or written stops what the audit log stops: what can wait, waits (H31). */
export function fileHighWater(path: string): HighWater {
  return {
    read: async () => {
      let text: string;
      try {
        text = await readFile(path, "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw new RekeyError("audit-down", `The generation's note ${path} cannot be read.`);
      }
      return parsed(text, path);
    },
    write: async (generation) => {
      // Workers may share the folder and, each in a container of its own, the process id.
      const draft = `${path}.${randomUUID()}.new`;
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        const file = await open(draft, "w", 0o600);
        await file.writeFile(`${JSON.stringify(generation)}\n`);
        await file.sync();
        await file.close();
        await rename(draft, path);
        const folder = await open(dirname(path), "r");
        await folder.sync();
        await folder.close();
      } catch {
        throw new RekeyError("audit-down", `The generation's note ${path} cannot be written.`);
      }
    },
  };
}

/** Half a note says nothing, and must not be taken for none. */
function parsed(text: string, path: string): Generation {
  try {
    const { number, id, mark } = JSON.parse(text) as Partial<Generation>;
    if (Number.isSafeInteger(number) && Number.isSafeInteger(mark) && typeof id === "string")
      return { number, mark, id } as Generation;
  } catch {
    // The sentence below says it.
  }
  throw new RekeyError(
    "audit-down",
    `The generation's note ${path} is not one.`,
    "Put it back from where it came, or move it away and keep it; the tags outside are compared all the same.",
  );
}
