/**
 * Documents without a value that stand where a copy was purged. A copy is only written where nothing stands yet, so a
 * request that was held up until the rotation was long over is refused by Vault itself (H3).
 */
import { RekeyError } from "../../../domain/errors.js";
import type { Call } from "../../ports.js";
import type { Kv } from "./kv.js";

const mark = { rekey_purged: "true" } as const;
/** Somebody may write the copy in the very moment between its removal and the stone. */
const triesMax = 3;

/** True for what stands in place of a purged copy. */
export function isTombstone(data: Readonly<Record<string, unknown>> | null): boolean {
  return data?.rekey_purged === mark.rekey_purged;
}

/**
 * Removes a copy with its history and puts the stone there. Throws `conflict` where others keep writing the copy, and
 * `not-permitted` where nothing stands there and nothing may be put there.
 */
export async function bury(kv: Kv, path: string, call: Call): Promise<void> {
  let refusal: RekeyError | null = null;
  for (let attempt = 1; attempt <= triesMax; attempt++) {
    if (isTombstone((await kv.read(path, call)).data)) return;
    await kv.remove(path, call);
    // The same purge may run twice at once, and what the other one has put there is no right that is missing.
    const outcome = await kv.create(path, mark, 0, call);
    if (outcome === "written") return;
    refusal = outcome instanceof RekeyError ? outcome : null;
  }
  const { data } = await kv.read(path, call);
  if (isTombstone(data)) return;
  if (refusal !== null && data === null) throw refusal;
  throw new RekeyError("conflict", `The copy at ${kv.mount}/${path} is there again whenever it is removed.`);
}

/** Which of the names in a folder are copies, stones left out. */
export async function copiesIn(kv: Kv, folder: string, call: Call): Promise<string[]> {
  const names = await kv.list(folder, call);
  const stones = await Promise.all(
    names.map(async (name) => isTombstone((await kv.read(`${folder}/${name}`, call)).data)),
  );
  return names.filter((_, index) => stones[index] === false).sort();
}

/** Forgets the stones that are older by `lifeMs` than the newest document, by the server's own clock. */
export async function sweepTombstones(
  kv: Kv,
  folder: string,
  newest: string,
  lifeMs: number,
  call: Call,
): Promise<void> {
  const now = (await kv.metadata(`${folder}/${newest}`, call))?.updatedAt ?? 0;
  for (const name of await kv.list(folder, call)) {
    const path = `${folder}/${name}`;
    const metadata = await kv.metadata(path, call);
    if (metadata === null || metadata.updatedAt >= now - lifeMs) continue;
    if (isTombstone((await kv.read(path, call)).data)) await kv.remove(path, call);
  }
}
