/** What the worlds of stores on a disk have in common: their two folders, which can be away, and a moment for another writer. */
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The folders of one test. */
export interface DiskFolders {
  readonly root: string;
  readonly directory: string;
  readonly staging: string;
  /** Takes both away, as a disk that is not mounted; the answer puts them back. */
  cutOff(): Promise<() => Promise<void>>;
  dispose(): Promise<void>;
}

/** Makes them. */
export async function diskFolders(prefix: string): Promise<DiskFolders> {
  const root = await mkdtemp(join(tmpdir(), prefix));
  const directory = join(root, "live");
  const staging = join(root, "staging");
  await mkdir(directory, { mode: 0o755 });
  await mkdir(staging, { mode: 0o700 });
  const cutOff = async () => {
    await rename(directory, `${directory}.away`);
    await rename(staging, `${staging}.away`);
    return async () => {
      await rename(`${directory}.away`, directory);
      await rename(`${staging}.away`, staging);
    };
  };
  return { root, directory, staging, cutOff, dispose: () => rm(root, { recursive: true, force: true }) };
}

/** Randomness for a store. The nonce of a draft is drawn between the read and the rename, which is where another writer gets in. */
export function interruptedOnce() {
  let between: (() => void) | null = null;
  return {
    random: (bytes: number) => {
      between?.();
      between = null;
      return crypto.getRandomValues(new Uint8Array(bytes));
    },
    /** What happens at the next draw, and only then. */
    next: (write: () => void) => {
      between = write;
    },
  };
}
