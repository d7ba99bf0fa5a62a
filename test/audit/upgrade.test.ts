/** From the release before, which had no log: what was open goes on, and is told from then on. */
import { expect, it } from "vitest";
import { migrateLog } from "../../audit/log.js";
import { bodyOf } from "../../domain/audit.js";
import { waitingEntries } from "../../inventory/audit-outbox.js";
import { intend, settle } from "../../inventory/intents.js";
import { bundledMigrations, migrate } from "../../inventory/migrate.js";
import { emptyDatabase } from "../inventory/database.js";
import { t0 } from "../inventory/world.js";

/** The last migration of the release before the log. */
const before = "0004_adoptions";

it("an open rotation with an open intent goes on after the upgrade, and its outcome is told", async () => {
  const { db, sql } = await emptyDatabase();
  const all = await bundledMigrations();
  await migrate(db, all.slice(0, all.findIndex(({ name }) => name === before) + 1));
  await sql(`set search_path = rekey_inventory;
    insert into entries (id, section, name, body, since, changed_at) values ('crd_1', 'credentials', 'orders-db', '{}', now(), now());
    insert into rotations (id, credential, workflow_id, run_id, nonce, epoch, mode, initial, requested_by, reason, opened_at)
      values ('rot_1', 'crd_1', 'rotate/crd_1', 'run_1', 'n', 1, 'ordinary', '{}', 'ann', 'It is time.', now());
    insert into locks values ('credential:crd_1', 'rot_1', 1);
    insert into intents (rotation, change, epoch, step, expects, at)
      values ('rot_1', 1, 1, '{"do":"issue","version":"ver_1","slot":"b"}', '{}', now())`);
  await migrate(db);
  await migrateLog(db);

  const mine = { rotation: "rot_1", epoch: 1 };
  const event = { type: "issued", at: t0, version: "ver_1", change: 1, tag: "tag" } as const;
  expect(await settle(db, { ...mine, change: 1, outcome: "done", event, at: t0 })).toMatchObject({
    repeated: false,
  });
  const step = { do: "destroy", version: "ver_0", slot: "a" } as const;
  const intended = await intend(db, { ...mine, change: 2, step, expects: {}, at: t0 });
  const told = await waitingEntries(db, 10);
  expect(told.map(({ body }) => bodyOf(body))).toMatchObject([
    { kind: "outcome", rotation: "rot_1", change: 1, outcome: "done", tag: "tag" },
    { kind: "intent", rotation: "rot_1", change: 2, step },
  ]);
  expect(told[1]).toEqual(intended?.entry);
});
