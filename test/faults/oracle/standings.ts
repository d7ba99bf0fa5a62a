/** What the oracle compares before and after something by which nothing may have changed. */
import type { Lane } from "../house/lane.js";

/** Accounts with their tags, and the store's document: what may not change without leave. */
export async function standings(lane: Lane): Promise<string> {
  const accounts = (await lane.world.accounts()).map(({ name, enabled, tag }) => [name, enabled, tag]);
  const live = await lane.world.live();
  return JSON.stringify([accounts, live?.rekey_version, live?.rekey_tag, live?.username, live?.password]);
}
