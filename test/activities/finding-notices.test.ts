/** Telling owners of new findings: bounded, in the way of nothing, and gone on with after a failure. */
import { expect, test } from "vitest";
import { tellOfFindings } from "../../activities/finding-notices.js";
import type { Notice, Notifier } from "../../adapters/ports.js";
import { RekeyError } from "../../domain/errors.js";
import { unsentNotices } from "../../inventory/notices.js";
import { openDesk } from "./desk.js";

const minuteMs = 60_000;

/** A desk with two notifiers, of which one can be away, and findings that open when a test says so. */
async function desked() {
  const desk = await openDesk();
  const estate = (await desk.deps.systems(desk.credential)).estate;
  const told: string[] = [];
  const mail = { works: true, tried: 0 };
  const notifier = (take: (notice: Notice) => void) => (): Notifier => ({
    preflight: async () => [],
    notify: async (notice) => take(notice),
  });
  const notifiers = {
    chat: notifier(({ subject }) => void told.push(`chat: ${subject}`)),
    mail: notifier(({ subject }) => {
      mail.tried += 1;
      if (!mail.works) throw new RekeyError("unreachable", "The post does not answer.");
      told.push(`mail: ${subject}`);
    }),
  };
  const deps = { ...desk.deps, channels: async () => ({ estate, notifiers }) };
  const opens = async (owners: readonly string[]) => {
    for (const owner of owners)
      await desk.fresh.sql(`
        insert into rekey_inventory.findings (key, code, severity, state, subject, subject_type, subject_name,
          sentence, owners, first_seen, last_seen, since)
        select 'unwatched ${owner}', 'unwatched', 'refuse', 'open', 'crd_${owner}', 'credential', '${owner}-db', 'It is.',
          '["${owner}"]', at, at, at from (select to_timestamp(${desk.clock.now / 1000}) as at) now`);
  };
  const tell = () => desk.run(() => tellOfFindings(deps, desk.clock.now));
  return { ...desk, deps, estate, told, mail, opens, tell };
}

test("one notifier that is away is given up after a few failures, and told the rest later", async () => {
  const { fresh, clock, told, mail, opens, tell } = await desked();
  const owners = ["a", "b", "c", "d", "e"];
  await opens(owners);
  mail.works = false;
  expect(await tell()).toBe(
    "3 notices of new findings could not be sent: notifier mail: The post does not answer. `rekey status` counts what is not sent; it is tried again after a later reading.",
  );
  expect(told).toEqual(owners.map((owner) => `chat: 1 new finding for ${owner}`));
  expect(mail.tried).toBe(3);
  expect(await unsentNotices(fresh.db)).toHaveLength(5);
  mail.works = true;
  clock.now += minuteMs;
  expect(await tell()).toBeNull();
  expect(mail.tried).toBe(3);
  clock.now += 10 * minuteMs;
  expect(await tell()).toBeNull();
  expect(told.slice(5)).toEqual(owners.map((owner) => `mail: 1 new finding for ${owner}`));
  expect(await unsentNotices(fresh.db)).toEqual([]);
});

test("what has ended before it could be told is not told", async () => {
  const { fresh, clock, told, mail, opens, tell } = await desked();
  await opens(["a"]);
  mail.works = false;
  await tell();
  await fresh.sql("update rekey_inventory.findings set state = 'ended'");
  mail.works = true;
  clock.now += 11 * minuteMs;
  expect(await tell()).toBeNull();
  expect([told, mail.tried]).toEqual([["chat: 1 new finding for a"], 1]);
  expect(await unsentNotices(fresh.db)).toEqual([]);
});

test("a worker that stops between keeping and sending loses nothing", async () => {
  const { clock, deps, told, opens, tell, run } = await desked();
  await opens(["a"]);
  const stops = async () => {
    throw new Error("stopped");
  };
  const { notifiers, estate } = await deps.channels();
  const dying = { chat: () => ({ preflight: async () => [], notify: stops }), mail: notifiers.mail };
  const stopped = { ...deps, channels: async () => ({ estate, notifiers: dying }) };
  await expect(run(() => tellOfFindings(stopped, clock.now))).rejects.toThrow("stopped");
  clock.now += 11 * minuteMs;
  expect(await tell()).toBeNull();
  expect(told.sort()).toEqual(["chat: 1 new finding for a", "mail: 1 new finding for a"]);
});

test("many owners are told in several readings", async () => {
  const { clock, told, opens, tell } = await desked();
  await opens(Array.from({ length: 120 }, (_, index) => `o${index}`));
  expect(await tell()).toBeNull();
  expect(told).toHaveLength(200);
  clock.now += 11 * minuteMs;
  expect(await tell()).toBeNull();
  expect(new Set(told).size).toBe(240);
  expect(told).toHaveLength(240);
});

test("records that cannot be read are said, and an estate that is not there tells nobody", async () => {
  const { clock, deps, run } = await desked();
  const away = async () => {
    throw new RekeyError("unreachable", "The inventory does not answer.");
  };
  const tell = (channels: typeof deps.channels | (() => Promise<null>)) =>
    run(() => tellOfFindings({ ...deps, channels }, clock.now));
  expect(await tell(away)).toBe("Owners were not told of new findings: The inventory does not answer.");
  expect(await tell(async () => null)).toBeNull();
});
