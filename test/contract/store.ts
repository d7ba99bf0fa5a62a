/**
 * The contract of every store, as the rotation protocol relies on it. Each kind passes it against the real
 * thing, the in-memory fake first, so that what the engine is tested with behaves like what it runs with.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../adapters/ports.js";
import { formatTag } from "../../domain/fence.js";
import { Secret } from "../../domain/secret.js";
import { checkStoreVersions } from "./stores/versions.js";
import {
  call,
  change,
  codeOf,
  contents,
  kept,
  passwordOf,
  plain,
  type StoreWorld,
  tag,
} from "./stores/world.js";

/** Registers the suite for one kind. `make` gives a fresh place each time. */
export function storeContract(name: string, make: () => Promise<StoreWorld>): void {
  describe(`store contract: ${name}`, () => {
    let world: StoreWorld;
    let store: Store;
    const first = tag("v1", 1);
    const second = tag("v2", 2);

    beforeEach(async () => {
      world = await make();
      store = world.open();
    });
    afterEach(async () => {
      await store.close();
      await world.dispose();
    });

    /** The place with v1 promoted over a document that also holds somebody else's field. */
    async function withFirst(): Promise<void> {
      await world.foreignWrite({ host: "h1" });
      await store.stage("v1", contents("v1"), call());
      expect(await store.promote(change(null, first), call())).toBe("applied");
    }

    it("an empty place is absent, not an error", async () => {
      expect(await store.view(call())).toEqual({ tag: "", liveVersion: null });
      expect(await store.live(call())).toBeNull();
      expect(await store.staged("v1", call())).toBeNull();
    });

    it("a sound place has nothing that refuses", async () => {
      await withFirst();
      const findings = await store.preflight(call());
      expect(findings.filter((finding) => finding.severity === "refuse")).toEqual([]);
    });

    it("staging the same version twice keeps the first and returns it", async () => {
      expect(plain(await store.stage("v1", contents("v1"), call()))).toEqual(kept("v1"));
      const other = world.open();
      expect(plain(await other.stage("v1", contents("other"), call()))).toEqual(kept("v1"));
      expect(plain(await store.staged("v1", call()))).toEqual(kept("v1"));
      expect(await store.stagedVersions(call())).toEqual(["v1"]);
      await other.close();
    });

    it("H20: what is staged is nowhere in the live document", async () => {
      await withFirst();
      await store.stage("v2", contents("v2"), call());
      expect(JSON.stringify(await world.raw())).not.toContain("canary-v2");
      expect(await store.view(call())).toMatchObject({ tag: formatTag(first), liveVersion: "v1" });
      expect(await store.stagedVersions(call())).toEqual(["v1", "v2"]);
    });

    it("refuses an id that could climb out of the staging place, and a field that the place does not name", async () => {
      expect(await codeOf(store.stage("../v1", contents("v1"), call()))).toBe("bad-input");
      const odd = { ...contents("v1"), dsn: new Secret("canary-dsn") };
      expect(await codeOf(store.stage("v1", odd, call()))).toBe("bad-input");
      expect(await store.stagedVersions(call())).toEqual([]);
    });

    it("H34: promote copies the whole version into an empty place", async () => {
      await store.stage("v1", contents("v1"), call());
      expect(await store.promote(change(null, first), call())).toBe("applied");
      expect(plain(await store.live(call()))).toEqual(kept("v1"));
      expect(await world.raw()).toEqual({ ...kept("v1"), rekey_tag: formatTag(first) });
    });

    it("H18: promote keeps the fields of others, and live leaves them out", async () => {
      await withFirst();
      expect(await world.raw()).toEqual({ ...kept("v1"), rekey_tag: formatTag(first), host: "h1" });
      expect(plain(await store.live(call()))).toEqual(kept("v1"));
    });

    it("H34: what the new version does not have is removed with the old one", async () => {
      await withFirst();
      const { username, password } = contents("v2");
      await store.stage("v2", { username, password } as Record<string, Secret>, call());
      await store.promote(change(first, second), call());
      expect(await world.raw()).toEqual({
        username: "orders_v2",
        password: passwordOf("v2"),
        rekey_version: "v2",
        rekey_tag: formatTag(second),
        host: "h1",
      });
    });

    it("H34: a reader during promotes sees one version's user name and password, never a mixture", async () => {
      await withFirst();
      await store.stage("v2", contents("v2"), call());
      let expected = first;
      let done = false;
      const flips = (async () => {
        for (let n = 2; n < 22; n++) {
          const next = tag(n % 2 === 0 ? "v2" : "v1", n);
          await store.promote(change(expected, next), call());
          expected = next;
        }
        done = true;
      })();
      const seen = new Set<string>();
      while (!done) {
        const { username, password } = (await world.raw()) ?? {};
        seen.add(`${username} ${password}`);
        // Gives the other side a turn also where reading needs no waiting.
        await new Promise((resolve) => setImmediate(resolve));
      }
      await flips;
      const whole = ["v1", "v2"].map((version) => `orders_${version} ${passwordOf(version)}`);
      expect([...seen].filter((pair) => !whole.includes(pair))).toEqual([]);
    });

    it("H18: our own earlier success is `already` and changes nothing", async () => {
      await withFirst();
      const before = await world.everything();
      expect(await store.promote(change(null, first), call())).toBe("already");
      const other = world.open();
      expect(await other.promote(change(null, first), call())).toBe("already");
      expect(await world.everything()).toBe(before);
      await other.close();
    });

    it("`already` is not said when somebody changed the value behind our tag", async () => {
      await withFirst();
      await world.foreignWrite({ password: "canary-foreign" });
      expect(await codeOf(store.promote(change(null, first), call()))).toBe("conflict");
    });

    it("H3: an unexpected tag is `fenced` and changes nothing", async () => {
      await withFirst();
      await store.stage("v2", contents("v2"), call());
      const before = await world.everything();
      for (const expected of [null, tag("v1", 7), tag("v1", 1, { epoch: 2 })]) {
        expect(await codeOf(store.promote(change(expected, second), call()))).toBe("fenced");
        expect(await codeOf(store.seize(change(expected, second), call()))).toBe("fenced");
      }
      expect(await world.everything()).toBe(before);
    });

    it("H8: the tag of another installation is refused by name and stays", async () => {
      await withFirst();
      const there = world.open({ installation: "elsewhere" });
      await there.stage("v2", contents("v2"), call());
      const before = await world.everything();
      const theirs = tag("v2", 2, { installation: "elsewhere" });
      expect(await codeOf(there.promote(change(null, theirs), call()))).toBe("foreign-installation");
      expect(await world.everything()).toBe(before);
      await there.close();
    });

    it("a version that was never staged is `value-missing` and changes nothing", async () => {
      await withFirst();
      const before = await world.everything();
      expect(await codeOf(store.promote(change(first, second), call()))).toBe("value-missing");
      expect(await world.everything()).toBe(before);
    });

    it("H18: another writer between read and write loses nothing when the field is theirs", async () => {
      await withFirst();
      await store.stage("v2", contents("v2"), call());
      await world.foreignWriteInBetween({ host: "h2", port: "5433" });
      expect(await store.promote(change(first, second), call())).toBe("applied");
      expect(await world.raw()).toEqual({
        ...kept("v2"),
        rekey_tag: formatTag(second),
        host: "h2",
        port: "5433",
      });
    });

    it("H18: another writer between read and write holds us when the field is ours", async () => {
      await withFirst();
      await store.stage("v2", contents("v2"), call());
      await world.foreignWriteInBetween({ password: "canary-foreign" });
      expect(await codeOf(store.promote(change(first, second), call()))).toBe("conflict");
      expect(await world.raw()).toMatchObject({ ...kept("v1"), password: "canary-foreign" });
    });

    it("H18: the same before the first rotation, when no copy of ours tells what stood there", async () => {
      await world.foreignWrite({ username: "orders", password: "canary-old" });
      await store.stage("v1", contents("v1"), call());
      await world.foreignWriteInBetween({ password: "canary-foreign" });
      expect(await codeOf(store.promote(change(null, first), call()))).toBe("conflict");
      expect(await world.raw()).toEqual({ username: "orders", password: "canary-foreign" });
    });

    it("H18: a value that somebody changed under our tag long ago holds us too", async () => {
      await withFirst();
      await store.stage("v2", contents("v2"), call());
      await world.foreignWrite({ password: "canary-foreign" });
      expect(await codeOf(store.promote(change(first, second), call()))).toBe("conflict");
      expect(await world.raw()).toMatchObject({ password: "canary-foreign", rekey_version: "v1" });
    });

    it("H8: a takeover between read and write fences the older epoch", async () => {
      await withFirst();
      await store.stage("v2", contents("v2"), call());
      const taken = formatTag(tag("v1", 3, { epoch: 2 }));
      await world.foreignWriteInBetween({ rekey_tag: taken });
      expect(await codeOf(store.promote(change(first, second), call()))).toBe("fenced");
      expect(await world.raw()).toMatchObject({ ...kept("v1"), rekey_tag: taken });
    });

    it("of two changes from the same tag exactly one is made", async () => {
      await withFirst();
      await store.stage("v2", contents("v2"), call());
      await store.stage("v3", contents("v3"), call());
      const other = world.open();
      const outcomes = await Promise.allSettled([
        store.promote(change(first, second), call()),
        other.promote(change(first, tag("v3", 3)), call()),
      ]);
      const applied = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
      expect(applied).toEqual(["applied"]);
      const winner = outcomes[0]?.status === "fulfilled" ? "v2" : "v3";
      expect(await world.raw()).toMatchObject(kept(winner));
      await other.close();
    });

    it("H3: seize replaces the tag and nothing else, and what expected the old tag changes nothing", async () => {
      await withFirst();
      await store.stage("v2", contents("v2"), call());
      const taken = tag("v1", 2, { epoch: 2 });
      expect(await store.seize(change(first, taken), call())).toBe("applied");
      expect(await store.seize(change(first, taken), call())).toBe("already");
      expect(await world.raw()).toEqual({ ...kept("v1"), rekey_tag: formatTag(taken), host: "h1" });
      expect(await codeOf(store.promote(change(first, second), call()))).toBe("fenced");
      expect(await store.promote(change(taken, tag("v2", 3, { epoch: 2 })), call())).toBe("applied");
    });

    it("H3: seize of a place without a document keeps an older epoch out of it too", async () => {
      await store.stage("v1", contents("v1"), call());
      const taken = tag("v1", 2, { epoch: 2 });
      expect(await store.seize(change(null, taken), call())).toBe("applied");
      expect(await store.live(call())).toBeNull();
      expect((await store.view(call())).liveVersion).toBeNull();
      expect(await codeOf(store.promote(change(null, first), call()))).toBe("fenced");
      expect(await store.promote(change(taken, tag("v1", 3, { epoch: 2 })), call())).toBe("applied");
    });

    it("tells the store's own version of what is live, another one after each change, and the same one until then", async () => {
      await checkStoreVersions(world, store);
    });

    it("H19: staged and held values outlive any number of writes to the live document", async () => {
      await withFirst();
      await store.stage("v2", contents("v2"), call());
      await store.promote(change(first, second), call());
      for (let n = 0; n < 15; n++) await world.foreignWrite({ host: `h${n}` });
      expect(plain(await store.staged("v1", call()))).toEqual(kept("v1"));
      expect(await store.promote(change(second, tag("v1", 3)), call())).toBe("applied");
      expect(await world.raw()).toMatchObject(kept("v1"));
    });

    it("H20: purge leaves no copy of the value anywhere, and the other version untouched", async () => {
      await withFirst();
      await store.stage("v2", contents("v2"), call());
      await store.promote(change(first, second), call());
      await world.foreignWrite({ host: "h3" });
      expect(await world.everything()).toContain("canary-v1");
      const before = await world.raw();
      await store.purge("v1", call());
      const left = await world.everything();
      expect(left).not.toContain("canary-v1");
      expect(left).not.toContain("orders_v1");
      expect(await world.raw()).toEqual(before);
      expect(plain(await store.staged("v2", call()))).toEqual(kept("v2"));
      await store.purge("v1", call());
      expect(await world.everything()).toBe(left);
      expect(await store.stagedVersions(call())).toEqual(["v2"]);
    });

    it("H3, H20: a copy that was under way when its version was purged is not kept", async () => {
      await withFirst();
      await store.stage("v2", contents("v2"), call());
      for (const version of ["v2", "never"]) {
        await store.purge(version, call());
        const left = await world.everything();
        expect(await codeOf(store.stage(version, contents(version), call()))).toBe("fenced");
        expect(await codeOf(store.restage(version, contents(version), contents(version), call()))).toBe(
          "fenced",
        );
        expect(await store.staged(version, call())).toBeNull();
        expect(await world.everything()).toBe(left);
      }
      expect(await store.stagedVersions(call())).toEqual(["v1"]);
      expect(await codeOf(store.promote(change(first, second), call()))).toBe("value-missing");
    });

    it("replaces the very copy that is named, and no other", async () => {
      const useless = await store.stage("v2", contents("useless"), call());
      await store.restage("v2", contents("v2"), contents("another"), call());
      expect(plain(await store.staged("v2", call()))).toEqual(plain(useless));
      expect(plain(await store.restage("v2", contents("v2"), useless, call()))).toEqual(kept("v2"));
      expect(plain(await store.restage("v2", contents("v3"), useless, call()))).toEqual(kept("v2"));
      expect(plain(await store.staged("v2", call()))).toEqual(kept("v2"));
    });

    it("H20: purge refuses the live version, by its id or by its value, and keeps it whole", async () => {
      await withFirst();
      const before = await world.everything();
      expect(await codeOf(store.purge("v1", call()))).toBe("refused-by-policy");
      await store.stage("adopted", contents("v1"), call());
      expect(await codeOf(store.purge("adopted", call()))).toBe("refused-by-policy");
      expect(plain(await store.live(call()))).toEqual(kept("v1"));
      expect(before).toContain("canary-v1");
    });

    it("a live value from before the first rotation can be read, held and gone back to", async () => {
      await world.foreignWrite({ username: "orders", password: "canary-old", host: "h1" });
      expect(await store.view(call())).toMatchObject({ tag: "", liveVersion: null });
      const old = await store.live(call());
      expect(plain(old)).toEqual({ username: "orders", password: "canary-old" });
      await store.stage("v0", old ?? {}, call());
      await store.stage("v1", contents("v1"), call());
      await store.promote(change(null, first), call());
      expect(await store.promote(change(first, tag("v0", 2)), call())).toBe("applied");
      expect(await world.raw()).toEqual({
        username: "orders",
        password: "canary-old",
        rekey_version: "v0",
        rekey_tag: formatTag(tag("v0", 2)),
        host: "h1",
      });
    });

    it("H18: two credentials in one document, each under its own names, do not touch each other", async () => {
      const other = world.open({
        fields: {
          username: "mq_user",
          password: "mq_pass",
          rekey_version: "mq_version",
          rekey_attest_key: "mq_attest",
          rekey_tag: "mq_tag",
        },
      });
      await withFirst();
      await other.stage("v1", contents("mq"), call());
      expect(await other.promote(change(null, tag("v1", 9)), call())).toBe("applied");
      expect(await world.raw()).toMatchObject({ ...kept("v1"), mq_user: "orders_mq", mq_version: "v1" });
      expect(plain(await other.live(call()))).toEqual({ ...kept("mq"), rekey_version: "v1" });
      expect(plain(await store.live(call()))).toEqual(kept("v1"));
      expect(plain(await store.staged("v1", call()))).toEqual(kept("v1"));
      await other.close();
    });

    it("a place that is away is `unreachable`, never absent, and as it was when it is back", async () => {
      await withFirst();
      const bringBack = await world.cutOff();
      const away = () => call(2_000);
      expect(await codeOf(store.view(away()))).toBe("unreachable");
      expect(await codeOf(store.live(away()))).toBe("unreachable");
      expect(await codeOf(store.staged("v1", away()))).toBe("unreachable");
      expect(await codeOf(store.stage("v2", contents("v2"), away()))).toBe("unreachable");
      expect(await codeOf(store.promote(change(first, second), away()))).toBe("unreachable");
      expect(await codeOf(store.purge("v9", away()))).toBe("unreachable");
      await bringBack();
      expect(plain(await store.live(call()))).toEqual(kept("v1"));
      expect(await store.stagedVersions(call())).toEqual(["v1"]);
    });

    it("a call that is over does nothing", async () => {
      await withFirst();
      await store.stage("v2", contents("v2"), call());
      const over = { signal: AbortSignal.abort() };
      expect(await codeOf(store.promote(change(first, second), over))).toBe("unreachable");
      expect(await codeOf(store.live(over))).toBe("unreachable");
      expect(await world.raw()).toMatchObject(kept("v1"));
    });
  });
}
