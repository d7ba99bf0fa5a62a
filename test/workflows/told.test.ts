/**
 * Owners are told what a reading has found: by real workflows, to a real receiver, once, while another receiver is away; and no
 * value that was met stands in any notice.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { AdapterDeps, Notice } from "../../adapters/ports.js";
import { secretResolver } from "../../adapters/shared/secret-resolver.js";
import type { ScanReport } from "../../domain/discovery/report.js";
import { entryNamed } from "../../inventory/estate.js";
import { overview } from "../../inventory/views.js";
import { freePort } from "../../worker/dev/ports.js";
import { noCodec } from "../../worker/installation.js";
import { openPager } from "../faults/house/pager.js";
import { formsOf } from "../support/canaries.js";
import { testMark } from "../support/mark.js";
import { openRealHouse, ordersInFile, quickPolicy } from "./real-house.js";

/** Nothing of it is ever to be told. */
const planted = "Vq7-trumpet-Lake-93xw";
const login = { username: "rekey", password: "env:ENGINE" };

async function house() {
  const root = await mkdtemp(join(tmpdir(), "rekey-told-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const pager = await openPager(root);
  onTestFinished(pager.stop);
  const away = { ...pager.section, url: `http://127.0.0.1:${await freePort()}/`, attempts: 1 };
  const said = join(root, "said");
  const estate = (notifiers: object) => ({
    stores: { files: { kind: "file", directory: root, stagingDirectory: root } },
    issuers: { orders: { kind: "postgres", host: "127.0.0.1", port: 5432, database: "orders", login } },
    sources: { log: { kind: "command", command: ["/bin/cat", said], owner: "payments" } },
    notifiers,
    policies: { quick: quickPolicy },
    consumers: {},
    credentials: {
      "orders-db": ordersInFile,
    },
  });
  const deps: AdapterDeps = {
    ...{ installation: "shop", now: Date.now, random: (bytes) => new Uint8Array(bytes), mark: testMark },
    ...{ signChallenge: async () => "", codec: noCodec, resolve: secretResolver({ env: {}, now: Date.now }) },
  };
  const real = await openRealHouse(estate({ chat: pager.section, mail: away }), deps);
  const at = Date.now() - 60_000;
  const seen = { first: at, last: at, count: 1 };
  let cursor = 0;
  const says = async (...lines: object[]) => {
    cursor += 1;
    const all = [...lines, { cursor: String(cursor) }].map((line) => JSON.stringify(line));
    await writeFile(said, `${all.join("\n")}\n`);
  };
  const read = async (...lines: object[]) => {
    await says(...lines);
    return real.ask<ScanReport>("discover", ["log"]);
  };
  const reader = (name: string) => ({
    claim: {
      ...{ record: name, known: "session", from: { is: "reader", name, traits: { applicationName: name } } },
      ...{ type: "uses", to: { is: "account", issuer: "orders", account: "orders" }, seen },
      sentence: "It was connected.",
    },
  });
  const copy = {
    ...{ record: "shop", at: { is: "location", scope: "repository shop", path: ".env#PASSWORD" } },
    ...{ value: planted, literal: true, verified: true, seen, sentence: "A password." },
  };
  const told = async () => {
    const lines = (await readFile(pager.file, "utf8")).split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as Notice);
  };
  return { ...real, estate, pager, said, says, read, reader, copy, told };
}

test("what a reading finds is told its owner once, whoever of the notifiers is away", async () => {
  const { fresh, apply, estate, pager, said, says, read, reader, copy, told, ask } = await house();
  const first = await read(reader("nightly-export"), { copy });
  // The reading is whole, and says that one of the two notifiers did not take it.
  expect(first).toMatchObject({
    ...{ failure: null, claims: 1, copies: 1 },
    untold: expect.stringMatching(/^1 notice of new findings could not be sent: notifier mail: /),
  });
  expect(await overview(fresh.db, Date.now())).toMatchObject({ unsentNotices: 1 });
  const [notice, ...more] = await told();
  expect(more).toEqual([]);
  expect(notice).toMatchObject({
    ...{ kind: "findings", rotation: null, id: expect.stringMatching(/^findings\/[0-9]+\/chat\/payments$/) },
    recipients: ["ann@example.com", "bob@example.com"],
    subject: expect.stringMatching(/^[0-9]+ new findings for payments$/),
  });
  expect(notice?.text).toMatch(/\n[0-9]+ verified-literal, repository shop \.env#PASSWORD: A password\.\n/);
  expect(notice?.text).toMatch(/\n[0-9]+ unmapped-reader, orders-db: nightly-export: /);

  // Read again, nothing is new: not to the one that took it, nor to the other, which is not tried at every reading.
  expect((await read(reader("nightly-export"), { copy })).untold).toBeUndefined();
  expect(await told()).toHaveLength(1);
  const second = await read(reader("month-end"));
  expect(second.untold).toContain("notifier mail: ");
  expect((await told()).slice(1)).toMatchObject([
    { subject: "1 new finding for payments", text: expect.stringContaining("month-end") },
  ]);

  // A schedule starts the same reading, and nobody waits for its answer.
  await says(reader("year-end"));
  const { id } = await entryNamed(fresh.db, "sources", "log");
  expect(await ask("discoverDue", ["log", id])).toBe(true);
  await expect.poll(async () => (await told()).length, { timeout: 30_000 }).toBe(3);
  expect((await told())[2]).toMatchObject({ text: expect.stringContaining("year-end") });

  // A notifier that has left the estate is nobody to wait for, and a source that fails is told, too.
  await apply(estate({ chat: pager.section }));
  await rm(said);
  const failed = await ask<ScanReport>("discover", ["log"]);
  expect(failed).toMatchObject({ failure: expect.any(String) });
  expect(failed.untold).toBeUndefined();
  expect((await told()).slice(3)).toMatchObject([
    { text: expect.stringContaining(" source-failing, log: ") },
  ]);
  expect(await overview(fresh.db, Date.now())).toMatchObject({ unsentNotices: 0 });

  const kept = JSON.stringify([await told(), await fresh.sql("select * from rekey_inventory.notices")]);
  for (const form of formsOf(planted)) expect(kept.includes(form), "a value was told").toBe(false);
}, 120_000);
