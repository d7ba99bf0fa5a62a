/**
 * What questions to the map of a large estate cost, through the functions of the commands: of any node, of what has copies that
 * sources have met, and of the nodes of which most is known.
 */
import { kinds } from "../adapters/registry.js";
import { radiusOf } from "../client/cli/commands/blast.js";
import { consumersOf } from "../client/cli/commands/consumers.js";
import { type Inventory, inventoryIn } from "../client/cli/inventory.js";
import { shapesOf } from "../domain/estate/shapes.js";
import type { Database } from "../inventory/database.js";
import { newId } from "../worker/installation.js";
import { giant, master } from "./estate-input.js";
import type { Row } from "./tables.js";

/** Times of some questions, in milliseconds, shortest first. */
type Times = readonly number[];

/** What was asked and how long it took. */
export interface Asked {
  readonly times: Readonly<Record<string, Times>>;
  /** The longest of several times. */
  readonly worst: Readonly<Record<string, { readonly ms: number; readonly things: number }>>;
}

/** Nodes that are asked about, at most, of each sort. */
const sampleMax = 2_000;
/** Of each list so many are shown, as by the command. */
const limit = 200;

/** The rows of a query, for whoever measures. */
export async function query<T>(db: Database, text: string): Promise<T[]> {
  const client = await db.connect();
  try {
    return (await client.query(text)).rows as T[];
  } finally {
    client.release();
  }
}

/** Values that lie anywhere, with the node of their place and the credential whose they are. */
const copied = `select t.node as place, k.credential from rekey_inventory.marks m
  join rekey_inventory.things t on t.id = m.thing
  join (select credential, hmac from rekey_inventory.fingerprints
    union select credential, hmac from rekey_inventory.live_values) k on k.hmac = m.mark
  where m.ended_at is null`;

interface Named {
  readonly name: string;
  readonly type: string;
}

/** Asks about some of everything, and about the worst. */
export async function ask(db: Database, progress: (line: string) => void): Promise<Asked> {
  const inventory = inventoryIn(db, { randomId: newId, shapes: shapesOf(kinds) });
  // Chosen by their hashes and so by nothing that they are.
  const sampled = (types: readonly string[], where: string) =>
    query<Named>(
      db,
      `select name, type from rekey_inventory.graph_nodes
       where ended_at is null and type in (${types.map((type) => `'${type}'`).join(",")}) and ${where}
       order by md5(id) limit ${sampleMax}`,
    );
  const withCopies = `id in (select credential from (${copied}) c)`;
  const copies = `id in (select place from (${copied}) c)`;
  const users = ({ name, type }: Named) => consumersOf(inventory, name, type);
  const radius = ({ name, type }: Named) => radiusOf(inventory, name, { type, limit });
  const any = ["credential", "consumer", "identity", "location", "system", "owner"];
  const sorts = [
    ["consumers of a credential or at a place", ["credential", "location"], "true", users],
    ["consumers of a credential with copies", ["credential"], withCopies, users],
    ["consumers at a place with a copy", ["location"], copies, users],
    ["blast radius of any node", any, "true", radius],
    ["blast radius of a credential without copies", ["credential"], `not ${withCopies}`, radius],
    ["blast radius of a credential with copies", ["credential"], withCopies, radius],
    ["blast radius of a place with a copy", ["location"], copies, radius],
  ] as const;
  const times: Record<string, Times> = {};
  for (const [what, types, where, question] of sorts) {
    const found = await timed(await sampled(types, where), question);
    times[what] = found;
    const shown = [0.5, 0.99, 1].map((share) => quantile(found, share).toFixed(1)).join(", ");
    progress(`${what}: ${shown} ms (median, p99, longest)`);
  }
  return { times, worst: await worstOf(inventory, db, progress) };
}

async function timed<T>(list: readonly T[], question: (one: T) => Promise<unknown>): Promise<Times> {
  const times: number[] = [];
  for (const [i, one] of list.entries()) {
    const begun = performance.now();
    await question(one);
    // The first ones also connect and compile.
    if (i >= 20) times.push(performance.now() - begun);
  }
  return times.sort((a, b) => a - b);
}

async function worstOf(
  inventory: Inventory,
  db: Database,
  progress: (line: string) => void,
): Promise<Asked["worst"]> {
  const first = async (text: string) => (await query<{ name: string }>(db, text))[0]?.name ?? "";
  const most = (ids: string) =>
    first(`select n.name from (${ids}) e join rekey_inventory.graph_nodes n on n.id = e.id
      where n.name <> '${giant}' group by n.id, n.name order by count(*) desc, n.id limit 1`);
  const owned = (more: string) =>
    `select o.to_id as id from rekey_inventory.graph_edges o ${more} where o.type = 'owned-by' and o.ended_at is null`;
  const owner = await most(owned(""));
  const holder = await most(owned(`join (${copied}) c on c.credential = o.from_id`));
  const often = await most(`select credential as id from (${copied}) c`);
  const place = await first(`select n.name from (${copied}) c
    join rekey_inventory.graph_nodes n on n.id = c.place join rekey_inventory.graph_nodes g on g.id = c.credential
    where g.name = '${giant}' order by n.id limit 1`);
  const radius = async (name: string, type: string) => {
    const { counts } = await radiusOf(inventory, name, { type, limit });
    return counts.breaks.things + counts.exposed.things;
  };
  const questions = {
    [`consumers of ${giant}, with copies`]: async () => (await consumersOf(inventory, giant)).users.length,
    [`blast of ${giant}, with copies`]: () => radius(giant, "credential"),
    "blast of a place with a copy of that": () => radius(place, "location"),
    [`consumers of ${often}, with copies`]: async () => (await consumersOf(inventory, often)).users.length,
    [`blast of ${often}, with copies`]: () => radius(often, "credential"),
    [`blast of ${master}`]: () => radius(master, "credential"),
    [`blast of ${owner}, who answers for most`]: () => radius(owner, "owner"),
    [`blast of ${holder}, with most copies of theirs`]: () => radius(holder, "owner"),
  };
  const found: Record<string, { ms: number; things: number }> = {};
  for (const [what, question] of Object.entries(questions)) {
    const times: number[] = [];
    let things = 0;
    for (let round = 0; round < 5; round++) {
      const begun = performance.now();
      things = await question();
      times.push(performance.now() - begun);
    }
    found[what] = { ms: Math.max(...times), things };
    progress(`${what}: ${times.map((ms) => ms.toFixed(0)).join(", ")} ms, ${things} things`);
  }
  return found;
}

function quantile(times: Times, share: number): number {
  return times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
}

/** The figures as rows, with the goals: of any node the 99th percentile, and of the worst one. */
export function askedRows({ times, worst }: Asked): Row[] {
  const each = Object.entries(times).flatMap(([what, list]): Row[] => {
    const row = { unit: "ms", digits: 1 };
    return [
      { ...row, what: `${what}, median`, value: quantile(list, 0.5), note: `${list.length} nodes` },
      { ...row, what: `${what}, p99`, value: quantile(list, 0.99), atMost: 50 },
      { ...row, what: `${what}, longest`, value: list.at(-1) ?? Number.NaN, atMost: 500 },
    ];
  });
  const longest = Object.entries(worst).map(
    ([what, { ms, things }]): Row => ({
      ...{ what, value: ms, unit: "ms", atMost: 500 },
      note: `${things} things, the longest of five`,
    }),
  );
  return [...each, ...longest];
}
