/**
 * What questions about copies read of the database: what they are about, and no table whole, on an estate that is large enough
 * for the database to choose.
 */
import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { type Database, openDatabase } from "../../inventory/database.js";
import { loadBlast } from "../../inventory/graph-blast.js";
import { loadHolders, loadReach } from "../../inventory/graph-load.js";
import { type Fresh, migratedDatabase } from "./database.js";
import { t0 } from "./world.js";

const credentials = 10_000;
const places = 20_000;
/** So many places have the value of `crd_0`; as many others have one each, and the rest a value that is nobody's. */
const shared = 1_000;

/** Credentials with a place, a version and a live value each; and twice as many places at which a source has met a value. */
async function estate(sql: Fresh["sql"]): Promise<void> {
  const when = `'${new Date(t0).toISOString()}'::timestamptz`;
  const each = (number: number) => `generate_series(0, ${number - 1}) i`;
  const mark = `case when i < ${shared} then 'h0' when i < ${2 * shared} then 'h' || i else 'x' || i end`;
  const edge = "graph_edges (from_id, type, to_id, first_seen, last_seen)";
  const node = "graph_nodes (id, type, name, first_seen, last_seen)";
  await sql(`begin; set local search_path = rekey_inventory;
    insert into entries (id, section, name, body, since, changed_at)
      select 'crd_' || i, 'credentials', 'c' || i, '{}', ${when}, ${when} from ${each(credentials)};
    insert into versions (id, credential, slot, life, created_at)
      select 'ver_' || i, 'crd_' || i, 'a', 'active', ${when} from ${each(credentials)};
    insert into fingerprints (version, credential, hmac, at)
      select 'ver_' || i, 'crd_' || i, 'h' || i, ${when} from ${each(credentials)};
    insert into live_values (credential, hmac, first_seen, last_seen)
      select 'crd_' || i, 'l' || i, ${when}, ${when} from ${each(credentials)};
    insert into ${node} select 'crd_' || i, 'credential', 'c' || i, ${when}, ${when} from ${each(credentials)};
    insert into ${node} select 'kept_' || i, 'location', 'k' || i, ${when}, ${when} from ${each(credentials)};
    insert into ${node} select 'met_' || i, 'location', 'm' || i, ${when}, ${when} from ${each(places)};
    insert into ${node} select 'who_' || i, 'identity', 'w' || i, ${when}, ${when} from ${each(places)};
    insert into ${node} values ('team', 'owner', 'team', ${when}, ${when});
    insert into ${edge} select 'crd_' || i, 'stored-in', 'kept_' || i, ${when}, ${when} from ${each(credentials)};
    insert into ${edge} select 'who_' || i, 'uses', 'met_' || i, ${when}, ${when} from ${each(places)};
    insert into ${edge} select 'crd_' || i, 'owned-by', 'team', ${when}, ${when} from ${each(300)};
    insert into things (id, body, node, known, sentence, first_seen, last_seen)
      select 'thg_' || i, '{}', 'met_' || i, true, '', ${when}, ${when} from ${each(places)};
    insert into marks (mark, thing, source, record, literal, past, sentence, scan, first_seen, last_seen)
      select ${mark}, 'thg_' || i, 'src', 'r', true, false, 'It stands there.', 'scn', ${when}, ${when} from ${each(places)};
    commit`);
  await sql("vacuum analyze");
}

/** What only questions about copies read; how the map itself is walked is another matter. */
const tables = ["marks", "things", "versions", "fingerprints", "live_values"];

/** So many rows of these tables were read by looking through a whole one, until now. */
async function readWhole(sql: Fresh["sql"]): Promise<Map<string, number>> {
  const rows = await sql<{ relname: string; read: string }>(
    `select relname, seq_tup_read::text as read from pg_stat_user_tables
     where schemaname = 'rekey_inventory' and relname = any($1)`,
    [tables],
  );
  return new Map(rows.map(({ relname, read }) => [relname, Number(read)]));
}

/** The answer of a process of its own: what it has read is counted when it ends. */
async function asked(url: Fresh["url"], question: (db: Database) => Promise<unknown>): Promise<unknown> {
  const db = openDatabase({ url });
  try {
    return await question(db);
  } finally {
    await db.close();
    await pause(500);
  }
}

type Question = readonly [what: string, ask: (db: Database) => Promise<unknown>, answer: unknown];

const blast = (id: string) => async (db: Database) =>
  (await loadBlast(db, id, { limit: 200, now: t0 })).breaks.things;

const questions: readonly Question[] = [
  ["blast of a credential with a thousand copies", blast("crd_0"), 2 * shared],
  ["blast of one with one copy", blast(`crd_${shared}`), 2],
  ["blast of one without", blast("crd_9999"), 0],
  ["blast of a place with a value of a thousand", blast("met_7"), shared],
  ["blast of a place with a value that is nobody's", blast("met_19999"), 1],
  ["blast of an owner", blast("team"), 2 * shared],
  ["users of a credential", async (db) => (await loadHolders(db, `crd_${shared}`, t0)).edges.length, 3],
  ["readers of a place", async (db) => (await loadHolders(db, "met_1500", t0)).edges.length, 2],
  [
    "the way of a reader",
    async (db) => (await loadReach(db, ["who_1500"], ["trust"], t0)).nodes.has("crd_1500"),
    true,
  ],
];

it("reads what it is about, by indexes, and no table whole", async () => {
  const { sql, url } = await migratedDatabase();
  await estate(sql);
  for (const [what, ask, answer] of questions) {
    const before = await readWhole(sql);
    expect([what, await asked(url, ask)]).toEqual([what, answer]);
    const after = await readWhole(sql);
    const whole = [...after].filter(([table, rows]) => rows > (before.get(table) ?? 0));
    expect([what, whole]).toEqual([what, []]);
  }
});
