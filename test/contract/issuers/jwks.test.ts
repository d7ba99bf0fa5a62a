/** Published key sets pass the issuers' contract with each algorithm, on a file and a web server of its own process. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Issuer } from "../../../adapters/ports.js";
import { formatTag } from "../../../domain/fence.js";
import { Secret } from "../../../domain/secret.js";
import { issuerContract } from "../issuer.js";
import { contractWorld, firstDocument, issuerIn, type JwksWorld, jwksWorld } from "./jwks-world.js";
import { call, changeOf, codeOf, passwordOf, tag } from "./world.js";

let world: JwksWorld;

beforeAll(async () => {
  world = await jwksWorld();
});
afterAll(() => world.close());

issuerContract("jwks with ES256", () => contractWorld(world, "ES256"));
issuerContract("jwks with EdDSA", () => contractWorld(world, "EdDSA"));

describe("a published key set", () => {
  let issuer: Issuer;
  const first = tag("v1", 1);
  const off = tag("v1", 2, { state: "disabled" });
  const read = async () => JSON.parse(await readFile(world.file, "utf8"));

  beforeEach(async () => {
    await writeFile(world.file, firstDocument());
    issuer = issuerIn(world);
  });

  it("holds RSA keys, and private keys in PEM", async () => {
    const pem = issuerIn(world, { account: { algorithm: "RS256", format: "pem" } });
    const document = pem.generate("a");
    expect(passwordOf(document)).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    await pem.enable(changeOf("a", null, first), document, call());
    expect((await pem.prove("a", document, call())).map(({ ok }) => ok)).toEqual([true, true]);
    expect(
      await codeOf(issuer.enable(changeOf("b", null, first), document, call()), passwordOf(document)),
    ).toBe("bad-input");
  });

  it("shows no private part, and leaves keys and fields of others as they are", async () => {
    const theirs = { kty: "oct", kid: "theirs", note: "not ours" };
    const before = { ...JSON.parse(firstDocument()), keys: [theirs], contact: "platform" };
    await writeFile(world.file, JSON.stringify(before));
    const document = issuer.generate("a");
    await issuer.enable(changeOf("a", null, first), document, call());
    const set = await read();
    expect(set).toMatchObject({ contact: "platform", keys: [theirs, { kid: document.username?.reveal() }] });
    const { d } = JSON.parse(passwordOf(document));
    expect(JSON.stringify(set)).not.toContain(d);
    expect(Object.keys(set.keys[1]).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x", "y"]);
    await issuer.disable(changeOf("a", first, off), call());
    expect(await read()).toMatchObject({ keys: [theirs] });
  });

  it("H28: a key is proved where verifiers fetch it, and not by what is in the file", async () => {
    const document = issuer.generate("a");
    await fetch(`${world.web.ready.url}/freeze`, { method: "PUT" });
    await issuer.enable(changeOf("a", null, first), document, call());
    expect((await issuer.prove("a", document, call())).map(({ ok }) => ok)).toEqual([true, false]);
    await fetch(`${world.web.ready.url}/freeze`, { method: "DELETE" });
    expect((await issuer.prove("a", document, call())).map(({ ok }) => ok)).toEqual([true, true]);
  });

  it("H16: a key is withdrawn when no address gives it out any more, and the same attempt goes on", async () => {
    const document = issuer.generate("a");
    await issuer.enable(changeOf("a", null, first), document, call());
    await fetch(`${world.web.ready.url}/freeze`, { method: "PUT" });
    expect(await codeOf(issuer.disable(changeOf("a", first, off), call()))).toBe("unreachable");
    const [file, address] = await issuer.proveRefused("a", document, call());
    expect([file?.ok, address?.ok]).toEqual([true, false]);
    await fetch(`${world.web.ready.url}/freeze`, { method: "DELETE" });
    expect(await issuer.disable(changeOf("a", first, off), call())).toBe("already");
    expect((await issuer.proveRefused("a", document, call())).every(({ ok }) => ok)).toBe(true);
  });

  it("H27: its name is known after it was withdrawn, and until it is forgotten", async () => {
    const document = issuer.generate("a");
    const kid = document.username?.reveal();
    await issuer.enable(changeOf("a", null, first), document, call());
    await issuer.disable(changeOf("a", first, off), call());
    expect((await issuer.survey(call())).slots[0]).toMatchObject({ enabled: false, publicName: kid });
    await issuer.destroy(changeOf("a", off, tag("v1", 3, { state: "destroyed" })), call());
    expect((await issuer.survey(call())).slots[0]).not.toHaveProperty("publicName");
  });

  it("the key that is there before the first rotation counts as one of its slots", async () => {
    const old = issuer.generate("a");
    await issuer.enable(changeOf("a", null, first), old, call());
    const set = await read();
    set.keys[0].kid = "2019-key";
    await writeFile(world.file, JSON.stringify({ ...set, rekey: { ...set.rekey, slots: {} } }));
    const adopting = issuerIn(world, { account: { existing: { slot: "a", kid: "2019-key" } } });
    const document = { ...old, username: new Secret("2019-key") };
    expect(adopting.slotOf(document)).toBe("a");
    const [slot] = (await adopting.survey(call())).slots;
    expect(slot).toEqual({ slot: "a", tag: "", enabled: true, publicName: "2019-key" });
    expect((await adopting.prove("a", document, call())).every(({ ok }) => ok)).toBe(true);
    const seized = tag("v0", 1);
    await adopting.seize(changeOf("a", null, seized), call());
    expect((await adopting.survey(call())).slots[0]).toMatchObject({ tag: formatTag(seized), enabled: true });
    await adopting.disable(changeOf("a", seized, off), call());
    expect((await read()).keys).toEqual([]);
  });

  it("what would go wrong is named beforehand", async () => {
    const codes = async (of: Issuer) => (await of.preflight(call())).map(({ code }) => code);
    expect(await codes(issuer)).toEqual([]);
    expect(await codes(issuerIn(world, { path: "/nothing/here" }))).toEqual([]);
    await issuer.enable(changeOf("a", null, first), issuer.generate("a"), call());
    await fetch(`${world.web.ready.url}/freeze`, { method: "PUT" });
    await issuer.enable(changeOf("b", null, tag("v2", 2)), issuer.generate("b"), call());
    expect(await codes(issuer)).toEqual(["not-served"]);
    await fetch(`${world.web.ready.url}/freeze`, { method: "DELETE" });
    await writeFile(world.file, "{}");
    expect(await codeOf(issuer.preflight(call()))).toBe("unsupported");
  });

  it("H3: of several that change it at once one goes through, and the file is never torn", async () => {
    const path = join(world.folder, "jwks.json");
    const rivals = [1, 2, 3, 4].map((number) => {
      const other = issuerIn(world);
      return other.enable(changeOf("a", null, tag(`v${number}`, number)), other.generate("a"), call());
    });
    const ended = await Promise.allSettled(rivals);
    expect(ended.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const set = JSON.parse(await readFile(path, "utf8"));
    expect(set.keys).toHaveLength(1);
    expect(set.keys[0].kid).toBe(set.rekey.slots.a.kid);
  });
});
