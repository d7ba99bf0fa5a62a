/**
 * What the logs of a store do not show of the quiet time, before the old version is taken away: records that cannot be read, and
 * another node's log that nobody writes. On a real PostgreSQL, a real Vault and its audit log.
 */
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WorkflowHandle } from "@temporalio/client";
import { expect, onTestFinished, test } from "vitest";
import { type Reasons, reasonsQuery } from "../../workflows/messages.js";
import { auditLine } from "../contract/sources/audit-lines.js";
import { overwritten } from "../contract/sources/growing.js";
import { auditedShop, delivered } from "./audited-shop.js";
import { ended, eventually, stateOf } from "./watch.js";

const isHeld = (handle: WorkflowHandle, sentence: string) =>
  eventually("it is said", async () =>
    (await handle.query<Reasons>(reasonsQuery)).findings.find(
      (found) =>
        found.code === "last-reading" &&
        found.severity === "refuse" &&
        found.subject === "reads" &&
        found.sentence.includes(sentence),
    ),
  );

const isValid = async (handle: WorkflowHandle) => {
  const { versions, origin } = await stateOf(handle);
  expect(versions[origin]).toMatchObject({ issuer: "enabled" });
};

test("H21: a torn record of the log may be a read of the old version: both versions stay until it is read anew without it", async () => {
  const { house, logFile, read, login } = await auditedShop();
  const handle = await house.start();
  await delivered(handle);
  const torn = `${auditLine("nightly-export", "orders").slice(0, -40)}\n`;
  await appendFile(logFile, torn);
  const found = await isHeld(handle, "1 of its records could not be read; the first, ");
  expect(found?.sentence).toContain(`${logFile}, byte `);
  expect(found?.hint).toContain("`rekey discover reads --anew`");
  // Read on, and the record is behind: it was not read all the same.
  expect(await read()).toMatchObject({ failure: null, malformed: 0 });
  await isHeld(handle, "1 of its records could not be read");
  await isValid(handle);
  await (await login()).end();
  await overwritten(logFile, torn, `${" ".repeat(torn.length - 1)}\n`);
  expect(await read(true)).toMatchObject({ failure: null, malformed: 0 });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  await expect(login()).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
}, 150_000);

test("H21: the log of one node says nothing of another's: both versions stay until that one shows the quiet time, too", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rekey-node-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const other = join(folder, "audit.log");
  const line = (ago: number) =>
    `${auditLine("elsewhere", "other", 1, { time: new Date(Date.now() - ago).toISOString() })}\n`;
  await writeFile(other, line(3 * 86_400_000));
  const { house, read, login } = await auditedShop({ logs: [other] });
  const handle = await house.start();
  await delivered(handle);
  const found = await isHeld(handle, `The newest record of its log ${other} is of `);
  expect(found?.hint).toContain("is named in `mayBeSilent` of reads");
  expect(await read()).toMatchObject({ failure: null, gaps: [] });
  await isHeld(handle, `The newest record of its log ${other}`);
  await isValid(handle);
  await (await login()).end();
  await appendFile(other, line(0));
  expect(await read()).toMatchObject({ failure: null });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  await expect(login()).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
}, 150_000);
