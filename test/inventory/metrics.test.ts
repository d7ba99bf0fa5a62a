/** Figures against what anybody can count in the rows themselves, and changes between two moments against what was done then. */
import { expect, it } from "vitest";
import type { Claim, Copy, ScanPart, Thing } from "../../domain/discovery/said.js";
import type { Shapes } from "../../domain/estate/shapes.js";
import type { Estate } from "../../domain/estate/types.js";
import type { Figure } from "../../domain/findings/metrics.js";
import { type Change, changesBetween } from "../../domain/graph/changes.js";
import { read } from "../../inventory/database.js";
import { applyEstate, entryNamed } from "../../inventory/estate.js";
import { bringFindings } from "../../inventory/finding-keep.js";
import { loadChanged } from "../../inventory/graph-changes.js";
import { metricsAt, usesAt } from "../../inventory/metrics.js";
import { declaredIn } from "../../inventory/rematch.js";
import { beginScan, endScan, notePart } from "../../inventory/scans.js";
import { settingsDigest } from "../../inventory/source-settings.js";
import type { Body } from "../../inventory/submission.js";
import { recordVersions } from "../../inventory/versions.js";
import { migratedDatabase } from "./database.js";
import { newId, policy, sampleEstate, t0 } from "./world.js";

const dayMs = 86_400_000;
/** When everything was seen. */
const seenAt = t0 + 38 * dayMs;
const seen = { first: seenAt, last: seenAt, count: 1 };

const shapes: Shapes = {
  shownAs: (_, { account }) =>
    Object.values(account).flatMap((value) => (typeof value === "string" ? [value] : [])),
  placeKey: (_, __, place) => String(place.path),
  seesUse: () => true,
  deliveredWithinMs: () => 0,
};

const account = (name: string): Thing => ({ is: "account", issuer: "main-db", account: name });
const reader = (name: string): Thing => ({ is: "reader", name, traits: { workload: name } });
const uses = (from: Thing, to: Thing): Claim => ({
  ...({ record: "all", known: "session", from, type: "uses", to, seen } as const),
  sentence: "It is connected.",
});
const copy = (path: string, literal: boolean): Copy => ({
  ...{ record: path, at: { is: "location", scope: "repository", path }, mark: `m ${path}`, literal, seen },
  sentence: "It stands there.",
});

/** Three issuers, of which one is watched; five credentials, of which two have left; strays, strangers, copies, a rotation. */
async function programme() {
  const { db, sql } = await migratedDatabase();
  let applied = 0;
  const apply = async (estate: Estate, now: number) => {
    applied += 1;
    await applyEstate(db, { estate, digest: `d${applied}`, by: "ann", now, newId, shapes });
  };
  const sample = sampleEstate();
  const one = sample.credentials["orders-db"];
  if (one === undefined) throw new Error("the sample has orders-db");
  const { intervalMs: _, ...endless } = policy;
  const named = (login: string, more: object = {}) => ({
    ...one,
    ...{ account: { login }, place: { path: login } },
    ...more,
  });
  const whole: Estate = {
    ...sample,
    issuers: { ...sample.issuers, "other-db": { kind: "fake" } },
    policies: { ...sample.policies, endless },
    sources: { sessions: { kind: "fake", owner: "payments", issuer: "main-db" } },
    credentials: {
      ...sample.credentials,
      archive: named("archive", { policy: "endless" }),
      unseen: named("unseen", { issuer: "other-db" }),
      gone: named("gone"),
      left: named("left"),
      forgotten: named("forgotten"),
    },
  };
  await apply(whole, t0);
  const version = async (name: string, lives: readonly ("active" | "destroyed")[]) => {
    const { id: credential } = await entryNamed(db, "credentials", name);
    for (const [index, life] of lives.entries()) {
      const standings = [{ id: `ver_${name}_${index}`, slot: "a", life }];
      await recordVersions(db, { credential, by: null, standings, at: t0 + index });
    }
  };
  await version("gone", ["destroyed"]);
  await version("left", ["active"]);
  const { gone: _g, left: _l, forgotten: _f, ...credentials } = whole.credentials;
  await apply({ ...whole, credentials }, t0 + dayMs);
  const said: Partial<ScanPart> = {
    claims: [
      uses(reader("psql"), account("orders")),
      uses({ is: "named", type: "consumer", name: "checkout" }, account("billing")),
    ],
    listed: [{ record: "all", thing: account("stray"), seen }],
    copies: [copy(".env", true), copy("vault", false), copy("compose.yaml", true)],
  };
  const [{ id: source = "", body = {} } = {}] = await sql<{ id: string; body: Body }>(
    "select id, body from rekey_inventory.entries where section = 'sources'",
  );
  const now = t0 + 40 * dayMs;
  for (const at of [now - 5 * dayMs, now - dayMs]) {
    const ref = { source, shows: "now", settings: settingsDigest(body) } as const;
    const begun = await beginScan(db, { ...ref, now: at, newId: () => newId("scn") });
    const none = { records: 1, malformed: [], covered: null, gaps: [], cursor: "1" };
    const part = { claims: [], copies: [], listed: [], ...none, ...said };
    await notePart(
      db,
      { ...ref, id: begun.id },
      null,
      part,
      await read(db, (tx) => declaredIn(tx, shapes)),
      at,
    );
    await endScan(db, { ...ref, id: begun.id }, at);
  }
  await sql(
    `insert into rekey_inventory.rotations (id, credential, workflow_id, run_id, nonce, epoch, mode, initial, requested_by,
      reason, opened_at, closed_at, outcome)
      select 'rot_1', id, 'w', 'r', 'n', 1, 'ordinary', '{}', 'ann', 'x', $1, $1, 'rotated'
      from rekey_inventory.entries where name = 'billing-db'`,
    [new Date(now - dayMs)],
  );
  return { db, sql, now };
}

it("C31: each figure can be counted in the rows, and what is left out is known and in neither number", async () => {
  const { db, sql, now } = await programme();
  await bringFindings(db, shapes, now);
  const figures: ReadonlyMap<string, Figure> = new Map(
    (await metricsAt(db, shapes, now)).map((figure) => [figure.name, figure]),
  );
  const rows = async (text: string) =>
    Number((await sql<{ n: string }>(`select count(*) as n from ${text}`))[0]?.n);
  const known = "rekey_inventory.graph_nodes n where n.type = 'credential' and n.ended_at is null";
  const declared =
    "rekey_inventory.entries e where e.section = 'credentials' and e.ended_at is null and e.name <> 'none'";
  const edge = (type: string) =>
    `exists (select from rekey_inventory.graph_edges o where o.from_id = n.id and o.type = '${type}' and o.ended_at is null)`;
  const interval =
    "(select p.body ->> 'intervalMs' from rekey_inventory.entries p where p.section = 'policies' and p.name = e.body ->> 'policy')";
  const users =
    "rekey_inventory.graph_nodes n where n.type in ('consumer', 'identity') and n.ended_at is null";
  const place =
    "(select t.node, bool_or(m.literal) as literal from rekey_inventory.marks m join rekey_inventory.things t on t.id = m.thing where m.ended_at is null group by t.node) p";
  const gone = "rekey_inventory.entries e where e.section = 'credentials' and e.ended_at is not null";
  const version = "rekey_inventory.versions v where v.credential = e.id";
  const counted: Record<string, readonly [number, number, number]> = {
    declared: [await rows(declared), await rows(known), 0],
    // The account that is listed at the issuer of the one source is seen, too.
    visible: [
      (await rows(`${declared} and e.body ->> 'issuer' = 'main-db'`)) +
        (await rows(`${known} and n.name like '% at main-db'`)),
      await rows(known),
      0,
    ],
    owned: [await rows(`${known} and ${edge("owned-by")}`), await rows(known), 0],
    "readers-owned": [
      await rows(`${users} and ${edge("uses")} and ${edge("owned-by")}`),
      await rows(`${users} and ${edge("uses")}`),
      0,
    ],
    explained: [
      // Of three that are seen, a stranger is on one.
      (await rows(`${declared} and e.body ->> 'issuer' = 'main-db'`)) - 1,
      await rows(`${declared} and e.body ->> 'issuer' = 'main-db'`),
      await rows(`${declared} and e.body ->> 'issuer' <> 'main-db'`),
    ],
    overdue: [
      // All have been known for longer than the interval, and one was rotated yesterday.
      (await rows(`${declared} and ${interval} is not null`)) - 1,
      await rows(`${declared} and ${interval} is not null`),
      (await rows(`${declared} and ${interval} is null`)) +
        (await rows(`${known} and n.name like '% at main-db'`)),
    ],
    proved: [
      await rows("rekey_inventory.rotations where outcome = 'rotated'"),
      await rows(declared),
      (await rows(known)) - (await rows(declared)),
    ],
    outside: [await rows(`${place} where literal`), await rows(place), 0],
    offboarded: [
      await rows(
        `${gone} and exists (select from ${version}) and not exists (select from ${version} and v.ended_at is null)`,
      ),
      await rows(`${gone} and exists (select from ${version})`),
      await rows(`${gone} and not exists (select from ${version})`),
    ],
    excepted: [0, await rows("rekey_inventory.findings where state <> 'ended'"), 0],
  };
  const told = ({ numerator, denominator, leftOut }: Figure) => [numerator, denominator, leftOut];
  for (const [name, numbers] of Object.entries(counted))
    expect(told(figures.get(name) as Figure), name).toEqual(numbers);
  // Two are not of the kind that a count in one table shows: nobody was watched for long enough to be dormant.
  expect(told(figures.get("dormant") as Figure)).toEqual([0, 2, (await rows(known)) - 2]);
  expect([...figures.keys()].sort()).toEqual([...Object.keys(counted), "dormant"].sort());
  expect(counted.offboarded).toEqual([1, 2, 1]);
  expect(counted.explained).toEqual([2, 3, 1]);
  for (const { what, notCounted } of figures.values()) expect([what, notCounted].every(Boolean)).toBe(true);
});

it("the use of every credential is told with what it rests on, and with its owners", async () => {
  const { db, now } = await programme();
  const found = await usesAt(db, shapes, { leastWindowMs: null, now });
  const told = found.map(({ credential, is, owners }) => `${credential.name} ${is} ${owners.join()}`);
  expect(told.sort()).toEqual([
    "archive too-soon payments",
    "billing-db live payments",
    "orders-db live payments",
    "stray at main-db too-soon ",
    "unseen unwatched payments",
  ]);
  const short = await usesAt(db, shapes, { leastWindowMs: dayMs, now });
  const closely = short.map(({ credential, is }) => `${credential.name} ${is}`);
  // Looks that are days apart show nobody who comes and goes between them.
  expect(closely.sort()).toEqual([
    "archive unwatched",
    "billing-db unwatched",
    "orders-db unwatched",
    "stray at main-db unwatched",
    "unseen unwatched",
  ]);
  expect(short.find(({ credential }) => credential.name === "archive")?.sentence).toMatch(
    /^It was not connected at 2 looks since .*, up to 4 d apart: whoever came in between was not seen, so nobody can say\.$/,
  );
});

it("what changed between two moments is what was done then", async () => {
  const { db, now } = await programme();
  const between = async (from: number, until: number) => {
    const of = { from, until, by: "record" } as const;
    const { came, ended, learnt } = changesBetween(await loadChanged(db, of), of);
    const names = (list: readonly Change<{ readonly name: string }>[]) =>
      list.map(({ thing }) => thing.name).sort();
    return {
      came: names(came.nodes),
      ended: names(ended.nodes),
      edges: [came.edges.length, ended.edges.length],
      learnt: learnt.length,
    };
  };
  expect((await between(t0 - 1, t0)).came).toContain("orders-db");
  expect(await between(t0 + 1, t0 + dayMs)).toMatchObject({
    ...{ came: [], edges: [0, 18], learnt: 0 },
    ended: ["forgotten", "gone", "left", "secrets forgotten", "secrets gone", "secrets left"],
  });
  const seenThen = await between(t0 + dayMs, now);
  expect(seenThen).toMatchObject({ ended: [], edges: [1, 0], learnt: 1 });
  expect(seenThen.came).toEqual([
    "psql",
    "repository .env",
    "repository compose.yaml",
    "repository vault",
    "stray at main-db",
  ]);
});
