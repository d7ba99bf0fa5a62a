/**
 * Which versions of its places were read after another one was live there. What stands there under which name is kept by every look,
 * because a log tells of a read by the store's own name of what was read.
 */
import { locationId } from "../domain/graph/places.js";
import type { StoreRead, StoreVersion } from "../domain/old-reads.js";
import { entryNamed } from "../inventory/estate.js";
import {
  keepLiveVersions,
  type LiveVersion,
  otherReadsAt,
  type PlaceNode,
  versionsAt,
} from "../inventory/version-reads.js";
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

/** Who asks for them, and of which credential. */
export interface Asking {
  readonly deps: Pick<ActivityDeps, "db" | "now" | "shapes" | "sha256Hex">;
  readonly systems: Pick<Systems, "id" | "name" | "estate" | "consumers">;
}

/** Keeps what a look saw, and answers as `versionsRead`. */
export async function keptVersionReads(
  asking: Asking,
  seen: readonly PlaceSeen[],
  since: number,
): Promise<VersionReads> {
  const { places, live } = await placedIn(asking, seen);
  if (live.length === 0) return nothing;
  const { deps, systems } = asking;
  const [known, reads] = await Promise.all([
    keepLiveVersions(deps.db, systems.id, places, live),
    otherReadsAt(deps.db, places, live, since),
  ]);
  return { known, reads };
}

/** What stood at the places, what a look saw there now, and who read anything else at `since` or later, in milliseconds since the epoch. */
export async function versionsRead(
  asking: Asking,
  seen: readonly PlaceSeen[],
  since: number,
): Promise<VersionReads> {
  const { places, live } = await placedIn(asking, seen);
  if (live.length === 0) return nothing;
  const { deps, systems } = asking;
  const [kept, reads] = await Promise.all([
    versionsAt(deps.db, systems.id, places),
    otherReadsAt(deps.db, places, live, since),
  ]);
  const isKept = (one: StoreVersion) =>
    kept.some(({ place, storeVersion }) => place === one.place && storeVersion === one.storeVersion);
  return { known: [...kept, ...live.filter((one) => !isKept(one))], reads };
}

const nothing: VersionReads = { known: [], reads: [] };

interface Placed {
  readonly places: readonly PlaceNode[];
  readonly live: readonly LiveVersion[];
}

/** Places of a store that keeps one state alone are left out: nobody can read an older one there. */
async function placedIn({ deps, systems }: Asking, seen: readonly PlaceSeen[]): Promise<Placed> {
  if (seen.every(({ storeVersion }) => storeVersion === undefined)) return { places: [], live: [] };
  const [places, seenAt] = [await nodesOf(deps, systems), deps.now()];
  const live = places.flatMap(({ place, node }) =>
    seen.flatMap(({ place: at, liveVersion: version, storeVersion }) =>
      at === place && storeVersion !== undefined ? [{ place, node, storeVersion, version, seenAt }] : [],
    ),
  );
  return { places, live };
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
