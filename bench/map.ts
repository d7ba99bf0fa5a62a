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
import { readFolder } from "../client/estate/folder.js";
import { readEstate } from "../client/estate/load.js";
import { openDatabase } from "../inventory/database.js";
import { migrate } from "../inventory/migrate.js";
import { projectRoot } from "../worker/dev/places.js";
import { startPostgres } from "../worker/dev/postgres.js";
import { type EstateSize, writeEstate, yamlText } from "./estate-input.js";
import { type Asked, ask, askedRows, query } from "./map-ask.js";
import { keepMet, type MetCounts } from "./map-met.js";
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

/** What was measured. */
export interface MapFigures {
  readonly size: EstateSize;
  readonly edges: number;
  readonly first: ApplyRun;
  readonly same: ApplyRun;
  readonly onePercent: ApplyRun;
  /** How many values were met at places, and of how many credentials. */
  readonly met: MetCounts;
  /** Entries that are read and checked in a second, without an inventory. */
  readonly perSecond: { readonly yaml: number; readonly lines: number };
  readonly asked: Asked;
}

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
    progress("keeping what sources met");
    const met = await keepMet(db, size, Date.now());
    progress(`${met.values} values were met, some of them of ${met.credentials} credentials`);
    await query(db, "vacuum analyze");
    progress("asking");
    const asked = await ask(db, progress);
    return { size, edges, first, same, onePercent, met, asked, perSecond: await readingRates(folder) };
  } finally {
    await db.close();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
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

/** The figures as tables. */
export function mapTables(figures: MapFigures): Table[] {
  const { size, edges, first, same, onePercent, met, asked, perSecond } = figures;
  const seconds = (what: string, { wallMs, peakMib, changed }: ApplyRun, atMost?: number): Row[] => [
    {
      ...{ what: `apply, ${what}`, value: wallMs / 1_000, unit: "s", digits: 1 },
      ...(atMost === undefined ? {} : { atMost }),
      note: `${changed} entries changed`,
    },
    { what: `apply, ${what}, highest memory`, value: peakMib, unit: "MiB", atMost: 512 },
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
      title: `Asking about ${whole}, with ${met.values} values met at places, some of them of ${met.credentials} credentials`,
      rows: askedRows(asked),
    },
  ];
}
