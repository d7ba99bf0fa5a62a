/** I6: the test of the search: a value planted in each form is found, and what only looks like one is not. */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { findForms, formsOf } from "../support/canaries.js";
import { wrongKeys, wrongUrls } from "./canaries/failures.js";
import { Planted } from "./canaries/planted.js";

const value = 'q7/Zk+3vWm0TtY"p2Xb9c&L';
/** No half of it, nor any ten characters in a row, stay as they are when it is escaped. */
const odd = 'a"b/c+d e&f"g/h+i j&k"l';
/** A key as it is written down; without a byte that would end a line, so that all of it can be looked for. */
const key = Buffer.from(Array.from({ length: 32 }, (_, index) => 0x80 + index * 3)).toString("base64");

/** Writes the texts to files, and sees that the search finds the value in each of them and in no other. */
async function foundInAll(canary: string, texts: Readonly<Record<string, string>>): Promise<void> {
  const at = await folder();
  for (const [name, text] of Object.entries(texts)) await writeFile(join(at, name), text, "latin1");
  await writeFile(join(at, "innocent"), "q7/Zk+ and nothing else");
  const found = await findForms([canary], [at]);
  expect(new Set(found.map(({ file }) => file.slice(at.length + 1)))).toEqual(new Set(Object.keys(texts)));
  for (const { form } of found) expect(formsOf(canary)).toContain(form);
}

async function folder(): Promise<string> {
  const at = await mkdtemp(join(tmpdir(), "rekey-control-"));
  onTestFinished(() => rm(at, { recursive: true, force: true }));
  return at;
}

test("I6: every form of a value is found, wherever it stands, with the file that it is in", async () => {
  const base64 = (before: string) => Buffer.from(`${before}${value} and more`).toString("base64");
  await foundInAll(value, {
    raw: `x${value}x`,
    "first half": value.slice(0, 11),
    "second half": value.slice(11),
    "base64, first alignment": base64(""),
    "base64, second alignment": base64("y"),
    "base64, third alignment": base64("yz"),
    base64url: Buffer.from(`yz${value}`).toString("base64url"),
    hex: Buffer.from(value).toString("hex"),
    HEX: Buffer.from(value).toString("hex").toUpperCase(),
    "first half in base64": Buffer.from(`yz${value.slice(0, 11)} and more`).toString("base64"),
    "second half in hex": Buffer.from(value.slice(11)).toString("hex"),
    URL: `postgres://me:${encodeURIComponent(value)}@host/db`,
    JSON: JSON.stringify({ value }),
    "among bytes": `\0\x01${value}\0`,
  });
});

test("I6: a value is found through every escape, also one that was escaped again", async () => {
  const json = (text: string) => JSON.stringify({ text });
  const lower = (text: string) => text.replaceAll(/%../g, (code) => code.toLowerCase());
  const query = new URLSearchParams({ odd }).toString();
  await foundInAll(odd, {
    JSON: json(odd),
    "JSON in JSON": json(json(odd)),
    "JSON in JSON in JSON": json(json(json(odd))),
    URL: encodeURIComponent(odd),
    "URL in lower case": lower(encodeURIComponent(odd)),
    query,
    "query in lower case": lower(query),
  });
});

test("I6: letters and digits that stand together in a value are found without the rest", async () => {
  await foundInAll('a"Wm0TtYp2Xb9c&b', { alone: "&quot;Wm0TtYp2Xb9c&amp;" });
});

test("I6: a key that is written in base64 is found as the bytes that it is, and in their other forms", async () => {
  const bytes = Buffer.from(key, "base64");
  await foundInAll(key, {
    bytes: `x${bytes.toString("latin1")}x`,
    hex: bytes.toString("hex"),
    HEX: bytes.toString("hex").toUpperCase(),
    base64url: bytes.toString("base64url"),
    "base64 of more": Buffer.concat([Buffer.from("y"), bytes, Buffer.from("more")]).toString("base64"),
  });
});

test("I6: a value that is shorter than any piece is still looked for as it is", () => {
  expect(formsOf("short")).toContain("short");
});

test("I6: every setting that leads to a secret has a failing start with that secret in hand", async () => {
  const settings = await readFile(fileURLToPath(new URL("../../worker/config.ts", import.meta.url)), "utf8");
  const secret = [...settings.matchAll(/^ {2}(REKEY_\w+): (.*)$/gm)].flatMap(([, name = "", schema = ""]) =>
    /^references?\b/.test(schema) || /(?:KEY|PASSWORD|TOKEN|SECRET)S?$/.test(name) ? [name] : [],
  );
  expect(secret.length).toBeGreaterThan(10);
  const at = await folder();
  await mkdir(join(at, "secrets"));
  const planted = new Planted(join(at, "secrets"));
  const url = `postgres://rekey:${randomBytes(9).toString("hex")}@127.0.0.1:5432/postgres`;
  const failing = [...wrongUrls(url, planted), ...(await wrongKeys(planted, url, "http://127.0.0.1:8200"))];
  const met = new Set(failing.flatMap(({ env }) => Object.keys(env)));
  expect(secret.filter((name) => !met.has(name))).toEqual([]);
});
