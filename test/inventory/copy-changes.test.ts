/** What changed of copies: what came and ended is told with its moment, and what is there by it is what the map says. */
import { expect, it } from "vitest";
import type { Copy } from "../../domain/discovery/said.js";
import { changesBetween } from "../../domain/graph/changes.js";
import { isCopy } from "../../domain/graph/copies.js";
import { keepFingerprint } from "../../inventory/fingerprints.js";
import { loadChanged } from "../../inventory/graph-changes.js";
import { loadWhole } from "../../inventory/graph-load.js";
import { keepLive } from "../../inventory/live-values.js";
import { recordVersions } from "../../inventory/versions.js";
import { at, dayMs, house } from "./findings-house.js";
import { t0 } from "./world.js";

const place = (path: string) => `repository shop ${path}`;

/** A house in which the value of orders-db is `ours`, and who says what has changed of copies. */
async function copying() {
  const { sql, apply, reading, db } = await house();
  await apply();
  const [found] = await sql<{ id: string }>(
    "select id from rekey_inventory.graph_nodes where name = 'orders-db' and ended_at is null",
  );
  const orders = found?.id ?? "";
  const version = async (id: string, hmac: string, now: number) => {
    const standings = [{ id, slot: "a", life: "active" }] as const;
    await recordVersions(db, { credential: orders, by: null, at: now, standings });
    await keepFingerprint(db, { version: id, credential: orders, hmac, at: now });
  };
  await version("ver_1", "ours", t0);
  /** A reading that meets these values at these paths, each since its day. */
  const meets = async (
    now: number,
    copies: readonly (readonly [path: string, mark: string, since: number])[],
  ) => {
    const met = copies.map(([path, mark, since]): Copy => {
      const seen = { first: since, last: now, count: 1 };
      return { record: path, at: at(path), mark, literal: true, seen, sentence: `It stands in ${path}` };
    });
    await reading({ copies: met }, now);
  };
  const changesFrom = async (from: number, until: number, by: "learnt" | "record" = "learnt") => {
    const graph = await loadChanged(db, { from, until, by });
    const { came, learnt, ended } = changesBetween(graph, { from, until, by });
    const told = (what: string, list: typeof came.edges) =>
      list
        .filter(({ thing }) => isCopy(thing))
        .map(({ thing, at: when }) => {
          const [one, other] = [thing.from, thing.to].map((id) => graph.nodes.get(id)?.name);
          return `${what} ${one} ${thing.type} ${other}: ${(when[by] - t0) / dayMs}`;
        });
    return [...told("came", came.edges), ...told("learnt", learnt), ...told("ended", ended.edges)].sort();
  };
  /** What is there by all changes is what the map has. */
  const agrees = async (now: number) => {
    const key = ({ from, type, to }: { from: string; type: string; to: string }) => `${from} ${type} ${to}`;
    const all = await loadChanged(db, { from: 0, until: now, by: "learnt" });
    const there = all.edges.filter((edge) => isCopy(edge) && edge.endedAt === null).map(key);
    expect(there.sort()).toEqual((await loadWhole(db, now)).edges.filter(isCopy).map(key).sort());
  };
  return { sql, apply, db, orders, version, meets, changesFrom, agrees };
}

const day = (number: number) => t0 + number * dayMs;

it("a copy comes with the reading that meets it, and ends with the one that does not", async () => {
  const { meets, changesFrom, agrees } = await copying();
  await meets(day(1), [[".env", "ours", day(1)]]);
  await agrees(day(1));
  await meets(day(2), [
    [".env", "ours", day(1)],
    ["ci.yaml", "ours", day(2)],
    ["other", "another", day(2)],
  ]);
  await meets(day(3), [["ci.yaml", "ours", day(2)]]);
  await agrees(day(3));
  expect(await changesFrom(day(0), day(1))).toEqual([`came orders-db copied-to ${place(".env")}: 1`]);
  expect(await changesFrom(day(1), day(2))).toEqual([`came orders-db copied-to ${place("ci.yaml")}: 2`]);
  expect(await changesFrom(day(2), day(3))).toEqual([`ended orders-db copied-to ${place(".env")}: 3`]);
  expect(await changesFrom(day(3), day(4))).toEqual([]);
  // One that a record has from long ago is news of the day on which it is read.
  await meets(day(9), [
    ["ci.yaml", "ours", day(2)],
    ["old", "ours", day(5)],
  ]);
  expect(await changesFrom(day(8), day(9))).toEqual([`came orders-db copied-to ${place("old")}: 9`]);
  expect(await changesFrom(day(4), day(5), "record")).toEqual([
    `came orders-db copied-to ${place("old")}: 5`,
  ]);
});

it("what came back keeps the end that it had, and is news of the day on which it was met again", async () => {
  const { db, sql, meets, changesFrom, agrees } = await copying();
  const env = (now: number) => meets(now, [[".env", "ours", day(1)]]);
  await env(day(1));
  for (const [gone, back] of [
    [2, 4],
    [6, 8],
  ] as const) {
    await meets(day(gone), []);
    await env(day(back));
    await env(day(back + 1));
    await agrees(day(back + 1));
  }
  const told = (what: string, number: number) => `${what} orders-db copied-to ${place(".env")}: ${number}`;
  expect(await changesFrom(day(0), day(1))).toEqual([told("came", 1)]);
  expect(await changesFrom(day(1), day(2))).toEqual([told("ended", 2)]);
  expect(await changesFrom(day(2), day(5))).toEqual([told("came", 4)]);
  expect(await changesFrom(day(5), day(6))).toEqual([told("ended", 6)]);
  expect(await changesFrom(day(6), day(9))).toEqual([told("came", 8)]);
  expect(await changesFrom(day(0), day(9))).toEqual(
    [told("came", 1), told("ended", 2), told("came", 4), told("ended", 6), told("came", 8)].sort(),
  );
  // The first day of its record is one and the same.
  expect(await changesFrom(day(0), day(9), "record")).toEqual(
    [told("came", 1), told("ended", 2), told("ended", 6)].sort(),
  );

  // Of what an earlier release met, the day on which it came back is not known.
  await sql("update rekey_inventory.marks set learnt_at = null");
  expect(await changesFrom(day(6), day(9))).toEqual([]);
  await agrees(day(9));
  expect((await loadChanged(db, { from: day(0), until: day(9), by: "learnt" })).edges).not.toEqual([]);
});

it("a copy at a place that is known is news of the day on which it is met", async () => {
  const { meets, changesFrom } = await copying();
  await meets(day(1), [["ci.yaml", "another", day(1)]]);
  await meets(day(9), [
    ["ci.yaml", "another", day(1)],
    ["ci.yaml", "ours", day(5)],
  ]);
  expect(await changesFrom(day(8), day(9))).toEqual([`came orders-db copied-to ${place("ci.yaml")}: 9`]);
});

it("and with what is known of its value: whose it is, and that nobody accepts it any more", async () => {
  const { db, sql, orders, version, meets, changesFrom, agrees } = await copying();
  await meets(day(1), [
    ["a", "theirs", day(1)],
    ["b", "ours", day(1)],
    ["c", "next", day(1)],
  ]);
  // Somebody replaced the value by hand, and a rotation has looked before and after.
  await keepLive(db, { credential: orders, hmacs: ["theirs"], at: day(2) });
  await agrees(day(2));
  expect(await changesFrom(day(1), day(2))).toEqual([`came orders-db copied-to ${place("a")}: 2`]);
  await keepLive(db, { credential: orders, hmacs: ["next"], at: day(3) });
  await agrees(day(3));
  const lapsed = await changesFrom(day(3), day(60));
  expect(lapsed).toEqual([`ended orders-db copied-to ${place("a")}: 37`]);
  await agrees(day(60));
  // What is still to come is no end.
  expect(await changesFrom(day(3), day(30))).toEqual([]);

  const destroyed = { id: "ver_1", slot: "a", life: "destroyed" } as const;
  await recordVersions(db, { credential: orders, by: null, at: day(61), standings: [destroyed] });
  expect(await changesFrom(day(60), day(61))).toEqual([`ended orders-db copied-to ${place("b")}: 61`]);
  await agrees(day(61));
  // A version that a rotation has switched off counts from then on, and not from its destruction.
  await version("ver_2", "new", day(62));
  await meets(day(63), [["d", "new", day(63)]]);
  await sql(`insert into rekey_inventory.rotations
    (id, credential, workflow_id, run_id, nonce, epoch, mode, requested_by, reason, initial, opened_at)
    select 'rot_9', '${orders}', 'w', 'r', 'n', 1, 'ordinary', 'ann', 'why', '{}', now()`);
  await sql(`insert into rekey_inventory.rotation_events (rotation, seq, epoch, at, key, event)
    values ('rot_9', 1, 1, to_timestamp(${day(64) / 1_000}), 'k', '{"type": "disabled", "version": "ver_2"}')`);
  const disabled = { id: "ver_2", slot: "a", life: "disabled" } as const;
  await recordVersions(db, { credential: orders, by: null, at: day(64), standings: [disabled] });
  expect(await changesFrom(day(63), day(64))).toEqual([`ended orders-db copied-to ${place("d")}: 64`]);
  await agrees(day(64));
});

it("and with the word of the estate: where a credential is kept is no copy from then on", async () => {
  const { sql, orders, meets, changesFrom, agrees } = await copying();
  await meets(day(1), [["a", "ours", day(1)]]);
  const [{ id = "" } = {}] = await sql<{ id: string }>(
    `select id from rekey_inventory.graph_nodes where name = '${place("a")}'`,
  );
  const moment = (at: number) => `to_timestamp(${at / 1_000})`;
  await sql(`insert into rekey_inventory.graph_edges (from_id, type, to_id, first_seen, last_seen, learnt_at)
    values ('${orders}', 'stored-in', '${id}', ${moment(day(2))}, ${moment(day(2))}, ${moment(day(2))})`);
  expect(await changesFrom(day(1), day(2))).toEqual([`ended orders-db copied-to ${place("a")}: 2`]);
  await agrees(day(2));
  await sql(`update rekey_inventory.graph_edges set ended_at = ${moment(day(3))} where to_id = '${id}'`);
  expect(await changesFrom(day(2), day(3))).toEqual([`came orders-db copied-to ${place("a")}: 3`]);
  await agrees(day(3));
});
