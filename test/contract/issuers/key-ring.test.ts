/** The codec's key ring passes the issuers' contract, on a real file that the real codec reads. */
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { KeyRingAccount } from "../../../adapters/issuers/key-ring/config.js";
import { keyRing } from "../../../adapters/issuers/key-ring.js";
import type { Issuer, OwnCodec } from "../../../adapters/ports.js";
import { formatTag } from "../../../domain/fence.js";
import { Secret } from "../../../domain/secret.js";
import { sealingCodec } from "../../../worker/codec.js";
import { fixedRing } from "../../../worker/codec-ring.js";
import { noCodec } from "../../../worker/installation.js";
import { issuerContract } from "../issuer.js";
import { depsOf } from "../stores/world.js";
import { call, changeOf, codeOf, type IssuerWorld, passwordOf, tag, usernameOf } from "./world.js";

let folder: string;
const fileIn = (name: string) => join(folder, name);
const first = (ring: string) => keyRing.grants?.({ ring }) ?? "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rekey-ring-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function issuerIn(file: string, account: Partial<KeyRingAccount> = {}, codec: OwnCodec = noCodec): Issuer {
  const config = keyRing.config.parse({ file, lockFolder: folder });
  return keyRing.create(config, { ...keyRing.account.parse({}), ...account }, depsOf({}, { codec }));
}

/** What a payload is good for to whoever has the ring only: sealed with the key, opened by the file. */
async function isReadable(file: string, key: string): Promise<boolean> {
  const payload = { metadata: { encoding: Buffer.from("json/plain") }, data: Buffer.from('"words"') };
  const [sealed] = await sealingCodec(fixedRing([new Secret(key)])).encode([payload]);
  return sealingCodec(fixedRing([new Secret(await readFile(file, "utf8"))]))
    .decode([sealed ?? {}])
    .then(
      () => true,
      () => false,
    )
    .catch(() => false);
}

async function world(): Promise<IssuerWorld> {
  const file = fileIn("ring");
  const filler = randomBytes(32).toString("base64");
  await writeFile(file, `${first("main")}${filler}\n`);
  await writeFile(fileIn("other"), `${first("elsewhere")}${filler}\n`);
  return {
    slots: ["a", "b"],
    open: () => issuerIn(file),
    openClone: async () => issuerIn(fileIn("other")),
    openUnreachable: () => issuerIn(join(folder, "nowhere", "ring")),
    connect: async (_name, key) => {
      const alive = () => isReadable(file, key);
      if (Buffer.from(key, "base64").length !== 32) return null;
      return (await alive()) ? { alive, setOwnValue: async () => {}, close: async () => {} } : null;
    },
    overwriteTag: async (slot, text) => {
      const [head = "", ...keys] = (await readFile(file, "utf8")).split("\n");
      const [mark, json = ""] = [head.slice(0, head.indexOf("{")), head.slice(head.indexOf("{"))];
      const said = JSON.parse(json);
      said.slots[slot].tag = text;
      await writeFile(file, [`${mark}${JSON.stringify(said)}`, ...keys].join("\n"));
    },
    exists: async (slot) => (await readFile(file, "utf8")).includes(`"${slot}":{`),
    dispose: async () => {},
  };
}

issuerContract("key-ring", world);

describe("a ring of codec keys", () => {
  let file: string;
  let issuer: Issuer;
  const on = tag("v1", 1);
  const off = tag("v1", 2, { state: "disabled" });
  const idOf = async (text: string) => (await fixedRing([new Secret(text)]).known()).seals;

  beforeEach(async () => {
    file = fileIn("ring");
    await writeFile(file, first("main"));
    issuer = issuerIn(file);
  });

  it("leaves keys and remarks of others as they are, and is read by the codec whole", async () => {
    const theirs = randomBytes(32).toString("base64");
    await writeFile(file, `${first("main")}# kept by the platform team\n${theirs}\n`);
    const document = issuer.generate("a");
    await issuer.enable(changeOf("a", null, on), document, call());
    const lines = (await readFile(file, "utf8")).split("\n");
    expect(lines.slice(1)).toEqual(["# kept by the platform team", theirs, passwordOf(document), ""]);
    const ring = fixedRing([new Secret(lines.join("\n"))]);
    const ids = [await idOf(theirs), await idOf(passwordOf(document))];
    expect(await ring.known()).toEqual({ opens: ids, seals: ids[0] });
    expect(usernameOf(document)).toBe(`a.${ids[1]}`);
    await issuer.disable(changeOf("a", on, off), call());
    expect((await readFile(file, "utf8")).split("\n")[2]).toBe(theirs);
    expect(await isReadable(file, passwordOf(document))).toBe(false);
  });

  it("H26: what Temporal keeps counts as use of the key, and of no other", async () => {
    const document = issuer.generate("a");
    const id = await idOf(passwordOf(document));
    const asked: unknown[] = [];
    const needing: OwnCodec["needing"] = async (...[key, memoryMs]) => {
      asked.push([key, memoryMs]);
      return key === id ? 3 : 0;
    };
    const counting = issuerIn(file, { memory: 700 }, { ...noCodec, needing });
    expect((await counting.survey(call())).sessions).toEqual([]);
    expect(asked).toEqual([]);
    await counting.enable(changeOf("a", null, on), document, call());
    await counting.enable(changeOf("b", null, tag("v2", 2)), issuer.generate("b"), call());
    const { sessions } = await counting.survey(call());
    expect(sessions).toMatchObject([{ slot: "a", application: "histories", count: 3 }]);
    expect(asked).toContainEqual([id, 700]);
  });

  it("the key that is there before the first rotation counts as one of its slots", async () => {
    const key = randomBytes(32).toString("base64");
    await writeFile(file, `${first("main")}${key}\n`);
    const keyId = await idOf(key);
    const adopting = issuerIn(file, { existing: { slot: "a", keyId } });
    const document = { username: new Secret(keyId), password: new Secret(key) };
    expect(adopting.slotOf(document)).toBe("a");
    const [slot] = (await adopting.survey(call())).slots;
    expect(slot).toEqual({ slot: "a", tag: "", enabled: true, publicName: keyId });
    expect((await adopting.prove("a", document, call())).map(({ ok }) => ok)).toEqual([true]);
    const seized = tag("v0", 1);
    await adopting.seize(changeOf("a", null, seized), call());
    expect((await adopting.survey(call())).slots[0]).toMatchObject({ tag: formatTag(seized), enabled: true });
    await adopting.disable(changeOf("a", seized, off), call());
    expect((await readFile(file, "utf8")).split("\n")).toHaveLength(2);
  });

  it("a document whose key is not the one that it names is taken nowhere, and shown nowhere", async () => {
    const [one, two] = [issuer.generate("a"), issuer.generate("a")];
    const mixed = { ...one, password: two.password ?? new Secret("") };
    expect(await codeOf(issuer.enable(changeOf("a", null, on), mixed, call()), passwordOf(two))).toBe(
      "bad-input",
    );
    await writeFile(file, `${first("main")}not-a-key\n`);
    expect(await codeOf(issuer.survey(call()), "not-a-key")).toBe("unsupported");
  });
});
