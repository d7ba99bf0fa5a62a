/** Destroying what old revisions of a live document still hold: any reader of the path may ask for each of them (H20). */
import { count } from "../../../domain/count.js";
import { RekeyError } from "../../../domain/errors.js";
import type { Call } from "../../ports.js";
import type { Kv, KvRevision } from "./kv.js";

/** Old revisions are read this many at a time: a mount may keep hundreds. */
const readsAtOnce = 8;

/**
 * Destroys every revision but the current one for which `holds` says yes, and every deleted one: it cannot
 * be read to tell, somebody asked for its end already, and until it is destroyed it can be brought back.
 * Throws `conflict` when the current revision itself is deleted (it may hold the value, and is not ours to
 * end) or when a destroyed one can still be read afterwards; Vault says "done" to everything (H9).
 */
export async function purgeRevisions(
  kv: Kv,
  path: string,
  call: Call,
  holds: (data: Readonly<Record<string, unknown>>) => boolean,
): Promise<void> {
  const metadata = await kv.metadata(path, call);
  if (metadata === null) return;
  const left = metadata.revisions.filter((entry) => !entry.destroyed);
  if (left.some((entry) => entry.revision === metadata.current && entry.deleted)) {
    throw new RekeyError(
      "conflict",
      `The live document at ${kv.mount}/${path} is deleted but can be brought back, with whatever it holds.`,
      "Bring it back (`vault kv undelete`) or destroy that revision, then resume.",
    );
  }
  const old = left.filter((entry) => entry.revision !== metadata.current);
  const doomed = await among(old, async (entry) => {
    if (entry.deleted) return true;
    const { data } = await kv.read(path, call, entry.revision);
    return data !== null && holds(data);
  });
  if (doomed.length === 0) return;
  const numbers = doomed.map((entry) => entry.revision);
  await kv.destroy(path, numbers, call);
  const after = await kv.metadata(path, call);
  const alive =
    after?.revisions.filter((entry) => numbers.includes(entry.revision) && !entry.destroyed) ?? [];
  if (alive.length > 0) {
    throw new RekeyError(
      "conflict",
      `Vault still keeps ${count(alive.length, "old revision")} of ${kv.mount}/${path}.`,
    );
  }
}

async function among(
  entries: readonly KvRevision[],
  test: (entry: KvRevision) => Promise<boolean>,
): Promise<KvRevision[]> {
  const found: KvRevision[] = [];
  for (let start = 0; start < entries.length; start += readsAtOnce) {
    const some = entries.slice(start, start + readsAtOnce);
    const verdicts = await Promise.all(some.map(test));
    found.push(...some.filter((_, index) => verdicts[index]));
  }
  return found;
}
