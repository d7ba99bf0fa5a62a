/** A worker that is killed while it changes a folder: what consumers read is one version, whole, and nothing of another stays. */
import { spawn } from "node:child_process";
import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parseTag } from "../../../domain/fence.js";
import { fromFolder } from "../../../kit/index.js";
import { type FolderWorld, folderWorld } from "./folder-world.js";
import { call, change, contents, passwordOf, tag } from "./world.js";

const built = (path: string) => JSON.stringify(new URL(`../../../dist/${path}`, import.meta.url));

let world: FolderWorld;
beforeEach(async () => {
  world = await folderWorld();
});
afterEach(() => world.dispose());

const versions = async () => (await readdir(world.live)).filter((name) => name.startsWith("..rekey-"));

/** One promote, v1 and v2 in turn, in a process that is killed when it asks for the n-th time whether its time is over. */
async function promoteKilledAt(point: number): Promise<{ signal: string | null; output: string }> {
  const config = { directory: world.directory, stagingDirectory: world.staging, lockTimeout: 5000 };
  const script = `
    import { folder } from ${built("adapters/stores/folder.js")};
    import { parseTag } from ${built("domain/fence.js")};
    const fields = { username: "username", password: "password" };
    const place = { path: "orders-db", permissions: "0400", fields };
    const store = folder.create(${JSON.stringify(config)}, place, {
      installation: "here",
      random: (n) => crypto.getRandomValues(new Uint8Array(n)),
    });
    const call = () => ({ signal: AbortSignal.timeout(10000) });
    const { tag } = await store.view(call());
    const now = parseTag(tag);
    const next = { ...now, version: now.version === "v1" ? "v2" : "v1", change: now.change + 1 };
    const { signal } = call();
    let asked = 0;
    Object.defineProperty(signal, "aborted", {
      get: () => { if (++asked === ${point}) process.kill(process.pid, "SIGKILL"); return false; },
    });
    console.log(await store.promote({ slot: "a", expect: tag, tag: next, identity: null }, { signal }));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  return new Promise((resolve) => child.on("close", (_code, signal) => resolve({ signal, output })));
}

/** What a consumer reads is of one version, and the live tag says which. */
async function expectWhole(): Promise<void> {
  const seen = await fromFolder(world.live)(call().signal);
  const version = seen.version ?? "";
  expect([seen.username, seen.password]).toEqual([`orders_${version}`, passwordOf(version)]);
  expect(parseTag((await world.open().view(call())).tag)?.version).toBe(version);
}

it("H34 H20: killed at each point of a promote, one version is there, whole, and the next change leaves nothing of another", async () => {
  const store = world.open();
  await store.stage("v1", contents("v1"), call());
  await store.stage("v2", contents("v2"), call());
  await store.promote(change(null, tag("v1", 1)), call());
  let kills = 0;
  let left = 0;
  for (let point = 1; ; point++) {
    const before = await readlink(join(world.live, "..data"));
    const { signal, output } = await promoteKilledAt(point);
    await expectWhole();
    if (signal === null) {
      expect(output).toBe("applied\n");
      break;
    }
    kills++;
    expect(await readlink(join(world.live, "..data"))).toBe(before);
    left = Math.max(left, (await versions()).length - 1);
  }
  expect(kills).toBeGreaterThanOrEqual(3);
  // One of the points is where a whole version waits for its rename.
  expect(left).toBe(1);
  expect(await versions()).toEqual([await readlink(join(world.live, "..data"))]);
});
