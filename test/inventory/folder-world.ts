/** Estates as folders, for the tests of what is read of them: written in pieces, read with a count of those, and applied. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import { readFolder } from "../../client/estate/folder.js";
import { Gathering } from "../../client/estate/gathering.js";
import { applySubmission } from "../../inventory/estate-apply.js";
import { knownIn } from "../../inventory/estate-context.js";
import { kinds, type sound } from "../domain/estate/fixtures.js";
import { newId } from "./world.js";

/** An estate as it is read from text. */
export type Raw = ReturnType<typeof sound>;
type Known = ReturnType<typeof knownIn>;

/** A folder of a test's own. */
export async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rekey-folder-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Shared sections and some consumers in YAML, the others as lines; a name's file depends on the name alone. */
export async function writeFolder(folder: string, { consumers, credentials, ...rest }: Raw): Promise<void> {
  const { brisk, ...policies } = rest.policies;
  const shared = { ...rest, policies };
  const inYaml = (name: string) => name.length % 2 === 0;
  const some = (map: Record<string, unknown>, yaml: boolean) =>
    Object.entries(map).filter(([name]) => inYaml(name) === yaml);
  const written = { consumers: Object.fromEntries(some(consumers, true)) };
  await writeFile(join(folder, "shared.yaml"), JSON.stringify(shared, null, 2));
  await writeFile(join(folder, "teams.yaml"), JSON.stringify(written, null, 2));
  const lines = [
    ...some(consumers, false).map(([name, body]) => JSON.stringify({ consumers: { [name]: body } })),
    ...Object.entries(credentials).map(([name, body]) => JSON.stringify({ credentials: { [name]: body } })),
    ...(brisk === undefined ? [] : [JSON.stringify({ policies: { brisk } })]),
  ];
  await writeFile(join(folder, "rest.jsonl"), lines.map((line) => `${line}\n`).join(""));
}

/** Reads a folder, and counts the pieces of it that had to be read. */
export async function readCounted(folder: string, known: Known) {
  // Anew for each reading: files share this process, and what one of them watches is let go of at its end.
  const take = vi.spyOn(Gathering.prototype, "take");
  try {
    const result = await readFolder(folder, kinds, known);
    return { result, read: take.mock.calls.length };
  } finally {
    take.mockRestore();
  }
}

/** Reads the folder and applies what it says; with how many pieces were read. */
export async function appliedFrom(folder: string, db: Parameters<typeof knownIn>[0], now: number) {
  const { result, read } = await readCounted(folder, knownIn(db));
  if (!result.ok) return { ...result, read };
  const applying = { by: "ann", now, newId };
  const { diff } = await applySubmission(db, result.submission, applying, result.changes);
  return { ok: true as const, diff, read };
}
