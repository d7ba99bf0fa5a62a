/** A pool that is swapped while it is in use: proven before it is used, left only when nothing runs on it. */
import { afterEach, expect, test } from "vitest";
import { type CredentialWatch, type PoolHooks, swapPool, watch } from "../../kit/index.js";
import { MemoryStore } from "./documents.js";

interface FakePool {
  readonly version: string | null;
  drained: boolean;
}

const closings: (() => void)[] = [];
afterEach(() => {
  for (const close of closings.splice(0)) close();
});

const refused = new Error("refused");

async function made(hooks: Partial<PoolHooks<FakePool>> = {}) {
  const store = new MemoryStore();
  const watched: CredentialWatch = await watch({ load: store.load, intervalMs: 0 });
  closings.push(() => watched.close());
  const opened: FakePool[] = [];
  const all: PoolHooks<FakePool> = {
    open: (credential) => {
      const pool = { version: credential.version, drained: false };
      opened.push(pool);
      return pool;
    },
    prove: async () => {},
    drain: async (pool) => {
      pool.drained = true;
    },
    isAuthFailure: (error) => error === refused,
    ...hooks,
  };
  return { store, watched, opened, hooks: all };
}

test("what runs on the old pool finishes there; what starts afterwards runs on the new one", async () => {
  const { store, watched, opened, hooks } = await made();
  const pool = await swapPool(watched, hooks);
  let finish = () => {};
  const long = pool.use(async (held) => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    expect(held.drained).toBe(false);
    return held.version;
  });
  store.put("v2");
  await watched.reload();
  expect(await pool.use(async (held) => held.version)).toBe("v2");
  expect(opened.map((each) => each.drained)).toEqual([false, false]);
  finish();
  expect(await long).toBe("v1");
  await expect.poll(() => opened.map((each) => each.drained)).toEqual([true, false]);
  await pool.close();
  expect(opened.map((each) => each.drained)).toEqual([true, true]);
});

test("a new pool that cannot prove itself is not used, and does not stay open", async () => {
  const { store, watched, opened, hooks } = await made({
    prove: async (pool) => {
      if (pool.version === "v2") throw refused;
    },
  });
  const pool = await swapPool(watched, hooks);
  store.put("v2");
  expect((await watched.reload()).version).toBe("v1");
  expect(await pool.use(async (held) => held.version)).toBe("v1");
  expect(opened.map((each) => each.drained)).toEqual([false, true]);
});

test("a first pool that cannot prove itself is an error, and nothing stays behind", async () => {
  const { watched, opened, hooks } = await made({ prove: () => Promise.reject(refused) });
  await expect(swapPool(watched, hooks)).rejects.toBe(refused);
  expect(opened.map((each) => each.drained)).toEqual([true]);
});

test("a change that comes while the first pool is being proven wins", async () => {
  let proven = () => {};
  const gate = new Promise<void>((resolve) => {
    proven = resolve;
  });
  const { store, watched, opened, hooks } = await made({
    prove: (pool) => (pool.version === "v1" ? gate : Promise.resolve()),
  });
  const swapping = swapPool(watched, hooks);
  store.put("v2");
  await watched.reload();
  proven();
  const pool = await swapping;
  expect(await pool.use(async (held) => held.version)).toBe("v2");
  expect(opened.map((each) => [each.version, each.drained])).toEqual([
    ["v1", true],
    ["v2", false],
  ]);
});

test("H39: the proof is a positive sign, so an idle service works; a refusal afterwards takes it back", async () => {
  const { store, watched, hooks } = await made();
  const pool = await swapPool(watched, hooks);
  expect(watched.working).toBe(true);
  store.put("v2");
  await watched.reload();
  expect(watched.working).toBe(true);
  await expect(pool.use(() => Promise.reject(refused))).rejects.toBe(refused);
  expect(watched.working).toBe(false);
});

test("a refused log-in looks at the store and runs once more on the new pool", async () => {
  const { store, watched, hooks } = await made();
  const pool = await swapPool(watched, hooks);
  store.put("v2");
  const run = async (held: FakePool) => (held.version === "v1" ? Promise.reject(refused) : held.version);
  expect(await pool.use(run)).toBe("v2");
});
