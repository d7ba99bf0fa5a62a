/** References are looked up anew, say what is missing, and never repeat what was found. */
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { secretResolver } from "../../../adapters/shared/secret-resolver.js";
import { vaultReader } from "../../../adapters/stores/vault/reader.js";
import { vault } from "../../../adapters/stores/vault.js";
import { vaultMakers } from "../../setup/servers.js";
import { vaultWorld } from "./vault-world.js";
import { call, codeOf, depsOf, expectNoCanary } from "./world.js";

describe("secretResolver", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "rekey-resolver-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const resolver = (env: Record<string, string> = {}) => secretResolver({ env, now: () => Date.now() });

  it("reads a variable, anew each time", async () => {
    const env: Record<string, string> = { TOKEN: "canary-1" };
    const resolve = resolver(env);
    expect((await resolve("env:TOKEN", call())).reveal()).toBe("canary-1");
    env.TOKEN = "canary-2";
    expect((await resolve("env:TOKEN", call())).reveal()).toBe("canary-2");
  });

  it("reads a file without its last line break, anew each time, also when it was replaced", async () => {
    const path = join(folder, "plain");
    await writeFile(path, "canary-1 \n");
    const resolve = resolver();
    expect((await resolve(`file:${path}`, call())).reveal()).toBe("canary-1 ");
    await writeFile(`${path}.new`, "canary-2\nsecond line\r\n");
    await rename(`${path}.new`, path);
    expect((await resolve(`file:${path}`, call())).reveal()).toBe("canary-2\nsecond line");
  });

  it("reads one field of a JSON file", async () => {
    const path = join(folder, "json");
    await writeFile(path, JSON.stringify({ "db.password": "canary-1", n: 1, empty: "" }));
    const resolve = resolver();
    expect((await resolve(`file:${path}#db.password`, call())).reveal()).toBe("canary-1");
    for (const key of ["n", "empty", "absent", "toString", "__proto__"]) {
      expect(await codeOf(resolve(`file:${path}#${key}`, call()))).toBe("missing-setup");
    }
  });

  it("I6: a broken document, a missing one and a wrong reference are errors without a value", async () => {
    const path = join(folder, "broken");
    await writeFile(path, "canary-1 is no JSON");
    const resolve = resolver({ EMPTY: "" });
    for (const reference of [
      `file:${path}#key`,
      `file:${folder}/none`,
      `file:${folder}`,
      "env:EMPTY",
      "env:NONE",
    ]) {
      expect(await codeOf(resolve(reference, call()))).toBe("missing-setup");
    }
    for (const literal of ["canary-literal", "env:canary- x", "file:relative-canary-", "vault:canary-", ""]) {
      expect(await codeOf(resolve(literal, call()))).toBe("bad-input");
    }
    expect(await codeOf(resolve("vault:a/b#c", call()))).toBe("missing-setup");
  });

  it("whoever only hears the sentence learns where a variable is set", async () => {
    await expect(resolver()("env:NONE", call())).rejects.toMatchObject({
      message: "The environment variable NONE is not set.",
      hint: expect.stringMatching(/every worker, or this command; start that again\.$/),
    });
  });

  it("may keep a value for a moment, never longer than five seconds", async () => {
    let now = 0;
    const env: Record<string, string> = { TOKEN: "one" };
    const resolve = secretResolver({ env, now: () => now, cacheMs: 60_000 });
    (await resolve("env:TOKEN", call())).clear();
    env.TOKEN = "two";
    now = 4_999;
    expect((await resolve("env:TOKEN", call())).reveal()).toBe("one");
    now = 5_000;
    expect((await resolve("env:TOKEN", call())).reveal()).toBe("two");
  });

  it("ends with the call when a source hangs", async () => {
    const resolve = secretResolver({ env: {}, now: () => 0, vault: () => new Promise(() => {}) });
    expect(await codeOf(resolve("vault:a#b", call(30)))).toBe("unreachable");
  });

  it.each(vaultMakers)(
    "reads one field from a real %s, anew each time, and tells absent from unreachable",
    async (maker) => {
      const world = await vaultWorld(maker);
      const config = vault.config.parse({
        address: world.gate.address,
        auth: { method: "token", token: "env:VAULT" },
      });
      const read = vaultReader(config as never, depsOf({ "env:VAULT": world.engineToken }));
      const resolve = secretResolver({ env: {}, now: () => Date.now(), vault: read });
      await world.foreignWrite({ key: "canary-1" });
      expect((await resolve(`vault:${world.path}#key`, call())).reveal()).toBe("canary-1");
      await world.foreignWrite({ key: "canary-2" });
      expect((await resolve(`vault:${world.path}#key`, call())).reveal()).toBe("canary-2");
      expect(await codeOf(resolve(`vault:${world.path}#none`, call()))).toBe("missing-setup");
      await world.gate.shut();
      expect(await codeOf(resolve(`vault:${world.path}#key`, call(1_000)))).toBe("unreachable");
      expectNoCanary(`vault:${world.path}#key`);
      await world.dispose();
    },
  );
});
