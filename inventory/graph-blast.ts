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
import type { Graph } from "../domain/graph/types.js";
import { type Database, read, type Tx } from "./database.js";
import { idsOfCopies, loadAmong, loadOf } from "./graph-load.js";
import { edgeKey } from "./graph-rows.js";
import { tallyAmong } from "./graph-tally.js";
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

/** So many things are counted, whatever is shown of them: beyond that it is said that there are more. */
const countedMax = 10_000;

/** The blast radius of a node, of each list the nearest `limit`, and a count of as much as `counted`; null: all of it. */
export async function loadBlast(
  db: Database,
  id: string,
  limit: number | null,
  counted = countedMax,
): Promise<BlastRadius> {
  return read(db, async (tx) => {
    const starts = await startsOf(tx, id);
    const copies = await idsOfCopies(tx, starts);
    const most = limit === null ? null : Math.max(limit, counted);
    const walks = {
      failure: await walk(tx, [...starts, ...copies], "failure", most),
      exposure: await walk(tx, starts, "exposure", most),
    };
    if (limit === null || Object.values(walks).every(({ steps }) => steps.size <= limit)) {
      const steps = Object.values(walks).flatMap((walked) => [...walked.steps.keys()]);
      const ids = [id, ...starts, ...copies, ...steps];
      const graph = await loadAmong(tx, [...new Set(ids)], "bare");
      const blast = blastOf(graph, id);
      return {
        blast,
        breaks: tallyOf(blast.breaks),
        exposed: tallyOf(blast.exposed),
        begins: blast.starts.length,
        graph,
      };
    }
    return nearestOf(tx, starts, walks, limit);
  });
}

/** The node; of an owner everything that they answer for, which may be nothing. */
async function startsOf(tx: Tx, id: string): Promise<string[]> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    select id from rekey_inventory.graph_nodes where id = ${id} and type <> 'owner'
    union all
    select o.from_id from rekey_inventory.graph_nodes n join rekey_inventory.graph_edges o on o.to_id = n.id
    where n.id = ${id} and n.type = 'owner' and o.type = 'owned-by' and o.ended_at is null`);
  return rows.map((row) => row.id);
}

type Both<T> = Readonly<Record<"failure" | "exposure", T>>;

async function nearestOf(
  tx: Tx,
  starts: readonly string[],
  walks: Both<Walk>,
  limit: number,
): Promise<BlastRadius> {
  const chosen = { failure: chosenOf(walks.failure, limit), exposure: chosenOf(walks.exposure, limit) };
  const shown = starts.slice(0, limit);
  const needed = new Map<string, ReturnType<typeof edgeOf>>();
  for (const flow of ["failure", "exposure"] as const)
    for (const id of chosen[flow]) for (const edge of wayOf(walks[flow], id)) needed.set(edgeKey(edge), edge);
  const ends = [...needed.values()].flatMap(({ from, to }) => [from, to]);
  const ids = [...shown, ...chosen.failure, ...chosen.exposure, ...ends];
  const graph = await loadOf(tx, [...new Set(ids)], [...needed.values()]);
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
  const counted = async ({ steps, isWhole }: Walk, list: readonly Affected[]): Promise<Tally> =>
    steps.size <= limit ? tallyOf(list) : { ...(await tallyAmong(tx, [...steps.keys()])), isWhole };
  const tallies = {
    failure: await counted(walks.failure, breaks),
    exposure: await counted(walks.exposure, exposed),
  };
  const answering = [tallies.failure, tallies.exposure].flatMap(({ byOwner }) => Object.keys(byOwner));
  return {
    blast: {
      starts: shown.flatMap((id) => graph.nodes.get(id) ?? []),
      breaks,
      exposed,
      owners: [...new Set(answering)].sort(),
    },
    breaks: tallies.failure,
    exposed: tallies.exposure,
    begins: starts.length,
    graph: await withOwners(tx, graph, answering),
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

/** Owners of what is only counted have names, too. */
async function withOwners(tx: Tx, graph: Graph, owners: readonly string[]): Promise<Graph> {
  const missing = [...new Set(owners)].filter((id) => !graph.nodes.has(id));
  const more = await loadOf(tx, missing, []);
  return { ...graph, nodes: new Map([...graph.nodes, ...more.nodes]) };
}
