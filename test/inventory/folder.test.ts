/** An estate as a folder: what was read before is not read again, and nothing passes that would not pass in one file. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { readFolder } from "../../client/estate/folder.js";
import { parseEstate } from "../../domain/estate/parse.js";
import { applyEstate } from "../../inventory/estate.js";
import { applySubmission, notePieces, planSubmission } from "../../inventory/estate-apply.js";
import { knownIn } from "../../inventory/estate-context.js";
import { currentEstate } from "../../inventory/estate-load.js";
import { credential, kinds, sound } from "../domain/estate/fixtures.js";
import { migratedDatabase } from "./database.js";
import { appliedFrom, emptyFolder, type Raw, readCounted, writeFolder } from "./folder-world.js";
import { newId, t0 } from "./world.js";

const edge = fc.record(
  {
    consumer: fc.constantFrom("web", "jobs", "cron"),
    wave: fc.constantFrom(1, 2),
    isolation: fc.constantFrom("pinned", "shared"),
    place: fc.record({ path: fc.constantFrom("p1", "p9") }),
  },
  { requiredKeys: ["consumer"] },
);
const oneCredential = fc
  .record({
    issuer: fc.constantFrom(...Array.from({ length: 9 }, () => "books"), "other"),
    login: fc.constantFrom("l1", "l2", "l3", "l4", "l5"),
    path: fc.constantFrom("p1", "p2", "p3", "p4", "p5"),
    owner: fc.constantFrom("ada", "shop"),
    users: fc.uniqueArray(fc.constantFrom("web", "jobs", "cron"), { maxLength: 2 }),
    edges: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, fc.array(edge, { maxLength: 1 })),
    policy: fc.constantFrom("calm", "calm", undefined),
    class: fc.constantFrom("service-account", "token"),
    known: fc.constantFrom(
      ...[{}, {}, {}, { mints: ["orders"] }, { mints: [{ issuer: "books" }] }, { canRead: ["desk"] }],
      ...[{ canRead: [{ store: "desk", place: { path: "p1" } }] }, { canRead: [{ credential: "bills" }] }],
    ),
  })
  .map(({ login, path, users, edges, known, ...more }) =>
    credential({ ...more, ...known, account: { login }, place: { path }, consumers: [...users, ...edges] }),
  );
const oneConsumer = fc.record(
  {
    owner: fc.constantFrom("ada", "shop"),
    observe: fc.constant([{ kind: "person" }]),
    match: fc.record({ applicationName: fc.constantFrom(["x"], ["y"], [] as string[]) }),
    cadence: fc.constantFrom("1h", "1h", "1d", "3d"),
    canary: fc.constantFrom(false, false, false, true),
    dependsOn: fc.constantFrom(["web"], ["cron"], [{ issuer: "books" }], [{ store: "desk" }]),
  },
  { requiredKeys: ["owner", "observe"] },
);
const both = ["service-account", "token"] as const;
const [first, second] = both;
const estates = fc.record({
  consumers: fc.record(
    { web: oneConsumer, jobs: oneConsumer, cron: oneConsumer },
    { requiredKeys: ["web"], noNullPrototype: true },
  ),
  credentials: fc.dictionary(fc.constantFrom("orders", "bills", "mails", "logs"), oneCredential, {
    maxKeys: 4,
    noNullPrototype: true,
  }),
  quick: fc.boolean(),
  takes: fc.constantFrom<{ calm?: readonly string[]; brisk?: readonly string[] }>(
    ...[{ calm: both }, { calm: [first], brisk: [second] }, { calm: [second], brisk: [first] }],
    ...[{ brisk: both }, { calm: both, brisk: [first] }, { calm: [first] }, { calm: both, brisk: [] }],
  ),
  owners: fc.constantFrom("all", "all", "keyless", "gone", "more"),
  engine: fc.constantFrom(undefined, undefined, undefined, "orders", "bills"),
});

/** Of the sound estate's: a person without a key cannot sign, and a team that is gone answers for nothing. */
function ownersOf(what: string): Raw["owners"] {
  const { ada, shop, ...others } = sound().owners;
  const more = { eve: { kind: "person", email: "eve@example.com", keys: [] } };
  if (what === "keyless") return { ...others, shop, ada: { ...(ada as object), keys: [] } };
  if (what === "gone") return { ...others, ada };
  return { ...others, ada, shop, ...(what === "more" ? more : {}) };
}

/** The next estate is mostly the one before: some of its entries are another's. */
const changes = fc.tuple(
  estates,
  fc.constantFrom("consumers", "credentials", "both", "shared", "owners", "engine", "takes", "takes"),
);

it("says of every change what the whole estate in one file would say, and reads only what is new", async () => {
  const seen = { sound: 0, broken: 0 };
  await fc.assert(
    fc.asyncProperty(estates, fc.array(changes, { minLength: 3, maxLength: 6 }), async (first, more) => {
      const { db } = await migratedDatabase();
      const folder = await emptyFolder();
      let state = first;
      let inForce = first;
      let now = t0;
      for (const [next, what] of [[first, "both"] as const, ...more]) {
        const { consumers, credentials } = next;
        if (what === "consumers") state = { ...state, consumers };
        if (what === "credentials") {
          const [name, body] = Object.entries(credentials)[0] ?? ["orders", undefined];
          const { [name]: _, ...others } = state.credentials;
          state = { ...state, credentials: body === undefined ? others : { ...others, [name]: body } };
        }
        if (what === "both") state = { ...state, consumers, credentials };
        if (what === "shared") state = { ...state, quick: next.quick };
        if (what === "owners") state = { ...state, owners: next.owners };
        if (what === "engine") state = { ...state, engine: next.engine };
        if (what === "takes") state = { ...state, takes: next.takes };
        const { calm, brisk } = state.takes;
        const raw: Raw = {
          ...sound(),
          owners: ownersOf(state.owners),
          policies: {
            calm: {
              ...(state.quick ? { drainTimeout: "2d", quietPeriod: "1h" } : {}),
              ...(calm === undefined ? {} : { classes: calm }),
            },
            ...(brisk === undefined ? {} : { brisk: { drainTimeout: "3d", classes: brisk } }),
          },
          issuers: {
            books: {
              kind: "ledger",
              host: "books.example.com",
              ...(state.engine === undefined ? {} : { engineCredential: state.engine }),
            },
          },
          consumers: state.consumers,
          credentials: state.credentials,
        };
        await writeFolder(folder, raw);
        now += 1_000;
        const whole = parseEstate(raw, kinds);
        const result = await appliedFrom(folder, db, now);
        const codes = whole.ok ? [] : whole.issues.map(({ code, path }) => `${code} ${path.join(".")}`);
        expect({ ok: result.ok, codes }).toEqual({ ok: whole.ok, codes });
        if (!whole.ok || !result.ok) {
          seen.broken++;
          // Whoever is refused goes back to what was in force.
          state = inForce;
          continue;
        }
        inForce = state;
        seen.sound++;
        expect((await currentEstate(db))?.estate).toEqual(whole.estate);
        const again = await appliedFrom(folder, db, now + 1);
        // A file in which nothing stands is read each time.
        const empty = state.consumers.jobs === undefined && state.consumers.cron === undefined ? 1 : 0;
        expect(again).toMatchObject({ ok: true, diff: { empty: true }, read: empty });
      }
    }),
    { numRuns: 25 },
  );
  expect(Math.min(seen.sound, seen.broken)).toBeGreaterThan(3);
});

it("reads one line of many when one line has changed", async () => {
  const { db } = await migratedDatabase();
  const folder = await emptyFolder();
  const names = Array.from({ length: 50 }, (_, i) => `c${i}`);
  const raw = (purpose: string): Raw => ({
    ...sound(),
    credentials: Object.fromEntries(
      names.map((name, i) => [
        name,
        credential({
          account: { login: name },
          place: { path: `at/${name}` },
          ...(i === 7 ? { purpose } : {}),
        }),
      ]),
    ),
  });
  await writeFolder(folder, raw("It is read."));
  expect(await appliedFrom(folder, db, t0)).toMatchObject({ ok: true, read: 53 });
  await writeFolder(folder, raw("It is written."));
  const { diff, read } = (await appliedFrom(folder, db, t0 + 1_000)) as Extract<
    Awaited<ReturnType<typeof appliedFrom>>,
    { ok: true }
  >;
  expect(read).toBe(1);
  expect(diff.sections.credentials).toEqual({
    created: [],
    changed: [{ name: "c7", fields: ["purpose"] }],
    ended: [],
  });
});

it("refuses what a credential has that was read before", async () => {
  const { db } = await migratedDatabase();
  const folder = await emptyFolder();
  await writeFolder(folder, sound());
  await appliedFrom(folder, db, t0);
  for (const [fields, code] of [
    [{ account: { login: "other" } }, "same-place"],
    [{ place: { path: "other" } }, "same-account"],
  ] as const) {
    await writeFolder(folder, {
      ...sound(),
      credentials: { orders: credential({}), twin: credential(fields) },
    });
    const result = await appliedFrom(folder, db, t0 + 1_000);
    expect(result).toMatchObject({ ok: false, read: 1, problems: [{ code }] });
  }
});

it("refuses what another has of a credential that had something else before, and nothing that it had itself", async () => {
  const { db } = await migratedDatabase();
  const folder = await emptyFolder();
  const own = { account: { login: "other" }, place: { path: "other" } };
  const write = (fields: object) =>
    writeFolder(folder, {
      ...sound(),
      credentials: { orders: credential({}), twin: credential({ ...own, ...fields }) },
    });
  await write({});
  await appliedFrom(folder, db, t0);
  const { account, place } = credential({}) as { account: object; place: object };
  for (const [fields, code] of [
    [{ place }, "same-place"],
    [{ account }, "same-account"],
  ] as const) {
    await write(fields);
    const result = await appliedFrom(folder, db, t0 + 1_000);
    expect(result).toMatchObject({ ok: false, read: 1, problems: [{ code }] });
  }
  await write({ purpose: "Something else." });
  expect(await appliedFrom(folder, db, t0 + 2_000)).toMatchObject({ ok: true, read: 1 });
});

it("takes note of text that says the same otherwise, and makes no revision of it", async () => {
  const { db, sql } = await migratedDatabase();
  const folder = await emptyFolder();
  await writeFolder(folder, sound());
  await appliedFrom(folder, db, t0);
  const file = join(folder, "shared.yaml");
  const { consumers: _, credentials: __, ...shared } = sound();
  await writeFile(file, `# who owns what\n${JSON.stringify(shared, null, 4)}\n`);
  const { result, read } = await readCounted(folder, knownIn(db));
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  expect(read).toBe(1);
  expect(await planSubmission(db, result.submission)).toMatchObject({ diff: { empty: true } });
  await notePieces(db, result.submission, { now: t0 });
  expect(await readCounted(folder, knownIn(db))).toMatchObject({ read: 0 });
  expect(await sql("select 1 from rekey_inventory.estate_revisions")).toHaveLength(1);
});

it("reads everything anew that another release has read, and then knows it", async () => {
  const { db, sql } = await migratedDatabase();
  const folder = await emptyFolder();
  await writeFolder(folder, sound());
  const { read: all } = await appliedFrom(folder, db, t0);
  await sql(`begin; set local session_replication_role = replica;
    update rekey_inventory.entries set piece = 'another:' || split_part(piece, ':', 2);
    update rekey_inventory.estate_revisions set digest = 'another'; commit`);
  const { result, read } = await readCounted(folder, knownIn(db));
  expect({ read, diff: result.ok && result.changes?.diff }).toMatchObject({
    read: all,
    diff: { empty: true },
  });
  if (result.ok) await notePieces(db, result.submission, { now: t0 + 1_000 });
  expect(await readCounted(folder, knownIn(db))).toMatchObject({ read: 0 });
});

it("takes over what one file said before, and ends what the folder does not have", async () => {
  const { db } = await migratedDatabase();
  const raw = {
    ...sound(),
    credentials: {
      ...sound().credentials,
      left: credential({ account: { login: "x" }, place: { path: "xx" } }),
    },
  };
  const whole = parseEstate(raw, kinds);
  if (!whole.ok) throw new Error(JSON.stringify(whole.issues));
  await applyEstate(db, { estate: whole.estate, digest: "file", by: "ann", now: t0, newId });
  const folder = await emptyFolder();
  await writeFolder(folder, sound());
  expect(await appliedFrom(folder, db, t0 + 1_000)).toMatchObject({
    diff: {
      sections: {
        credentials: { created: [], changed: [], ended: ["left"] },
        consumers: { created: [], ended: [] },
      },
    },
  });
});

it("is refused where somebody else has applied meanwhile what it was read by", async () => {
  const { db } = await migratedDatabase();
  const folder = await emptyFolder();
  await writeFolder(folder, sound());
  await appliedFrom(folder, db, t0);
  const before = await readFolder(folder, kinds, knownIn(db));
  if (!before.ok) throw new Error("it is sound");
  await writeFolder(folder, { ...sound(), credentials: {} });
  expect(await appliedFrom(folder, db, t0 + 1_000)).toMatchObject({ ok: true });
  const applying = { by: "bob", now: t0 + 2_000, newId };
  for (const told of [before.changes, null])
    await expect(applySubmission(db, before.submission, applying, told)).rejects.toMatchObject({
      code: "conflict",
    });
});

it("is refused where the same text was cut into other pieces meanwhile: what has left it would stay", async () => {
  const { db } = await migratedDatabase();
  const [mine, theirs] = [await emptyFolder(), await emptyFolder()];
  for (const folder of [mine, theirs]) await writeFolder(folder, sound());
  await appliedFrom(mine, db, t0);
  await writeFolder(mine, { ...sound(), credentials: {} });
  const before = await readFolder(mine, kinds, knownIn(db));
  const file = join(theirs, "rest.jsonl");
  await writeFile(file, (await readFile(file, "utf8")).replaceAll(":{", ": {"));
  const other = await readFolder(theirs, kinds, knownIn(db));
  if (!before.ok || !other.ok) throw new Error("both are sound");
  await notePieces(db, other.submission, { now: t0 + 1_000 });
  const applying = { by: "bob", now: t0 + 2_000, newId };
  for (const told of [before.changes, null])
    await expect(applySubmission(db, before.submission, applying, told)).rejects.toMatchObject({
      code: "conflict",
    });
  expect(await appliedFrom(mine, db, t0 + 3_000)).toMatchObject({
    diff: { sections: { credentials: { ended: ["orders"] } } },
  });
});

it("names the file and the line of what is wrong, and shows no secret", async () => {
  const folder = await emptyFolder();
  const raw = { ...sound(), credentials: { orders: credential({ policy: "clam" }) } };
  await writeFolder(folder, raw);
  const wrong = await readFolder(folder, kinds, null);
  if (wrong.ok) throw new Error("its policy is unknown");
  expect(wrong.problems).toMatchObject([
    { file: join(folder, "rest.jsonl"), line: 2, code: "unknown-reference", hint: 'did you mean "calm"?' },
  ]);
  const secret = `ghp_${"a1B2".repeat(10)}`;
  await writeFolder(folder, { ...sound(), credentials: { orders: credential({ purpose: secret }) } });
  const leaking = await readFolder(folder, kinds, null);
  expect(leaking).toMatchObject({ ok: false, problems: [{ code: "secret-literal", line: 2 }] });
  expect(JSON.stringify(leaking)).not.toContain(secret);
});

it("refuses a name that two files have, also where one of them was read before", async () => {
  const { db } = await migratedDatabase();
  const folder = await emptyFolder();
  await writeFolder(folder, sound());
  await appliedFrom(folder, db, t0);
  const twin = { credentials: { orders: credential({ account: { login: "x" }, place: { path: "xx" } }) } };
  await writeFile(join(folder, "twin.jsonl"), JSON.stringify(twin));
  expect(await readFolder(folder, kinds, null)).toMatchObject({
    ok: false,
    problems: [{ code: "duplicate-key" }],
  });
  await expect(appliedFrom(folder, db, t0 + 1_000)).rejects.toMatchObject({ code: "bad-input" });
});
