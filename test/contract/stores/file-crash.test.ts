/** Processes that are killed, and processes that want the same file at once: the document is whole, the lock is never a trap. */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { withFileLock } from "../../../adapters/shared/file-lock.js";
import { formatTag, parseTag } from "../../../domain/fence.js";
import { type FileWorld, fileWorld } from "./file-world.js";
import { call, change, codeOf, contents, passwordOf, tag } from "./world.js";

const built = (path: string) => JSON.stringify(new URL(`../../../dist/${path}`, import.meta.url));

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program of its own process; `kill` may end it at any time. */
function start(script: string): { ended: Promise<Ended>; kill(): void; ready: Promise<void> } {
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  let output = "";
  let sayReady = () => {};
  const ready = new Promise<void>((resolve) => {
    sayReady = resolve;
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("ready")) sayReady();
    });
  }
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (code, signal) => {
      sayReady();
      resolve({ code, signal, output });
    });
  });
  cleanups.push(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { ended, kill: () => child.kill("SIGKILL"), ready };
}

/** The start of a program that has a store over the world's folders and the tag that is live. */
function program(world: FileWorld): string {
  const config = { directory: world.directory, stagingDirectory: world.staging, lockTimeout: 5000 };
  return `
    import { file } from ${built("adapters/stores/file.js")};
    import { parseTag } from ${built("domain/fence.js")};
    const fields = { username: "username", password: "password" };
    const place = { path: "orders/db.json", protection: "plain", permissions: "0400", fields };
    const store = file.create(${JSON.stringify(config)}, place, {
      installation: "here",
      random: (n) => crypto.getRandomValues(new Uint8Array(n)),
    });
    const call = () => ({ signal: AbortSignal.timeout(10000) });
    const flip = async (frame) => {
      const { tag } = await store.view(call());
      const now = parseTag(tag);
      const next = { ...now, version: now.version === "v1" ? "v2" : "v1", change: now.change + 1 };
      return store.promote({ slot: "a", expect: tag, tag: next, identity: null }, frame ?? call());
    };`;
}

/** Live is exactly one of the versions, and the place can be worked with at once. Returns what is live. */
async function expectWhole(world: FileWorld): Promise<string> {
  const document = JSON.parse(await readFile(world.live, "utf8"));
  const { version } = parseTag(document.rekey_tag) ?? { version: "none" };
  expect(document).toMatchObject({
    username: `orders_${version}`,
    password: passwordOf(version),
    rekey_version: version,
    host: "h1",
  });
  return document.rekey_tag;
}

async function readyWorld(): Promise<FileWorld> {
  const world = await fileWorld("plain");
  cleanups.push(() => world.dispose());
  await world.foreignWrite({ host: "h1" });
  const store = world.open();
  await store.stage("v1", contents("v1"), call());
  await store.stage("v2", contents("v2"), call());
  await store.promote(change(null, tag("v1", 1)), call());
  return world;
}

describe("file store and kill -9", () => {
  it("H34: killed at each point of a promote, the old or the new document is there, whole, and the next process goes on", async () => {
    const world = await readyWorld();
    let kills = 0;
    let draftsLeft = 0;
    let locksLeft = 0;
    for (let point = 1; ; point++) {
      const before = await expectWhole(world);
      // The promote asks again and again whether its time is over; it is killed when it asks for the n-th time.
      const child = start(`${program(world)}
        const { signal } = call();
        let asked = 0;
        Object.defineProperty(signal, "aborted", {
          get: () => { if (++asked === ${point}) process.kill(process.pid, "SIGKILL"); return false; },
        });
        console.log(await flip({ signal }));`);
      const { signal, code, output } = await child.ended;
      const after = await expectWhole(world);
      if (signal === null) {
        expect([code, output]).toEqual([0, "applied\n"]);
        expect(after).not.toBe(before);
        break;
      }
      kills++;
      expect(after).toBe(before);
      const names = [...(await readdir(dirname(world.live))), ...(await readdir(world.staging))];
      draftsLeft += names.filter((name) => name.includes(".rekey-tmp-")).length;
      locksLeft += names.filter((name) => name.endsWith(".lock")).length;
    }
    // The points cover a held lock and a draft that waits for its rename.
    expect(kills).toBeGreaterThanOrEqual(3);
    expect([draftsLeft > 0, locksLeft > 0]).toEqual([true, true]);
    expect(await readdir(dirname(world.live))).toEqual(["db.json"]);
    expect(await readdir(world.staging)).toEqual(["orders%2Fdb.json"]);
  });

  it("H34: killed at random moments of endless promotes, the document is whole and the lock is taken over", async () => {
    const world = await readyWorld();
    for (let round = 0; round < 8; round++) {
      const child = start(`${program(world)}
        await flip();
        console.log("ready");
        for (;;) await flip();`);
      await child.ready;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
      child.kill();
      const { signal, output } = await child.ended;
      expect([signal, output]).toEqual(["SIGKILL", "ready\n"]);
      const live = parseTag(await expectWhole(world));
      expect(live).not.toBeNull();
      if (live === null) return;
      const next = { ...live, version: "v1", change: live.change + 1 };
      const asText = { slot: "a", expect: formatTag(live), tag: next, identity: null };
      expect(await world.open().promote(asText, call(3_000))).toBe("applied");
    }
  });
});

describe("file lock", () => {
  async function lockPath(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "rekey-lock-"));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    return join(folder, "a.lock");
  }
  const owner = (more: object) =>
    JSON.stringify({ nonce: "n", host: hostname(), boot: "", pid: process.pid, began: "", ...more });
  /** A process that has ended. */
  async function deadPid(): Promise<number> {
    const child = spawn("true");
    await new Promise((resolve) => child.on("close", resolve));
    return child.pid ?? 0;
  }
  async function bootId(): Promise<string> {
    return (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim();
  }

  it("of many who find a dead owner's lock, one at a time gets in, and nothing is left", async () => {
    const path = await lockPath();
    await writeFile(path, owner({ pid: await deadPid(), boot: await bootId() }));
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 12 }, () =>
        withFileLock(path, 10_000, call(), async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setTimeout(resolve, 3));
          inside--;
        }),
      ),
    );
    expect(most).toBe(1);
    expect(await readdir(dirname(path))).toEqual([]);
  });

  it("over processes no update is lost, also when one of them is killed while it holds the lock", async () => {
    const path = await lockPath();
    const counter = join(dirname(path), "counter");
    await writeFile(counter, "0");
    const script = (times: number, dieAt: number) => `
      import { readFile, writeFile } from "node:fs/promises";
      import { withFileLock } from ${built("adapters/shared/file-lock.js")};
      for (let n = 0; n < ${times}; n++) {
        await withFileLock(${JSON.stringify(path)}, 20000, { signal: AbortSignal.timeout(20000) }, async () => {
          if (n === ${dieAt}) process.kill(process.pid, "SIGKILL");
          const value = Number(await readFile(${JSON.stringify(counter)}, "utf8"));
          await writeFile(${JSON.stringify(counter)}, String(value + 1));
        });
      }`;
    const ends = await Promise.all(
      [script(40, -1), script(40, -1), script(40, 10)].map((one) => start(one).ended),
    );
    expect(ends.map(({ code, signal, output }) => [code, signal, output])).toEqual([
      [0, null, ""],
      [0, null, ""],
      [null, "SIGKILL", ""],
    ]);
    expect(await readFile(counter, "utf8")).toBe("90");
    await withFileLock(path, 1_000, call(), async () => {});
    expect(await readdir(dirname(path))).toEqual(["counter"]);
  });

  it("a lock of a live process is waited for and then `unreachable`, by name; of another host it is never broken", async () => {
    const path = await lockPath();
    for (const more of [{ boot: await bootId() }, { host: "elsewhere", pid: await deadPid() }]) {
      await writeFile(path, owner(more));
      const begun = performance.now();
      const work = withFileLock(path, 80, call(), async () => {});
      expect(await codeOf(work)).toBe("unreachable");
      expect(performance.now() - begun).toBeGreaterThan(60);
      await expect(work).rejects.toThrow(/process \d+ on /);
      expect((await stat(path)).isFile()).toBe(true);
    }
  });

  it("a process id that was given to another process, or is from before a boot, is no live owner; nor is what a power cut left empty", async () => {
    const path = await lockPath();
    const stale = [{ boot: await bootId(), began: "1" }, { boot: "another-boot" }];
    for (const left of [...stale.map(owner), ""]) {
      await writeFile(path, left);
      expect(await withFileLock(path, 2_000, call(), async () => "in")).toBe("in");
    }
  });

  it("a lock of another container on this machine, which has process ids of its own, is never broken", async () => {
    const path = await lockPath();
    const there = { boot: await bootId(), pid: await deadPid() };
    await writeFile(path, owner({ ...there, pidNamespace: "pid:[1]" }));
    const work = withFileLock(path, 80, call(), async () => {});
    expect(await codeOf(work)).toBe("unreachable");
    expect((await stat(path)).isFile()).toBe(true);
    // The same owner, who could be asked for and is not there.
    const mine = await readlink("/proc/self/ns/pid").catch(() => "");
    await writeFile(path, owner({ ...there, pidNamespace: mine }));
    expect(await withFileLock(path, 2_000, call(), async () => "in")).toBe("in");
  });

  it("is given back when the work fails", async () => {
    const path = await lockPath();
    await expect(withFileLock(path, 100, call(), () => Promise.reject(new Error("work")))).rejects.toThrow(
      "work",
    );
    expect(await withFileLock(path, 100, call(), async () => "in")).toBe("in");
  });
});
