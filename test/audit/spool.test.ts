/** The spool: on the disk before it answers, bound line by line, bounded, and merged once with its gap marked (H31). */
import { createHash } from "node:crypto";
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type Merged, mergeSpool } from "../../audit/merge.js";
import { fileSpool, type Spool } from "../../audit/spool.js";
import { verifyLog } from "../../audit/verify.js";
import { type AuditBody, auditEntryOf, bodyOf } from "../../domain/audit.js";
import { canonical } from "../../domain/plan.js";
import type { Database } from "../../inventory/database.js";
import { logWorld, record, testFolder } from "./world.js";

const now = 1_772_000_000_000;

function entry(n: number) {
  const about = record(n, { kind: "intent", personal: {} });
  return auditEntryOf(
    about,
    `aud_${n}`,
    () => "salt",
    () => "hash",
  );
}

/** Merges all of it, behind an outbox in which nothing waits. */
async function merged(log: Database, spool: Spool, at: number): Promise<Merged> {
  return mergeSpool(log, spool, await spool.pending(), at);
}

async function logged(sql: Awaited<ReturnType<typeof logWorld>>["sql"]): Promise<AuditBody[]> {
  const rows = await sql<{ body: string }>("select body from rekey_audit.entries order by index");
  return rows.map(({ body }) => bodyOf(body));
}

it("H31: what was added is there for another process, in order, and only its owner can read it", async () => {
  const folder = join(testFolder(), "spool");
  const spool = fileSpool(folder);
  expect(await spool.pending()).toEqual([]);
  await Promise.all([1, 2, 3].map((n) => spool.add(entry(n), now + n)));
  const [file] = await fileSpool(folder).pending();
  expect(file?.entries.map(({ entry: { id }, at }) => [id, at])).toEqual(
    [1, 2, 3].map((n) => [`aud_${n}`, now + n]),
  );
  expect(file).toMatchObject({ intact: true, torn: false });
  expect(statSync(join(folder, file?.name ?? "")).mode & 0o077).toBe(0);
});

it("H31: it is bounded: one entry too many is refused, and nothing of it is written", async () => {
  const folder = testFolder();
  const spool = fileSpool(folder, 2);
  await spool.add(entry(1), now);
  await spool.add(entry(2), now);
  await expect(spool.add(entry(3), now)).rejects.toMatchObject({
    code: "audit-down",
    detail: "The audit spool is full: 2 entries wait there for the log.",
  });
  expect((await spool.pending())[0]?.entries).toHaveLength(2);
});

it("H31: what another process has merged makes room again, and the next file begins anew", async () => {
  const folder = testFolder();
  const spool = fileSpool(folder, 2);
  const other = fileSpool(folder, 2);
  for (const round of [0, 2, 4]) {
    await spool.add(entry(round + 1), now);
    await spool.add(entry(round + 2), now);
    await expect(spool.add(entry(9), now)).rejects.toMatchObject({ code: "audit-down" });
    const [file, ...more] = await other.pending();
    if (file === undefined) throw new Error("nothing waits");
    expect([file.entries.map(({ entry: { id } }) => id), file.intact, more]).toEqual([
      [`aud_${round + 1}`, `aud_${round + 2}`],
      true,
      [],
    ]);
    await other.putAside(file);
  }
});

it("H31: a disk that does not take it is an answer, and the next entry is bound to the last that was kept", async () => {
  const folder = join(testFolder(), "file", "spool");
  writeFileSync(join(folder, "../../file"), "not a folder");
  await expect(fileSpool(folder).add(entry(1), now)).rejects.toMatchObject({ code: "audit-down" });
});

it("a line that was changed, and a line that was not written to its end, are told apart", async () => {
  const folder = testFolder();
  const spool = fileSpool(folder);
  await spool.add(entry(1), now);
  await spool.add(entry(2), now);
  const path = join(folder, readdirSync(folder)[0] ?? "");
  const text = readFileSync(path, "utf8");
  appendFileSync(path, text.slice(0, 50));
  expect((await spool.pending())[0]).toMatchObject({ intact: true, torn: true, entries: [{}, {}] });
  writeFileSync(path, text.replace('\\"change\\":2', '\\"change\\":9'));
  expect((await spool.pending())[0]).toMatchObject({ intact: false, torn: false, entries: [{}] });
  writeFileSync(path, text.split("\n").slice(1).join("\n"));
  expect((await spool.pending())[0]).toMatchObject({ intact: false, entries: [{ entry: { id: "aud_2" } }] });
});

it("a line whose number was changed, hash and all, and a line too many, are told from what was written", async () => {
  const folder = testFolder();
  const spool = fileSpool(folder);
  for (const n of [1, 2, 3]) await spool.add(entry(n), now);
  const path = join(folder, readdirSync(folder)[0] ?? "");
  const text = readFileSync(path, "utf8");
  expect((await spool.pending())[0]).toMatchObject({ intact: true, entries: [{}, {}, {}] });
  const { hash: _, ...last } = JSON.parse(text.split("\n")[2] ?? "");
  const told = { ...last, seq: 7 };
  const hash = createHash("sha256").update(canonical(told)).digest("hex");
  writeFileSync(path, [...text.split("\n").slice(0, 2), canonical({ ...told, hash }), ""].join("\n"));
  expect((await spool.pending())[0]).toMatchObject({ intact: false, entries: [{}, {}] });
});

it("of lines that were taken from the end the file alone says nothing, until its process adds another", async () => {
  const folder = testFolder();
  const spool = fileSpool(folder);
  for (const n of [1, 2, 3]) await spool.add(entry(n), now);
  const path = join(folder, readdirSync(folder)[0] ?? "");
  const lines = readFileSync(path, "utf8").split("\n");
  writeFileSync(path, [...lines.slice(0, 2), ""].join("\n"));
  expect((await spool.pending())[0]).toMatchObject({ intact: true, entries: [{}, {}] });
  await spool.add(entry(4), now);
  expect((await spool.pending())[0]).toMatchObject({ intact: false, entries: [{}, {}] });
});

it("H31: it is merged once: entries, then the gap with its times; a second merge changes nothing", async () => {
  const { log, signer, sql, grow } = await logWorld();
  await grow(2);
  const spool = fileSpool(testFolder());
  await spool.add(entry(1), now);
  await spool.add(entry(2), now + 5);
  const [file] = await spool.pending();
  expect(await merged(log, spool, now + 9)).toEqual({ merged: 2, alone: 2, odd: 0 });
  expect(await spool.pending()).toEqual([]);
  const [, , first, second, gap] = await logged(sql);
  expect([first?.id, second?.id]).toEqual(["aud_1", "aud_2"]);
  expect(gap).toMatchObject({
    kind: "gap",
    entries: 2,
    ids: ["aud_1", "aud_2"],
    from: now,
    until: now + 5,
    spool: file?.lastHash,
    intact: true,
    torn: false,
  });
  expect(await merged(log, spool, now)).toEqual({ merged: 0, alone: 0, odd: 0 });
  expect((await verifyLog(log, signer, [])).findings).toEqual([]);
  await spool.add(entry(3), now + 20);
  expect(await merged(log, spool, now + 30)).toEqual({ merged: 1, alone: 1, odd: 0 });
  expect((await logged(sql)).map(({ kind }) => kind)).toEqual([
    ...["outcome", "outcome", "intent", "intent", "gap"],
    ...["intent", "gap"],
  ]);
});

it("H31: dying between the log and the file, and merging twice at once, double nothing", async () => {
  const { log, sql, another } = await logWorld();
  const folder = testFolder();
  const spool = fileSpool(folder);
  await spool.add(entry(1), now);
  const dies = { ...spool, putAside: async () => Promise.reject(new Error("killed")) };
  await expect(merged(log, dies, now)).rejects.toThrow("killed");
  await Promise.allSettled([merged(log, fileSpool(folder), now + 1), merged(another(), spool, now + 2)]);
  expect((await logged(sql)).map(({ id }) => id)).toEqual(["aud_1", expect.stringMatching(/^gap_/)]);
  expect(await spool.pending()).toEqual([]);
});

it("H31: what is added after a merger has read the file is not put aside with it", async () => {
  const { log, sql } = await logWorld();
  const spool = fileSpool(testFolder());
  await spool.add(entry(1), now);
  const grows = {
    ...spool,
    pending: async () => {
      const files = await spool.pending();
      await spool.add(entry(2), now + 1);
      return files;
    },
  };
  await merged(log, grows, now + 2);
  expect((await spool.pending())[0]?.entries).toHaveLength(2);
  await merged(log, spool, now + 3);
  expect((await logged(sql)).map(({ kind }) => kind)).toEqual(["intent", "gap", "intent", "gap"]);
  expect(await spool.pending()).toEqual([]);
});

it("a spool that was changed is merged as far as it is bound, and the gap says so", async () => {
  const { log, sql } = await logWorld();
  const folder = testFolder();
  const spool = fileSpool(folder);
  for (const n of [1, 2, 3]) await spool.add(entry(n), now);
  const path = join(folder, readdirSync(folder)[0] ?? "");
  const lines = readFileSync(path, "utf8").split("\n");
  writeFileSync(path, [lines[0], lines[2], ""].join("\n"));
  await merged(log, spool, now);
  expect(await logged(sql)).toMatchObject([{ id: "aud_1" }, { kind: "gap", entries: 1, intact: false }]);
});
