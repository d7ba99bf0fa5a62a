/**
 * Where the temporary files of a test run lie. Servers make and remove them by the ten thousand (PostgreSQL alone 300
 * for each database), and a disk that finds a place for each took a tenth of the run's processor time.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";

/** What a run may need at its fullest, with much to spare. */
const runBytesMax = 4 * 1024 ** 3;

/**
 * Makes a folder in memory, where this machine has one with as much room, for everything that asks for the folder of temporary
 * files (`TMPDIR`); it is gone when this process ends. Undefined where there is none: then the usual one serves.
 */
export function folderInMemory(memory = "/dev/shm", bytesMin = runBytesMax): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(memory);
    if (Math.min(bavail * bsize, freemem()) < bytesMin) return undefined;
  } catch {
    return undefined;
  }
  const folder = mkdtempSync(join(memory, "rekey-test-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  // As any such folder: servers that run as another user make their own files in it.
  chmodSync(folder, 0o1777);
  return runsPrograms(folder) ? folder : undefined;
}

/** False where the memory is mounted for data only, as containers often have it. */
function runsPrograms(folder: string): boolean {
  const program = join(folder, "program");
  writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
  try {
    execFileSync(program, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(program);
  }
}
