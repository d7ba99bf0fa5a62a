/** Findings of what sources met and of what they list: copies, literals, rights, and places whose content has an end. */
import { expect, it } from "vitest";
import type { Claim, Copy, Thing } from "../../domain/discovery/said.js";
import type { CredentialException, Estate } from "../../domain/estate/types.js";
import { copiesMet } from "../../inventory/copies.js";
import { keepFingerprint } from "../../inventory/fingerprints.js";
import { keepLive } from "../../inventory/live-values.js";
import { recordVersions } from "../../inventory/versions.js";
import { at, dayMs, house, seen, use } from "./findings-house.js";
import { t0 } from "./world.js";

it("C12 C18: three copies are one cluster, whose they are is known by a hash that nobody is shown, and no value is kept", async () => {
  const { db, sql, apply, reading, open } = await house();
  await apply();
  const [orders] = await sql<{ id: string }>(
    "select id from rekey_inventory.entries where name = 'orders-db'",
  );
  const credential = orders?.id ?? "";
  await recordVersions(db, {
    ...{ credential, by: null, at: t0 },
    standings: [{ id: "ver_1", slot: "a", life: "active" }],
  });
  await keepFingerprint(db, { version: "ver_1", credential, hmac: "hmac-of-ours", at: t0 });
  const copy = (path: string, mark: string, literal = true): Copy => {
    return { record: path, at: at(path), mark, literal, seen, sentence: `It stands in ${path}.` };
  };
  const copies = [
    ...[".env", "compose.yaml", "ci.yaml"].map((path) => copy(path, "hmac-of-ours")),
    copy("lonely.env", "hmac-of-another"),
    copy("cert-1", "print", false),
    copy("cert-2", "print", false),
  ];
  await reading({ copies }, t0);
  const clusters = await open(t0, "same-value");
  expect(
    clusters.map(({ severity, places, credential: whose, owners }) => [
      severity,
      places.length,
      whose,
      owners,
    ]),
  ).toEqual([
    ["warn", 3, credential, ["payments"]],
    ["info", 2, null, ["payments"]],
  ]);
  expect(clusters[0]?.sentence).toBe(
    "One value stands in 3 places. It is the value of orders-db, of a version that is valid.",
  );
  const stray = await open(t0, "unmapped-copy");
  expect(stray.map(({ severity, about }) => [severity, about?.name])).toEqual(
    [".env", "ci.yaml", "compose.yaml"].map((path) => ["refuse", `repository shop ${path}`]),
  );
  const literals = await open(t0, "literal");
  expect(literals.map(({ subject, owners }) => [subject.name, owners])).toEqual([
    ["repository shop .env", ["payments"]],
    ["repository shop ci.yaml", ["payments"]],
    ["repository shop compose.yaml", ["payments"]],
    // Of no credential: whoever answers for the source is asked.
    ["repository shop lonely.env", ["payments"]],
  ]);
  // Nothing that is shown or kept of findings bears the hash.
  const kept = JSON.stringify(await sql("select * from rekey_inventory.findings"));
  expect(kept).not.toMatch(/hmac-of|print"/);
  // The copies go, and so do the findings.
  await reading({ copies: copies.slice(0, 1) }, t0 + 1);
  expect(await open(t0 + 1, "same-value")).toEqual([]);
  expect(await open(t0 + 1, "literal")).toHaveLength(1);
});

it("a value that was found to work comes first, is no suspicion, and is excepted by a code of its own", async () => {
  const { apply, reading, open } = await house();
  const held = { owner: "payments", reason: "It is a decoy.", until: new Date(t0 + dayMs).toISOString() };
  const about = "repository shop a.env";
  const excepting = (finding: CredentialException["finding"]) => (estate: Estate) => {
    const sessions = estate.sources.sessions as Estate["sources"][string];
    return { ...estate, sources: { sessions: { ...sessions, exceptions: [{ ...held, finding, about }] } } };
  };
  await apply(excepting("literal"));
  const copy = (path: string, verified: boolean): Copy => {
    return { record: path, at: at(path), mark: path, literal: true, verified, seen, sentence: "It is met." };
  };
  await reading({ claims: [use], copies: [copy("a.env", true), copy("b.env", false)] }, t0);
  const [first, ...others] = await open(t0);
  expect(first).toMatchObject({ code: "verified-literal", severity: "refuse", state: "open" });
  expect(others.filter(({ severity }) => severity === "refuse").length).toBeGreaterThan(0);
  expect((await open(t0, "literal")).map(({ subject }) => subject.name)).toEqual(["repository shop b.env"]);
  await apply(excepting("verified-literal"), t0 + 1);
  expect(await open(t0 + 1, "verified-literal")).toMatchObject([{ state: "excepted" }]);
  // Tried again, it opens nothing: a suspicion like any other.
  await reading({ copies: [copy("a.env", false)] }, t0 + 2);
  expect(await open(t0 + 2, "verified-literal")).toEqual([]);
  expect(await open(t0 + 2, "literal")).toMatchObject([{ subject: { name: about }, severity: "warn" }]);
});

it("C12: one value that is valid for two credentials is found, also where nobody has met a copy of it", async () => {
  const { db, sql, apply, reading, open } = await house();
  await apply();
  const ids = await sql<{ id: string; name: string }>(
    "select id, name from rekey_inventory.entries where section = 'credentials' order by name",
  );
  const [billing, orders] = ids.map(({ id }) => id);
  if (billing === undefined || orders === undefined) throw new Error("the sample has both");
  await keepLive(db, { credential: billing, hmacs: ["hmac-of-both"], at: t0 });
  await reading({}, t0);
  expect(await open(t0, "same-value")).toEqual([]);
  await keepLive(db, { credential: orders, hmacs: ["hmac-of-both"], at: t0 });
  await reading({}, t0 + 1);
  expect(await open(t0 + 1, "same-value")).toMatchObject([
    { severity: "warn", places: ["billing-db", "orders-db"], credential: billing },
  ]);
  // One of them is changed, and what was live before is no reason any more.
  await keepLive(db, { credential: orders, hmacs: ["hmac-of-orders"], at: t0 + 2 });
  await reading({}, t0 + 3);
  expect(await open(t0 + 3, "same-value")).toEqual([]);
});

it("C30: what concerns no credential is answered for at its source, until its day", async () => {
  const { apply, reading, open } = await house();
  const until = t0 + 5 * dayMs;
  const excepting = (exceptions: readonly CredentialException[]) => (estate: Estate) => {
    const sessions = estate.sources.sessions as Estate["sources"][string];
    return { ...estate, sources: { sessions: { ...sessions, exceptions } } };
  };
  const held = {
    owner: "payments",
    reason: "The appliance knows no store.",
    until: new Date(until).toISOString(),
  };
  await apply(excepting([{ ...held, finding: "literal", about: "repository shop legacy.ini#password" }]));
  const paths = ["legacy.ini#password", ".env"];
  const copies = paths.map((path): Copy => {
    return { record: path, at: at(path), mark: path, literal: true, seen, sentence: "It stands there." };
  });
  await reading({ copies, gaps: ["Something is hidden."] }, t0);
  const states = async (code: string, now: number) =>
    (await open(now, code)).map(({ subject, state, exception }) => [subject.name, state, exception?.owner]);
  expect(await states("literal", t0)).toEqual([
    ["repository shop .env", "open", undefined],
    ["repository shop legacy.ini#password", "excepted", "payments"],
  ]);
  expect((await states("literal", until)).map(([, state]) => state)).toEqual(["open", "open"]);
  // So is what a source cannot see.
  expect(await states("incomplete-evidence", until)).toEqual([["sessions", "open", undefined]]);
  const later = { ...held, until: new Date(until + dayMs).toISOString() };
  await apply(excepting([{ ...later, finding: "incomplete-evidence" }]), until);
  expect(await states("incomplete-evidence", until)).toEqual([["sessions", "excepted", "payments"]]);
});

it("a right that is wider than what is used by it is found, and one to a secret by its name is not", async () => {
  const { apply, reading, open } = await house();
  await apply();
  const pod: Thing = { is: "reader", name: "orders", traits: { workload: "orders" } };
  const inside = (path: string, whole: string): Claim => {
    return { ...use, from: at(path), type: "stored-in", to: at(whole), known: "declared" };
  };
  const right = (path: string): Claim => {
    return { ...use, from: pod, type: "can-read", to: at(path), known: "potential" };
  };
  const claims: Claim[] = [
    inside("shop/db", "shop/*"),
    inside("shop/mail", "shop/*"),
    right("shop/*"),
    right("shop/db"),
    { ...use, from: pod, to: at("shop/db") },
  ];
  await reading({ claims }, t0);
  expect(await open(t0, "wider-than-used")).toMatchObject([
    {
      subject: { name: "orders" },
      about: { name: "repository shop shop/*" },
      sentence: "orders may read all of repository shop shop/*, where 2 are known, and is known to use 1.",
    },
  ]);
  await reading({ claims: [...claims, { ...use, from: pod, to: at("shop/mail") }] }, t0 + 1);
  expect(await open(t0 + 1, "wider-than-used")).toEqual([]);
});

it("a consumer without a purpose, a source that was never read, and a certificate that ran out are named", async () => {
  const { apply, reading, open } = await house();
  await apply();
  expect((await open(t0, "no-purpose")).map(({ subject }) => subject.name)).toEqual(["checkout", "reports"]);
  // It is the source's, and not each credential's.
  expect(await open(t0, "stale-evidence")).toMatchObject([
    {
      ...{ severity: "refuse", about: null, credential: null, owners: ["payments"] },
      ...{ subject: { type: "source", name: "sessions" } },
      sentence: "The source sessions was never read to its end.",
    },
  ]);
  const served = { ...at("shop.example.com:443"), expiresAt: t0 + dayMs };
  const copies: Copy[] = [
    { record: "tls", at: served, mark: "m", literal: false, seen, sentence: "It is served there." },
  ];
  await reading({ copies }, t0);
  expect(await open(t0 + 1, "stale-evidence")).toEqual([]);
  expect(await open(t0 + 1, "overdue")).toEqual([]);
  expect(await open(t0 + dayMs, "overdue")).toMatchObject([
    { subject: { name: "repository shop shop.example.com:443" } },
  ]);
  const stale = await open(t0 + 8 * dayMs, "stale-evidence");
  expect(stale[0]?.sentence).toBe(
    "The source sessions was read to its end on 2026-03-01 09:00 UTC; the policy asks for every 7d.",
  );
});

it("what people say elsewhere that a consumer does, or who is one, is its purpose for as long as they say so", async () => {
  const { apply, reading, open } = await house();
  const psql: Thing = { is: "reader", name: "psql from 10.0.0.9", traits: { address: "10.0.0.9" } };
  await apply((estate: Estate) => ({
    ...estate,
    consumers: {
      ...estate.consumers,
      reports: {
        ...estate.consumers.reports,
        match: { applicationName: [], address: ["10.0.0.9"] },
      } as NonNullable<Estate["consumers"][string]>,
    },
  }));
  const of = async (now: number) => (await open(now, "no-purpose")).map(({ subject }) => subject.name);
  const told = async (now: number, ...things: readonly Thing[]) => {
    const said = {
      record: "table known.csv",
      seen: { first: now, last: now, count: 1 },
      purpose: "Takes orders.",
    };
    await reading({ listed: things.map((thing) => ({ ...said, thing })) }, now);
  };
  await told(t0 + 1, { is: "named", type: "consumer", name: "checkout" });
  expect(await of(t0 + 1)).toEqual(["reports"]);
  await told(t0 + 2, psql);
  expect(await of(t0 + 2)).toEqual(["checkout"]);
  await told(t0 + 3);
  expect(await of(t0 + 3)).toEqual(["checkout", "reports"]);
});

/** A house with a copy of each of these values, by the mark that it has, in a file of that name. */
async function copied(...marks: readonly string[]) {
  const { db, sql, apply, reading, open } = await house();
  await apply();
  const [orders] = await sql<{ id: string }>(
    "select id from rekey_inventory.entries where name = 'orders-db'",
  );
  const copies = marks.map((mark): Copy => {
    return { record: mark, at: at(mark), mark, literal: true, seen, sentence: "A password." };
  });
  await reading({ copies }, t0);
  const stray = async (now: number) =>
    (await open(now, "unmapped-copy")).map(({ about }) => about?.name.replace("repository shop ", ""));
  return { db, sql, open, stray, credential: orders?.id ?? "" };
}

it("C12: a value that nobody has rotated yet is known from the first look on, and one that was replaced by hand until its window is over", async () => {
  const { db, open, stray, credential } = await copied("by-hand", "later", "foreign");
  expect(await stray(t0)).toEqual([]);
  await keepLive(db, { credential, hmacs: ["by-hand"], at: t0 });
  expect(await stray(t0)).toEqual(["by-hand"]);
  const [literal] = (await open(t0, "literal")).filter(({ subject }) => subject.name.endsWith("by-hand"));
  expect(literal?.sentence).toBe("A password. It is the value of orders-db, of a version that is valid.");
  await keepLive(db, { credential, hmacs: ["later"], at: t0 + dayMs });
  // A look that comes late changes nothing.
  await keepLive(db, { credential, hmacs: ["by-hand"], at: t0 - dayMs });
  expect(await stray(t0 + 35 * dayMs)).toEqual(["by-hand", "later"]);
  expect(await stray(t0 + 35 * dayMs + 1)).toEqual(["later"]);
  // Nothing was seen live since that one, however long ago that is.
  expect(await stray(t0 + 300 * dayMs)).toEqual(["later"]);
});

it("C12: what an issuer was seen to refuse is looked for no more, whoever had made it", async () => {
  const { db, stray, credential } = await copied("first", "second");
  const stands = (life: "active" | "retiring" | "disabled" | "destroyed") =>
    recordVersions(db, {
      ...{ credential, by: null, at: t0 },
      standings: [{ id: "ver_1", slot: "a", life }],
    });
  await keepLive(db, { credential, hmacs: ["first"], at: t0 });
  await stands("active");
  await keepFingerprint(db, { version: "ver_1", credential, hmac: "first", at: t0 });
  expect(await stray(t0)).toEqual(["first"]);
  await stands("retiring");
  expect(await stray(t0)).toEqual(["first"]);
  for (const life of ["disabled", "destroyed"] as const) {
    await stands(life);
    expect(await stray(t0)).toEqual([]);
  }
});

it("C12: at the gate every version counts that may still be accepted, but for those that the rotation itself makes", async () => {
  const { db, sql, credential } = await copied("origin", "older", "target", "live", "by-hand", "dead");
  const version = async (
    id: string,
    hmac: string,
    life: "active" | "retiring" | "delivered" | "destroyed",
  ) => {
    await recordVersions(db, { ...{ credential, by: null, at: t0 }, standings: [{ id, slot: id, life }] });
    await keepFingerprint(db, { version: id, credential, hmac, at: t0 });
  };
  await version("ver_origin", "origin", "active");
  await version("ver_older", "older", "retiring");
  await version("ver_dead", "dead", "destroyed");
  await version("ver_target", "target", "delivered");
  await sql(
    `insert into rekey_inventory.rotations (id, credential, workflow_id, run_id, nonce, epoch, mode, initial, requested_by,
      reason, opened_at) values ('rot_1', $1, 'w', 'r', 'n', 1, 'ordinary', '{}', 'ann', 'x', $2)`,
    [credential, new Date(t0)],
  );
  await sql("update rekey_inventory.versions set rotation = 'rot_1' where id = 'ver_target'");
  await keepLive(db, { credential, hmacs: ["by-hand", "dead"], at: t0 });
  const found = async (rotation: string, hmacs: readonly string[], now = t0) =>
    (await copiesMet(db, { credential, version: "ver_origin", rotation, hmacs }, now)).map(({ name }) =>
      name.replace("repository shop ", ""),
    );
  expect(await found("rot_1", [])).toEqual(["by-hand", "older", "origin"]);
  expect(await found("rot_1", ["live"])).toEqual(["by-hand", "live", "older", "origin"]);
  expect(await found("rot_2", [])).toEqual(["by-hand", "older", "origin", "target"]);
});
