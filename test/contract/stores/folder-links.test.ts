/** What only links do to documents: files that were there before, folders of somebody else, what a killed writer leaves. */
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { folder } from "../../../adapters/stores/folder.js";
import { fromFolder } from "../../../kit/index.js";
import { type FolderWorld, folderWorld } from "./folder-world.js";
import { call, change, codeOf, contents, kept, passwordOf, plain, tag } from "./world.js";

const first = tag("v1", 1);

describe("folders of files", () => {
  let world: FolderWorld;
  beforeEach(async () => {
    world = await folderWorld();
  });
  afterEach(() => world.dispose());

  /** The place with v1 in it. */
  async function promoted(place: object = {}) {
    const store = world.openWith(place);
    await store.stage("v1", contents("v1"), call());
    expect(await store.promote(change(null, first), call())).toBe("applied");
    return store;
  }
  const versions = async () => (await readdir(world.live)).filter((name) => name.startsWith("..rekey-"));

  it("each name is a link through ..data to one folder of a version, and nothing else is left", async () => {
    const store = await promoted({ permissions: "0440" });
    await store.stage("v2", contents("v2"), call());
    await store.promote(change(first, tag("v2", 2)), call());
    const data = await readlink(join(world.live, "..data"));
    expect(await versions()).toEqual([data]);
    for (const name of ["username", "password", "rekey_version", "rekey_attest_key", "rekey_tag"]) {
      expect(await readlink(join(world.live, name))).toBe(`..data/${name}`);
      expect((await stat(join(world.live, name))).mode & 0o777).toBe(0o440);
    }
    expect(await readFile(join(world.live, "password"), "utf8")).toBe(passwordOf("v2"));
    expect((await readdir(world.live)).sort()).toEqual(
      [data, "..data", "password", "rekey_attest_key", "rekey_tag", "rekey_version", "username"].sort(),
    );
    expect((await stat(join(world.live, data))).mode & 0o777).toBe(0o755);
  });

  it("H34: a field that the new version does not have has no name any more", async () => {
    const store = await promoted();
    const { username, password } = contents("v2");
    await store.stage("v2", { username, password } as never, call());
    await store.promote(change(first, tag("v2", 2)), call());
    await expect(lstat(join(world.live, "rekey_attest_key"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("H34: plain files from before become links, and who reads at each moment of that reads one version", async () => {
    await world.foreignWrite({ username: "orders", password: "canary-old" });
    const store = world.open();
    await store.stage("v1", contents("v1"), call());
    const seen = new Set<string>();
    let done = false;
    const looks = (async () => {
      while (!done) {
        const { username, password } = await fromFolder(world.live)(call().signal);
        seen.add(`${username} ${password}`);
      }
    })();
    await store.promote(change(null, first), call());
    done = true;
    await looks;
    const whole = ["orders canary-old", `orders_v1 ${passwordOf("v1")}`];
    expect([...seen].filter((pair) => !whole.includes(pair))).toEqual([]);
    expect(await readlink(join(world.live, "password"))).toBe("..data/password");
    expect(plain(await store.live(call()))).toEqual(kept("v1"));
  });

  it("H18: files of others stay as they are, bytes that are no text and links among them", async () => {
    await mkdir(world.live);
    const bytes = Buffer.from([0, 255, 254, 10]);
    await writeFile(join(world.live, "keystore"), bytes);
    await symlink("/nowhere", join(world.live, "theirs"));
    await promoted();
    expect(await readFile(join(world.live, "keystore"))).toEqual(bytes);
    expect(await readlink(join(world.live, "theirs"))).toBe("/nowhere");
  });

  it("H20: a version and a link that a killed writer left are not read, and gone after the next change", async () => {
    const store = await promoted();
    const left = join(world.live, "..rekey-dead");
    await mkdir(left);
    await writeFile(join(left, "password"), "canary-dead");
    await symlink("..rekey-dead", join(world.live, "..rekey-link-dead"));
    expect(plain(await store.live(call()))).toEqual(kept("v1"));
    await store.purge("never", call());
    expect(await versions()).toEqual([await readlink(join(world.live, "..data"))]);
    expect(await world.everything()).not.toContain("canary-dead");
  });

  it("a folder that another program writes is refused, and stays as it is", async () => {
    await mkdir(join(world.live, "..2026_01_01"), { recursive: true });
    await writeFile(join(world.live, "..2026_01_01", "password"), "canary-theirs");
    await symlink("..2026_01_01", join(world.live, "..data"));
    await symlink("..data/password", join(world.live, "password"));
    const store = world.open();
    await store.stage("v1", contents("v1"), call()).catch(() => undefined);
    expect(await codeOf(store.live(call()))).toBe("unsupported");
    expect(await codeOf(store.promote(change(null, first), call()))).toBe("unsupported");
    expect(await readlink(join(world.live, "..data"))).toBe("..2026_01_01");
    const codes = (await store.preflight(call())).map(({ code, severity }) => `${severity} ${code}`);
    expect(codes).toContain("refuse folder-live-unreadable");
  });

  it("a link under one of our names that leads elsewhere is refused, and what it leads to stays", async () => {
    const outside = join(world.root, "outside");
    await writeFile(outside, "canary-outside");
    const store = await promoted();
    await rm(join(world.live, "password"));
    await symlink(outside, join(world.live, "password"));
    await store.stage("v2", contents("v2"), call());
    expect(await codeOf(store.live(call()))).toBe("unsupported");
    expect(await codeOf(store.promote(change(first, tag("v2", 2)), call()))).toBe("unsupported");
    expect(await readFile(outside, "utf8")).toBe("canary-outside");
  });

  it("a link that leads to a version which is gone is `unreachable`, and not an empty place", async () => {
    const store = await promoted();
    await rm(join(world.live, await readlink(join(world.live, "..data"))), { recursive: true });
    expect(await codeOf(store.view(call()))).toBe("unreachable");
    expect(await codeOf(store.promote(change(null, first), call()))).toBe("unreachable");
  });

  it("names before a rotation what would make it unsafe", async () => {
    const codes = async (place: object = {}) =>
      (await world.openWith(place).preflight(call())).map(({ code, severity }) => `${severity} ${code}`);
    expect(await codes()).toEqual(["info folder-copies-plain", "info folder-place-empty"]);
    await chmod(world.staging, 0o750);
    expect(await codes()).toContain("refuse folder-staging-open");
    await chmod(world.staging, 0o700);
    expect(await codes({ permissions: "0444" })).toContain("warn folder-world-readable");
    await world.foreignWrite({ username: "orders", password: "canary-line\n" });
    expect(await codes()).toContain("warn folder-newline");
  });

  it.each(["../up", "..data", "a/b", ""])("refuses the file name %j in the estate", (name) => {
    const fields = { username: "username", password: name };
    expect(folder.place.safeParse({ path: "orders-db", fields }).success).toBe(false);
  });

  it("grants and locks name their paths", () => {
    expect(folder.grants?.({ directory: "/srv/live" })).toContain("-m 0755 /srv/live");
    const config = folder.config.parse({ directory: "/srv/live", stagingDirectory: "/srv/staging" });
    expect(folder.lockKeys(config as never, folder.place.parse({ path: "a" }) as never)).toEqual([
      "folder:/srv/live/a",
    ]);
  });
});
