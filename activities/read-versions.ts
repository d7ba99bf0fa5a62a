/**
 * Which versions of its places were read after another one was live there. What stands there under which name is kept by every look,
 * because a log tells of a read by the store's own name of what was read.
 */
import { locationId } from "../domain/graph/places.js";
import type { StoreRead, StoreVersion } from "../domain/old-reads.js";
import { entryNamed } from "../inventory/estate.js";
import { keepLiveVersions, type PlaceNode, versionReadsAt, versionsAt } from "../inventory/version-reads.js";
import type { ActivityDeps, Systems } from "./deps.js";

/** What is live at a place, as a look saw it; a store without versions has no name for it. */
export interface PlaceSeen {
  readonly place: string;
  readonly liveVersion: string | null;
  readonly storeVersion?: string;
}

/** What the records have of a credential's places. */
export interface VersionReads {
  readonly known: readonly StoreVersion[];
  readonly reads: readonly StoreRead[];
}

/** Keeps what a look saw, and reads it together with who read what within the last `windowMs`, in milliseconds. */
export async function versionReads(
  deps: Pick<ActivityDeps, "db" | "now" | "shapes" | "sha256Hex">,
  systems: Pick<Systems, "id" | "name" | "estate" | "consumers">,
  seen: readonly PlaceSeen[],
  windowMs: number,
): Promise<VersionReads> {
  const now = deps.now();
  if (seen.every(({ storeVersion }) => storeVersion === undefined)) return { known: [], reads: [] };
  const places = await nodesOf(deps, systems);
  await keepLiveVersions(
    deps.db,
    systems.id,
    seen.flatMap(({ place, liveVersion: version, storeVersion }) => {
      const node = places.find((one) => one.place === place)?.node;
      return node === undefined || storeVersion === undefined
        ? []
        : [{ place, node, storeVersion, version, seenAt: now }];
    }),
  );
  const [known, reads] = await Promise.all([
    versionsAt(deps.db, systems.id, places),
    versionReadsAt(deps.db, places, now - windowMs),
  ]);
  return { known, reads };
}

/** The nodes of the credential's places on the map, where sources' reads are kept. */
async function nodesOf(
  { db, shapes, sha256Hex }: Pick<ActivityDeps, "db" | "shapes" | "sha256Hex">,
  { name, estate, consumers }: Pick<Systems, "name" | "estate" | "consumers">,
): Promise<PlaceNode[]> {
  const credential = estate.credentials[name];
  if (credential === undefined) return [];
  const { id: store } = await entryNamed(db, "stores", credential.store);
  const nodeOf = (place: Readonly<Record<string, unknown>>) =>
    locationId(store, shapes.placeKey(estate, credential.store, place), sha256Hex);
  const own = credential.consumers.flatMap(({ consumer, place }) => {
    const id = consumers.find((one) => one.name === consumer)?.id;
    return id === undefined || place === undefined ? [] : [{ place: id, node: nodeOf(place) }];
  });
  return [{ place: "main", node: nodeOf(credential.place) }, ...own];
}
