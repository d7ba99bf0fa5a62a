/** What the oracle compares before and after something by which nothing may have changed. */
import { parseTag } from "../../../domain/fence.js";
import type { Lane } from "../house/lane.js";

/** Accounts with their tags, and the store's document: what may not change at all. */
export function standings(lane: Lane): Promise<string> {
  return stand(lane, (tag) => tag);
}

/**
 * The same without whose fence it is: a takeover puts its own in the place of the one of an earlier run, which must not
 * wait for a signature (H3, H8). Which version is where, whether it is valid and what its value is may not change.
 */
export function standingsBehindFences(lane: Lane): Promise<string> {
  return stand(lane, (tag) => {
    const version = parseTag(tag)?.version;
    return version === "none" ? undefined : version;
  });
}

async function stand(lane: Lane, shown: (tag: string | undefined) => unknown): Promise<string> {
  const accounts = (await lane.world.accounts()).map(({ name, enabled, tag }) =>
    JSON.stringify([name, enabled, shown(tag)]),
  );
  const live = await lane.world.live();
  const { rekey_version: version, rekey_tag: tag, username, password } = live ?? {};
  return JSON.stringify([accounts.sort(), version, shown(tag), username, password]);
}
