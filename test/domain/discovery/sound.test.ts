/** What can be kept of what a source says: one record that cannot be is told, and holds up no other. */
import { describe, expect, it } from "vitest";
import type { Claim, Copy, Listed, ScanPart, Thing } from "../../../domain/discovery/said.js";
import { soundPart } from "../../../domain/discovery/sound.js";

const seen = { first: 1_000, last: 2_000, count: 1 };
const reader = (name: string): Thing => ({ is: "reader", name, traits: { workload: "shop/api" } });
const location = (path: string): Thing & { is: "location" } => ({
  is: "location",
  scope: "repository shop",
  path,
});

const claim = (more: Partial<Claim> = {}): Claim => ({
  ...{ record: "a.yaml", known: "declared", from: reader("api"), type: "uses", to: location("x"), seen },
  sentence: "It names it.",
  ...more,
});
const copy = (more: Partial<Copy> = {}): Copy => ({
  ...{ record: "a.yaml", at: location("x"), mark: "m1", literal: true, seen, sentence: "a password" },
  ...more,
});
const part = (more: Partial<ScanPart> = {}): ScanPart => ({
  ...{ records: 1, claims: [], copies: [], listed: [], malformed: [], covered: null, gaps: [], cursor: "1" },
  ...more,
});

/** Why a claim cannot be kept; undefined where it can. */
const why = (more: Partial<Claim>) => soundPart(part({ claims: [claim(more)] })).malformed[0]?.why;

describe("a part", () => {
  it("stays what it is where all of it can be kept", () => {
    const things: Thing[] = [
      reader("api"),
      location("größe 🗝"),
      { is: "place", store: "main", place: { path: "orders/db" } },
      { is: "account", issuer: "db", account: "orders", createdAt: 1_000, expiresAt: 2_000 },
      { is: "credential", scope: "AWS", name: "k", class: "api-key" },
      { is: "named", type: "owner", name: "ada" },
    ];
    const listed = things.map((thing): Listed => ({ record: "list", thing, seen }));
    const whole = part({
      ...{ claims: [claim()], copies: [copy()], listed, malformed: [{ where: "b", why: "no YAML" }] },
      uses: [{ record: "list", of: location("x"), seen, sentence: "It was used." }],
      ...{
        gaps: ["A gap."],
        covered: { from: 1, until: 2 },
        own: [{ is: "reader", name: "rekey", traits: {} }],
      },
    });
    const versions = ["3", "older", "0b0c1d2e-0000-4000-8000-000000000000", "a".repeat(256)];
    const reads = part({
      claims: [claim({ versions: versions.map((version) => ({ version, first: 1_000, last: 2_000 })) })],
    });
    expect(soundPart(reads)).toEqual(reads);
    expect(soundPart(whole)).toEqual(whole);
    const again = { ...whole, gapsAgain: ["A gap."] };
    expect(soundPart(again)).toEqual(again);
    const unsound = soundPart({ ...whole, gapsAgain: ["A gap\0."] });
    expect(unsound.gapsAgain).toEqual(soundPart({ ...whole, gaps: ["A gap\0."] }).gaps);
  });

  it("keeps the logs of a source apart, also where two look the same, and believes no time that cannot be kept", () => {
    const reaches = [
      { log: "/logs/a\0", until: 1_000 },
      { log: "/logs/a\uFFFD", until: Number.NaN },
      { log: "/logs/b", until: null },
    ];
    expect(soundPart(part({ reaches })).reaches).toEqual([
      { log: "/logs/a\uFFFD", until: 1_000 },
      { log: "/logs/a\uFFFD (2)", until: null },
      { log: "/logs/b", until: null },
    ]);
  });

  it("loses what cannot be kept, keeps the rest, and says which record that was", () => {
    const bad = location("a\0b");
    const used = { record: "c.yaml", of: location("x"), seen, sentence: "It was used." };
    const { claims, copies, listed, uses, malformed, records } = soundPart(
      part({
        ...{ claims: [claim({ to: bad }), claim()], copies: [copy({ at: bad }), copy()] },
        listed: [{ record: "b.yaml", thing: bad, seen }],
        uses: [{ ...used, of: bad }, used],
      }),
    );
    expect([claims, copies, listed, records]).toEqual([[claim()], [copy()], [], 1]);
    expect(uses).toEqual([used]);
    expect(malformed.map(({ where }) => where)).toEqual(["a.yaml", "a.yaml", "b.yaml", "c.yaml"]);
    expect(malformed[0]?.why).toBe("it has a text that cannot be kept: a NUL, or half of a surrogate pair");
  });

  it("repeats no text that cannot be kept, in its complaints and gaps either", () => {
    const { malformed, gaps } = soundPart(
      part({
        ...{
          claims: [claim({ record: "a\0" })],
          malformed: [{ where: "\ud800", why: "b\0" }],
          gaps: ["\udc00!"],
        },
      }),
    );
    expect(malformed.map(({ where }) => where)).toEqual(["\ufffd", "a\ufffd"]);
    expect([malformed[0]?.why, ...gaps]).toEqual(["b\ufffd", "\ufffd!"]);
  });

  it("moves nobody's cursor and forges no line: control characters are pictures of themselves", () => {
    const evil = "orders-api\u001b[2K\r\nnobody\u009b1m\u202e";
    const plain = "orders-api\u241b[2K\u240d\u240anobody\u24261m\u2426";
    const traits = { applicationName: evil };
    const said = soundPart(
      part({
        claims: [claim({ from: { is: "reader", name: evil, traits }, to: location(evil), sentence: evil })],
        copies: [copy({ at: location(evil), sentence: evil })],
        listed: [{ record: "l", thing: { is: "place", store: "main", place: { path: evil } }, seen }],
        ...{ malformed: [{ where: evil, why: evil }], gaps: [evil] },
      }),
    );
    expect(said.claims).toEqual([
      claim({
        from: { is: "reader", name: plain, traits: { applicationName: plain } },
        ...{ to: location(plain), sentence: plain },
      }),
    ]);
    expect(said.copies).toEqual([copy({ at: location(plain), sentence: plain })]);
    expect(said.listed[0]?.thing).toEqual({ is: "place", store: "main", place: { path: plain } });
    expect([said.malformed, said.gaps]).toEqual([[{ where: plain, why: plain }], [plain]]);
  });

  it("names each version once, without what moves a cursor, from its first read to its last", () => {
    const evil = "v\u001b[2K";
    const said = soundPart(
      part({
        claims: [
          claim({
            versions: [
              { version: evil, first: 1_000, last: 2_000 },
              { version: "3", first: 5, last: 5 },
              { version: "v\u241b[2K", first: 500, last: 1_500 },
            ],
          }),
        ],
      }),
    );
    expect(said.claims[0]?.versions).toEqual([
      { version: "v\u241b[2K", first: 500, last: 2_000 },
      { version: "3", first: 5, last: 5 },
    ]);
  });

  it("has no times that cannot be kept", () => {
    const stretches = [
      [-1e15, -1e15],
      [0, 1],
    ] as const;
    const said = soundPart(part({ covered: { from: -1e15, until: 0 }, stretches }));
    const { covered, malformed } = said;
    expect([covered, said.stretches]).toEqual([null, [[0, 1]]]);
    expect(malformed).toEqual([{ where: "the times of a part", why: "they are none that can be kept" }]);
  });
});

describe("a claim is refused for", () => {
  it.each<[string, Partial<Claim>]>([
    ["a name", { from: reader("\0") }],
    ["a trait", { from: { is: "reader", name: "a", traits: { role: "\ud800" } } }],
    ["a place's field", { to: { is: "place", store: "main", place: { "\0": "x" } } }],
    ["a sentence", { sentence: "half \udfff" }],
    ["a record", { record: "\0" }],
  ])("a NUL or half a pair in %s", (_, more) => {
    expect(why(more)).toContain("a NUL, or half of a surrogate pair");
  });

  it("a time outside of the years 1 to 9999, or none", () => {
    const account = (times: object): Thing => ({ is: "account", issuer: "db", account: "a", ...times });
    for (const first of [Number.NaN, -62_135_596_800_001, Number.NEGATIVE_INFINITY])
      expect(why({ seen: { ...seen, first } })).toContain("the years 1 to 9999");
    expect(why({ seen: { ...seen, last: 253_402_300_800_000 } })).toContain("the years 1 to 9999");
    expect(why({ to: account({ createdAt: 1e18 }) })).toContain("the years 1 to 9999");
    expect(why({ to: account({ expiresAt: Number.NaN }) })).toContain("the years 1 to 9999");
    expect(
      why({ seen: { first: -62_135_596_800_000, last: 253_402_300_799_999, count: 1 } }),
    ).toBeUndefined();
  });

  it("a version by a name or with a time that cannot be kept", () => {
    const read = (version: string, first = 1_000, last = 2_000) =>
      why({
        versions: [
          { version: "1", first: 1_000, last: 2_000 },
          { version, first, last },
        ],
      });
    expect(read("2")).toBeUndefined();
    for (const name of ["\0", "\ud800"])
      expect(read(name)).toBe(
        "it has a version whose name cannot be kept: a NUL, or half of a surrogate pair",
      );
    expect(read("a".repeat(257))).toBe("it has a version whose name is too long to be kept");
    for (const [first, last] of [
      [Number.NaN, 1],
      [1, 253_402_300_800_000],
    ] as const)
      expect(read("2", first, last)).toBe(
        "it has a version with a time that cannot be kept: outside of the years 1 to 9999",
      );
    const both = soundPart(
      part({ claims: [claim({ versions: [{ version: "\0", first: 1, last: 1 }] }), claim()] }),
    );
    expect([both.claims, both.malformed.length]).toEqual([[claim()], 1]);
  });

  it("a name that is longer than an index takes, and a count that is none", () => {
    expect(why({ to: location("ä".repeat(1_000)) })).toBe("it has a name that is too long to be kept");
    expect(why({ record: "r".repeat(2_001) })).toBe("it has a name that is too long to be kept");
    expect(why({ to: location("p".repeat(1_500)), sentence: "s".repeat(9_000) })).toBeUndefined();
    expect(why({ seen: { ...seen, count: 0.5 } })).toBe("it has a count that is none");
  });
});

it("what a source says of a thing besides is kept as it can be, and a secret in it is not", () => {
  const thing = { is: "named", type: "credential", name: "payroll-sftp" } as const;
  const of = (more: Partial<Listed>): Listed => ({ record: "list", thing, seen, ...more });
  const said = (...listed: readonly Listed[]) => {
    const { listed: kept, malformed } = soundPart(part({ listed }));
    return [kept.map(({ purpose, expiresAt }) => [purpose, expiresAt]), malformed.map(({ where }) => where)];
  };
  expect(said(of({ purpose: "a\u001b[2J", expiresAt: 7 }))).toEqual([[["a\u241b[2J", 7]], []]);
  expect(said(of({ purpose: "see https://me:Canary-8x@x.example/" }))).toEqual([
    [["see https://***@x.example/", undefined]],
    [],
  ]);
  expect(said(of({ purpose: "a\0" }), of({ expiresAt: Number.POSITIVE_INFINITY }))).toEqual([
    [],
    ["list", "list"],
  ]);
});
