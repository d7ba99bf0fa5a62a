/** A credential is one document, replaced whole, and does not show itself. */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import {
  fromFile,
  fromFolder,
  load,
  parseCredential,
  parseCredentialJson,
  Trouble,
} from "../../kit/index.js";
import { documentOf } from "./documents.js";

test("H34: user name, password, version and attestation key come from one document", () => {
  const credential = parseCredential(documentOf("v1", { port: 5432, nested: { a: 1 } }));
  expect(credential.username).toBe("orders_a");
  expect(credential.password).toBe("canary-value-of-v1");
  expect(credential.version).toBe("v1");
  expect(credential.attestKey).toHaveLength(43);
  expect(credential.field("port")).toBe("5432");
  expect(credential.field("nested")).toBeNull();
});

test("a document whose fields have names of their own is read by the estate's words for them", () => {
  const names = { username: "db_user", password: "db_pass", rekey_version: "orders_version" };
  const document = { db_user: "o", db_pass: "p", orders_version: "v9", username: "other" };
  const credential = parseCredential(document, names);
  expect([credential.username, credential.password, credential.version]).toEqual(["o", "p", "v9"]);
});

test("what the engine has not written yet has no version; a token has no user name", () => {
  const credential = parseCredential({ password: "only" });
  expect([credential.username, credential.version, credential.attestKey]).toEqual([null, null, null]);
});

test("I6: printing, serialising or formatting it shows the version and nothing else", () => {
  const credential = parseCredential(documentOf("v1"));
  const shown = `${inspect(credential, { showHidden: true, depth: 9 })} ${JSON.stringify({ credential })} ${credential}`;
  expect(shown).not.toContain("canary");
  expect(shown).not.toContain(credential.attestKey);
  expect(shown).toContain("v1");
});

test("what cannot be read is said without a word of it", () => {
  const canary = "canary-b81c77";
  for (const text of [
    `{"password": ${canary}}`,
    `"${canary}"`,
    "[]",
    `{"pass":"${canary}"}`,
    '{"password":""}',
  ]) {
    const read = () => parseCredentialJson(text);
    expect(read).toThrow(Trouble);
    expect(read).not.toThrow(canary);
  }
});

test("H6: a key that is short, or the same as another field, seals nothing", () => {
  const long = randomBytes(32).toString("base64url");
  const keyOf = (fields: object) => parseCredential(documentOf("v1", fields)).attestKey;
  expect(keyOf({ rekey_attest_key: long })).toBe(long);
  expect(keyOf({ rekey_attest_key: long, password: long })).toBeNull();
  expect(keyOf({ rekey_attest_key: long, webhook_secret: long })).toBeNull();
  expect(keyOf({ rekey_attest_key: "orders2023" })).toBeNull();
});

test("only the fence tag makes no difference", () => {
  const one = parseCredential(documentOf("v1"));
  expect(one.equals(parseCredential(documentOf("v1", { rekey_tag: "another" })))).toBe(true);
  expect(one.equals(null)).toBe(false);
  for (const change of [
    { password: "x" },
    { rekey_version: "v2" },
    { rekey_attest_key: "x" },
    { host: "h" },
  ]) {
    expect(one.equals(parseCredential(documentOf("v1", change)))).toBe(false);
  }
});

test("a file is read anew each time, and its faults are told apart", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rekey-test-"));
  try {
    const path = join(folder, "orders.json");
    const source = fromFile(path);
    await expect(load(source, { attempts: 1 })).rejects.toMatchObject({ code: "unreachable" });
    await writeFile(path, JSON.stringify(documentOf("v1")));
    expect((await load(source)).version).toBe("v1");
    await writeFile(path, JSON.stringify(documentOf("v2")));
    expect((await load(source)).version).toBe("v2");
    await writeFile(path, "{");
    await expect(load(source)).rejects.toMatchObject({ code: "unreadable" });
    await chmod(path, 0);
    // Root may read everything, so there the fault is still the content.
    const code = process.getuid?.() === 0 ? "unreadable" : "refused";
    await expect(load(source)).rejects.toMatchObject({ code });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a folder is read whole: behind the link that is there, plain where there is none", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rekey-test-"));
  try {
    const path = join(folder, "orders");
    const source = fromFolder(path);
    await expect(load(source, { attempts: 1 })).rejects.toMatchObject({ code: "unreachable" });
    await mkdir(join(path, "..v2"), { recursive: true });
    await writeFile(join(path, "host"), "h1");
    await expect(load(source, { attempts: 1 })).rejects.toMatchObject({ code: "unreadable" });
    await writeFile(join(path, "username"), "orders");
    await writeFile(join(path, "password"), "canary-plain");
    expect((await load(source)).password).toBe("canary-plain");
    for (const name of ["username", "password"]) {
      await rm(join(path, name));
      await symlink(`..data/${name}`, join(path, name));
    }
    for (const [name, value] of Object.entries(documentOf("v2")))
      await writeFile(join(path, "..v2", name), String(value));
    await symlink("..v2", join(path, "..data"));
    const credential = await load(source);
    expect([credential.version, credential.password]).toEqual(["v2", "canary-value-of-v2"]);
    expect(credential.field("host")).toBe("h1");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("loading ends: a source that hangs, and one that fails, are tried a bounded number of times", async () => {
  let tries = 0;
  const hanging = () => {
    tries++;
    return new Promise<never>(() => {});
  };
  const options = { timeoutMs: 50, attempts: 2, pauseMs: 1 };
  await expect(load(hanging, options)).rejects.toMatchObject({ code: "unreachable" });
  expect(tries).toBe(2);
  const failing = () => Promise.reject(new Error("canary-value"));
  const error = await load(failing, options).catch((thrown: Error) => thrown);
  expect(error).toBeInstanceOf(Trouble);
  expect(inspect(error)).not.toContain("canary");
});
