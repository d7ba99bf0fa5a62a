/** The audit log from the command line: on a real log, and evidence for somebody who has nothing but a file and a key. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { signCheckpoint } from "../../audit/checkpoint.js";
import { parseVerifier, verifierText } from "../../audit/note.js";
import { openAuditorsLog } from "../../bin/auditor.js";
import { type AuditDesk, auditDeskOf } from "../../client/cli/audit-desk.js";
import { tellAudit } from "../../inventory/audit-outbox.js";
import { type Database, transact } from "../../inventory/database.js";
import { installation } from "../../inventory/estate-tables.js";
import { ensureInstallation } from "../../inventory/installation.js";
import { intend, settle } from "../../inventory/intents.js";
import { auditStore, keptLog, type Store } from "../audit/keeper-world.js";
import { record, tamper, testFolder, testSigner } from "../audit/world.js";
import { migratedDatabase } from "../inventory/database.js";
import { applySample, issueStep, openedRotation, t0 } from "../inventory/world.js";
import { postgresServer } from "../setup/servers.js";
import { emptyWorld, runIn, type World } from "./fakes.js";

const dayMs = 86_400_000;
const times = { now: async () => t0 + 500 * dayMs, forgetAfterMs: 365 * dayMs };

interface Logged {
  readonly world: World;
  readonly rotation: string;
  readonly store: Store;
  readonly desk: AuditDesk;
  readonly db: Database;
}

/** A rotation in the log, with one change that is settled. */
async function logged(): Promise<Logged> {
  const { db } = await migratedDatabase();
  await ensureInstallation(db, { id: "inst", createdAt: t0, restoreGeneration: "gen" });
  const { orders } = await applySample(db);
  const opened = await openedRotation(db, orders);
  const { rotation, epoch } = opened;
  const change = { rotation, epoch, change: 1 };
  await intend(db, { ...change, step: issueStep(opened), expects: {}, at: t0 });
  const event = { type: "issued", at: t0, version: opened.initial.target, change: 1, tag: "tag" } as const;
  await settle(db, { ...change, outcome: "done", event, at: t0 });
  const store = await auditStore();
  const kept = keptLog(db, store.url);
  await kept.keeper.flush();
  const desk = auditDeskOf({ ...kept, db, ...times });
  return { world: emptyWorld({ audit: desk }), rotation, store, desk, db };
}

/** A world in which there is nothing to connect to. */
const offline = () =>
  emptyWorld({
    connect: async () => {
      throw new Error("nothing was to be asked");
    },
  });

test("I9: a pack verifies offline with the log's key, and says which entry is not what was signed", async () => {
  const { world, rotation, desk } = await logged();
  const file = join(testFolder(), "evidence.json");
  const exported = await runIn(world, ["audit", "export", rotation, "--out", file]);
  expect([exported.code, exported.stdout]).toEqual([0, `Wrote ${file}: 3 entries with proofs.\n`]);
  const verify = (...more: string[]) => runIn(offline(), ["audit", "verify", "--pack", file, ...more]);
  const whole = await verify("--key", desk.key());
  expect([whole.code, whole.stderr]).toEqual([0, ""]);
  expect(whole.stdout).toContain(`The pack is whole: 3 entries of rotation ${rotation}.`);
  const trusting = await verify();
  expect([trusting.code, trusting.stderr]).toEqual([
    0,
    expect.stringContaining("the key that it names itself"),
  ]);

  const other = await verify("--key", verifierText({ ...testSigner(), name: "rekey-audit/test" }));
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining("was not signed by the key")]);
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace('\\"outcome\\":\\"done\\"', '\\"outcome\\":\\"not-done\\"'));
  const changed = await verify("--key", desk.key());
  expect([changed.code, changed.stdout]).toEqual([
    1,
    expect.stringMatching(/^Entry \d+ is not in the log that was signed\./),
  ]);
  writeFileSync(file, text.replace('"value": "ann"', '"value": "bob"'));
  const renamed = await verify("--key", desk.key());
  expect(renamed.stdout).toMatch(
    /^The personal field requestedBy of entry \d+ is not what was committed to\./,
  );
});

test("H32 I9: a checkpoint that was kept elsewhere shows that the log was cut", async () => {
  const { world, store } = await logged();
  const file = join(testFolder(), "checkpoint.txt");
  writeFileSync(file, (await runIn(world, ["audit", "checkpoint"])).stdout);
  const whole = await runIn(world, ["audit", "verify", "--since", file]);
  expect([whole.code, whole.stdout]).toEqual([
    0,
    expect.stringContaining("The log is whole: 4 entries, 4 checkpoints compared."),
  ]);
  await tamper(store, "delete from rekey_audit.entries where index = 3");
  const cut = await runIn(world, ["audit", "verify", "--since", file]);
  expect([cut.code, cut.stdout]).toEqual([1, expect.stringContaining("Entry 3 is missing.")]);
  const json = await runIn(world, ["audit", "verify", "--json"]);
  expect([json.code, JSON.parse(json.stdout)]).toEqual([
    1,
    expect.objectContaining({ findings: ["Entry 3 is missing."] }),
  ]);
});

test("I9: a log that was cut and built anew, anchors and all, agrees with itself; a checkpoint kept elsewhere finds it", async () => {
  const { world, store, db } = await logged();
  const file = join(testFolder(), "checkpoint.txt");
  writeFileSync(file, (await runIn(world, ["audit", "checkpoint"])).stdout);
  /** What somebody does who has both databases and the worker's disk: the installation signs it. */
  const rebuilt = async (entries: number): Promise<World> => {
    await tamper(
      store,
      ...["head", "entries", "tiles", "openings", "checkpoints"].map(
        (table) => `delete from rekey_audit.${table}`,
      ),
    );
    await transact(db, async (tx) => {
      await tx.update(installation).set({ auditSize: null, auditCheckpoint: null });
      await tellAudit(tx, ...Array.from({ length: entries }, (_, n) => record(n)));
    });
    const again = keptLog(db, store.url);
    await again.keeper.checkpoint();
    return emptyWorld({ audit: auditDeskOf({ ...again, db, ...times }) });
  };
  const since = ["audit", "verify", "--since", file];
  const short = await rebuilt(3);
  expect(await runIn(short, ["audit", "verify"])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("The log is whole: 3 entries, 3 checkpoints compared."),
  });
  const cut = `The log was cut: it has 3 entries, and the checkpoint in ${file} was signed for 4.`;
  expect(await runIn(short, since)).toMatchObject({ code: 1, stdout: expect.stringContaining(cut) });
  const long = await rebuilt(6);
  expect((await runIn(long, ["audit", "verify"])).code).toBe(0);
  const forked = `The log was forked: its first 4 entries are not those that the checkpoint in ${file} was signed for.`;
  expect(await runIn(long, since)).toMatchObject({ code: 1, stdout: expect.stringContaining(forked) });
});

test("a checkpoint of another key is found, and a file that is none is refused, each with what to do", async () => {
  const { world, desk } = await logged();
  const file = join(testFolder(), "checkpoint.txt");
  const since = ["audit", "verify", "--since", file];
  const { name } = parseVerifier(desk.key());
  const foreign = { ...testSigner(), name };
  writeFileSync(file, await signCheckpoint({ size: 2, root: Buffer.alloc(32, 1) }, foreign));
  expect(await runIn(world, since)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(`The checkpoint in ${file} was not signed by the key of ${name}.`),
    stderr: expect.stringContaining(
      `hint: the checkpoint in ${file} says that it is of ${name}. It counts with`,
    ),
  });
  const good = await desk.checkpoint();
  for (const [text, error] of [
    ["", "is empty"],
    ["garbage", "is no checkpoint"],
    ["garbage\n\n— garbage garbage\n", "is no checkpoint"],
    [good.slice(0, good.indexOf("\n\n") + 1), "is no checkpoint"],
    [good.trimEnd(), "is no checkpoint"],
  ] as const) {
    writeFileSync(file, text);
    const refused = await runIn(world, since);
    expect([refused.code, refused.stdout]).toEqual([2, ""]);
    expect(refused.stderr).toContain(`error: ${file} ${error}.\nhint: \`rekey audit checkpoint > FILE\``);
  }
});

test("I9: an auditor verifies with a login that may only read and the key's line, without settings or a private key", async () => {
  const { world, store, desk } = await logged();
  const checkpoint = join(testFolder(), "checkpoint.txt");
  writeFileSync(checkpoint, (await runIn(world, ["audit", "checkpoint"])).stdout);
  const { host, port } = await postgresServer();
  const role = `auditor_${store.name}`;
  await store.sql(`create role ${role} login password 'reads'; grant usage on schema rekey_audit to ${role};
    grant select on all tables in schema rekey_audit to ${role}`);
  onTestFinished(async () => {
    await store.sql(`drop owned by ${role}; drop role ${role}`);
  });
  const env = { AUDIT_URL: `postgres://${role}:reads@${host}:${port}/${store.name}` };
  const auditor = (...more: string[]) =>
    runIn(offline(), ["audit", "verify", "--database", "env:AUDIT_URL", ...more], {
      env,
      deps: { auditorsLog: (reference) => openAuditorsLog(env, reference) },
    });
  const key = ["--key", desk.key()];
  expect(await auditor(...key, "--since", checkpoint)).toMatchObject({
    code: 0,
    stderr: "",
    stdout: expect.stringContaining("The log is whole: 4 entries, 2 checkpoints compared."),
  });
  const other = verifierText({ ...testSigner(), name: "rekey-audit/test" });
  expect(await auditor("--key", other)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("Nothing of the log was signed by the key of rekey-audit/test."),
  });
  expect(await auditor("--key", "no key")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("hint: It has the form name+hash+key."),
  });
  await tamper(store, "delete from rekey_audit.entries where index = 2");
  expect(await auditor(...key)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("Entry 2 is missing."),
  });
});

test("H40: names are shown until they are forgotten, and the log is whole afterwards and says who forgot them", async () => {
  const { world, rotation, store } = await logged();
  const shown = await runIn(world, ["audit", "show", rotation]);
  expect(shown.stdout).toMatch(/opened +ordinary, epoch 1, asked for by ann: It is time\./);
  const forget = (...more: string[]) => runIn(world, ["audit", "forget", "--yes", ...more]);
  const forgot = await forget("--before", "2026-03-02", "--as", "rashid");
  expect([forgot.code, forgot.stdout]).toEqual([0, expect.stringContaining("3 fields forgotten.")]);
  const after = await runIn(world, ["audit", "show", rotation]);
  expect(after.stdout).toMatch(/opened +ordinary, epoch 1, asked for by \(forgotten\): \(forgotten\)/);
  expect((await runIn(world, ["audit", "verify"])).code).toBe(0);

  const entries = "select index, body::json as body from rekey_audit.entries order by index desc";
  const [told] = await store.sql<{ index: string; body: Record<string, unknown> }>(entries);
  expect(told).toMatchObject({
    index: "4",
    body: {
      kind: "forgotten",
      at: t0 + 500 * dayMs,
      before: Date.parse("2026-03-02"),
      fields: 3,
      below: 4,
      personal: { by: expect.stringMatching(/^[0-9a-f]{64}$/) },
    },
  });
  expect(await store.sql("select field, value from rekey_audit.openings")).toEqual([
    { field: "by", value: "rashid" },
  ]);
  // Again, there is nothing, and the log does not grow of it.
  expect((await forget("--before", "2026-03-02", "--as", "rashid")).stdout).toContain("nothing to forget");
  expect(await store.sql(entries)).toHaveLength(5);
});

test("H40: what is not old enough, is still to come, is no day, or is forgotten by nobody, is not forgotten", async () => {
  const { world, store } = await logged();
  const forget = (...more: string[]) => runIn(world, ["audit", "forget", "--yes", ...more]);
  // 500 days after the entries, with names that are kept for 365.
  for (const [before, code, error, hint] of [
    ["2026-07-16", 3, "kept for 365d", "hint: Name a day up to 2026-07-14"],
    ["2027-08-01", 2, "2027-08-01 is still to come", "hint: Entries of the past"],
    ["2026-02-31", 2, "not said which entries", "hint: Add --before"],
    ["1", 2, "not said which entries", "hint: Add --before"],
  ] as const) {
    const refused = await forget("--before", before, "--as", "rashid");
    expect([refused.code, refused.stderr]).toEqual([code, expect.stringContaining(error)]);
    expect(refused.stderr).toContain(hint);
  }
  const nobody = await forget("--before", "2026-03-02");
  expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining("hint: Add --as PERSON")]);
  expect(await store.sql("select entry from rekey_audit.openings")).toHaveLength(3);
  expect(await store.sql("select index from rekey_audit.entries")).toHaveLength(4);
});

test("H31 H40: a log that takes no entry of it in has nothing forgotten", async () => {
  const { world, store } = await logged();
  const up = await store.down("full");
  const refused = await runIn(world, [
    "audit",
    "forget",
    "--before",
    "2026-03-02",
    "--as",
    "rashid",
    "--yes",
  ]);
  expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining("hint: ")]);
  expect(await store.sql("select entry from rekey_audit.openings")).toHaveLength(3);
  await up();
});
