/**
 * A scan of a live cluster: listing after listing, each as the cluster was at one moment, page by page. A scan that is gone on with
 * lists the same moment again up to where it was; a moment that the server has forgotten is replaced by a new one as a whole, because
 * the rest of another moment could lack what the first part of this one had not yet.
 */
import { z } from "zod";
import type { ScanPart } from "../../domain/discovery/said.js";
import { withheldPart } from "../../domain/discovery/withheld.js";
import { RekeyError } from "../../domain/errors.js";
import type { Call } from "../ports.js";
import { saysObject } from "../shared/source-kubernetes.js";
import { KubernetesCollector } from "../shared/source-kubernetes-frame.js";
import {
  type KubernetesFrame,
  type KubernetesObject,
  objectsOf,
  pathOf,
} from "../shared/source-kubernetes-objects.js";
import { saysPods } from "../shared/source-kubernetes-pods.js";
import { cursorIn } from "../shared/source-part.js";
import { type Marking, Says } from "../shared/source-says.js";
import type { KubernetesApi } from "./kubernetes-api.js";
import { type ClusterGap, gapOf, type Listing, listingsOf, type Wanted } from "./kubernetes-listings.js";
import { isOver, isPassing, Owners } from "./kubernetes-owners.js";

/** What is scanned and how. */
export interface ClusterScan {
  readonly wanted: Wanted;
  readonly api: KubernetesApi;
  readonly places: KubernetesFrame["places"];
  readonly pageSize: number;
  readonly marking: Marking;
}

/** A listing, its moment, and how many of its objects have been said. */
const cursorShape = z.strictObject({ listing: z.string(), version: z.string(), said: z.int().min(0) });
type Cursor = z.output<typeof cursorShape>;

/** Claims and copies of a part. */
const itemsMax = 2_000;
/** How often a listing is begun again because the server forgot its moment. */
const beginningsMax = 4;

/** What is known so far, and what waits for the next part. */
interface State {
  readonly scan: ClusterScan;
  readonly known: KubernetesCollector;
  readonly owners: Owners;
  readonly gaps: ClusterGap[];
  cursor: string;
}

/** The scan. Throws `not-permitted` where nothing at all may be listed. */
export async function* scanCluster(
  scan: ClusterScan,
  cursor: string | null,
  call: Call,
): AsyncGenerator<ScanPart> {
  const { wanted, api, places } = scan;
  const from = cursor === null ? null : cursorIn(cursorShape, cursor);
  const { listings, gaps } = await listingsOf(wanted, api, call);
  const state: State = {
    scan,
    known: new KubernetesCollector({ cluster: wanted.cluster, literal: false, places }),
    owners: new Owners(),
    gaps: [...gaps],
    cursor: cursor ?? JSON.stringify({ listing: "", version: "", said: 0 } satisfies Cursor),
  };
  // A listing that is no longer made was the last one to be said: all of it is said again.
  const at = listings.findIndex(({ name }) => name === from?.listing);
  let read = 0;
  for (const [index, listing] of listings.entries()) {
    if (yield* sayListing(listing, index === at ? from : null, index < at, state, call)) read += 1;
  }
  if (listings.length > 0 && read === 0)
    throw new RekeyError(
      "not-permitted",
      `The engine's user may list nothing of the cluster ${wanted.cluster}.`,
    );
  if (state.gaps.length > 0) yield { ...empty, ...gapsIn(state.gaps, []), cursor: state.cursor };
}

/** One listing from where it was left; true when it could be read. `isSaid`: all of it was said, and only what others need is taken in. */
async function* sayListing(
  listing: Listing,
  from: Cursor | null,
  isSaid: boolean,
  state: State,
  call: Call,
): AsyncGenerator<ScanPart, boolean> {
  const { wanted } = state.scan;
  for (let beginnings = 1, left = from; ; beginnings++, left = null) {
    const end = yield* sayMoment(listing, left, isSaid, state, call);
    if (end === "found") return true;
    if (end === "expired" && beginnings < beginningsMax) continue;
    state.gaps.push(gapOf(listing, wanted.cluster, end));
    return end === "expired";
  }
}

async function* sayMoment(
  listing: Listing,
  from: Cursor | null,
  isSaid: boolean,
  state: State,
  call: Call,
): AsyncGenerator<ScanPart, "found" | "refused" | "absent" | "expired"> {
  const { api, pageSize } = state.scan;
  let version = from?.version;
  let more: string | undefined;
  let seen = 0;
  do {
    const asked = more === undefined ? (version === undefined ? {} : { version }) : { more };
    const answer = await api.page(listing.path, asked, pageSize, call);
    if (answer.is !== "found") return answer.is;
    const { value: page } = answer;
    version ??= page.version;
    const { items } = page.list;
    const before = JSON.stringify({ listing: listing.name, version, said: seen } satisfies Cursor);
    const isNew = !isSaid && seen + items.length > (from?.said ?? 0);
    const says = sayPage(
      listing,
      page.list,
      isNew ? Math.max(0, (from?.said ?? 0) - seen) : items.length,
      seen,
      state,
    );
    seen += items.length;
    if (isNew) {
      const after = JSON.stringify({ listing: listing.name, version, said: seen } satisfies Cursor);
      yield* partsOf(says, state, before, after);
    }
    more = page.more ?? undefined;
  } while (more !== undefined);
  return "found";
}

/** What the objects of a page say, from the `skip`th on; of all of them is taken in what others need. */
function sayPage(
  { resource, where }: Listing,
  list: { readonly items: readonly unknown[] },
  skip: number,
  seen: number,
  { scan, known, owners }: State,
): Says[] {
  const { marking } = scan;
  const byRecord = new Map<string, Says>();
  const saysOf = (record: string): Says => {
    const says = byRecord.get(record) ?? new Says(record, marking);
    byRecord.set(record, says);
    return says;
  };
  for (const [index, item] of list.items.entries()) {
    const [object] = objectsOf({ ...list, items: [item] }, "");
    if (object === undefined || object.name === "") {
      if (index < skip) continue;
      const says = saysOf(resource);
      says.records += 1;
      says.cannotRead(`object ${seen + index + 1} of ${resource} in ${where}`, "it is no object with a name");
      continue;
    }
    known.add(object);
    owners.add(object);
    const root = isPassing(object) ? owners.rootOf(object) : object;
    const says = index < skip ? new Says("", marking) : saysOf(pathOf(root));
    says.records += 1;
    if (isOver(object)) continue;
    // By what it is and not by whom it was made: a pod that an operator made is a pod.
    if (isPassing(object)) saysPods(root, known.frame, says);
    else saysObject(object, known.frame, says);
    if (!isBinding(object)) known.meet(says.claims);
  }
  return [...byRecord.values()];
}

function isBinding({ group, kind }: KubernetesObject): boolean {
  return group === "rbac.authorization.k8s.io" && kind.endsWith("Binding");
}

/** What was said as a part, or as several where one would be too large: all but the last stand before the page, so that it is said again. */
function* partsOf(said: readonly Says[], state: State, before: string, after: string): Generator<ScanPart> {
  const claims = said.flatMap((says) => says.claims);
  const copies = said.flatMap((says) => says.copies);
  while (claims.length + copies.length > itemsMax) {
    const some = claims.splice(0, itemsMax);
    yield withheldPart({
      ...empty,
      claims: some,
      copies: copies.splice(0, itemsMax - some.length),
      cursor: before,
    });
  }
  state.cursor = after;
  yield withheldPart({
    records: said.reduce((sum, { records }) => sum + records, 0),
    claims,
    copies,
    listed: said.flatMap(({ listed }) => listed),
    malformed: said.flatMap(({ malformed }) => malformed),
    ...gapsIn(state.gaps.splice(0), said),
    covered: null,
    cursor: after,
  });
}

/**
 * The gaps, and what they hide: all of a namespace, or what an object or its maker says. Of what is missing of the whole cluster, and of
 * an object without a name, nobody knows where it would stand.
 */
function gapsIn(gaps: readonly ClusterGap[], said: readonly Says[]): Pick<ScanPart, "gaps" | "hidden"> {
  const told = [...gaps.map(({ why }) => why), ...said.flatMap((says) => says.gaps)];
  const inNamespaces = gaps.flatMap(({ namespace: record, why }) =>
    record === null ? [] : [{ record, why }],
  );
  if (inNamespaces.length < gaps.length || said.some(({ malformed }) => malformed.length > 0))
    return { gaps: told };
  const inRecords = said.flatMap(({ record, gaps }) => gaps.map((why) => ({ record, why })));
  return { gaps: told, hidden: [...inNamespaces, ...inRecords] };
}

const empty = { records: 0, claims: [], copies: [], listed: [], malformed: [], gaps: [], covered: null };
