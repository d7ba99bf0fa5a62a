/** Findings as records: they open, are excepted until a day, reopen, end and come back, and nothing of them is forgotten. */
import { expect, it } from "vitest";
import type { Thing } from "../../domain/discovery/said.js";
import type { Credential, CredentialException, Estate } from "../../domain/estate/types.js";
import { bringFindings } from "../../inventory/finding-keep.js";
import { findingNumbered, listFindings } from "../../inventory/findings.js";
import { wordsOn } from "../../inventory/thing-words.js";
import { session, waiting } from "./database.js";
import { dayMs, house, seen, shapes, use } from "./findings-house.js";
import { policy, sampleEstate, t0 } from "./world.js";

function withException(exception: Partial<CredentialException>) {
  return (estate: Estate): Estate => {
    const orders = estate.credentials["orders-db"] as Credential;
    const held: CredentialException = {
      ...({ finding: "unmapped-reader", owner: "payments", reason: "It goes this month." } as const),
      until: new Date(t0 + 5 * dayMs).toISOString(),
      ...exception,
    };
    return {
      ...estate,
      credentials: { ...estate.credentials, "orders-db": { ...orders, exceptions: [held] } },
    };
  };
}

it("what is found now opens once, and the same look again changes nothing", async () => {
  const { db, sql, apply, reading } = await house();
  await apply();
  await reading({ claims: [use] }, t0);
  const news = await bringFindings(db, shapes, t0);
  expect(news).toMatchObject({ excepted: 0, ended: 0 });
  expect(news.open).toBeGreaterThan(3);
  const rows = () => sql("select * from rekey_inventory.findings order by number");
  const before = await rows();
  expect(await bringFindings(db, shapes, t0)).toEqual({ open: 0, excepted: 0, ended: 0, looked: true });
  expect(await rows()).toEqual(before);
  // Later nothing has changed but when it was seen, and the sentences are the same.
  await bringFindings(db, shapes, t0 + dayMs);
  const later = await rows();
  expect(later).toEqual(before);
  const { findings } = await listFindings(db, {}, t0 + dayMs);
  expect(findings.length).toBe(before.length);
  expect(findings.every(({ lastSeen }) => lastSeen === t0 + dayMs)).toBe(true);
  const [{ count = 0 } = {}] = await sql<{ count: number }>(
    "select count(*)::int as count from rekey_inventory.finding_changes",
  );
  expect(count).toBe(before.length);
});

it("says what it is about, who answers for it, and since when", async () => {
  const { apply, reading, open } = await house();
  await apply();
  await reading({ claims: [use] }, t0);
  expect(await open(t0, "unmapped-reader")).toMatchObject([
    {
      ...{ severity: "refuse", state: "open", firstSeen: t0, lastSeen: t0, since: t0, owners: ["payments"] },
      subject: { type: "credential", name: "orders-db" },
      about: { type: "identity", name: "psql from 10.0.0.9" },
      sentence: expect.stringContaining("Last seen 2026-03-01 09:00 UTC by sessions."),
    },
  ]);
});

it("C30: an exception holds until its day, then the finding is open again, and each of it is on record", async () => {
  const { db, apply, reading, open } = await house();
  await apply();
  await reading({ claims: [use] }, t0);
  await open(t0);
  await apply(withException({}), t0 + dayMs);
  const until = t0 + 5 * dayMs;
  const [excepted] = await open(t0 + dayMs, "unmapped-reader");
  expect(excepted).toMatchObject({
    state: "excepted",
    exception: { owner: "payments", reason: "It goes this month.", until },
  });
  // Nobody has looked since, and it is over all the same.
  const stands = async (now: number) =>
    (await listFindings(db, { code: "unmapped-reader" }, now)).findings.map(({ state, since }) => [
      state,
      since,
    ]);
  expect(await stands(until - 1)).toEqual([["excepted", t0 + dayMs]]);
  expect(await stands(until)).toEqual([["open", until]]);
  expect(await open(until + dayMs, "unmapped-reader")).toMatchObject([
    { number: excepted?.number, state: "open", exception: null, since: until },
  ]);
  const kept = await findingNumbered(db, excepted?.number ?? 0, until + dayMs);
  expect(kept?.changes.map((change) => [change.state, change.at, change.exception?.until ?? null])).toEqual([
    ["open", t0, null],
    ["excepted", t0 + dayMs, until],
    ["open", until, null],
  ]);
});

it("an exception of another finding, or about somebody else, changes nothing", async () => {
  const { apply, reading, open } = await house();
  await apply(withException({ about: "somebody else" }));
  await reading({ claims: [use] }, t0);
  expect(await open(t0, "unmapped-reader")).toMatchObject([{ state: "open" }]);
  await apply(withException({ about: "psql from 10.0.0.9" }), t0 + 1);
  expect(await open(t0 + 1, "unmapped-reader")).toMatchObject([{ state: "excepted" }]);
  await apply(withException({ finding: "overdue" }), t0 + 2);
  expect(await open(t0 + 2, "unmapped-reader")).toMatchObject([{ state: "open", since: t0 + 2 }]);
});

it("what is no longer found ends, is not forgotten, and comes back under its number", async () => {
  const { db, sql, apply, reading, open } = await house();
  await apply();
  // Written down somewhere; a session that is not there at one look would only fade.
  const written = { ...use, known: "declared" } as const;
  await reading({ claims: [written] }, t0);
  const [found] = await open(t0, "unmapped-reader");
  await reading({}, t0 + dayMs);
  expect(await open(t0 + dayMs, "unmapped-reader")).toEqual([]);
  const ended = await listFindings(db, { code: "unmapped-reader", ended: true }, t0 + dayMs);
  expect(ended.findings).toMatchObject([{ state: "ended", since: t0 + dayMs, lastSeen: t0 }]);
  await reading({ claims: [written] }, t0 + 2 * dayMs);
  expect(await open(t0 + 2 * dayMs, "unmapped-reader")).toMatchObject([
    { number: found?.number, firstSeen: t0, since: t0 + 2 * dayMs },
  ]);
  await expect(sql("delete from rekey_inventory.findings")).rejects.toThrow("only ever added");
  await expect(sql("update rekey_inventory.finding_changes set at = now()")).rejects.toThrow(
    "only ever added",
  );
});

it("a look that comes after a later one changes nothing, and two at once are one", async () => {
  const { db, apply, sql } = await house();
  await apply();
  await Promise.all([bringFindings(db, shapes, t0 + dayMs), bringFindings(db, shapes, t0 + dayMs)]);
  const [counted] = await sql<{ findings: number; changes: number }>(
    `select (select count(*)::int from rekey_inventory.findings) as findings,
      (select count(*)::int from rekey_inventory.finding_changes) as changes`,
  );
  expect(counted?.findings).toBeGreaterThan(3);
  expect(counted?.changes).toBe(counted?.findings);
  const before = await sql("select * from rekey_inventory.findings");
  expect(await bringFindings(db, shapes, t0)).toEqual({ open: 0, excepted: 0, ended: 0, looked: false });
  expect(await sql("select * from rekey_inventory.findings")).toEqual(before);
});

it("looks that wait for one another are one: whoever asked before it began is answered by it", async () => {
  const { db, apply, url, sql } = await house();
  await apply();
  const holder = await session(url);
  await holder.query("begin; select pg_advisory_xact_lock(7305141971)");
  const asked = [0, 1, 2].map(() => bringFindings(db, shapes, t0));
  await expect.poll(() => waiting(sql)).toHaveLength(3);
  await holder.query("rollback");
  const looked = (await Promise.all(asked)).filter((news) => news.looked);
  expect(looked).toHaveLength(1);
  expect((await bringFindings(db, shapes, t0)).looked).toBe(true);
});

it("overdue, without an end, never proved: by the policy and by what was rotated, with the day and not the age", async () => {
  const { apply, open } = await house();
  await apply();
  const due = t0 + (policy.intervalMs ?? 0);
  expect(await open(due - 1, "overdue")).toEqual([]);
  expect((await open(due, "overdue")).map(({ subject, sentence }) => `${subject.name}: ${sentence}`)).toEqual(
    [
      "billing-db: Its rotation was due on 2026-03-31 09:00 UTC.",
      "orders-db: Its rotation was due on 2026-03-31 09:00 UTC.",
    ],
  );
  expect(await open(due, "no-expiry")).toEqual([]);
  const { intervalMs: _, ...endless } = policy;
  await apply((estate) => ({ ...estate, policies: { standard: endless } }), due + 1);
  expect(await open(due + 1, "no-expiry")).toMatchObject([{ severity: "warn" }, {}]);
  expect(await open(due + 1, "overdue")).toEqual([]);
  const verified = (await open(due + 1, "never-verified")).map(({ about }) => about?.name ?? "itself");
  expect(verified.sort()).toEqual(["checkout", "checkout", "itself", "itself", "reports", "reports"]);
});

it("what people have written down of a credential that only they list is kept and goes by, until they say so no more", async () => {
  const { db, sql, apply, reading, open } = await house();
  await apply();
  const thing = { is: "named", type: "credential", name: "payroll-sftp" } as const;
  const listed = { record: "known.csv", thing: { ...thing, class: "api-key" as const }, seen };
  const expiresAt = t0 + 10 * dayMs;
  const codes = async (now: number) =>
    (await open(now))
      .filter(({ subject }) => subject.name === "payroll-sftp")
      .map(({ code }) => code)
      .sort();
  await reading({ listed: [listed] }, t0);
  expect(await codes(t0)).toEqual(["no-expiry", "no-owner", "no-purpose", "unwatched"]);
  const later = { ...listed, thing, seen: { ...seen, last: t0 + 1 } };
  await reading({ listed: [{ ...listed, purpose: "Payroll.", expiresAt }, later] }, t0 + 1);
  expect(await codes(t0 + 1)).toEqual(["no-owner", "unwatched"]);
  expect(await codes(expiresAt)).toEqual(["no-owner", "overdue", "unwatched"]);
  const [node] = await sql<{ id: string; class: string }>(
    "select id, class from rekey_inventory.graph_nodes where name = 'payroll-sftp'",
  );
  expect(node?.class).toBe("api-key");
  const words = () => wordsOn(db, node?.id ?? "");
  expect(await words()).toEqual({ purpose: "Payroll.", expiresAt, by: ["sessions"] });
  // Two rows of one reading, or two parts of it: the later word of each.
  const said = (at: number, more: object) => ({ ...listed, seen: { ...seen, last: at }, ...more });
  await reading(
    { listed: [said(t0 + 3, { purpose: "New." }), said(t0 + 2, { purpose: "Old.", expiresAt })] },
    t0 + 2,
  );
  expect(await words()).toMatchObject({ purpose: "New.", expiresAt });
  // It has been said since the first day that any of them tells of.
  const begins = "select first_seen from rekey_inventory.thing_words";
  expect(await sql<{ first_seen: Date }>(begins)).toEqual([{ first_seen: new Date(seen.first) }]);
  // A whole reading that says less takes back what was said.
  await reading({ listed: [said(t0 + 3, { purpose: "New." })] }, t0 + 4);
  expect(await words()).toMatchObject({ purpose: "New.", expiresAt: null });
  await reading({ listed: [listed] }, t0 + 5);
  expect(await words()).toEqual({ purpose: null, expiresAt: null, by: [] });
  expect(await codes(expiresAt + 1)).toEqual(["no-expiry", "no-owner", "no-purpose", "unwatched"]);
});

it("a credential that only a source lists has nobody, no purpose and no end, until it is listed no more", async () => {
  const { apply, reading, open } = await house();
  await apply();
  const stray: Thing = { is: "account", issuer: "main-db", account: "stray", class: "api-key" };
  await reading({ listed: [{ record: "list", thing: stray, seen }] }, t0);
  const codes = async (now: number) =>
    (await open(now)).filter(({ subject }) => subject.name === "stray at main-db").map(({ code }) => code);
  expect((await codes(t0)).sort()).toEqual(["no-expiry", "no-owner", "no-purpose"]);
  await reading({}, t0 + 3 * dayMs);
  expect(await codes(t0 + 3 * dayMs)).toHaveLength(3);
  await reading({}, t0 + 8 * dayMs);
  expect(await codes(t0 + 8 * dayMs)).toEqual([]);
  const expiring = { ...stray, expiresAt: t0 + 9 * dayMs };
  const last = t0 + 9 * dayMs;
  await reading({ listed: [{ record: "list", thing: expiring, seen: { ...seen, last } }] }, last);
  expect((await codes(last)).sort()).toEqual(["no-owner", "no-purpose", "overdue"]);
});

it("C21: what nobody was seen using is dormant once somebody looked for long enough, and a job of once a month is not", async () => {
  const { apply, reading, looking, open } = await house();
  const { reports = undefined } = sampleEstate().consumers;
  if (reports === undefined) throw new Error("the sample has reports");
  const monthly = { ...reports, cadenceMs: 31 * dayMs };
  await apply((estate) => {
    const { "orders-db": orders, "billing-db": billing } = estate.credentials;
    if (orders === undefined || billing === undefined) throw new Error("the sample has both");
    const consumers = [{ consumer: "checkout", isolation: "shared" as const }];
    return {
      ...estate,
      consumers: { ...estate.consumers, reports: monthly },
      credentials: { "orders-db": orders, "billing-db": { ...billing, consumers } },
    };
  });
  const dormantOn = async (day: number) => {
    if (day > 0) await looking(t0 + day * dayMs);
    await reading(day === 0 ? { claims: [use] } : {}, t0 + day * dayMs);
    return open(t0 + day * dayMs, "dormant");
  };
  const names: string[] = [];
  for (const day of [0, 5, 10, 15, 20, 25, 30, 34, 36, 41, 46, 47]) {
    const found = await dormantOn(day);
    names.push(`${day}: ${found.map(({ subject }) => subject.name).join(" ")}`.trim());
  }
  // It was seen on the first day alone, and is on the map no more; what runs once a month has some days more.
  expect(names.slice(-6)).toEqual([
    "30:",
    "34:",
    "36: billing-db",
    "41: billing-db",
    "46: billing-db",
    "47: billing-db orders-db",
  ]);
  expect((await open(t0 + 47 * dayMs, "dormant"))[1]?.sentence).toBe(
    "Nobody was seen since 2026-03-01 09:00 UTC, by looks up to 10 min apart; it may be silent for 46 d 12 h.",
  );
  // A reading that could not see all leaves nothing to say.
  await reading({ gaps: ["Sessions of others are hidden."] }, t0 + 48 * dayMs);
  expect(await open(t0 + 48 * dayMs, "dormant")).toEqual([]);
  expect(await open(t0 + 48 * dayMs, "incomplete-evidence")).toMatchObject([
    { subject: { type: "source", name: "sessions" }, about: null, credential: null, owners: ["payments"] },
  ]);
});

it("C21: looks that are days apart call nothing dormant, and say what they are", async () => {
  const { apply, reading, open } = await house();
  await apply();
  for (let week = 0; week <= 7; week += 1) await reading({}, t0 + week * 7 * dayMs);
  const now = t0 + 49 * dayMs;
  expect(await open(now, "dormant")).toEqual([]);
  expect(await open(now, "short-watch")).toMatchObject([
    {
      ...{ severity: "warn", subject: { type: "source", name: "sessions" } },
      sentence:
        "The source sessions looks at who is connected, since 2026-03-01 09:00 UTC up to 7 d apart: whoever came in between was not seen. The policy asks for 35d, with looks no further apart than 15m.",
    },
  ]);
});
