/** Notices of new findings: each finding is told once, however looks, failures and changes of the estate follow one another. */
import { expect, it } from "vitest";
import type { Claim, Copy } from "../../domain/discovery/said.js";
import type { Estate } from "../../domain/estate/types.js";
import { bringFindings } from "../../inventory/finding-keep.js";
import {
  type FindingNotice,
  keepFindingNotices,
  lateFindingNotices,
  markFindingsTold,
  noticedFindings,
} from "../../inventory/finding-notices.js";
import { unsentNotices } from "../../inventory/notices.js";
import { at, dayMs, house, shapes, use } from "./findings-house.js";
import { t0 } from "./world.js";

/** A house, and what a worker does after a reading: a look, and the notices that it leads to. */
async function telling() {
  const { db, ...rest } = await house();
  await rest.apply();
  const look = async (now: number, notifiers: readonly string[] = ["chat"]) => {
    await bringFindings(db, shapes, now);
    return keepFindingNotices(db, notifiers, now);
  };
  const about = async (notice: FindingNotice | undefined) => {
    if (notice === undefined) throw new Error("There is no notice.");
    const { lines, total } = await noticedFindings(db, notice);
    expect(lines).toHaveLength(total);
    return lines.map(({ code }) => code);
  };
  return { db, ...rest, look, about };
}

it("tells a finding once, by one notice for each owner and notifier", async () => {
  const { db, reading, look, about } = await telling();
  await look(t0);
  await reading({ claims: [use] }, t0 + 1);
  const told = await look(t0 + 1, ["chat", "mail"]);
  expect(told.map(({ notifier, owner }) => `${notifier} ${owner}`)).toEqual([
    "chat payments",
    "mail payments",
  ]);
  for (const notice of told) expect(await about(notice)).toEqual(["unmapped-reader"]);
  // The same look again, another one, and one after which somebody else is found.
  expect(await keepFindingNotices(db, ["chat", "mail"], t0 + 1)).toEqual([]);
  expect(await look(t0 + 2, ["chat", "mail"])).toEqual([]);
  const other = {
    ...use,
    from: { ...use.from, name: "psql from 10.0.0.8", traits: { address: "10.0.0.8" } },
  };
  await reading({ claims: [use, other as typeof use] }, t0 + 3);
  const [next, ...more] = await look(t0 + 3);
  expect([await about(next), more]).toEqual([["unmapped-reader"], []]);
  expect(await about(told[0])).toEqual(["unmapped-reader"]);
});

it("waits where there is no notifier, and then tells all that stands", async () => {
  const { db, reading, look, about } = await telling();
  await reading({ claims: [use] }, t0);
  expect(await look(t0, [])).toEqual([]);
  expect(await unsentNotices(db)).toEqual([]);
  const [notice] = await look(t0 + dayMs);
  expect(await about(notice)).toContain("unmapped-reader");
});

it("tells the owner of the source, or whoever runs the installation, where nobody answers for what was found", async () => {
  const { reading, look, about } = await telling();
  await look(t0);
  const copy: Copy = {
    record: "r1",
    at: at(".env"),
    mark: "",
    literal: true,
    seen: use.seen,
    sentence: "It works.",
  };
  await reading({ copies: [{ ...copy, verified: true }] }, t0 + 1);
  const [notice, ...more] = await look(t0 + 1);
  expect([notice?.owner, await about(notice), more]).toEqual(["payments", ["verified-literal"], []]);
  const stray: Claim = { ...use, to: { is: "account", issuer: "main-db", account: "stray" } };
  await reading({ claims: [stray] }, t0 + 2);
  const nobodys = (await look(t0 + 2)).find(({ owner }) => owner === null);
  expect(await about(nobodys)).toContain("no-owner");
});

/** An estate whose owner answers until then for whoever `use` shows. */
const excepting = (until: number) => (estate: Estate) => {
  const orders = estate.credentials["orders-db"];
  if (orders === undefined) throw new Error("The sample has no orders-db.");
  const held = { owner: "payments", reason: "It is retired.", until: new Date(until).toISOString() };
  const exceptions = [{ ...held, about: "psql from 10.0.0.9", finding: "unmapped-reader" as const }];
  return { ...estate, credentials: { ...estate.credentials, "orders-db": { ...orders, exceptions } } };
};

it("is silent of what a person answers for, and tells it when that is over", async () => {
  const { apply, reading, look, about } = await telling();
  await look(t0);
  const until = t0 + 3 * dayMs;
  await apply(excepting(until));
  await reading({ claims: [use] }, t0 + 1);
  expect(await look(t0 + 1)).toEqual([]);
  await reading({ claims: [use] }, until - 1);
  await look(until - 1);
  // It opened on its day, and is told however late that is seen.
  const [notice, ...more] = await look(until + 60_000);
  expect([await about(notice), more]).toEqual([["unmapped-reader"], []]);
});

it("does not tell again what comes back within a day, and tells what comes back later", async () => {
  const { apply, reading, look, about } = await telling();
  await reading({ claims: [use] }, t0);
  await look(t0);
  const comesBack = async (awayAt: number, now: number) => {
    await apply(excepting(now), awayAt);
    await look(awayAt);
    await reading({ claims: [use] }, now);
    const told = await Promise.all((await look(now)).map(about));
    return told.flat().filter((code) => code === "unmapped-reader");
  };
  expect(await comesBack(t0 + 1_000, t0 + dayMs / 2)).toEqual([]);
  expect(await comesBack(t0 + dayMs, t0 + 2 * dayMs)).toEqual(["unmapped-reader"]);
});

it("keeps what could not be sent for a later reading, and drops what nobody can send any more", async () => {
  const { db, reading, look, about } = await telling();
  await reading({ claims: [use] }, t0);
  const [chat, mail] = await look(t0, ["chat", "mail"]);
  if (chat === undefined || mail === undefined) throw new Error("There are no notices.");
  await markFindingsTold(db, chat.id, ["ann@example.com"], t0 + 5);
  const late = (notifiers: string[], before: number) =>
    lateFindingNotices(db, notifiers, { before, max: 10 });
  expect(await late(["chat", "mail"], t0)).toEqual([]);
  expect(await late(["chat", "mail"], t0 + 1)).toEqual([mail]);
  expect(await unsentNotices(db)).toMatchObject([{ id: mail.id, kind: "findings", recipients: [] }]);
  expect(await about(mail)).toContain("unmapped-reader");
  expect(await late(["chat"], t0 + 1)).toEqual([]);
  expect(await unsentNotices(db)).toEqual([]);
  expect(await about(chat)).toContain("unmapped-reader");
});
