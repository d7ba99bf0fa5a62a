/** I6: the test of the search: a value planted in each form is found, and what only looks like one is not. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findForms, formsOf } from "../support/canaries.js";

const value = 'q7/Zk+3vWm0TtY"p2Xb9c&L';

test("I6: every form of a value is found, wherever it stands, with the file that it is in", async () => {
  const at = await mkdtemp(join(tmpdir(), "rekey-control-"));
  onTestFinished(() => rm(at, { recursive: true, force: true }));
  const base64 = (before: string) => Buffer.from(`${before}${value} and more`).toString("base64");
  const texts: Readonly<Record<string, string>> = {
    raw: `x${value}x`,
    "first half": value.slice(0, 11),
    "second half": value.slice(11),
    "base64, first alignment": base64(""),
    "base64, second alignment": base64("y"),
    "base64, third alignment": base64("yz"),
    base64url: Buffer.from(`yz${value}`).toString("base64url"),
    hex: Buffer.from(value).toString("hex"),
    HEX: Buffer.from(value).toString("hex").toUpperCase(),
    URL: `postgres://me:${encodeURIComponent(value)}@host/db`,
    JSON: JSON.stringify({ value }),
    "among bytes": `\0\x01${value}\0`,
  };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(at, name), text, "latin1");
  await writeFile(join(at, "innocent"), "q7/Zk+ and nothing else");
  const found = await findForms([value], [at]);
  expect(new Set(found.map(({ file }) => file.slice(at.length + 1)))).toEqual(new Set(Object.keys(texts)));
  for (const { form } of found) expect(formsOf(value)).toContain(form);
});

test("I6: a value that is shorter than any piece is still looked for as it is", () => {
  expect(formsOf("short")).toContain("short");
});
