/** Every way of tampering that leaves the log looking whole is found, with a sentence that says which it was (I9). */
import { expect, it } from "vitest";
import { fileAnchor, type OutsideNote } from "../../audit/anchor.js";
import { signLog } from "../../audit/checkpoints.js";
import { forgetOpenings } from "../../audit/forgetting.js";
import { sequence } from "../../audit/sequencer.js";
import { verifyLog } from "../../audit/verify.js";
import { type LogWorld, logWorld, rebuild, tamper, testFolder, testSigner } from "./world.js";

const now = 1_772_000_000_000;

/** A log of 700 entries with a checkpoint at 300 and one at 700, and the first kept elsewhere too. */
async function signedWorld(): Promise<LogWorld & { readonly kept: OutsideNote }> {
  const world = await logWorld();
  await world.grow(300);
  const note = await signLog(world.log, world.signer, [], now);
  await world.grow(400);
  await signLog(world.log, world.signer, [], now);
  return { ...world, kept: { source: "the given checkpoint", note } };
}

async function findings({
  log,
  signer,
  kept,
}: LogWorld & { readonly kept: OutsideNote }): Promise<readonly string[]> {
  return (await verifyLog(log, signer, [kept])).findings;
}

it("a log that nobody touched is whole, and says how much of it is signed", async () => {
  const world = await signedWorld();
  await world.grow(5);
  const verified = await verifyLog(world.log, world.signer, [world.kept]);
  expect(verified).toMatchObject({ size: 705, checkpoints: 3, unsigned: 5, findings: [] });
});

it("an empty log is whole", async () => {
  const { log, signer } = await logWorld();
  await signLog(log, signer, [], now);
  expect(await verifyLog(log, signer, [])).toMatchObject({ size: 0, unsigned: 0, findings: [] });
});

it("I9: an entry that was changed is named", async () => {
  const world = await signedWorld();
  await tamper(
    world,
    `update rekey_audit.entries set body = replace(body, '"done"', '"not-done"') where index = 17`,
  );
  expect(await findings(world)).toEqual([
    "Entry 17 was changed: its text does not have the hash that the tree holds.",
  ]);
});

it("I9: a line break in an entry is a change like any other", async () => {
  const world = await signedWorld();
  await tamper(world, `update rekey_audit.entries set body = body || E'\\n' where index in (600, 12)`);
  expect(await findings(world)).toEqual(
    [12, 600].map((n) => expect.stringContaining(`Entry ${n} was changed`)),
  );
});

it("I9: an entry that was removed is named, the last one too", async () => {
  const world = await signedWorld();
  await tamper(world, "delete from rekey_audit.entries where index in (256, 699)");
  const orphan = "A personal field person belongs to no entry.";
  expect(await findings(world)).toEqual(["Entry 256 is missing.", "Entry 699 is missing.", orphan, orphan]);
});

it("I9: entries that changed places are named with where they were", async () => {
  const world = await signedWorld();
  await tamper(
    world,
    "update rekey_audit.entries set index = index + 10000 where index in (3, 600)",
    "update rekey_audit.entries set index = case index when 10003 then 600 else 3 end where index > 10000",
  );
  expect(await findings(world)).toEqual([
    "Entry 600 was moved: it stands at the place of entry 3.",
    "Entry 3 was moved: it stands at the place of entry 600.",
  ]);
});

it("I9: a changed entry whose hashes were made to fit is a fork of what was signed", async () => {
  const world = await signedWorld();
  await tamper(
    world,
    `update rekey_audit.entries set body = replace(body, '"done"', '"not-done"') where index = 17`,
  );
  await rebuild(world);
  expect(await findings(world)).toEqual([
    "The log was forked: its first 300 entries are not those that the checkpoint of 300 entries was signed for.",
    "The log was forked: its first 300 entries are not those that the given checkpoint was signed for.",
    "The log was forked: its first 700 entries are not those that the checkpoint of 700 entries was signed for.",
  ]);
});

it("H32 I9: a log that was cut, tiles, head and checkpoints with it, is shorter than the checkpoint that stands elsewhere", async () => {
  const world = await signedWorld();
  await tamper(
    world,
    "delete from rekey_audit.entries where index >= 200",
    "delete from rekey_audit.checkpoints",
    "delete from rekey_audit.openings where entry not in (select id from rekey_audit.entries)",
  );
  await rebuild(world);
  expect((await verifyLog(world.log, world.signer, [])).findings).toEqual([]);
  expect(await findings(world)).toEqual([
    "The log was cut: it has 200 entries, and the given checkpoint was signed for 300.",
  ]);
});

it("H32 I9: a cut log that has grown again is a fork of the checkpoint that stands elsewhere", async () => {
  const world = await signedWorld();
  await tamper(
    world,
    "delete from rekey_audit.entries where index >= 200",
    "delete from rekey_audit.checkpoints",
    "delete from rekey_audit.openings where entry not in (select id from rekey_audit.entries)",
  );
  await rebuild(world);
  await world.grow(300);
  await signLog(world.log, world.signer, [], now);
  expect(await findings(world)).toEqual([
    "The log was forked: its first 300 entries are not those that the given checkpoint was signed for.",
  ]);
});

it("I9: a tree, a head and rows that do not fit together are named", async () => {
  const world = await signedWorld();
  await tamper(world, "update rekey_audit.tiles set hashes = substr(hashes, 33) where level = 1");
  expect(await findings(world)).toEqual([
    "A part of the tree is not the hash of what is below it: tile 1/0.",
  ]);
  await rebuild(world);
  expect(await findings(world)).toEqual([]);
  await tamper(world, "delete from rekey_audit.tiles where level = 0 and number = 1");
  expect(await findings(world)).toEqual(["A part of the tree is missing: tile 0/1."]);
  await rebuild(world);
  await tamper(world, "update rekey_audit.head set root = sha256('x')");
  expect(await findings(world)).toEqual(["The log's head does not tell the hash of its entries."]);
  await rebuild(world);
  await tamper(world, `insert into rekey_audit.entries (index, body) values (900, '{"id":"x","at":1}')`);
  expect(await findings(world)).toEqual(["1 entry stands behind the end of the log, which has 700."]);
});

it("I9: a checkpoint that another key signed, or whose size was changed, counts for nothing", async () => {
  const world = await signedWorld();
  const forged = await signLog(world.log, { ...testSigner(), name: world.signer.name }, [], now).catch(
    (error: Error) => error.message,
  );
  expect(forged).toMatch(/was not signed by the key/);
  await tamper(world, "update rekey_audit.checkpoints set note = replace(note, E'\\n300\\n', E'\\n301\\n')");
  expect(await findings(world)).toEqual([
    `The checkpoint of 300 entries was not signed by the key of ${world.signer.name}.`,
  ]);
});

it("a personal field that is not what was committed to is named; one that was forgotten is not missed", async () => {
  const world = await signedWorld();
  expect(await forgetOpenings(world.log, now + 10, 700)).toBe(10);
  expect(await findings(world)).toEqual([]);
  await tamper(
    world,
    `update rekey_audit.openings set value = 'somebody else'
      where entry = (select id from rekey_audit.entries where index = 20)`,
  );
  expect(await findings(world)).toEqual([
    "The personal field person of entry 20 is not what was committed to.",
  ]);
});

it("I9: a column that does not say what its entry says, so that nobody finds it, is named", async () => {
  const world = await signedWorld();
  for (const column of ["rotation", "id", "at"]) {
    await world.sql(`alter table rekey_audit.entries alter column ${column} drop expression`);
  }
  expect(await findings(world)).toEqual([]);
  await tamper(
    world,
    "update rekey_audit.entries set rotation = null where index = 17",
    "update rekey_audit.entries set rotation = 'rot_other', at = at + 1 where index = 600",
    "delete from rekey_audit.openings where entry = (select id from rekey_audit.entries where index = 5)",
    "update rekey_audit.entries set id = 'aud_other' where index = 5",
  );
  const hidden = (index: number, column: string) =>
    `Entry ${index} is not found by its ${column}: the column does not say what its text says.`;
  const columns = [hidden(5, "id"), hidden(17, "rotation"), hidden(600, "rotation"), hidden(600, "at")];
  expect(await findings(world)).toEqual(columns);
  // Nor does a line break hide it, or a text that is no JSON.
  await tamper(world, "update rekey_audit.entries set rotation = rotation || E'\\n' where index = 18");
  await tamper(world, "update rekey_audit.entries set body = 'no JSON' where index = 30");
  expect(await findings(world)).toEqual(
    expect.arrayContaining([
      ...columns,
      hidden(18, "rotation"),
      expect.stringContaining("Entry 30 was changed"),
    ]),
  );
});

it("H32: nothing is signed that does not go on from the anchor", async () => {
  const world = await logWorld();
  const anchor = fileAnchor(`${testFolder()}/checkpoint`);
  await world.grow(10);
  const note = await signLog(world.log, world.signer, [anchor], now);
  expect(await anchor.read()).toBe(note);
  await tamper(
    world,
    "delete from rekey_audit.entries where index >= 6",
    "delete from rekey_audit.checkpoints",
  );
  await rebuild(world);
  const cut = "The log was cut: it has 6 entries, and the anchor's checkpoint was signed for 10.";
  await expect(signLog(world.log, world.signer, [anchor], now)).rejects.toMatchObject({
    code: "audit-broken",
    detail: cut,
  });
  await world.tell(9);
  await sequence(world.log, world.source);
  await expect(signLog(world.log, world.signer, [anchor], now)).rejects.toMatchObject({
    detail: expect.stringContaining("The log was forked"),
  });
  expect(await anchor.read()).toBe(note);
});
