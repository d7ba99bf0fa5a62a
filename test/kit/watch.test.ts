/** The credential in use: it follows the store, one look at a time, and never falls back to nothing. */
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, expect, test, vi } from "vitest";
import { type CredentialWatch, fromFile, type Trouble, useCredential, watch } from "../../kit/index.js";
import { documentOf, MemoryStore, talkative } from "./documents.js";

const closings: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
});

async function watching(store: MemoryStore, options: object = {}): Promise<CredentialWatch> {
  const made = await watch({ load: store.load, intervalMs: 0, ...options });
  closings.push(() => made.close());
  return made;
}

function troublesOf(watched: CredentialWatch): Trouble[] {
  const troubles: Trouble[] = [];
  watched.onTrouble((trouble) => troubles.push(trouble));
  return troubles;
}

test("a new document is taken up whole, and so is the old one again", async () => {
  const store = new MemoryStore();
  const watched = await watching(store);
  const seen: (string | null)[] = [];
  watched.onChange((current) => seen.push(current.version));
  for (const version of ["v2", "v2", "v1"]) {
    store.put(version);
    expect((await watched.reload()).username).toBe(documentOf(version).username);
  }
  expect(seen).toEqual(["v2", "v1"]);
});

test("while the store is down, hangs, or holds nonsense, the last good credential stays", async () => {
  const store = new MemoryStore();
  const watched = await watching(store, { timeoutMs: 50 });
  const troubles = troublesOf(watched);
  store.fault = talkative;
  expect((await watched.reload()).version).toBe("v1");
  store.fault = null;
  store.document = { password: "" };
  expect((await watched.reload()).version).toBe("v1");
  store.gate = new Promise(() => {});
  expect((await watched.reload()).version).toBe("v1");
  store.gate = null;
  store.put("v2");
  expect((await watched.reload()).version).toBe("v2");
  expect(troubles.map((trouble) => trouble.code)).toEqual(["unreachable", "unreadable", "unreachable"]);
  expect(inspect(troubles)).not.toContain("canary");
});

test("there is no credential to begin with: that is an error at once", async () => {
  const store = new MemoryStore();
  store.document = [];
  await expect(watching(store)).rejects.toMatchObject({ code: "unreadable" });
});

test("one look at a time; who asks during one gets a look that began after they asked", async () => {
  const store = new MemoryStore();
  const watched = await watching(store);
  let open = () => {};
  store.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const early = watched.reload();
  // The first look has read v1 already; the change comes after it.
  store.put("v2");
  const late = Array.from({ length: 5 }, () => watched.reload());
  open();
  expect((await early).version).toBe("v1");
  expect((await Promise.all(late)).map((current) => current.version)).toEqual(Array(5).fill("v2"));
  expect(store.reads).toBe(3);
});

test("everything is ready before anything is committed; what refuses keeps all on the old one", async () => {
  const store = new MemoryStore();
  const watched = await watching(store);
  const troubles = troublesOf(watched);
  const log: string[] = [];
  let refusing = true;
  watched.beforeChange(async (next) => ({
    commit: () => log.push(`commit ${next.version}`),
    discard: () => log.push(`discard ${next.version}`),
  }));
  watched.beforeChange(async () => {
    if (refusing) throw talkative;
    return undefined;
  });
  store.put("v2");
  expect((await watched.reload()).version).toBe("v1");
  expect(log).toEqual(["discard v2"]);
  expect(troubles).toMatchObject([{ code: "not-adopted" }]);
  expect(inspect(troubles)).not.toContain("canary");
  refusing = false;
  expect((await watched.reload()).version).toBe("v2");
  expect(log).toEqual(["discard v2", "commit v2"]);
});

test("what gets ready after its time is taken apart and never committed", async () => {
  const store = new MemoryStore();
  const watched = await watching(store, { timeoutMs: 60 });
  const log: string[] = [];
  let ready = () => {};
  const gate = new Promise<void>((resolve) => {
    ready = resolve;
  });
  watched.beforeChange(async () => {
    await gate;
    return { commit: () => log.push("commit"), discard: () => log.push("discard") };
  });
  store.put("v2");
  expect((await watched.reload()).version).toBe("v1");
  ready();
  await expect.poll(() => log).toEqual(["discard"]);
  expect(watched.current.version).toBe("v1");
});

test("H39: working means that something succeeded with this very credential since it was adopted", async () => {
  const store = new MemoryStore();
  const watched = await watching(store);
  const first = watched.current;
  expect(watched.working).toBe(false);
  watched.reportWorking(first);
  expect(watched.working).toBe(true);
  const before = watched.since;
  store.put("v2");
  await watched.reload();
  expect(watched.working).toBe(false);
  expect(watched.since).toBeGreaterThanOrEqual(before);
  watched.reportWorking(first);
  expect(watched.working).toBe(false);
  watched.reportWorking(watched.current);
  expect(watched.working).toBe(true);
  watched.reportFailing(first);
  expect(watched.working).toBe(true);
  watched.reportFailing(watched.current);
  expect(watched.working).toBe(false);
});

test("it looks by itself: every so often, when the file is replaced, and at a signal; and not after it is closed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rekey-test-"));
  closings.push(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "orders.json");
  const put = async (version: string) => {
    await writeFile(`${path}.next`, JSON.stringify(documentOf(version)));
    await rename(`${path}.next`, path);
  };
  await put("v1");
  const ways = {
    poll: await watch({ load: fromFile(path), intervalMs: 20 }),
    file: await watch({ load: fromFile(path), intervalMs: 0, file: path }),
    signal: await watch({ load: fromFile(path), intervalMs: 0, signals: ["SIGHUP"] }),
  };
  closings.push(() => {
    for (const way of Object.values(ways)) way.close();
  });
  await put("v2");
  await expect.poll(() => ways.poll.current.version).toBe("v2");
  await expect.poll(() => ways.file.current.version).toBe("v2");
  expect(ways.signal.current.version).toBe("v1");
  process.kill(process.pid, "SIGHUP");
  await expect.poll(() => ways.signal.current.version).toBe("v2");
  for (const way of Object.values(ways)) way.close();
  expect(process.listenerCount("SIGHUP")).toBe(0);
  await put("v1");
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(Object.values(ways).map((way) => way.current.version)).toEqual(["v2", "v2", "v2"]);
  expect((await ways.poll.reload()).version).toBe("v2");
});

const refused = new Error("refused");
const isAuthFailure = (error: unknown) => error === refused;

test("a credential that changed between the read and the connection is read again, once", async () => {
  const store = new MemoryStore();
  const watched = await watching(store);
  store.put("v2");
  const used: (string | null)[] = [];
  const result = await useCredential(
    watched,
    async (credential) => {
      used.push(credential.version);
      if (credential.version === "v1") throw refused;
      return "done";
    },
    isAuthFailure,
  );
  expect([result, used, watched.working]).toEqual(["done", ["v1", "v2"], true]);
});

test("H35: a refused password is not shown again when there is no other, and other failures are not retried", async () => {
  const store = new MemoryStore();
  const watched = await watching(store);
  watched.reportWorking(watched.current);
  const work = vi.fn(async () => Promise.reject(refused));
  await expect(useCredential(watched, work, isAuthFailure)).rejects.toBe(refused);
  expect(work).toHaveBeenCalledTimes(1);
  expect(watched.working).toBe(false);
  const reads = store.reads;
  const broken = vi.fn(async () => Promise.reject(new Error("syntax error")));
  await expect(useCredential(watched, broken, isAuthFailure)).rejects.toThrow("syntax error");
  expect([broken.mock.calls.length, store.reads]).toEqual([1, reads]);
});
