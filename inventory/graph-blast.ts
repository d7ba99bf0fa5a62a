/**
 * The blast radius out of the database. Most of them are small and read whole. From the login to a store nearly everything
 * follows: then the nearest are read with the ways that lead there, and the others are counted, where they are.
 */

import {
  type Affected,
  type Blast,
  blastOf,
  byNearness,
  type Tally,
  tallyOf,
} from "../domain/graph/blast.js";
import { weakest } from "../domain/graph/known.js";
import type { Graph, GraphNode } from "../domain/graph/types.js";
import { type Database, read, type Tx } from "./database.js";
import { Copies } from "./graph-copies.js";
import { idsOfCopies, loadAmong, loadOf, withCopies } from "./graph-load.js";
import { edgeKey } from "./graph-rows.js";
import { tallyAmong, together } from "./graph-tally.js";
import { edgeOf, type Step, type Walk, walk } from "./graph-walk.js";
import { sql } from "./orm.js";

/** A blast radius: as much of it as was asked for, and how much there is. */
export interface BlastRadius {
  readonly blast: Blast;
  readonly breaks: Tally;
  readonly exposed: Tally;
  /** How many things it begins at: of an owner, all that they answer for. */
  readonly begins: number;
  /** Everything that it speaks of, for its names. */
  readonly graph: Graph;
}

/** What of it is wanted. */
export interface BlastWanted {
  /** Of each list so many, the nearest; null: all. */
  readonly limit: number | null;
  /** So many are counted; null or absent: as many as there is reason to. */
  readonly counted?: number;
  /** When the values that were met may be accepted, in milliseconds since the epoch. */
  readonly now: number;
}

/** So many things are counted, whatever is shown of them: beyond that it is said that there are more. */
const countedMax = 5_000;

/** The blast radius of a node, of each list the nearest, and a count of the others. */
export async function loadBlast(
  db: Database,
  id: string,
  { limit, counted = countedMax, now }: BlastWanted,
): Promise<BlastRadius> {
  return read(db, async (tx) => {
    const { starts, parts } = await startsOf(tx, id);
    const copies = await Copies.open(tx, now);
    const same = copies === null ? nothingElse : await sameAs(copies, parts);
    const revoked = [...starts, ...same.credentials];
    const kept = await idsOfCopies(tx, revoked);
    const most = limit === null ? null : Math.max(limit, counted);
    const walks = {
      failure: await walk(tx, [...revoked, ...kept, ...same.places], "failure", most, copies),
      exposure: await walk(tx, starts, "exposure", most, copies),
    };
    const begun = { starts, same, told: toldOf(copies, [...revoked, ...same.parts]) };
    if (limit === null || Object.values(walks).every(({ steps }) => steps.size <= limit)) {
      const steps = Object.values(walks).flatMap((walked) => [...walked.steps.keys()]);
      const ids = [id, ...revoked, ...kept, ...same.places, ...same.parts, ...begun.told, ...steps];
      const graph = withCopies(await loadAmong(tx, [...new Set(ids)], "bare"), copies);
      const blast = blastOf(graph, id, same.places);
      return {
        blast,
        breaks: tallyOf(blast.breaks),
        exposed: tallyOf(blast.exposed),
        begins: blast.starts.length,
        graph,
      };
    }
    return nearestOf(tx, begun, walks, { limit, copies });
  });
}

/** Ids of what has the value that stands at a place, and of the place's parts. */
interface Same {
  readonly credentials: readonly string[];
  readonly places: readonly string[];
  readonly parts: readonly string[];
}

const nothingElse: Same = { credentials: [], places: [], parts: [] };

/** Where else the value is that stands at a place with these parts. */
async function sameAs(copies: Copies, parts: readonly string[]): Promise<Same> {
  if (parts.length === 0) return nothingElse;
  const credentials = (await copies.at(parts, "back")).map(({ from }) => from);
  return { credentials: [...new Set(credentials)], places: await copies.alike(parts), parts };
}

/** Ids of the copies of what begins it, of which some are reached by neither walk. */
function toldOf(copies: Copies | null, begins: readonly string[]): string[] {
  const all = new Set(begins);
  return [...(copies?.edges.values() ?? [])].filter(({ from }) => all.has(from)).map(({ to }) => to);
}

/**
 * The node; of an owner everything that they answer for, which may be nothing. And of a place, itself and its parts, as
 * `credentialsAt` takes them.
 */
async function startsOf(
  tx: Tx,
  id: string,
): Promise<{ readonly starts: readonly string[]; readonly parts: readonly string[] }> {
  const { rows } = await tx.execute<{ id: string; begins: boolean; is_part: boolean }>(sql`
    select id, true as begins, type = 'location' as is_part from rekey_inventory.graph_nodes
    where id = ${id} and type <> 'owner'
    union all
    select o.from_id, true, false from rekey_inventory.graph_nodes n join rekey_inventory.graph_edges o on o.to_id = n.id
    where n.id = ${id} and n.type = 'owner' and o.type = 'owned-by' and o.ended_at is null
    union all
    select part.id, false, true from rekey_inventory.graph_nodes whole
    join rekey_inventory.graph_edges e on e.to_id = whole.id
    join rekey_inventory.graph_nodes part on part.id = e.from_id
    where whole.id = ${id} and whole.type = 'location' and e.type = 'stored-in' and e.ended_at is null
      and part.type = 'location'`);
  const those = (is: (row: (typeof rows)[number]) => boolean) => rows.filter(is).map((row) => row.id);
  return { starts: those(({ begins }) => begins), parts: those(({ is_part }) => is_part) };
}

type Both<T> = Readonly<Record<"failure" | "exposure", T>>;

/** What it begins at, and the copies that are told of. */
interface Begun {
  readonly starts: readonly string[];
  readonly same: Same;
  readonly told: readonly string[];
}

async function nearestOf(
  tx: Tx,
  { starts, same, told }: Begun,
  walks: Both<Walk>,
  { limit, copies }: { readonly limit: number; readonly copies: Copies | null },
): Promise<BlastRadius> {
  const chosen = { failure: chosenOf(walks.failure, limit), exposure: chosenOf(walks.exposure, limit) };
  // What is shown is counted as it is shown.
  const others = async ({ steps }: Walk) => tallyAmong(tx, [...steps.keys()].slice(limit));
  const uncounted = { failure: await others(walks.failure), exposure: await others(walks.exposure) };
  const shown = starts.slice(0, limit);
  const needed = new Map<string, ReturnType<typeof edgeOf>>();
  for (const flow of ["failure", "exposure"] as const)
    for (const id of chosen[flow]) for (const edge of wayOf(walks[flow], id)) needed.set(edgeKey(edge), edge);
  const ends = [...needed.values()].flatMap(({ from, to }) => [from, to]);
  const alike = [same.credentials, same.places].map((list) => list.slice(0, limit));
  const ids = [
    ...shown,
    ...alike.flat(),
    ...told.slice(0, limit),
    ...chosen.failure,
    ...chosen.exposure,
    ...ends,
    // Owners of what is only counted have names, too.
    ...Object.values(uncounted).flatMap(({ byOwner }) => Object.keys(byOwner)),
  ];
  const graph = withCopies(await loadOf(tx, [...new Set(ids)], [...needed.values()]), copies);
  const edges = new Map(graph.edges.map((edge) => [edgeKey(edge), edge]));
  const owners = new Map<string, string[]>();
  for (const { from, type, to } of graph.edges)
    if (type === "owned-by") owners.set(from, [...(owners.get(from) ?? []), to].sort());
  const listed = (flow: "failure" | "exposure"): Affected[] =>
    chosen[flow]
      .flatMap((id) => {
        const node = graph.nodes.get(id);
        const way = wayOf(walks[flow], id).flatMap((edge) => edges.get(edgeKey(edge)) ?? []);
        const distance = walks[flow].steps.get(id)?.distance ?? 0;
        return node === undefined
          ? []
          : [{ node, distance, way, known: weakest(way), owners: owners.get(id) ?? [] }];
      })
      .sort(byNearness);
  const [breaks, exposed] = [listed("failure"), listed("exposure")];
  const counted = (flow: "failure" | "exposure", list: readonly Affected[]): Tally => {
    const { steps, isWhole } = walks[flow];
    return steps.size <= limit ? tallyOf(list) : { ...together(tallyOf(list), uncounted[flow]), isWhole };
  };
  const tallies = { failure: counted("failure", breaks), exposure: counted("exposure", exposed) };
  const answering = [tallies.failure, tallies.exposure].flatMap(({ byOwner }) => Object.keys(byOwner));
  return {
    blast: {
      starts: nodesOf(graph, shown),
      breaks,
      exposed,
      owners: [...new Set(answering)].sort(),
      same: { credentials: nodesOf(graph, alike[0]), places: nodesOf(graph, alike[1]) },
    },
    breaks: tallies.failure,
    exposed: tallies.exposure,
    begins: starts.length,
    graph,
  };
}

function chosenOf({ steps }: Walk, limit: number): string[] {
  return [...steps.keys()].slice(0, limit);
}

/** The edges from a beginning to a node that was reached. */
function wayOf({ steps }: Walk, id: string): ReturnType<typeof edgeOf>[] {
  const way: Step[] = [];
  for (let at = steps.get(id); at !== undefined; at = steps.get(at.before)) way.unshift(at);
  return way.map(edgeOf);
}

function nodesOf({ nodes }: Graph, ids: readonly string[] = []): GraphNode[] {
  return ids.flatMap((id) => nodes.get(id) ?? []);
}
