/**
 * A database that an earlier release has filled is brought up to date with everything in it, from each migration on: what
 * it had is there, is read by this release, and is changed by the next apply as if this release had written it.
 */
import { expect, it } from "vitest";
import { sections } from "../../domain/estate/schema.js";
import type { Estate } from "../../domain/estate/types.js";
import { applyEstate } from "../../inventory/estate.js";
import { currentEstate } from "../../inventory/estate-load.js";
import { loadUsers } from "../../inventory/graph-load.js";
import { bundledMigrations, migrate } from "../../inventory/migrate.js";
import { emptyDatabase, type Fresh } from "./database.js";
import { newId, sampleEstate, t0 } from "./world.js";

const bundled = await bundledMigrations();
const at = new Date(t0).toISOString();

/** The estate as a release kept it, as a document or, since migration 16, as its header; and its entries. Id of the first credential. */
async function fillEstate({ sql }: Fresh, estate: Estate, migration: number): Promise<string> {
  const { version, installation } = estate;
  const [column, kept] = migration < 16 ? ["document", estate] : ["header", { version, installation }];
  await sql(
    `insert into rekey_inventory.estate_revisions (number, digest, ${column}, applied_at, applied_by) values (1, 'd1', $1, $2, 'ann')`,
    [kept, at],
  );
  const ids = new Map<string, string>();
  for (const section of sections)
    for (const [name, body] of Object.entries(estate[section])) {
      const id = newId("old");
      ids.set(`${section} ${name}`, id);
      await sql(
        `insert into rekey_inventory.entries (id, section, name, body, since, changed_at) values ($1, $2, $3, $4, $5, $5)`,
        [id, section, name, body, at],
      );
    }
  return ids.get(`credentials ${Object.keys(estate.credentials)[0]}`) ?? "";
}

/** Rows of the tables that each migration has brought, as the release of that time wrote them. */
const filled: Readonly<Record<number, (credential: string) => readonly string[]>> = {
  2: (credential) => [
    `insert into rekey_inventory.rotations (id, credential, workflow_id, run_id, nonce, epoch, mode, initial, requested_by,
       reason, opened_at, closed_at, outcome)
     values ('rot_1', '${credential}', 'w', 'r', 'n', 1, 'ordinary', '{}', 'ann', 'due', '${at}', '${at}', 'rotated')`,
  ],
  12: (credential) => [
    `insert into rekey_inventory.graph_nodes (id, type, name, first_seen, last_seen)
     values ('${credential}', 'credential', 'orders', '${at}', '${at}'), ('idn_1', 'identity', 'psql', '${at}', '${at}')`,
    `insert into rekey_inventory.graph_edges values ('idn_1', 'uses', '${credential}', '${at}', '${at}')`,
    `insert into rekey_inventory.graph_evidence (from_id, type, to_id, source, kind, record, count, sentence, first_seen, last_seen)
     values ('idn_1', 'uses', '${credential}', 'src_1', 'read', 'log', 3, 'It read it.', '${at}', '${at}')`,
  ],
  13: () => [
    `insert into rekey_inventory.things values ('thg_1', '{"is":"reader","name":"psql","traits":{}}', 'idn_1', false, 'So.', '${at}', '${at}')`,
    `insert into rekey_inventory.scans (id, source, started_at, ended_at) values ('scn_1', 'src_1', '${at}', '${at}')`,
    `insert into rekey_inventory.marks (mark, thing, source, record, literal, sentence, scan, first_seen, last_seen)
     values ('m', 'thg_1', 'src_1', 'r', true, 'A password.', 'scn_1', '${at}', '${at}')`,
  ],
  15: (credential) => [
    `insert into rekey_inventory.findings (key, code, severity, state, subject, subject_type, subject_name, sentence, first_seen,
       last_seen, since)
     values ('overdue x', 'overdue', 'warn', 'open', '${credential}', 'credential', 'orders', 'Due.', '${at}', '${at}', '${at}')`,
    `insert into rekey_inventory.finding_changes select number, since, state from rekey_inventory.findings`,
  ],
};

const tables = [
  ...["estate_revisions", "entries", "rotations", "graph_nodes", "graph_edges", "graph_evidence", "things"],
  ...["scans", "marks", "findings", "finding_changes"],
];

/** How many rows each of the tables has that are there. */
async function counts({ sql }: Fresh): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const table of tables) {
    const [there] = await sql<{ name: string | null }>("select to_regclass($1) as name", [
      `rekey_inventory.${table}`,
    ]);
    if (there?.name == null) continue;
    const [row] = await sql<{ rows: number }>(`select count(*)::int as rows from rekey_inventory.${table}`);
    found[table] = row?.rows ?? 0;
  }
  return found;
}

it.each(bundled.slice(0, -1).map(({ number, name }) => [name, number] as const))(
  "keeps everything that a release of %s has kept, and goes on with it",
  async (_name, number) => {
    const fresh = await emptyDatabase();
    const { db, sql } = fresh;
    await migrate(db, bundled.slice(0, number));
    const estate = sampleEstate();
    const credential = await fillEstate(fresh, estate, number);
    for (const [since, rows] of Object.entries(filled))
      if (Number(since) <= number) for (const statement of rows(credential)) await sql(statement);
    const before = await counts(fresh);
    expect(Object.values(before).every((rows) => rows > 0)).toBe(true);

    await migrate(db);
    expect(await counts(fresh)).toMatchObject(before);
    expect((await currentEstate(db))?.estate).toEqual(estate);
    if (number >= 12)
      expect((await loadUsers(db, credential)).edges).toMatchObject([
        { from: "idn_1", evidence: [{ count: 3, kind: "read" }] },
      ]);

    const [name = "", consumer] = Object.entries(estate.consumers)[0] ?? [];
    if (consumer === undefined) throw new Error("the sample has no consumer");
    const next = {
      ...estate,
      consumers: { ...estate.consumers, [name]: { ...consumer, purpose: "It pays." } },
    };
    const applied = await applyEstate(db, { estate: next, digest: "d2", by: "ann", now: t0 + 1, newId });
    expect(applied.revision).toBe(2);
    const { sections: changed } = applied.diff;
    expect(changed.consumers).toEqual({ created: [], changed: [{ name, fields: ["purpose"] }], ended: [] });
    expect(Object.values(changed).flatMap(({ created, ended }) => [...created, ...ended])).toEqual([]);
    expect((await currentEstate(db))?.estate).toEqual(next);
  },
);
