/**
 * What a large estate costs: applying it, applying it again, and asking who uses what. Each apply is the command itself in a
 * process of its own, so that its highest memory is the command's; questions go through the functions of the commands.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { kinds } from "../adapters/registry.js";
import { radiusOf } from "../client/cli/commands/blast.js";
import { consumersOf } from "../client/cli/commands/consumers.js";
import { type Inventory, inventoryIn } from "../client/cli/inventory.js";
import { readFolder } from "../client/estate/folder.js";
import { readEstate } from "../client/estate/load.js";
import { shapesOf } from "../domain/estate/shapes.js";
import { type Database, openDatabase } from "../inventory/database.js";
import { migrate } from "../inventory/migrate.js";
import { projectRoot } from "../worker/dev/places.js";
import { startPostgres } from "../worker/dev/postgres.js";
import { newId } from "../worker/installation.js";
import { type EstateSize, giant, master, writeEstate, yamlText } from "./estate-input.js";
import type { Row, Table } from "./tables.js";

const run = promisify(execFile);
const applyMsMax = 900_000;

/** Little enough to run with everything else. */
export const smallMap: EstateSize = { credentials: 2_000, consumers: 4_000, edges: 20_000, seed: 1 };
/** As the goals have it. */
export const fullMap: EstateSize = { credentials: 100_000, consumers: 200_000, edges: 1_000_000, seed: 1 };

/** One `rekey apply`. */
export interface ApplyRun {
  /** From the start of the process to its answer. */
  readonly wallMs: number;
  readonly peakMib: number;
  /** Entries that were created, changed or ended. */
  readonly changed: number;
}

/** Times of some questions, in milliseconds, shortest first. */
type Times = readonly number[];

/** What was measured. */
export interface MapFigures {
  readonly size: EstateSize;
  readonly edges: number;
  readonly first: ApplyRun;
  readonly same: ApplyRun;
  readonly onePercent: ApplyRun;
  readonly consumers: Times;
  readonly blast: Times;
  /** Entries that are read and checked in a second, without an inventory. */
  readonly perSecond: { readonly yaml: number; readonly lines: number };
  readonly worst: Readonly<Record<string, { readonly ms: number; readonly things: number }>>;
}

/** Nodes that are asked about. */
const sampleMax = 2_000;

/** Measures on a PostgreSQL of its own, with its settings for durability as they come. */
export async function measureMap(size: EstateSize, progress: (line: string) => void): Promise<MapFigures> {
  const folder = await mkdtemp(join(tmpdir(), "rekey-map-"));
  const postgres = await startPostgres({ folder: join(folder, "postgres") });
  const db = openDatabase({ url: postgres.url(), deadlineMs: 60_000, statementTimeoutMs: 60_000 });
  try {
    await migrate(db);
    const estate = join(folder, "estate");
    const apply = async (what: string, generation: number): Promise<ApplyRun> => {
      await writeEstate(estate, size, generation);
      progress(`applying: ${what}`);
      const main = join(projectRoot(), "dist", "bench", "map-apply.js");
      const env = { ...process.env, REKEY_BENCH_DATABASE: postgres.url().reveal() };
      const { stdout } = await run(process.execPath, [main, estate], { env, timeout: applyMsMax });
      const done = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as ApplyRun;
      progress(
        `${what}: ${(done.wallMs / 1_000).toFixed(1)} s, ${done.peakMib.toFixed(0)} MiB, ${done.changed} changed`,
      );
      return done;
    };
    const first = await apply("for the first time", 0);
    // What the server does by itself within minutes.
    await query(db, "vacuum analyze");
    const same = await apply("unchanged", 0);
    const onePercent = await apply("one in a hundred changed", 1);
    const [{ edges } = { edges: 0 }] = await query<{ edges: number }>(
      db,
      "select count(*)::int as edges from rekey_inventory.graph_edges where ended_at is null",
    );
    progress("asking");
    const asked = await ask(db, progress);
    return { size, edges, first, same, onePercent, ...asked, perSecond: await readingRates(folder) };
  } finally {
    await db.close();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function query<T>(db: Database, text: string): Promise<T[]> {
  const client = await db.connect();
  try {
    return (await client.query(text)).rows as T[];
  } finally {
    client.release();
  }
}

/** As much as one YAML file holds. */
const oneFile: EstateSize = { credentials: 1_000, consumers: 2_000, edges: 10_000, seed: 1 };

async function readingRates(folder: string): Promise<MapFigures["perSecond"]> {
  const text = Buffer.from(yamlText(oneFile));
  const lines = join(folder, "lines");
  await writeEstate(lines, oneFile);
  const entries = oneFile.credentials + oneFile.consumers;
  const rate = async (read: () => Promise<{ readonly ok: boolean }>): Promise<number> => {
    // The first time also compiles.
    await read();
    const begun = performance.now();
    if (!(await read()).ok) throw new Error("the generated estate is not valid");
    return (entries * 1_000) / (performance.now() - begun);
  };
  return {
    yaml: await rate(async () => readEstate(text, "estate.yaml", kinds)),
    lines: await rate(() => readFolder(lines, kinds, null)),
  };
}

type Asked = Pick<MapFigures, "consumers" | "blast" | "worst">;

async function ask(db: Database, progress: (line: string) => void): Promise<Asked> {
  const inventory = inventoryIn(db, { now: Date.now, randomId: newId, shapes: shapesOf(kinds) });
  // Some of every type, chosen by their hashes and so by nothing that they are.
  const sampled = (types: string) =>
    query<{ name: string; type: string }>(
      db,
      `select name, type from rekey_inventory.graph_nodes
       where ended_at is null and type in (${types}) order by md5(id) limit ${sampleMax}`,
    );
  const limited = (name: string, type: string) => radiusOf(inventory, name, { type, limit: 200 });
  const consumers = await timed(await sampled("'credential','location'"), ({ name, type }) =>
    consumersOf(inventory, name, type),
  );
  const blast = await timed(await sampled("'credential','consumer','owner'"), ({ name, type }) =>
    limited(name, type),
  );
  const worst = await worstOf(inventory, db, progress);
  return { consumers, blast, worst };
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
): Promise<MapFigures["worst"]> {
  const [owner] = await query<{ name: string }>(
    db,
    `select n.name from rekey_inventory.graph_edges e join rekey_inventory.graph_nodes n on n.id = e.to_id
     where e.type = 'owned-by' and e.ended_at is null group by n.name order by count(*) desc limit 1`,
  );
  const radius = async (name: string, type: string) => {
    const { counts } = await radiusOf(inventory, name, { type, limit: 200 });
    return counts.breaks.things + counts.exposed.things;
  };
  const questions = {
    [`consumers of ${giant}`]: async () => (await consumersOf(inventory, giant)).users.length,
    [`blast of ${giant}`]: () => radius(giant, "credential"),
    [`blast of ${master}`]: () => radius(master, "credential"),
    [`blast of ${owner?.name}, who answers for most`]: () => radius(owner?.name ?? "", "owner"),
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

/** The figures as tables. */
export function mapTables(figures: MapFigures): Table[] {
  const { size, edges, first, same, onePercent, consumers, blast, worst, perSecond } = figures;
  const seconds = (what: string, { wallMs, peakMib, changed }: ApplyRun, atMost?: number): Row[] => [
    {
      ...{ what: `apply, ${what}`, value: wallMs / 1_000, unit: "s", digits: 1 },
      ...(atMost === undefined ? {} : { atMost }),
      note: `${changed} entries changed`,
    },
    { what: `apply, ${what}, highest memory`, value: peakMib, unit: "MiB", atMost: 512 },
  ];
  const asked = (what: string, times: Times): Row[] => [
    {
      what: `${what}, median`,
      value: quantile(times, 0.5),
      unit: "ms",
      digits: 1,
      note: `${times.length} nodes`,
    },
    { what: `${what}, p99`, value: quantile(times, 0.99), unit: "ms", digits: 1, atMost: 50 },
    { what: `${what}, longest`, value: times.at(-1) ?? Number.NaN, unit: "ms", digits: 1 },
  ];
  const whole = `${size.credentials} credentials, ${size.consumers} consumers and ${edges} edges`;
  return [
    {
      title: `Applying ${whole}`,
      rows: [
        ...seconds("first", first),
        ...seconds("unchanged", same, 10),
        ...seconds("one in a hundred", onePercent, 5),
        { what: "reading what is new, lines of JSON", value: perSecond.lines, unit: "/s", note: "entries" },
        { what: "reading what is new, YAML", value: perSecond.yaml, unit: "/s", note: "entries" },
      ],
    },
    {
      title: `Asking about ${whole}`,
      rows: [
        ...asked("consumers of a credential or at a place", consumers),
        ...asked("blast radius", blast),
        ...Object.entries(worst).map(
          ([what, { ms, things }]): Row => ({
            what,
            value: ms,
            unit: "ms",
            atMost: 500,
            note: `${things} things, the longest of five`,
          }),
        ),
      ],
    },
  ];
}
