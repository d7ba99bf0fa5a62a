/** What only a disk does to documents: permissions, links, drafts left behind, broken bytes and keys that do not fit. */
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { armor, Decrypter, generateIdentity, identityToRecipient } from "age-encryption";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { translated } from "../../../adapters/shared/file-errors.js";
import { tombstoneLifeMs } from "../../../adapters/shared/staged-copy.js";
import { file } from "../../../adapters/stores/file.js";
import { type FileWorld, fileWorld } from "./file-world.js";
import { call, change, codeOf, contents, expectNoCanary, kept, plain, tag } from "./world.js";

const first = tag("v1", 1);

/** Root is refused nothing by permissions, so as somebody else where this runs as root. */
async function asSomebody(work: () => Promise<void>): Promise<void> {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    if (root) process.seteuid?.(0);
  }
}

describe("file documents", () => {
  let world: FileWorld;
  beforeEach(async () => {
    world = await fileWorld("plain");
  });
  afterEach(() => world.dispose());

  const copies = () => join(world.staging, "orders%2Fdb.json", "rekey_tag");
  const filesBelow = async (folder: string) =>
    (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());

  it("gives the live file the permissions and the owner of the estate, copies none but the engine's", async () => {
    const me = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const owner = me.uid === 0 ? { uid: 4321, gid: 4322 } : me;
    const store = world.openWith({ permissions: "0440", owner });
    await store.stage("v1", contents("v1"), call());
    await store.promote(change(null, first), call());
    const live = await stat(world.live);
    expect([live.mode & 0o777, live.uid, live.gid]).toEqual([0o440, owner.uid, owner.gid]);
    const copy = await stat(join(copies(), "v1.json"));
    expect([copy.mode & 0o777, copy.uid]).toEqual([0o600, me.uid]);
    expect((await stat(copies())).mode & 0o777).toBe(0o700);
  });

  it("forgets that a version was purged when no writer can be held up any more", async () => {
    const store = world.open();
    for (const version of ["v7", "v8"]) await store.purge(version, call());
    await utimes(join(copies(), "v7.purged"), new Date(0), new Date(Date.now() - tombstoneLifeMs - 60_000));
    await utimes(join(copies(), "v8.purged"), new Date(0), new Date(Date.now() - tombstoneLifeMs + 60_000));
    await store.purge("v9", call());
    expect((await readdir(copies())).sort()).toEqual(["v8.purged", "v9.purged"]);
  });

  it("a file of mode 0400 is replaced as well", async () => {
    const store = world.open();
    await store.stage("v1", contents("v1"), call());
    await store.promote(change(null, first), call());
    expect((await stat(world.live)).mode & 0o777).toBe(0o400);
    await store.promote(change(first, tag("v1", 2)), call());
    expect((await stat(world.live)).mode & 0o777).toBe(0o400);
  });

  it("drafts that a killed writer left are never read, and gone after the next change", async () => {
    const store = world.open();
    await store.stage("v1", contents("v1"), call());
    await store.promote(change(null, first), call());
    const drafts = [
      join(dirname(world.live), ".db.json.rekey-tmp-dead"),
      join(copies(), ".v9.json.rekey-tmp-dead"),
    ];
    for (const draft of drafts)
      await writeFile(draft, JSON.stringify(plain(contents("v9"))), { mode: 0o600 });
    await writeFile(join(dirname(world.live), ".db.json.other"), "theirs");
    expect(await store.stagedVersions(call())).toEqual(["v1"]);
    expect(plain(await store.live(call()))).toEqual(kept("v1"));
    await store.stage("v2", contents("v2"), call());
    for (const draft of drafts) await expect(stat(draft)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await readFile(join(dirname(world.live), ".db.json.other"), "utf8")).toBe("theirs");
  });

  it("a change leaves neither drafts nor locks", async () => {
    const store = world.open();
    await store.stage("v1", contents("v1"), call());
    await store.promote(change(null, first), call());
    await codeOf(store.promote(change(null, tag("v2", 2)), call()));
    expect((await filesBelow(world.root)).map(({ name }) => name).sort()).toEqual(["db.json", "v1.json"]);
  });

  it("symbolic links are refused on the way, at the end and among the copies, and what they point to stays", async () => {
    const outside = join(world.root, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "db.json"), JSON.stringify({ username: "canary-outside" }));
    const store = world.open();
    await store.stage("v1", contents("v1"), call());
    const attempt = async () => {
      expect(await codeOf(store.live(call()))).toBe("unsupported");
      expect(await codeOf(store.promote(change(null, first), call()))).toBe("unsupported");
    };
    await symlink(outside, dirname(world.live));
    await attempt();
    await rm(dirname(world.live));
    await mkdir(dirname(world.live));
    await symlink(join(outside, "db.json"), world.live);
    await attempt();
    await symlink(join(outside, "db.json"), join(copies(), "v2.json"));
    expect(await codeOf(store.staged("v2", call()))).toBe("unsupported");
    expect(await codeOf(store.stage("v2", contents("v2"), call()))).toBe("unsupported");
    expect(await readFile(join(outside, "db.json"), "utf8")).toBe('{"username":"canary-outside"}');
  });

  it("I6: bytes that are no document are `unsupported`, unquoted, and are not overwritten", async () => {
    const store = world.open();
    await store.stage("v1", contents("v1"), call());
    await mkdir(dirname(world.live));
    for (const text of ["canary-no-json", '["canary-list"]', '{"password": "canary-cut', "", "null"]) {
      await writeFile(world.live, text);
      expect(await codeOf(store.live(call()))).toBe("unsupported");
      expect(await codeOf(store.promote(change(null, first), call()))).toBe("unsupported");
      expect(await readFile(world.live, "utf8")).toBe(text);
    }
    await rm(world.live);
    await mkdir(world.live);
    expect(await codeOf(store.live(call()))).toBe("unsupported");
    await rm(world.live, { recursive: true });
    await writeFile(world.live, "x".repeat(1024 * 1024 + 1));
    expect(await codeOf(store.live(call()))).toBe("unsupported");
  });

  it("H18: others' fields keep their shape, numbers that JavaScript cannot hold included", async () => {
    await mkdir(dirname(world.live));
    await writeFile(world.live, '{"big":12345678901234567890,"exact":1.50,"nested":{"a":[1,null]}}');
    const store = world.open();
    await store.stage("v1", contents("v1"), call());
    await store.promote(change(null, first), call());
    const text = await readFile(world.live, "utf8");
    expect(text).toContain('"big": 12345678901234567890');
    expect(text).toContain('"exact": 1.50');
    expect(await world.raw()).toMatchObject({ nested: { a: [1, null] }, ...kept("v1") });
  });

  it("a folder that is away is `unreachable` and is not made anew", async () => {
    const store = world.open();
    await store.stage("v1", contents("v1"), call());
    for (const folder of [world.staging, world.directory]) {
      await rename(folder, `${folder}.away`);
      expect(await codeOf(store.view(call()))).toBe("unreachable");
      expect(await codeOf(store.promote(change(null, first), call()))).toBe("unreachable");
      expect(await codeOf(store.preflight(call()))).toBe("unreachable");
      await expect(stat(folder)).rejects.toMatchObject({ code: "ENOENT" });
      await rename(`${folder}.away`, folder);
    }
  });

  it("refuses before the rotation what would make it unsafe", async () => {
    const codes = async (place: object = {}, config: object = {}) =>
      (await world.openWith(place, config).preflight(call())).map(
        ({ code, severity }) => `${severity} ${code}`,
      );
    expect(await codes()).toEqual(["info file-copies-plain", "info file-place-empty"]);
    await chmod(world.staging, 0o750);
    expect(await codes()).toContain("refuse file-staging-open");
    await chmod(world.staging, 0o700);
    if (process.getuid?.() === 0) {
      await chown(world.staging, 4321, 4321);
      expect(await codes()).toContain("refuse file-staging-open");
      await chown(world.staging, 0, 0);
    }
    await chmod(world.directory, 0o777);
    expect(await codes()).toContain("refuse file-directory-writable");
    await chmod(world.directory, 0o755);
    expect(await codes({ permissions: "0444" })).toContain("warn file-world-readable");
    const inside = join(world.directory, "staging");
    await mkdir(inside, { mode: 0o700 });
    expect(await codes({}, { stagingDirectory: inside })).toContain("refuse file-staging-inside");
    const age = { recipients: [await identityToRecipient(await generateIdentity())], identity: "env:AGE" };
    expect(await codes({}, { age })).toContain("refuse file-age-mismatch");
    await mkdir(dirname(world.live));
    await writeFile(world.live, '{"username":"a"}');
    expect(await codes()).toContain("warn file-field-missing");
    await writeFile(world.live, "broken");
    expect(await codes()).toContain("refuse file-live-unreadable");
  });

  it("names each folder that the engine cannot write to, and leaves nothing in those that it can", async () => {
    const refused = async (place: object = {}) =>
      (await world.openWith(place).preflight(call()))
        .filter(({ code }) => code === "file-cannot-write")
        .map(({ subject }) => subject);
    const before = [await readdir(world.directory), await readdir(world.staging)];
    expect(await refused()).toEqual([]);
    expect([await readdir(world.directory), await readdir(world.staging)]).toEqual(before);
    await chmod(world.root, 0o711);
    const inside = join(world.directory, "team");
    await mkdir(inside, { mode: 0o755 });
    await chmod(inside, 0o555);
    await asSomebody(async () => {
      expect(await refused({ path: "team/deep/a.json" })).toContain(inside);
    });
    await chmod(inside, 0o755);
    await chmod(world.staging, 0o500);
    await asSomebody(async () => {
      expect(await refused()).toContain(world.staging);
    });
    await chmod(world.staging, 0o700);
  });

  it.each(["/abs.json", "../up.json", "a/../../up.json", "a//b.json", "a/", ""])(
    "refuses the path %j in the estate",
    (path) => {
      expect(file.place.safeParse({ path }).success).toBe(false);
    },
  );

  it("a place that asks for age in a store without it is `bad-input`; grants and locks name their paths", () => {
    expect(() => world.openWith({ protection: "age" })).toThrow(/age/);
    expect(file.grants?.({ directory: "/srv/live" })).toContain(
      "install -d -o rekey -g rekey -m 0755 /srv/live",
    );
    const config = file.config.parse({ directory: "/srv/live", stagingDirectory: "/srv/staging" });
    expect(file.lockKeys(config as never, file.place.parse({ path: "a/b.json" }) as never)).toEqual([
      "file:/srv/live/a/b.json",
    ]);
  });

  it.each([
    ["EACCES", "not-permitted"],
    ["EROFS", "not-permitted"],
    ["ELOOP", "unsupported"],
    ["ENOTDIR", "unsupported"],
    ["ENOENT", "unreachable"],
    ["ENOSPC", "unreachable"],
    ["EIO", "unreachable"],
  ])("the system's %s is %s, in our words", (code, expected) => {
    const error = translated(Object.assign(new Error("canary-system"), { code }), "/srv/x");
    expect(error.code).toBe(expected);
    expectNoCanary(error.message);
  });
});

describe("file documents encrypted by age", () => {
  it("no byte on the disk shows a value, and each recipient can read the live file with the usual tool's format", async () => {
    const world = await fileWorld("plain");
    const [engine, consumer] = [await generateIdentity(), await generateIdentity()];
    const recipients = [await identityToRecipient(engine), await identityToRecipient(consumer)];
    const identity = `# created: today\n# public key: ${recipients[0]}\n${engine}\n`;
    const open = (key: string) =>
      world.openWith(
        { protection: "age" },
        { age: { recipients, identity: "env:AGE" } },
        { resolve: async () => new (await import("../../../domain/secret.js")).Secret(key) },
      );
    const store = open(identity);
    await store.stage("v1", contents("v1"), call());
    await store.promote(change(null, first), call());
    for (const path of [world.live, join(world.staging, "orders%2Fdb.json", "rekey_tag", "v1.age")]) {
      const text = await readFile(path, "utf8");
      expectNoCanary(text);
      expect(text).not.toContain("orders_v1");
      const decrypter = new Decrypter();
      decrypter.addIdentity(consumer);
      expect(await decrypter.decrypt(armor.decode(text), "text")).toContain("canary-v1");
    }
    expect(plain(await store.live(call()))).toEqual(kept("v1"));
    const stranger = open(await generateIdentity());
    expect(await codeOf(stranger.live(call()))).toBe("unsupported");
    expect(await codeOf(stranger.staged("v1", call()))).toBe("unsupported");
    expect(await codeOf(open("canary-not-a-key").live(call()))).toBe("unsupported");
    await world.dispose();
  });

  it("a changed byte is refused, in the live file and in a copy", async () => {
    const world = await fileWorld("age");
    const store = world.open();
    await store.stage("v1", contents("v1"), call());
    await store.promote(change(null, first), call());
    const copy = join(world.staging, "orders%2Fdb.json", "rekey_tag", "v1.age");
    for (const path of [world.live, copy]) {
      const text = await readFile(path, "utf8");
      const at = text.length - 60;
      await chmod(path, 0o600);
      await writeFile(path, text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1));
    }
    expect(await codeOf(store.live(call()))).toBe("unsupported");
    expect(await codeOf(store.staged("v1", call()))).toBe("unsupported");
    await world.dispose();
  });
});
