/** The parts of the kind that describes providers, on their own: pointers, filling in, addresses, and what no description may say. */
import { describe, expect, it } from "vitest";
import { isPermitted, type Network, pinned } from "../../../adapters/issuers/http/address.js";
import { labelOf, readLabel } from "../../../adapters/issuers/http/fence.js";
import { at, isPointer } from "../../../adapters/issuers/http/pointer.js";
import { filled, filledBody, filledPath } from "../../../adapters/issuers/http/template.js";
import { kinds } from "../../../adapters/registry.js";
import { exchange } from "../../../adapters/shared/http.js";
import { parseEstate } from "../../../domain/estate/parse.js";
import { formatTag } from "../../../domain/fence.js";
import { described } from "./http-world.js";
import { call, codeOf, tag } from "./world.js";

describe("a JSON pointer", () => {
  // The document of RFC 6901, section 5.
  const document = {
    foo: ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
  };

  it.each([
    ["", document],
    ["/foo", ["bar", "baz"]],
    ["/foo/0", "bar"],
    ["/", 0],
    ["/a~1b", 1],
    ["/c%d", 2],
    ["/e^f", 3],
    ["/g|h", 4],
    ["/i\\j", 5],
    ['/k"l', 6],
    ["/ ", 7],
    ["/m~0n", 8],
    ["/foo/2", undefined],
    ["/foo/00", undefined],
    ["/foo/-", undefined],
    ["/foo/length", undefined],
    ["/constructor", undefined],
    ["/nothing/there", undefined],
  ])("%s", (pointer, value) => {
    expect(isPointer(pointer)).toBe(true);
    expect(at(document, pointer)).toEqual(value);
  });

  it("is nothing else", () => {
    expect(["foo", "/a~2", "/~", "#/foo"].filter(isPointer)).toEqual([]);
    expect(at(null, "/a")).toBeUndefined();
  });
});

describe("filling in", () => {
  it("keeps a path's parts apart, whatever is filled in", () => {
    expect(filledPath("/v1/keys/{key}/roll?by={key}", { key: "a/../b?c=d#e" })).toBe(
      "/v1/keys/a%2F..%2Fb%3Fc%3Dd%23e/roll?by=a%2F..%2Fb%3Fc%3Dd%23e",
    );
    expect(filledPath("/v1/keys/{key}", { key: ".." })).toBe("/v1/keys/%2E%2E");
  });

  it("fills in once, everywhere in a body, and nothing that it does not know", () => {
    expect(filled("{key} {tag} {key}", { key: "{tag}", tag: "t" })).toBe("{tag} t {tag}");
    expect(filledBody({ a: ["{key}", 1, { b: "x{key}" }], c: "{other}" }, { key: "k" })).toEqual({
      a: ["k", 1, { b: "xk" }],
      c: "{other}",
    });
  });
});

it("a label says the tag and whether it was done, and any other text says nothing", () => {
  const text = formatTag(tag("v1", 1));
  for (const done of [true, false])
    expect(readLabel(labelOf({ tag: text, done }))).toEqual({ tag: text, done });
  for (const other of ["", "mail of the shop", " pending", `${text} and more`])
    expect(readLabel(other)).toEqual({ tag: "", done: true });
});

describe("an address", () => {
  const allowed = (address: string): Network[] =>
    (["public", "private", "loopback"] as const).filter((network) => isPermitted(address, network));

  it.each([
    ["93.184.216.34", ["public", "private"]],
    ["2606:2800:220:1::1", ["public", "private"]],
    ["10.1.2.3", ["private"]],
    ["172.31.0.1", ["private"]],
    ["192.168.7.7", ["private"]],
    ["100.64.0.9", ["private"]],
    ["fd12:3456::1", ["private"]],
    ["127.0.0.1", ["loopback"]],
    ["127.8.8.8", ["loopback"]],
    ["::1", ["loopback"]],
    ["::ffff:127.0.0.1", ["loopback"]],
    ["::ffff:10.0.0.1", ["private"]],
    // Never: the machine's own credentials, link-local, none, many, and IPv4 in a coat.
    ["169.254.169.254", []],
    ["::ffff:169.254.169.254", []],
    ["fd00:ec2::254", []],
    ["100.100.100.200", []],
    ["168.63.129.16", []],
    ["fe80::1", []],
    ["0.0.0.0", []],
    ["::", []],
    ["224.0.0.1", []],
    ["255.255.255.255", []],
    ["64:ff9b::a9fe:a9fe", []],
    ["2002:a9fe:a9fe::1", []],
    ["not-an-address", []],
  ])("%s may be in %j", (address, networks) => {
    expect(allowed(address)).toEqual(networks);
  });

  const answers =
    (...addresses: string[]) =>
    async () =>
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

  it("is refused where one of several is not allowed, and where the name leads nowhere", async () => {
    expect(
      await codeOf(pinned("api.example.com", "public", call(), answers("93.184.216.34", "169.254.169.254"))),
    ).toBe("unsupported");
    expect(await codeOf(pinned("api.example.com", "public", call(), answers()))).toBe("unreachable");
    const fails = () => Promise.reject(new Error("canary"));
    expect(await codeOf(pinned("api.example.com", "public", call(), fails), "canary")).toBe("unreachable");
    expect(await codeOf(pinned("[::1]", "public", call()))).toBe("unsupported");
    expect(await codeOf(pinned("localhost", "private", call()))).toBe("unsupported");
  });

  it("is looked at once: a name that answers differently the second time leads to where it was looked at", async () => {
    const { createServer } = await import("node:http");
    const server = createServer((_request, response) => response.end("here"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    let asked = 0;
    const rebinding = async () => {
      asked += 1;
      return [{ address: asked === 1 ? "127.0.0.1" : "169.254.169.254", family: 4 }];
    };
    const lookup = await pinned("rebind.example.com", "loopback", call(), rebinding);
    const url = new URL(`http://rebind.example.com:${port}/`);
    const ask = () =>
      exchange({ name: "it", url, method: "GET", lookup, answerBytesMax: 100 }, call()).then(
        ({ text }) => text,
      );
    expect([await ask(), await ask()]).toEqual(["here", "here"]);
    expect(asked).toBe(1);
    server.close();
  });
});

describe("a description", () => {
  const sound = described("https://api.example.com", "label", "/var/lib/rekey");
  const another = described("https://api.example.com", "register", "/var/lib/rekey");

  /** What is wrong with an estate that has this description, as people read it. */
  function complaints(issuer: Record<string, unknown>): string[] {
    const estate = { version: 1, installation: "shop", issuers: { mail: { kind: "http", ...issuer } } };
    const parsed = parseEstate({ ...estate }, kinds);
    return parsed.ok
      ? []
      : parsed.issues.map(
          ({ path, expected, message }) => `${path.slice(2).join(".")}: ${expected ?? message}`,
        );
  }
  const public_ = { network: "public" };

  it("that is sound has nothing to complain about", () => {
    expect(complaints({ ...sound, ...public_ })).toEqual([]);
    expect(complaints({ ...another, ...public_ })).toEqual([]);
  });

  const mint = sound.mint as Record<string, unknown>;
  const keys = sound.keys as Record<string, unknown>;
  const tested = sound.test as Record<string, unknown>;
  const fence = sound.fence as { set: Record<string, unknown> };

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["an address without TLS", { address: "http://api.example.com" }, /^address: an https address$/],
    [
      "an address with a user in it",
      { address: "https://x@api.example.com" },
      /^address: an address without user, query or fragment$/,
    ],
    [
      "another address without TLS",
      { test: { ...tested, at: ["http://b.example.com"] } },
      /^test.at.0: an https/,
    ],
    [
      "the value in an address",
      { test: { ...tested, path: "/v1/me?key={value}" } },
      /^test.path: a path without \{value\}: addresses stand in logs; see `present`$/,
    ],
    [
      "the value where it is made",
      { mint: { ...mint, body: { old: "{value}" } } },
      /^mint: no \{value\} here; the value is only shown in `test`/,
    ],
    [
      "a place to fill in that there is not",
      { mint: { ...mint, path: "/v1/keys/{id}/roll" } },
      /^mint: places to fill in that there are: \{key\}/,
    ],
    [
      "a path that leads elsewhere",
      { identity: { path: "//evil.example.com/", pointer: "/id" } },
      /^identity.path: a path/,
    ],
    ["a path that climbs", { identity: { path: "/v1/../admin", pointer: "/id" } }, /^identity.path: a path/],
    ["a pointer that is none", { keys: { ...keys, id: "id" } }, /^keys.id: a JSON pointer \(RFC 6901\)/],
    [
      "a token instead of a reference",
      { auth: { type: "bearer", token: "letmein" } },
      /^auth.token: a reference/,
    ],
    [
      "a header that opens the door",
      { mint: { ...mint, headers: { Authorization: "Bearer x" } } },
      /^mint.headers.Authorization: another header than this one/,
    ],
    [
      "a header of two lines",
      { mint: { ...mint, headers: { "x-note": "a\r\nhost: b" } } },
      /^mint.headers.x-note: one line of plain text$/,
    ],
    ["body and form", { mint: { ...mint, body: {}, form: {} } }, /^mint.form: `body` or `form`, not both$/],
    [
      "a label that stands nowhere",
      { keys: { ...keys, label: undefined } },
      /^keys.label: where the label stands/,
    ],
    [
      "a label without a tag",
      { fence: { in: "label", set: { ...fence.set, body: { name: "rekey" } } } },
      /^fence.set: a request with \{tag\} in it$/,
    ],
    [
      "a status that means both",
      { test: { ...tested, refused: [200] } },
      /^test.refused: statuses that mean nothing else/,
    ],
    [
      "a body without the value",
      { test: { ...tested, present: "body" } },
      /^test.body: a body with \{value\} in it/,
    ],
    ["switching on without off", { disable: undefined }, /^disable: the request that switches a key off/],
    ["code", { script: "return 1" }, /^script: /],
  ])("with %s is refused, with what to write instead", (_what, change, expected) => {
    const found = complaints({ ...sound, ...public_, ...change });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["that makes keys and removes none", { delete: undefined }, /^delete: the request that removes a key/],
    [
      "that makes keys without ids",
      { mint: { ...(another.mint as object), id: undefined } },
      /^mint.id: where the new key's id stands/,
    ],
    [
      "whose label goes with its key",
      { fence: sound.fence },
      /^fence.in: `register`, because a label goes with its key$/,
    ],
  ])("%s is refused", (_what, change, expected) => {
    expect(complaints({ ...another, ...public_, ...change })).toEqual([expect.stringMatching(expected)]);
  });

  it("without TLS is for this machine only, and said to be", () => {
    expect(complaints({ ...sound, address: "http://127.0.0.1:9", network: "loopback" })).toEqual([]);
  });
});
