/**
 * What goes over the wire between the engine and a described provider, and what does not: listings to their end, the
 * credential to one host only, waiting where the provider asks for it, and no word of the provider in any error.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Issuer, SecretDocument } from "../../../adapters/ports.js";
import { formatTag } from "../../../domain/fence.js";
import { Secret } from "../../../domain/secret.js";
import type { ProviderFaults } from "./http-provider.js";
import {
  accountWith,
  contractWorld,
  type HttpWorld,
  httpWorld,
  type IssuerOptions,
  issuerAt,
  registerIn,
  type Shape,
  unused,
} from "./http-world.js";
import { call, changeOf, codeOf, passwordOf, tag } from "./world.js";

let provider: HttpWorld;
let elsewhere: Server;
/** What reached the other host. */
const taken: string[] = [];

beforeAll(async () => {
  elsewhere = createServer((request, response) => {
    taken.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.end(JSON.stringify({ data: [], id: "acct-1" }));
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  provider = await httpWorld(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`);
});
afterAll(async () => {
  elsewhere.close();
  await provider.close();
});

const first = tag("v1", 1);
let world: Awaited<ReturnType<typeof contractWorld>>;

const open = async (shape: Shape = "label", options?: IssuerOptions): Promise<Issuer> => {
  world = await contractWorld(provider, shape);
  return world.open(options);
};
const minting = (issuer: Issuer, keep: SecretDocument[] = []) =>
  issuer.mint?.(changeOf("key-1", null, first), async (made) => void keep.push(made), call()) ??
  Promise.reject(new Error("it makes no values"));

/** The codes that reading and making end with under these faults. */
async function underFaults(faults: ProviderFaults, options?: IssuerOptions): Promise<string> {
  const issuer = await open("label", options);
  await provider.faults(faults);
  return codeOf(issuer.survey(call()), "canary");
}

describe("a listing", () => {
  it.each(["cursor", "link", "page"] as const)("by %s is read to its end", async (paging) => {
    const shape = paging === "cursor" ? "label" : paging === "link" ? "register" : "pair";
    const keys = [...Array.from({ length: 9 }, (_, i) => unused(`theirs-${i + 3}`)), unused("key-1")];
    const token = await provider.put(accountWith(keys, { paging }));
    await provider.faults({});
    const { folder } = await contractWorld(provider, shape);
    const slots = shape === "register" ? ["main"] : ["key-1"];
    const account = shape === "register" ? { existing: "key-1" } : { spare: [] };
    const issuer = issuerAt(provider, shape, token, folder, slots, { account });
    const before = (await provider.seen()).requests.length;
    expect((await issuer.preflight(call())).map(({ code }) => code)).toEqual([]);
    const pages = (await provider.seen()).requests.slice(before).filter((one) => one.includes("/v1/keys"));
    // Six pages of two keys; by number, the empty one behind them too.
    expect(pages).toHaveLength(paging === "page" ? 7 : 6);
  });

  it("that is longer than it may be is an error, and not the whole of what there is", async () => {
    expect(await underFaults({}, { config: { pagesMax: 1 } })).toBe("unsupported");
  });

  it.each([
    ["endless", "unsupported"],
    ["words", "unsupported"],
    ["huge", "unreachable"],
  ] as const)("that is %s is an error", async (listing, code) => {
    expect(await underFaults({ listing })).toBe(code);
  });
});

describe("the engine's credential", () => {
  beforeEach(() => {
    taken.length = 0;
  });

  it("goes to no other host, by a redirect or by the address of a next page", async () => {
    expect(await underFaults({ listing: "redirect" })).toBe("unsupported");
    const issuer = await open("register");
    await provider.faults({ listing: "elsewhere" });
    expect(await codeOf(issuer.survey(call()))).toBe("unsupported");
    expect(taken).toEqual([]);
    // The other host is there, and would have been asked.
    const other = (elsewhere.address() as AddressInfo).port;
    const there = issuerAt({ url: `http://127.0.0.1:${other}` }, "register", "x", world.folder, ["main"]);
    await there.survey(call());
    expect(taken.length).toBeGreaterThan(0);
  });

  it("that is refused is said to be, with nothing of the answer", async () => {
    const issuer = issuerAt(provider, "label", "canary-nobody", "/", ["key-1"]);
    expect(await codeOf(issuer.survey(call()), "canary")).toBe("not-permitted");
    const findings = await issuer.preflight(call());
    expect(findings.map(({ code, severity }) => [code, severity])).toEqual([["not-permitted", "refuse"]]);
    expect(inspect(findings)).not.toContain("canary");
  });

  it("is read anew for each operation, so that it can be rotated itself", async () => {
    let current = "nobody";
    await open();
    const { token, folder } = world;
    const asked: string[] = [];
    const resolve = async (reference: string) => {
      asked.push(reference);
      return new Secret(current);
    };
    const issuer = issuerAt(provider, "label", token, folder, ["key-1"], { deps: { resolve } });
    expect(await codeOf(issuer.survey(call()))).toBe("not-permitted");
    current = token;
    expect((await issuer.survey(call())).identity).toContain("acct-1");
    expect(asked).toEqual(["env:ADMIN", "env:ADMIN"]);
  });
});

describe("a provider that has had too many requests", () => {
  it.each([["0"], [undefined], [new Date(Date.now() - 60_000).toUTCString()]])(
    "is asked again after the time that it says (%s), for a change too, which is made once",
    async (retryAfter) => {
      const issuer = await open();
      const kept: SecretDocument[] = [];
      await provider.faults({ tooMany: 1, ...(retryAfter === undefined ? {} : { retryAfter }) });
      expect((await issuer.survey(call())).slots).toHaveLength(1);
      await provider.faults({ tooMany: 1, at: "/roll", retryAfter: "0" });
      expect(await minting(issuer, kept)).toBe("applied");
      expect(kept).toHaveLength(1);
      const [key] = (await provider.account(world.token)).keys.filter(({ id }) => id === "key-1");
      expect(key?.rolls).toBe(1);
    },
  );

  it("is left alone where it asks for longer than a step lasts, at once", async () => {
    const issuer = await open();
    await provider.faults({ tooMany: 1_000, retryAfter: "3600" });
    const before = (await provider.seen()).requests.length;
    await expect(issuer.survey(call())).rejects.toThrow("asks to be left alone for longer than a step lasts");
    expect((await provider.seen()).requests.length - before).toBeLessThanOrEqual(2);
  });
});

describe("a change", () => {
  it.each([
    [500, "unknown-outcome"],
    [503, "unknown-outcome"],
    [409, "conflict"],
    [422, "unsupported"],
    [403, "not-permitted"],
  ])("that is answered with %i is %s, and no word of the provider is repeated", async (refuse, code) => {
    const issuer = await open();
    await provider.faults({ refuse });
    expect(await codeOf(minting(issuer), "canary")).toBe(code);
  });

  it("H3: is not sent on a look that is old: the process was stopped, and somebody has taken over", async () => {
    let [nowMs, calls] = [0, 0];
    const now = () => {
      calls += 1;
      if (calls === 2) {
        // Asked right before the value would be made: an hour has passed, and another epoch's tag stands there.
        nowMs += 3_600_000;
        const [name = ""] = readdirSync(world.folder).filter((each) => each.endsWith(".json"));
        const path = join(world.folder, name);
        const content = JSON.parse(readFileSync(path, "utf8"));
        const taken = formatTag(tag("v1", 9, { epoch: 2 }));
        writeFileSync(path, JSON.stringify({ ...content, tag: taken }));
      }
      return nowMs;
    };
    const issuer = await open("pair", { deps: { now } });
    const kept: SecretDocument[] = [];
    expect(await codeOf(minting(issuer, kept))).toBe("fenced");
    expect(kept).toEqual([]);
    const [key] = (await provider.account(world.token)).keys.filter(({ id }) => id === "key-1");
    expect(key?.rolls).toBe(0);
  });

  it("whose label does not hold a whole tag is not taken for done", async () => {
    const issuer = await open();
    await provider.change(world.token, (account) => Object.assign(account, { nameMax: 64 }));
    const kept: SecretDocument[] = [];
    expect(await codeOf(minting(issuer, kept))).toBe("unknown-outcome");
    expect(kept).toEqual([]);
  });

  it("takes the place of a text that somebody wrote, which is said before", async () => {
    const issuer = await open();
    await world.overwriteTag("key-1", "canary-mail of the shop");
    const [finding] = await issuer.preflight(call());
    expect(finding).toMatchObject({ code: "label-in-use", severity: "warn", subject: "key-1" });
    expect((await issuer.survey(call())).slots[0]?.tag).toBe("");
    expect(inspect([finding, await issuer.survey(call())])).not.toContain("canary");
    expect(await minting(issuer)).toBe("applied");
    expect((await issuer.survey(call())).slots[0]?.tag).toBe(formatTag(first));
  });
});

it("H33: a value is in no address, no label and no register, and not in what the provider prints", async () => {
  for (const shape of ["label", "register", "pair"] as const) {
    const issuer = await open(shape);
    const [slot = ""] = world.slots;
    const kept: SecretDocument[] = [];
    await issuer.mint?.(changeOf(slot, null, first), async (made) => void kept.push(made), call());
    const [document] = kept;
    if (document === undefined) throw new Error("nothing was made");
    await issuer.prove(slot, document, call());
    await issuer.proveRefused(slot, document, call());
    const everything = inspect(
      [
        await provider.seen(),
        await provider.account(world.token),
        provider.output(),
        await registerIn(world.folder),
        document,
      ],
      { depth: 9, maxArrayLength: null, maxStringLength: null },
    );
    expect(everything).not.toContain(passwordOf(document));
    expect(everything).not.toContain(encodeURIComponent(passwordOf(document)));
  }
});

it("H9: every address that accepts a value is asked, and one that lets it in as another does not count", async () => {
  const issuer = await open("label", {
    config: {
      test: {
        path: "/v1/me",
        who: "/key_id",
        at: [provider.url, provider.url.replace("127.0.0.1", "localhost")],
      },
    },
  });
  const kept: SecretDocument[] = [];
  await minting(issuer, kept);
  const [document] = kept;
  if (document === undefined) throw new Error("nothing was made");
  const proofs = await issuer.prove("key-1", document, call());
  expect(proofs.map(({ ok }) => ok)).toEqual([true, true]);
  expect(new Set(proofs.map(({ node }) => node)).size).toBe(2);
  expect((await issuer.survey(call())).nodes).toHaveLength(2);
  const other = await world.open({ config: { test: { path: "/v1/me", who: "/account" } } });
  expect(await other.prove("key-1", document, call())).toMatchObject([
    { ok: false, sentence: "let it in, and not as key-1" },
  ]);
  expect((await other.proveRefused("key-1", document, call()))[0]?.ok).toBe(false);
});

it.each<[string, Record<string, unknown>]>([
  ["a password, forms", { auth: { type: "basic", user: "engine", password: "env:ADMIN" } }],
  ["a header of the provider's own", { auth: { type: "header", name: "X-Admin", value: "env:ADMIN" } }],
  ["a value as a password", { test: { path: "/v1/me", who: "/key_id", present: "basic" } }],
  [
    "a value in a body",
    { test: { method: "POST", path: "/v1/me", who: "/key_id", present: "body", body: { key: "{value}" } } },
  ],
  ["a value in a header", { test: { path: "/v1/me", who: "/key_id", present: { header: "X-Api-Key" } } }],
])("by %s the same is done", async (_what, config) => {
  const set = { method: "PATCH", path: "/v1/keys/{key}", form: { name: "{tag}" } };
  const issuer = await open("label", { config: { ...config, fence: { in: "label", set } } });
  const kept: SecretDocument[] = [];
  expect(await minting(issuer, kept)).toBe("applied");
  expect((await issuer.survey(call())).slots).toEqual([
    { slot: "key-1", tag: formatTag(first), enabled: true },
  ]);
  const [document] = kept;
  if (document === undefined) throw new Error("nothing was made");
  expect((await issuer.prove("key-1", document, call())).map(({ ok }) => ok)).toEqual([true]);
  const other = { ...document, password: new Secret("of-nobody") };
  expect((await issuer.proveRefused("key-1", other, call())).map(({ ok }) => ok)).toEqual([true]);
});

it("H3: a change that is sent again bears the same mark, another change another, and the same mint makes one value", async () => {
  const issuer = await open();
  const kept: SecretDocument[] = [];
  const marks = async () => (await provider.seen()).nonces.filter((nonce) => nonce !== "");
  const before = (await marks()).length;
  await provider.faults({ at: "/roll", tooMany: 1, retryAfter: "0" });
  expect(await minting(issuer, kept)).toBe("applied");
  expect(await minting(issuer, kept)).toBe("already");
  expect(kept).toHaveLength(1);
  await issuer.mint?.(changeOf("key-1", first, tag("v2", 2)), async () => undefined, call());
  const own = (await marks()).slice(before);
  expect(own).toHaveLength(3);
  expect(own[0]).toBe(own[1]);
  expect(own[2]).not.toBe(own[0]);
});
